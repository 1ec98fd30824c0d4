//! Defender's findings in formats that other tools read: OCSF, SARIF and CSV.
//!
//! No format contains a secret's value. Each includes the sources that could not be read, so that an empty file is
//! never mistaken for a clean result.
//!
//! ```
//! # use mock_azure::MockAzure;
//! # use arm_core::{ArmClient, SubscriptionId};
//! # use defender_alerts::AlertsClient;
//! use defender_playbooks::findings::{Finding, Findings};
//! use futures::TryStreamExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
//! # let azure = MockAzure::seed().alerts(&subscription, 10).start().await;
//! # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
//! let alerts: Vec<_> = AlertsClient::new(&arm).list(&subscription).try_collect().await?;
//! let mut found = Findings::new(azure_core::time::OffsetDateTime::now_utc());
//! found.extend(alerts.iter().map(Finding::of_alert));
//! println!("{:#}", found.to_sarif());
//! # assert_eq!(found.to_ocsf().len(), 10);
//! # Ok(()) }
//! ```

mod csv;
mod finding;
mod ocsf;
mod sarif;

use std::fmt;

use arm_core::SubscriptionId;
use azure_core::time::OffsetDateTime;
use defender_alerts::Severity;

pub use finding::{Finding, FindingKind, FindingStatus};

/// Findings, and the sources that could not be read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Findings {
    /// The findings.
    pub findings: Vec<Finding>,
    /// What could not be checked. Unless this is empty, the absence of findings proves nothing.
    pub not_known: Vec<NotKnown>,
    /// When the findings were read. In OCSF, the time of a finding that has none of its own.
    pub read_at: OffsetDateTime,
    /// The tenant, if known.
    pub tenant: Option<String>,
}

/// Something that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct NotKnown {
    /// The subscription; `None` if this concerns all of them, or is unknown.
    pub subscription: Option<SubscriptionId>,
    /// A description, for people, of what could not be checked and why.
    pub what: String,
}

impl NotKnown {
    /// Describes something in one subscription that could not be checked.
    pub fn in_subscription(subscription: &SubscriptionId, what: impl Into<String>) -> Self {
        Self { subscription: Some(subscription.clone()), what: what.into() }
    }
}

impl From<String> for NotKnown {
    fn from(what: String) -> Self {
        Self { subscription: None, what }
    }
}

impl From<&str> for NotKnown {
    fn from(what: &str) -> Self {
        what.to_owned().into()
    }
}

impl fmt::Display for NotKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subscription.iter().try_for_each(|id| write!(f, "subscription {id}: "))?;
        f.write_str(&self.what)
    }
}

impl Findings {
    /// Creates an empty set of findings.
    pub fn new(read_at: OffsetDateTime) -> Self {
        Self { findings: Vec::new(), not_known: Vec::new(), read_at, tenant: None }
    }

    /// Adds a finding, unless there is already one with the same id: an exposed secret, for example, can also be listed
    /// as a recommendation.
    pub fn add(&mut self, finding: Finding) {
        if !self.findings.iter().any(|known| known.id.eq_ignore_ascii_case(&finding.id)) {
            self.findings.push(finding);
        }
    }

    /// Whether a gate at this severity should fail: if an open finding that is not a sample has at least this severity,
    /// or if something could not be checked ([`not_known`](Self::not_known)). A missing severity counts as the highest.
    pub fn fails(&self, least: &Severity) -> bool {
        let bad = |finding: &&Finding| {
            let severity = finding.severity.as_ref();
            finding.is_open()
                && !finding.is_sample
                && severity.is_none_or(|severity| severity.at_least(least))
        };
        !self.not_known.is_empty() || self.findings.iter().any(|finding| bad(&finding))
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }
}
