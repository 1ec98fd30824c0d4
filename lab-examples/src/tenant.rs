//! The tenant of the offline lab: a production vault with suspicious activity, exposed secrets, and attack paths to
//! them.

use arm_core::{IdError, ResourceType, SubscriptionId};
use mock_azure::{MockAzure, Seed};
use resource_ops::GraphScope;
use serde_json::json;

use crate::scripts::{self, ENVIRONMENT};

/// The resource group that exists before the lab starts.
pub const PRODUCTION: &str = "rg-contoso-prod";
/// The vault that the alerts are about.
pub const PRODUCTION_VAULT: &str = "kv-contoso-prod";
/// A vault without logging that is open to the internet.
pub const FORGOTTEN_VAULT: &str = "kv-contoso-old";
/// The machine with a secret in its environment.
pub const MACHINE: &str = "vm-contoso-app";
/// The storage account whose key is in the exposed secret.
pub const STORAGE: &str = "stcontosoprod";
/// The variable that contains the secret.
pub const VARIABLE: &str = "DB_PASSWORD";

/// Returns the double's tenant as it is before the lab.
pub fn seed(subscription: &SubscriptionId) -> Result<Seed, IdError> {
    let group = subscription.resource_group(PRODUCTION)?;
    let vault = group.resource(&ResourceType::VAULT, PRODUCTION_VAULT)?;
    let machine = group.resource(&ResourceType::VIRTUAL_MACHINE, MACHINE)?;
    Ok(MockAzure::seed()
        .subscriptions([subscription])
        .role_propagation(2)
        .vault(subscription, PRODUCTION, PRODUCTION_VAULT)
        .vault(subscription, PRODUCTION, FORGOTTEN_VAULT)
        .vault_property(FORGOTTEN_VAULT, "enableRbacAuthorization", false)
        .vault_property(FORGOTTEN_VAULT, "publicNetworkAccess", json!("Enabled"))
        .storage_account(subscription, PRODUCTION, STORAGE)
        .virtual_machine(subscription, PRODUCTION, MACHINE)
        .vm_file(&machine, ENVIRONMENT, &format!("PATH=\"/usr/bin\"\n{VARIABLE}=\"REDACTED\"\n"))
        .on_run_command(scripts::run)
        .key_vault_alerts(&vault)
        .key_vault_assessments(&vault)
        .exposed_secret(&machine, "Database connection string")
        .grouped_secret_assessment(&machine)
        .attack_path(
            &machine,
            &vault,
            "Internet exposed VM with plain text secrets has access to a Key Vault",
        ))
}

/// Another subscription, whose plans are off.
const SECOND: &str = "00000000-0000-0000-0000-000000000002";
/// A subscription in which the caller may read nothing.
const HIDDEN: &str = "00000000-0000-0000-0000-000000000003";

/// Returns the tenant with the subscriptions and management groups of a report about several, and the subscription in
/// which the lab runs. A management group contains two subscriptions, and one in which the caller may read nothing.
pub fn estate(scope: &GraphScope) -> Result<(Seed, SubscriptionId), IdError> {
    let mut named = match scope {
        GraphScope::Subscriptions(named) => named.clone(),
        _ => Vec::new(),
    };
    if named.is_empty() {
        named = vec![mock_azure::DEFAULT_SUBSCRIPTION.parse()?, SECOND.parse()?];
    }
    let first = named[0].clone();
    let mut seed = self::seed(&first)?;
    for other in named.iter().filter(|other| **other != first) {
        let vault = other.resource_group("rg-fabrikam")?.resource(&ResourceType::VAULT, OTHER_VAULT)?;
        seed = seed.subscription(other).vault(other, "rg-fabrikam", OTHER_VAULT).key_vault_alerts(&vault);
    }
    if let GraphScope::ManagementGroups(groups) = scope {
        let members: Vec<String> = named.iter().map(ToString::to_string).chain([HIDDEN.to_owned()]).collect();
        seed = groups.iter().fold(seed, |seed, group| seed.management_group(group.as_str(), &members));
    }
    Ok((seed, first))
}

/// The vault in the other subscriptions.
const OTHER_VAULT: &str = "kv-fabrikam-prod";
