//! Finds what would prevent some work in a subscription, before anything is written.

use std::collections::BTreeMap;

use arm_core::{ArmClient, ArmErrorExt as _, ResourceId, ResourceType, Scope, SubscriptionId};
use azure_core::Result;
use futures::{StreamExt as _, TryStreamExt as _, future::join4, stream};
use keyvault_ops::{VaultName, VaultsClient};
use resource_ops::{
    Permission, PermissionsClient, ProviderNamespace, ProvidersClient, RegistrationState, SubscriptionsClient,
};

use crate::plan::{Plan, PlanAction, PlannedChange};

/// The number of concurrent requests.
const CONCURRENCY: usize = 4;

/// What some work requires. See [`preflight()`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Actions that must be allowed on the subscription, such as `Microsoft.KeyVault/vaults/write`.
    pub actions: Vec<String>,
    /// Actions that must be allowed at a narrower scope, such as a resource group; a role assigned only there counts.
    /// If the scope does not exist yet, the subscription is checked instead.
    pub actions_at: Vec<(Scope, String)>,
    /// Regions that must be available to the subscription, such as `westeurope`.
    pub regions: Vec<String>,
    /// Resource providers that must be registered.
    pub providers: Vec<ProviderNamespace>,
    /// Names of vaults to be created, which must be available.
    pub new_vaults: Vec<VaultName>,
}

impl Needs {
    /// Returns what a plan requires: the action of each change at its resource group or subscription, the resource
    /// providers of all changes but deletions, and the regions and vault names of new resources. Changes inside vaults
    /// require data-plane roles, which are not checked.
    pub fn of(plan: &Plan) -> Self {
        let mut needs = Self::default();
        for change in plan.changes.iter().filter(|change| change.is_change()) {
            needs.add(change);
        }
        needs
    }

    fn add(&mut self, change: &PlannedChange) {
        let (action, namespace) =
            (&change.permission, change.permission.split('/').next().unwrap_or_default());
        match scope_of(&change.id) {
            Some(scope @ (Scope::ResourceGroup(_) | Scope::Resource(_))) => {
                add(&mut self.actions_at, (scope, action.clone()));
            }
            Some(_) => add(&mut self.actions, action.clone()),
            None => return,
        }
        if change.action == PlanAction::Delete {
            return;
        }
        // These two are registered in every subscription.
        if !["Microsoft.Authorization", "Microsoft.Resources"].contains(&namespace)
            && let Ok(provider) = namespace.parse()
        {
            add(&mut self.providers, provider);
        }
        if change.action != PlanAction::Create {
            return;
        }
        let region = change.members.iter().find(|member| member.member == "location");
        if let Some(region) = region.and_then(|member| member.after.as_ref()?.as_str())
            && !region.eq_ignore_ascii_case("global")
        {
            add(&mut self.regions, region.to_owned());
        }
        if let Ok(id) = change.id.parse::<ResourceId>()
            && id.is(&ResourceType::VAULT)
            && let Ok(name) = id.name().parse()
        {
            add(&mut self.new_vaults, name);
        }
    }
}

fn add<T: PartialEq>(all: &mut Vec<T>, one: T) {
    if !all.contains(&one) {
        all.push(one);
    }
}

/// The resource group of an id, or else its subscription. `None` for anything outside Azure Resource Manager, such as a
/// secret.
fn scope_of(id: &str) -> Option<Scope> {
    let parts: Vec<&str> = id.split('/').collect();
    match parts.as_slice() {
        ["", "subscriptions", subscription, groups, group, ..]
            if groups.eq_ignore_ascii_case("resourceGroups") =>
        {
            format!("/subscriptions/{subscription}/resourceGroups/{group}").parse().ok()
        }
        ["", "subscriptions", subscription, ..] => format!("/subscriptions/{subscription}").parse().ok(),
        _ => None,
    }
}

