use arm_core::{open_enum, wire::UnknownFields};
use serde::{Deserialize, Serialize};

/// The vault's firewall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NetworkRules {
    /// Which callers bypass the rules. Default: trusted Azure services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<NetworkBypass>,
    /// What happens to callers that match no rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_action: Option<NetworkAction>,
    /// The allowed addresses and ranges.
    #[serde(default, deserialize_with = "arm_core::wire::null_as_default")]
    pub ip_rules: Vec<IpRule>,
    /// The allowed subnets.
    #[serde(default, deserialize_with = "arm_core::wire::null_as_default")]
    pub virtual_network_rules: Vec<VirtualNetworkRule>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl NetworkRules {
    /// Allows only these addresses or ranges (`198.51.100.0/24`), and trusted Azure services.
    pub fn only<S: Into<String>>(addresses: impl IntoIterator<Item = S>) -> Self {
        Self {
            bypass: Some(NetworkBypass::AzureServices),
            default_action: Some(NetworkAction::Deny),
            ip_rules: addresses.into_iter().map(IpRule::new).collect(),
            ..Self::default()
        }
    }
}

/// An allowed address or range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IpRule {
    /// An IPv4 address, or a range in CIDR notation.
    pub value: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl IpRule {
    /// Allows this address or range.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), unknown: UnknownFields::default() }
    }
}

/// An allowed subnet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VirtualNetworkRule {
    /// The resource id of the subnet.
    pub id: String,
    /// Whether to accept the rule even if the subnet has no service endpoint for Key Vault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_missing_vnet_service_endpoint: Option<bool>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

open_enum! {
    /// Which callers bypass the rules.
    pub enum NetworkBypass {
        /// Trusted Azure services.
        AzureServices = "AzureServices",
        /// Nobody.
        None = "None",
    }
}

open_enum! {
    /// What happens to callers that match no rule.
    pub enum NetworkAction {
        /// They are allowed.
        Allow = "Allow",
        /// They are refused.
        Deny = "Deny",
    }
}

open_enum! {
    /// Whether the vault can be reached over the public network.
    pub enum PublicNetworkAccess {
        /// Callers that the firewall allows can reach it.
        Enabled = "Enabled",
        /// Only private endpoints and trusted services can reach it.
        Disabled = "Disabled",
    }
}
