use arm_core::{
    SubscriptionId,
    wire::{self, UnknownFields},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Resource;

/// The onboarding state of a workspace, which exists if Sentinel is on.
pub type OnboardingState = Resource<OnboardingProperties>;

/// The properties of an [`OnboardingState`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct OnboardingProperties {
    /// Whether the workspace uses a customer-managed key. Default: `false`.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub customer_managed_key: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

arm_core::open_enum! {
    /// The kind of a data connector.
    pub enum ConnectorKind {
        /// Alerts of Defender for Cloud: the legacy connector, one for each subscription.
        AzureSecurityCenter = "AzureSecurityCenter",
        /// Entra ID Protection.
        AzureActiveDirectory = "AzureActiveDirectory",
        /// Defender for Identity.
        AzureAdvancedThreatProtection = "AzureAdvancedThreatProtection",
        /// AWS.
        AmazonWebServicesCloudTrail = "AmazonWebServicesCloudTrail",
        /// Defender for Cloud Apps.
        MicrosoftCloudAppSecurity = "MicrosoftCloudAppSecurity",
        /// Defender for Endpoint.
        MicrosoftDefenderAdvancedThreatProtection = "MicrosoftDefenderAdvancedThreatProtection",
        /// Microsoft's threat intelligence.
        MicrosoftThreatIntelligence = "MicrosoftThreatIntelligence",
        /// Microsoft 365.
        Office365 = "Office365",
        /// Defender Threat Intelligence.
        PremiumMicrosoftDefenderForThreatIntelligence = "PremiumMicrosoftDefenderForThreatIntelligence",
        /// A poller for any REST API.
        RestApiPoller = "RestApiPoller",
        /// Threat intelligence platforms.
        ThreatIntelligence = "ThreatIntelligence",
    }
}

/// A data source of Sentinel. Its `kind` determines its properties.
pub type DataConnector = Resource<ConnectorProperties>;

/// The properties of a [`DataConnector`]. Those that are not modeled are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ConnectorProperties {
    /// The subscription, for `AzureSecurityCenter`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// The tenant, for most other kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The data types and their states, as the service writes them.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub data_types: Value,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Resource<ConnectorProperties> {
    /// Creates a connector for the Defender for Cloud alerts of one subscription.
    pub fn defender_for_cloud(subscription: &SubscriptionId) -> Self {
        let properties = ConnectorProperties {
            subscription_id: Some(subscription.to_string()),
            data_types: serde_json::json!({ "alerts": { "state": "Enabled" } }),
            ..ConnectorProperties::default()
        };
        let mut connector = Self::new(properties);
        connector.kind = Some(ConnectorKind::AzureSecurityCenter.to_string());
        connector
    }

    /// The kind.
    pub fn connector_kind(&self) -> ConnectorKind {
        ConnectorKind::from(self.kind.as_deref().unwrap_or_default())
    }

    /// Whether alerts are ingested.
    pub fn takes_alerts(&self) -> bool {
        let state = self.properties.data_types["alerts"]["state"].as_str();
        state.is_some_and(|state| state.eq_ignore_ascii_case("Enabled"))
    }

    /// Whether this is the tenant-based connector of Defender for Cloud, which replaces the per-subscription ones. No
    /// version of the API documents its kind, so both its kind and its name are checked.
    pub fn is_tenant_based_defender(&self) -> bool {
        let names = [self.kind.as_deref().unwrap_or_default(), self.name.as_str()];
        names.iter().any(|name| name.to_ascii_lowercase().starts_with("microsoftdefenderforcloud"))
    }
}
