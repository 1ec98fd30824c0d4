use arm_core::{ArmClient, ArmPath, Pager, ResourceName, SubscriptionId};
use azure_core::Result;

use crate::{SecureScore, SecureScoreControl, SecureScoreControlDefinition};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-scores).
const API_VERSION: &str = "2020-01-01";

/// A client for secure scores, which measure how well a subscription follows recommendations.
#[derive(Debug, Clone)]
pub struct SecureScoresClient {
    arm: ArmClient,
}

impl SecureScoresClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams all scores of a subscription: `SecureScores_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-scores/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/secureScores/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<SecureScore> {
        self.arm.get(security(subscription.into()).literal("secureScores"), API_VERSION).pager()
    }

    /// Reads a score: `SecureScores_Get`. The built-in score is named `ascScore`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-scores/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/secureScores/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, subscription: &SubscriptionId, name: &ResourceName) -> Result<SecureScore> {
        let path = security(subscription.into()).literal("secureScores").segment(name);
        self.arm.get(path, API_VERSION).json().await
    }

    /// Streams the controls of a score, each with its definition: `SecureScoreControls_ListBySecureScore`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-score-controls/list-by-secure-score)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/secureScores/secureScoreControls/read`.
    #[inline]
    pub fn list_controls_of(
        &self,
        subscription: &SubscriptionId,
        name: &ResourceName,
    ) -> Pager<SecureScoreControl> {
        let path = security(subscription.into()).literal("secureScores").segment(name);
        self.arm.get(path.literal("secureScoreControls"), API_VERSION).query("$expand", "definition").pager()
    }

    /// Streams the controls of all scores, each with its definition: `SecureScoreControls_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-score-controls/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/secureScoreControls/read`.
    #[inline]
    pub fn list_controls(&self, subscription: &SubscriptionId) -> Pager<SecureScoreControl> {
        let path = security(subscription.into()).literal("secureScoreControls");
        self.arm.get(path, API_VERSION).query("$expand", "definition").pager()
    }

    /// Streams the definitions of the built-in controls: `SecureScoreControlDefinitions_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-score-control-definitions/list)
    #[inline]
    pub fn list_definitions(&self) -> Pager<SecureScoreControlDefinition> {
        self.arm.get(security(ArmPath::root()).literal("secureScoreControlDefinitions"), API_VERSION).pager()
    }

    /// Streams the definitions of the controls of a subscription:
    /// `SecureScoreControlDefinitions_ListBySubscription`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/secure-score-control-definitions/list-by-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/secureScoreControlDefinitions/read`.
    #[inline]
    pub fn list_definitions_by_subscription(
        &self,
        subscription: &SubscriptionId,
    ) -> Pager<SecureScoreControlDefinition> {
        let path = security(subscription.into()).literal("secureScoreControlDefinitions");
        self.arm.get(path, API_VERSION).pager()
    }
}

fn security(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.Security")
}
