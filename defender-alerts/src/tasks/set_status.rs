//! Sets the status of many alerts at once.

use std::collections::HashSet;

use arm_core::{ArmErrorExt as _, Change, Fleet, Mode, Outcome};
use azure_core::{Error, Result, error::ErrorKind};
use futures::StreamExt as _;

use crate::{Alert, AlertId, AlertStatus, AlertsClient};

/// A change to the status of alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertAction {
    /// Dismisses alerts that are false positives or accepted.
    Dismiss,
    /// Resolves alerts that were real and have been dealt with.
    Resolve,
    /// Makes alerts active again.
    Activate,
    /// Marks alerts as in progress, because somebody is working on them.
    StartProgress,
}

impl AlertAction {
    /// Returns the status that alerts have after this change.
    pub fn status(self) -> AlertStatus {
        match self {
            Self::Dismiss => AlertStatus::Dismissed,
            Self::Resolve => AlertStatus::Resolved,
            Self::Activate => AlertStatus::Active,
            Self::StartProgress => AlertStatus::InProgress,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Dismiss => "dismiss",
            Self::Resolve => "resolve",
            Self::Activate => "activate",
            Self::StartProgress => "inProgress",
        }
    }
}

impl AlertsClient {
    /// Sets the status of alerts, and verifies each change by reading the alert back.
    ///
    /// Alerts that already have the status are left unchanged. A failure does not stop the others: the report has one
    /// outcome for each alert. Sample alerts are handled too, although their ids contain a resource group that does not
    /// exist.
    ///
    /// **If it stops halfway**, some alerts have the new status and the others their old one; running the task again
    /// finishes it.
    ///
    /// ```
    /// # use mock_azure::MockAzure;
    /// # use arm_core::{ArmClient, SubscriptionId};
    /// use defender_alerts::{AlertAction, AlertsClient};
    /// use futures::TryStreamExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
    /// # let azure = MockAzure::seed().alerts(&subscription, 3).start().await;
    /// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
    /// let alerts = AlertsClient::new(&arm);
    /// let ids: Vec<_> = alerts.list(&subscription).map_ok(|alert| alert.id).try_collect().await?;
    /// let report = alerts.set_status(ids, AlertAction::Resolve).await?;
    /// for failed in report.failed() {
    ///     eprintln!("{}: {:?}", failed.target, failed.result);
    /// }
    /// # assert_eq!(report.changed().count(), 3);
    /// # Ok(()) }
    /// ```
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/read`, and that of the action, such as
    /// `Microsoft.Security/locations/alerts/dismiss/action`.
    pub fn set_status(&self, ids: impl IntoIterator<Item = AlertId>, action: AlertAction) -> SetStatus {
        let mut seen = HashSet::new();
        let ids = ids.into_iter().filter(|id| seen.insert(id.clone())).collect();
        SetStatus { client: self.clone(), ids, action, only_if: None, concurrency: 8 }
    }
}

/// Sets the status of many alerts. See [`AlertsClient::set_status`].
#[derive(Debug, Clone)]
#[must_use = "nothing is changed before it is awaited"]
pub struct SetStatus {
    client: AlertsClient,
    ids: Vec<AlertId>,
    action: AlertAction,
    only_if: Option<AlertStatus>,
    concurrency: usize,
}

impl SetStatus {
    /// Changes only alerts that still have this status when they are read, directly before the change. Alerts whose
    /// status somebody else has changed in the meantime are left unchanged, and reported as unchanged.
    pub fn only_if(mut self, status: AlertStatus) -> Self {
        self.only_if = Some(status);
        self
    }

    /// Sets how many alerts to process concurrently; at least 1. Default: 8.
    pub fn concurrency(mut self, alerts: usize) -> Self {
        self.concurrency = alerts;
        self
    }

    async fn run(self, mode: Mode) -> Result<SetStatusReport> {
        let Self { client, ids, action, only_if, concurrency } = self;
        let targets: Vec<(usize, AlertId)> = ids.into_iter().enumerate().collect();
        let mut outcomes: Vec<_> = Fleet::new(targets)
            .concurrency(concurrency)
            .run(|(_, id)| {
                let (client, only_if) = (client.clone(), only_if.clone());
                async move { set_one(&client, id, action, only_if, mode).await }
            })
            .collect()
            .await;
        outcomes.sort_by_key(|outcome| outcome.target.0);
        let plain = |outcome: Outcome<(usize, AlertId), _>| Outcome {
            target: outcome.target.1,
            result: outcome.result,
        };
        Ok(SetStatusReport { outcomes: outcomes.into_iter().map(plain).collect() })
    }
}

/// The result of a [`SetStatus`]: one outcome for each alert, in the order of the ids.
#[derive(Debug)]
#[non_exhaustive]
pub struct SetStatusReport {
    /// The outcomes, in the order of the ids.
    pub outcomes: Vec<Outcome<AlertId, Change<AlertStatus>>>,
}

impl SetStatusReport {
    /// Returns the alerts whose status was changed or, in a dry run, would be.
    pub fn changed(&self) -> impl Iterator<Item = &AlertId> {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.result.as_ref().is_ok_and(Change::is_change))
            .map(|outcome| &outcome.target)
    }

    /// Returns the outcomes of the alerts that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome<AlertId, Change<AlertStatus>>> {
        self.outcomes.iter().filter(|outcome| outcome.result.is_err())
    }

    /// Whether no alert failed: all have the requested status (in a dry run, would have it), except those left
    /// unchanged because of [`only_if`](SetStatus::only_if).
    pub fn is_complete(&self) -> bool {
        self.failed().next().is_none()
    }
}

arm_core::task!(SetStatus => SetStatusReport);

async fn set_one(
    client: &AlertsClient,
    id: AlertId,
    action: AlertAction,
    only_if: Option<AlertStatus>,
    mode: Mode,
) -> Result<Change<AlertStatus>> {
    let (id, alert) = reach(client, id).await?;
    let (before, wanted) = (alert.status, action.status());
    if before == wanted || only_if.is_some_and(|only| only != before) {
        return Ok(Change::Unchanged(before));
    }
    if mode.is_dry_run() {
        return Ok(Change::Updated { before, after: wanted });
    }
    client.act(&id, action.verb()).await?;
    let after = client.get(&id).await.map_err(|error| {
        let message =
            format!("the service accepted the status {wanted}, but it could not be read back: {error}");
        error.reworded(message)
    })?;
    if after.status == wanted {
        return Ok(Change::Updated { before, after: wanted });
    }
    let message = format!(
        "the service accepted the status {wanted} for the alert {id}, but still shows {}: run this again later",
        after.status
    );
    Err(Error::with_message(ErrorKind::Other, message))
}

/// Reads an alert; returns the form of its id that works, and the alert.
async fn reach(client: &AlertsClient, id: AlertId) -> Result<(AlertId, Alert)> {
    match client.get(&id).await {
        Err(error) if error.is_code("ResourceGroupNotFound") && id.resource_group().is_some() => {
            let id = id.at_subscription();
            let alert = client.get(&id).await?;
            Ok((id, alert))
        }
        found => found.map(|alert| (id, alert)),
    }
}
