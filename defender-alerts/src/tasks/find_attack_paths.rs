//! Finds attack paths, and tells whether an empty list means that there are none.

use azure_core::Result;
use futures::TryStreamExt as _;
use resource_ops::GraphScope;

use crate::{AttackPath, AttackPathsClient, PlanState, PostureCoverage, tasks::posture};

/// The attack paths of a scope, and Defender's coverage of the scope.
#[derive(Debug)]
#[non_exhaustive]
pub struct AttackPaths {
    /// The paths that were found. [`not_covered`](Self::not_covered) lists the subscriptions where there may be others.
    pub paths: Vec<AttackPath>,
    /// Defender's coverage of each subscription that was named, or that Resource Graph shows in the scope.
    pub coverage: Vec<PostureCoverage>,
}

impl AttackPaths {
    /// Returns the paths that concern secrets, credentials or key vaults.
    pub fn concerning_secrets(&self) -> impl Iterator<Item = &AttackPath> {
        self.paths.iter().filter(|path| path.concerns_secrets())
    }

    /// Returns the subscriptions about which nothing is known, because Defender CSPM is off or its state cannot be
    /// read.
    pub fn not_covered(&self) -> impl Iterator<Item = &PostureCoverage> {
        self.coverage.iter().filter(|coverage| coverage.cspm != PlanState::On)
    }

    /// Whether there are no attack paths: none were found, and Defender CSPM is on in every subscription in
    /// [`coverage`](Self::coverage), of which there is at least one.
    pub fn is_clean(&self) -> bool {
        self.paths.is_empty() && !self.coverage.is_empty() && self.not_covered().next().is_none()
    }
}

impl AttackPathsClient {
    /// Finds the attack paths of a scope, and the coverage that distinguishes "none" from "unknown".
    ///
    /// ```
    /// # use mock_azure::MockAzure;
    /// # use arm_core::{ArmClient, SubscriptionId};
    /// use defender_alerts::AttackPathsClient;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
    /// # let azure = MockAzure::seed().start().await;
    /// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
    /// let found = AttackPathsClient::new(&arm).find(&subscription).await?;
    /// for path in found.concerning_secrets() {
    ///     println!("{:?} {}", path.risk_level, path.display_name);
    /// }
    /// for blind in found.not_covered() {
    ///     println!("{}: Defender CSPM is {:?}", blind.subscription, blind.cspm);
    /// }
    /// # assert!(!found.is_clean());
    /// # Ok(()) }
    /// ```
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/*/read`; for a tenant or management group, also `Microsoft.Resources/subscriptions/read`,
    /// without which a subscription that shows nothing else is missing from the coverage.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn find(&self, scope: impl Into<GraphScope>) -> Result<AttackPaths> {
        let scope = scope.into();
        let paths = self.list(scope.clone()).try_collect().await?;
        let coverage = posture::coverage(&self.graph, scope).await?;
        Ok(AttackPaths { paths, coverage })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn there_are_none_only_if_none_was_found_and_the_plan_is_on_in_every_subscription() {
        let coverage = |cspm| PostureCoverage {
            subscription: "00000000-0000-0000-0000-000000000001".parse().unwrap(),
            cspm,
            machine_scanning: PlanState::Off,
        };
        let found = |paths: usize, states: &[PlanState]| AttackPaths {
            paths: vec![serde_json::from_value(json!({ "id": "p" })).unwrap(); paths],
            coverage: states.iter().copied().map(coverage).collect(),
        };
        use PlanState::{NotKnown, Off, On};
        assert!(found(0, &[On, On]).is_clean());
        for not_clean in [found(1, &[On]), found(0, &[]), found(0, &[On, Off]), found(0, &[On, NotKnown])] {
            assert!(!not_clean.is_clean(), "{not_clean:?}");
        }
    }
}
