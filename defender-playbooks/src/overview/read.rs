//! Reads an overview.

use std::cmp::Reverse;

use arm_core::{ArmClient, Fleet, SubscriptionId};
use azure_core::{Error, Result, error::ErrorKind, time::OffsetDateTime};
use defender_alerts::{
    Alert, AlertsClient, Assessment, AssessmentCode, AssessmentFilter, AssessmentsClient, AttackPathsClient,
    SecretFindingsClient,
};
use defender_pricing::PricingClient;
use futures::{StreamExt as _, TryStreamExt as _};
use resource_ops::{GraphScope, Permission, PermissionsClient, SubscriptionsClient};

use super::{Overview, OverviewClient, Seen, SubscriptionOverview, members::Members};
use crate::CoverageClient;

/// What Resource Graph shows only to callers that are allowed this action in the subscription.
const SHOWN_TO: [(&str, &str); 3] = [
    ("alerts", "Microsoft.Security/locations/alerts/read"),
    ("recommendations and exposed secrets", "Microsoft.Security/assessments/read"),
    ("attack paths", "Microsoft.Security/attackPaths/read"),
];

/// The words by which recommendations about secrets are recognized.
const WORDS: [&str; 5] = ["key vault", "keyvault", "secret", "credential", "password"];

impl OverviewClient {
    /// Reads all subscriptions of a scope. Writes nothing.
    ///
    /// A subscription, plan, vault or source that cannot be read is reported as such, and does not hide anything else.
    /// A named subscription that does not exist is reported as not visible. Subscriptions in which the caller may not
    /// read anything are found only if the caller may list the descendants of the management group (or tenant);
    /// otherwise, [`Overview::not_listed`] says that some may be missing.
    ///
    /// The data of Resource Graph can be several minutes old.
    ///
    /// # Permissions
    ///
    /// Security Reader and Monitoring Reader on the subscriptions;
    /// `Microsoft.Management/managementGroups/descendants/read` on the management group, which Reader has.
    ///
    /// # Errors
    ///
    /// The scope names no subscription, a management group does not exist or cannot be read while no subscription is
    /// visible in the scope, or the subscriptions of the tenant cannot be listed.
    pub async fn read(&self, scope: impl Into<GraphScope>) -> Result<Overview> {
        let scope = scope.into();
        if matches!(&scope, GraphScope::Subscriptions(named) if named.is_empty()) {
            return arm_core::refuse("an overview needs a subscription, or a management group");
        }
        let members = Members::of(&self.arm, &scope).await?;
        let arm = &self.arm;
        let mut subscriptions: Vec<SubscriptionOverview> = Fleet::new(members.ids)
            .run(|id| see(arm, id))
            .map(|outcome| SubscriptionOverview { id: outcome.target, seen: outcome.result })
            .collect()
            .await;
        subscriptions.sort_by(|a, b| (a.name(), a.id.as_str()).cmp(&(b.name(), b.id.as_str())));
        let visible: Vec<SubscriptionId> =
            subscriptions.iter().filter(|it| it.seen.is_ok()).map(|it| it.id.clone()).collect();
        let tenant = subscriptions.iter().find_map(|it| it.seen.as_ref().ok()?.tenant.clone());
        let (alerts, attack_paths, secrets, recommendations) = self.across(visible).await;
        Ok(Overview {
            read_at: OffsetDateTime::now_utc(),
            tenant,
            subscriptions,
            not_listed: members.not_listed,
            alerts,
            attack_paths,
            secrets,
            recommendations,
        })
    }

    async fn across(
        &self,
        visible: Vec<SubscriptionId>,
    ) -> (
        Result<Vec<Alert>>,
        Result<defender_alerts::AttackPaths>,
        Result<defender_alerts::SecretFindings>,
        Result<Vec<Assessment>>,
    ) {
        if visible.is_empty() {
            return (Err(nothing()), Err(nothing()), Err(nothing()), Err(nothing()));
        }
        let scope = GraphScope::Subscriptions(visible);
        let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).any_word(WORDS);
        let (paths, secrets) = (AttackPathsClient::new(&self.arm), SecretFindingsClient::new(&self.arm));
        let (alerts, paths, secrets, recommendations) = futures::join!(
            AlertsClient::new(&self.arm).list_key_vault_across(scope.clone()).try_collect::<Vec<_>>(),
            paths.find(scope.clone()),
            secrets.find(scope.clone()),
            AssessmentsClient::new(&self.arm).find_across(scope.clone(), filter).try_collect(),
        );
        let alerts = alerts.map(|mut alerts| {
            alerts.sort_by_key(|alert| Reverse(alert.start_time.or(alert.time_generated)));
            alerts
        });
        (alerts, paths, secrets, recommendations)
    }
}

fn nothing() -> Error {
    Error::with_message(ErrorKind::Other, "no subscription of the scope could be read")
}

async fn see(arm: &ArmClient, id: SubscriptionId) -> Result<Box<Seen>> {
    let found = SubscriptionsClient::new(arm).get(&id).await?;
    let (pricing, coverage) = (PricingClient::new(arm), CoverageClient::new(arm));
    let permissions = PermissionsClient::new(arm);
    let (plans, vaults, held) = futures::join!(
        pricing.coverage(&id),
        coverage.report(&id, None),
        permissions.list(&id).try_collect::<Vec<Permission>>(),
    );
    Ok(Box::new(Seen {
        name: found.display_name,
        tenant: found.tenant_id,
        state: found.state,
        plans,
        vaults: vaults.map(|report| report.vaults),
        left_out: left_out(&held),
    }))
}

/// What Resource Graph silently omits.
fn left_out(held: &Result<Vec<Permission>>) -> Vec<String> {
    let held = match held {
        Ok(held) => held,
        Err(error) => return vec![format!("the caller's permissions could not be read: {error}")],
    };
    let may = |action: &str| held.iter().any(|permission| permission.allows(action));
    let hidden = SHOWN_TO.iter().filter(|(_, action)| !may(action));
    hidden
        .map(|(what, action)| format!("{what}: the caller may not read them in this subscription ({action})"))
        .collect()
}
