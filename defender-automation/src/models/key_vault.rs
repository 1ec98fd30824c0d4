//! The documented alerts of Defender for Key Vault, and an automation that responds to them.

use arm_core::SubscriptionId;

use crate::{Action, AlertSeverity, AutomationSpec, Rule, Source};

/// The documented Key Vault alert types with their severities, from the
/// [reference](https://learn.microsoft.com/azure/defender-for-cloud/alerts-azure-key-vault). None is High. The service
/// may raise others that are not documented.
pub const KEY_VAULT_ALERTS: &[(&str, AlertSeverity)] = &[
    ("KV_SuspiciousIPAccess", AlertSeverity::Medium),
    ("KV_TORAccess", AlertSeverity::Medium),
    ("KV_OperationVolumeAnomaly", AlertSeverity::Medium),
    ("KV_PutGetAnomaly", AlertSeverity::Medium),
    ("KV_ListGetAnomaly", AlertSeverity::Medium),
    ("KV_AccountVolumeAccessDeniedAnomaly", AlertSeverity::Low),
    ("KV_UserAccessDeniedAnomaly", AlertSeverity::Low),
    ("KV_AppAnomaly", AlertSeverity::Medium),
    ("KV_OperationPatternAnomaly", AlertSeverity::Medium),
    ("KV_UserAnomaly", AlertSeverity::Medium),
    ("KV_UserAppAnomaly", AlertSeverity::Medium),
    ("KV_AccountVolumeAnomaly", AlertSeverity::Medium),
    ("KV_SuspiciousIPAccessDenied", AlertSeverity::Low),
    ("KV_UnusualAccessSuspiciousIP", AlertSeverity::Medium),
];

impl AutomationSpec {
    /// Creates a spec that responds to Key Vault alerts of Medium or High severity in a subscription. No documented Key
    /// Vault alert has severity High; the rule set for High is there in case one is added.
    ///
    /// Sample alerts, whose type is `SIMULATED_KV_..`, are included, so that the actions can be tested.
    pub fn key_vault_response(
        location: impl Into<String>,
        subscription: &SubscriptionId,
        actions: impl IntoIterator<Item = Action>,
    ) -> Self {
        let set = |severity| [Rule::alert_type().contains("KV_"), Rule::severity_is(severity)];
        let source = Source::alerts().when_all(set(AlertSeverity::Medium)).when_all(set(AlertSeverity::High));
        Self::builder()
            .location(location)
            .scopes(subscription)
            .sources([source])
            .actions(actions)
            .description("Responds to Key Vault alerts of severity Medium and High")
            .build()
    }
}
