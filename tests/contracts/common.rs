//! Names that many contracts use.

use arm_core::{ResourceGroupId, ResourceId, ResourceName, SubscriptionId};
use defender_alerts::Location;

pub(crate) const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";
pub(crate) const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app";
pub(crate) const VAULT: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/\
                                providers/Microsoft.KeyVault/vaults/kv-prod";
pub(crate) const MACHINE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/\
                                  providers/Microsoft.Compute/virtualMachines/vm-1";
pub(crate) const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/\
                                    providers/Microsoft.OperationalInsights/workspaces/law-soc";

pub(crate) fn subscription() -> SubscriptionId {
    "00000000-0000-0000-0000-000000000001".parse().unwrap()
}

pub(crate) fn group() -> ResourceGroupId {
    subscription().resource_group("rg-app").unwrap()
}

pub(crate) fn resource(id: &str) -> ResourceId {
    id.parse().unwrap()
}

pub(crate) fn name(text: &str) -> ResourceName {
    text.parse().unwrap()
}

pub(crate) fn location() -> Location {
    "westeurope".parse().unwrap()
}

/// A fixture as a model, to be written back as it was read.
pub(crate) fn decoded<T: serde::de::DeserializeOwned>(fixture: &str) -> T {
    serde_json::from_str(&contract_tests::fixture(fixture).to_string()).unwrap()
}
