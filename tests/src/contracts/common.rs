//! Names that many contracts use.

use arm_core::{ResourceGroupId, ResourceId, ResourceName, SubscriptionId};
use defender_alerts::Location;

pub(super) const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
pub(super) const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app";
pub(super) const VAULT: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/\
                                providers/Microsoft.KeyVault/vaults/kv-prod";
pub(super) const MACHINE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/\
                                  providers/Microsoft.Compute/virtualMachines/vm-1";
pub(super) const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/\
                                    providers/Microsoft.OperationalInsights/workspaces/law-soc";

pub(super) fn subscription() -> SubscriptionId {
    "00000000-0000-0000-0000-000000000001".parse().unwrap()
}

pub(super) fn group() -> ResourceGroupId {
    subscription().resource_group("rg-app").unwrap()
}

pub(super) fn resource(id: &str) -> ResourceId {
    id.parse().unwrap()
}

pub(super) fn name(text: &str) -> ResourceName {
    text.parse().unwrap()
}

pub(super) fn location() -> Location {
    "westeurope".parse().unwrap()
}

/// A fixture as a model, to be written back as it was read.
pub(super) fn decoded<T: serde::de::DeserializeOwned>(fixture: &str) -> T {
    serde_json::from_str(&crate::fixture(fixture).to_string()).unwrap()
}