/// Checks whether a subscription meets the requirements of some work. Returns one line for each problem; empty if none
/// was found. Writes nothing.
///
/// A check that cannot be made is reported as a problem too. Finding no problem is not a guarantee: locks, policies and
/// deny assignments can still refuse a request, a role assigned only on a single resource counts only if
/// [`Needs::actions_at`] names that resource, and somebody can take a name in the meantime.
///
/// # Permissions
/// For providers, regions and names: `Microsoft.Resources/subscriptions/providers/read`,
/// `Microsoft.Resources/subscriptions/locations/read` and `Microsoft.KeyVault/checkNameAvailability/read`. Contributor
/// has all of them.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, subscription: &arm_core::SubscriptionId) -> Result<(), arm_core::IdError> {
/// use defender_playbooks::{Needs, preflight};
///
/// let needs = Needs {
///     actions: vec!["Microsoft.Security/pricings/write".to_owned()],
///     providers: vec!["Microsoft.Security".parse()?],
///     ..Needs::default()
/// };
/// for problem in preflight(arm, subscription, &needs).await {
///     eprintln!("{problem}");
/// }
/// # Ok(()) }
/// ```
pub async fn preflight(arm: &ArmClient, subscription: &SubscriptionId, needs: &Needs) -> Vec<String> {
    let providers = stream::iter(&needs.providers)
        .map(|provider| unregistered(arm, subscription, provider))
        .buffered(CONCURRENCY)
        .collect::<Vec<_>>();
    let names = stream::iter(&needs.new_vaults)
        .map(|name| taken(arm, subscription, name))
        .buffered(CONCURRENCY)
        .collect::<Vec<_>>();
    let (rights, regions, providers, names) = join4(
        not_allowed(arm, subscription, needs),
        no_region(arm, subscription, &needs.regions),
        providers,
        names,
    )
    .await;
    rights.into_iter().chain(regions).chain(providers.into_iter().chain(names).flatten()).collect()
}

/// The actions that are not allowed, one line for each scope.
async fn not_allowed(arm: &ArmClient, subscription: &SubscriptionId, needs: &Needs) -> Vec<String> {
    let mut wanted: BTreeMap<String, (Scope, Vec<&str>)> = BTreeMap::new();
    let whole = Scope::from(subscription);
    let at = needs.actions_at.iter().map(|(scope, action)| (scope, action.as_str()));
    for (scope, action) in needs.actions.iter().map(|action| (&whole, action.as_str())).chain(at) {
        let place = scope.to_string().to_ascii_lowercase();
        wanted.entry(place).or_insert_with(|| (scope.clone(), Vec::new())).1.push(action);
    }
    let mut problems = Vec::new();
    for (scope, actions) in wanted.into_values() {
        let held = match held(arm, &scope).await {
            // The scope does not exist yet: it will be created with the permissions held above it.
            Err(error) if error.is_not_found() && scope != whole => held(arm, &whole).await,
            held => held,
        };
        match held {
            Ok(held) => {
                let allowed = |action: &str| held.iter().any(|permission| permission.allows(action));
                let missing: Vec<&str> = actions.into_iter().filter(|action| !allowed(action)).collect();
                if !missing.is_empty() {
                    let missing = missing.join(", ");
                    problems.push(format!(
                        "not allowed in {scope}: {missing}: sign in with a role that allows it"
                    ));
                }
            }
            Err(error) => problems.push(format!("the permissions in {scope} could not be read: {error}")),
        }
    }
    problems
}

async fn held(arm: &ArmClient, scope: &Scope) -> Result<Vec<Permission>> {
    PermissionsClient::new(arm).list(scope).try_collect().await
}

/// The regions that are not available to the subscription.
async fn no_region(arm: &ArmClient, subscription: &SubscriptionId, wanted: &[String]) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let found = SubscriptionsClient::new(arm).list_locations(subscription).try_collect::<Vec<_>>().await;
    let name = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    match found {
        Ok(found) => wanted
            .iter()
            .filter(|wanted| !found.iter().any(|found| name(&found.name) == name(wanted)))
            .map(|wanted| {
                format!(
                    "the region '{}' is not available to the subscription {subscription}",
                    arm_core::printable(wanted)
                )
            })
            .collect(),
        Err(error) => vec![format!("the regions of {subscription} could not be read: {error}")],
    }
}

async fn unregistered(
    arm: &ArmClient,
    subscription: &SubscriptionId,
    provider: &ProviderNamespace,
) -> Option<String> {
    match ProvidersClient::new(arm).get(subscription, provider).await {
        Ok(found) => match found.registration_state {
            RegistrationState::Registered => None,
            RegistrationState::Registering => Some(format!(
                "the resource provider {provider} is still being registered: wait until it is registered"
            )),
            state => Some(format!(
                "the resource provider {provider} is {state}: register it, for example with 'az provider register \
                 --namespace {provider}'"
            )),
        },
        Err(error) if error.is_code("InvalidResourceNamespace") => {
            Some(format!("there is no resource provider {provider}"))
        }
        Err(error) => {
            Some(format!("the registration of the resource provider {provider} could not be read: {error}"))
        }
    }
}

async fn taken(arm: &ArmClient, subscription: &SubscriptionId, name: &VaultName) -> Option<String> {
    match VaultsClient::new(arm).check_name_availability(subscription, name).await {
        Ok(found) if found.name_available => None,
        Ok(found) => {
            let why = found.message.unwrap_or_else(|| "the service gave no reason".to_owned());
            Some(format!("the vault name '{name}' is not available: {}", arm_core::printable(&why)))
        }
        Err(error) => {
            Some(format!("the availability of the vault name '{name}' could not be checked: {error}"))
        }
    }
}
