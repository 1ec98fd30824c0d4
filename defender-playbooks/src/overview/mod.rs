//! One view of many subscriptions: open findings, coverage, and what could not be read.
//!
//! Alerts, attack paths, exposed secrets and recommendations come from Resource Graph, whose queries cover any number
//! of subscriptions; plans and vaults are read per subscription. Resource Graph silently omits what the caller may not
//! read, so the caller's permissions in every subscription are checked too: **whatever could not be read is named, and
//! an empty result never counts as clean.**
//!
//! ```
//! # use mock_azure::MockAzure;
//! # use arm_core::{ArmClient, SubscriptionId};
//! use defender_playbooks::overview::OverviewClient;
//! use resource_ops::GraphScope;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
//! # let azure = MockAzure::seed()
//! #     .management_group("mg-prod", [&subscription])
//! #     .alerts(&subscription, 10)
//! #     .start()
//! #     .await;
//! # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
//! let scope = GraphScope::ManagementGroups(vec!["mg-prod".parse()?]);
//! let overview = OverviewClient::new(&arm).read(scope).await?;
//! let found = overview.findings();
//! for finding in found.findings.iter().filter(|finding| finding.is_open()) {
//!     println!("{:?} {:?} {}", finding.severity, finding.subscription, finding.title);
//! }
//! for unknown in &found.not_known {
//!     println!("not known: {unknown}");
//! }
//! # assert_eq!(overview.subscriptions.len(), 1);
//! # Ok(()) }
//! ```

mod judge;
mod members;
mod read;

use arm_core::{ArmClient, SubscriptionId};
use azure_core::{Result, time::OffsetDateTime};
use defender_alerts::{Alert, Assessment, AttackPaths, SecretFindings};
use defender_pricing::{PlanCoverage, PlanName, Tier};
use resource_ops::SubscriptionState;

use crate::VaultCoverage;

/// Reads [overviews](self) of many subscriptions.
#[derive(Debug, Clone)]
pub struct OverviewClient {
    arm: ArmClient,
}

impl OverviewClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }
}

/// The state of many subscriptions at the time they were read.
#[derive(Debug)]
#[non_exhaustive]
pub struct Overview {
    /// When it was read.
    pub read_at: OffsetDateTime,
    /// The tenant, if any subscription reports it.
    pub tenant: Option<String>,
    /// The subscriptions of the scope, sorted by name, including those that cannot be read.
    pub subscriptions: Vec<SubscriptionOverview>,
    /// Why there may be subscriptions that are not listed here; `None` if the list is complete.
    pub not_listed: Option<String>,
    /// The Key Vault alerts, newest first.
    pub alerts: Result<Vec<Alert>>,
    /// The attack paths.
    pub attack_paths: Result<AttackPaths>,
    /// The secrets found in plain text.
    pub secrets: Result<SecretFindings>,
    /// Recommendations about key vaults, secrets, credentials and passwords that are not met.
    pub recommendations: Result<Vec<Assessment>>,
}

impl Overview {
    /// The number of subscriptions that could be read, at least in part.
    pub fn read_count(&self) -> usize {
        self.subscriptions.iter().filter(|it| it.seen.is_ok()).count()
    }

    /// Returns one subscription; `None` if the scope does not contain it.
    pub fn subscription(&self, id: &SubscriptionId) -> Option<&SubscriptionOverview> {
        self.subscriptions.iter().find(|it| it.id == *id)
    }
}

/// One subscription.
#[derive(Debug)]
#[non_exhaustive]
pub struct SubscriptionOverview {
    /// The subscription.
    pub id: SubscriptionId,
    /// What was read, or why the subscription is not visible, in which case nothing is known about it.
    pub seen: Result<Box<Seen>>,
}

impl SubscriptionOverview {
    /// The display name, or the id if the subscription is not visible.
    pub fn name(&self) -> &str {
        self.seen.as_ref().map_or(self.id.as_str(), |seen| &seen.name)
    }
}

/// What was read about a subscription.
#[derive(Debug)]
#[non_exhaustive]
pub struct Seen {
    /// The display name.
    pub name: String,
    /// The tenant, if reported.
    pub tenant: Option<String>,
    /// The state, such as enabled.
    pub state: SubscriptionState,
    /// The Defender plans.
    pub plans: Result<Vec<PlanCoverage>>,
    /// The vaults, and whether each is covered and logged.
    pub vaults: Result<Vec<VaultCoverage>>,
    /// What Resource Graph omits because the caller may not read it, or that this could not be determined.
    pub left_out: Vec<String>,
}

impl Seen {
    /// Whether a plan is on; `None` if it could not be read or is not listed.
    pub fn is_on(&self, plan: &PlanName) -> Option<bool> {
        let found = self.plans.as_ref().ok()?.iter().find(|it| it.plan == *plan)?;
        Some(found.tier == Tier::Standard)
    }
}
