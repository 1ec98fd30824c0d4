//! What stands in the way of work in a subscription: all of it at once, before anything is written.

use arm_core::{ArmClient, ArmErrorExt as _, SubscriptionId};
use futures::{StreamExt as _, TryStreamExt as _, future::join3, stream};
use keyvault_ops::{VaultName, VaultsClient};
use resource_ops::{PermissionsClient, ProviderNamespace, ProvidersClient, RegistrationState};

/// How many requests are under way at the same time.
const CONCURRENCY: usize = 4;

/// What some work needs. See [`preflight()`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Actions that must be allowed in the subscription, such as `Microsoft.KeyVault/vaults/write`.
    pub actions: Vec<String>,
    /// Resource providers that must be registered.
    pub providers: Vec<ProviderNamespace>,
    /// Names of vaults to create, which must be free.
    pub new_vaults: Vec<VaultName>,
}

/// Asks for all that stands in the way of some work: one line for each problem; none if nothing does. Writes nothing.
///
/// What cannot be asked is a problem too. That nothing was found is no promise: locks, policies and deny assignments
/// can still refuse, roles that are held only at a group or resource are not seen, and anyone can take a name meanwhile.
///
/// # Permissions
/// `Microsoft.Resources/subscriptions/providers/read` and `Microsoft.KeyVault/checkNameAvailability/read`, as far as
/// providers and names are asked for; Contributor has both.
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
    let (rights, providers, names) =
        join3(not_allowed(arm, subscription, &needs.actions), providers, names).await;
    [rights].into_iter().chain(providers).chain(names).flatten().collect()
}

async fn not_allowed(arm: &ArmClient, subscription: &SubscriptionId, actions: &[String]) -> Option<String> {
    if actions.is_empty() {
        return None;
    }
    match PermissionsClient::new(arm).list(subscription).try_collect::<Vec<_>>().await {
        Ok(held) => {
            let allowed = |action: &&String| held.iter().any(|permission| permission.allows(action));
            let missing: Vec<&str> =
                actions.iter().filter(|action| !allowed(action)).map(String::as_str).collect();
            (!missing.is_empty()).then(|| {
                let missing = missing.join(", ");
                format!("not allowed in {subscription}: {missing}: sign in with a role that allows it")
            })
        }
        Err(error) => Some(format!("what is allowed in {subscription} is not known: {error}")),
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
                "the resource provider {provider} is {state}: register it, such as with \
                 'az provider register --namespace {provider}'"
            )),
        },
        Err(error) if error.is_code("InvalidResourceNamespace") => {
            Some(format!("there is no resource provider {provider}"))
        }
        Err(error) => {
            Some(format!("whether the resource provider {provider} is registered is not known: {error}"))
        }
    }
}

async fn taken(arm: &ArmClient, subscription: &SubscriptionId, name: &VaultName) -> Option<String> {
    match VaultsClient::new(arm).check_name_availability(subscription, name).await {
        Ok(found) if found.name_available => None,
        Ok(found) => {
            let why = found.message.unwrap_or_else(|| "the service does not say why".to_owned());
            Some(format!("the vault name '{name}' is not free: {}", arm_core::printable(&why)))
        }
        Err(error) => Some(format!("whether the vault name '{name}' is free is not known: {error}")),
    }
}
