use std::{sync::Arc, time::Duration};

use arm_core::{ArmClient, ArmErrorExt as _, ResourceId, Secret};
use async_trait::async_trait;
use azure_core::{Error, Result};
use futures::TryStreamExt as _;
use keyvault_ops::{Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind};
use tokio::sync::OnceCell;

use crate::{
    KeyedResource, KeyedResourcesClient, ResourceKeys,
    client::kind_of,
    compose,
    kinds::{Kind, Slot},
    proof::{self, Verdict, failure},
};

/// How long a key that was made anew may take until it counts, and the old one until it does not.
const SETTLE_TIME: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(5);

/// The keys of an Azure resource: of a storage account, a Cosmos DB account, a Service Bus rule, or another type of the
/// [table](crate#types-of-resources).
///
/// **Kind**: two slots. Which key is in use is told from the secret's value, compared in memory with the listed keys;
/// a value that holds none of them is refused. The value may be the plain key, or any text around it, such as a
/// connection string, a URL or JSON: only the key is replaced, written as the one before was, and every other byte stays.
///
/// **Permissions**: `{type}/read`, `{type}/listKeys/action` and `{type}/regenerateKey/action`, as in Storage Account Key
/// Operator Service Role for storage, or Contributor. They are asked for before anything is written.
///
/// **What the service does**: a key that is made anew ends the one before, and every SAS that was signed with it, within
/// seconds to minutes. It does not end what was already opened with it, such as links of Event Hubs. Cosmos DB may take
/// hours: give the rotation an [`issuer_limit`](keyvault_ops::Rotate::issuer_limit) to match.
///
/// **The proof**: the new key is used before it is set: in one signed request that changes nothing, to the resource's own
/// host and no other. After the old key was made anew, it is used too, and must be refused. For the types that the table
/// calls *listed, not used*, no such request is known: a key only counts as one that is listed, and a rotation is never
/// [complete](keyvault_ops::Rotation::is_complete).
///
/// | a stop | leaves |
/// |---|---|
/// | before the idle key is made anew | nothing changed at the resource |
/// | after it, before the new value is set | the idle key is new and in no secret; the key in use works. The next run makes the idle key anew again |
/// | after the set | both keys work |
/// | after the old key was made anew | only the new key works; the next run may make the old one anew once more, which harms no one |
///
/// A dry run asks the issuer nothing, and changes nothing.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, secrets: &keyvault_ops::SecretsClient) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use keyvault_issuers::ResourceKeyIssuer;
///
/// let account = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.Storage\
///                /storageAccounts/stprod";
/// let issuer = Arc::new(ResourceKeyIssuer::new(arm, account.parse()?)?);
/// let rotation = secrets.rotate(&"storage-connection".parse()?).issuer(issuer).await?;
/// println!("{rotation}");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ResourceKeyIssuer {
    client: KeyedResourcesClient,
    id: ResourceId,
    kind: &'static Kind,
    ready: Arc<OnceCell<KeyedResource>>,
}

impl std::fmt::Debug for ResourceKeyIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResourceKeyIssuer").field("resource", &self.id).finish_non_exhaustive()
    }
}

impl ResourceKeyIssuer {
    /// The issuer of the keys of this resource. A type that is not in the table is refused.
    ///
    /// # Errors
    ///
    /// The type of the resource is not in the table.
    pub fn new(arm: &ArmClient, resource: ResourceId) -> Result<Self> {
        let kind = kind_of(&resource)?;
        Ok(Self { client: KeyedResourcesClient::new(arm), id: resource, kind, ready: Arc::default() })
    }

    /// The resource.
    pub fn resource(&self) -> &ResourceId {
        &self.id
    }

    /// Makes sure, once, that the resource is there, that it takes keys, and that the caller may list and make them.
    async fn ready(&self) -> Result<&KeyedResource> {
        self.ready.get_or_try_init(|| self.check()).await
    }

    async fn check(&self) -> Result<KeyedResource> {
        let resource = self.client.get(&self.id).await?;
        if resource.takes_keys == Some(false) {
            return Err(failure(format!(
                "{} has {}, so it takes no keys at all: there is nothing to rotate; let its clients use \
                 identities, or turn keys on",
                self.id, self.kind.off
            )));
        }
        let permissions = match self.client.permissions(&self.id).try_collect::<Vec<_>>().await {
            Ok(permissions) => permissions,
            // Who may not ask is told by the first request that is refused.
            Err(error) if error.is_forbidden() => return Ok(resource),
            Err(error) => return Err(error),
        };
        for action in [self.kind.list, self.kind.regenerate.action()] {
            let action = format!("{}/{action}/action", self.kind.name);
            if !permissions.iter().any(|held| held.allows(&action)) {
                return Err(failure(format!(
                    "the caller may not carry out {action} on {}: give it a role that allows it, such as Contributor on \
                     this resource",
                    self.id
                )));
            }
        }
        Ok(resource)
    }

    /// The key that a value holds.
    fn held(&self, keys: &ResourceKeys, value: &Secret) -> Result<Option<&'static Slot>> {
        let holds =
            |slot: &&'static Slot| keys.find(slot.listed).is_some_and(|key| compose::holds(value, key));
        let mut held = self.kind.slots.iter().filter(holds);
        match (held.next(), held.next()) {
            (Some(one), Some(other)) => Err(failure(format!(
                "the secret holds two keys of {}, {} and {}: keep each in a secret of its own",
                self.id, one.name, other.name
            ))),
            (held, _) => Ok(held),
        }
    }

    fn key<'a>(&self, keys: &'a ResourceKeys, slot: &Slot) -> Result<&'a Secret> {
        keys.find(slot.listed)
            .ok_or_else(|| failure(format!("{} does not list its key '{}'", self.id, slot.listed)))
    }

    /// Makes a key anew. Answers the keys as they are listed once it is done.
    async fn regenerate(&self, slot: &Slot, before: &Secret) -> Result<ResourceKeys> {
        let outcome = self.client.regenerate_key(&self.id, slot.name).await;
        let doubtful = match outcome {
            Ok(_) => None,
            // Whether it was carried out, the list tells.
            Err(error) if error.may_have_been_applied() => Some(error),
            Err(error) => return Err(error),
        };
        let mut waited = Duration::ZERO;
        loop {
            let keys = self.client.list_keys(&self.id).await?;
            if self.key(&keys, slot)? != before {
                return Ok(keys);
            }
            if waited >= SETTLE_TIME {
                return Err(doubtful.unwrap_or_else(|| {
                    failure(format!(
                        "{} was told to make its key '{}' anew, and goes on to list the old one",
                        self.id, slot.name
                    ))
                }));
            }
            pause().await;
            waited += PAUSE;
        }
    }

    async fn try_key(&self, key: &Secret) -> Result<Verdict> {
        let resource = self.ready().await?;
        proof::of_key(&self.client.arm, self.kind, resource, self.id.name(), key).await
    }

    /// Makes sure that a key which was made anew is refused.
    async fn see_refused(&self, slot: &Slot, key: &Secret) -> Result<()> {
        if !proof::is_possible(self.kind, self.ready().await?) {
            return Ok(());
        }
        let mut waited = Duration::ZERO;
        while self.try_key(key).await? == Verdict::Works {
            if waited >= SETTLE_TIME {
                return Err(failure(format!(
                    "{} still takes its old key '{}', {} seconds after it was made anew",
                    self.id,
                    slot.name,
                    waited.as_secs()
                )));
            }
            pause().await;
            waited += PAUSE;
        }
        Ok(())
    }
}

async fn pause() {
    azure_core::sleep(PAUSE.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
}

#[async_trait]
impl Issuer for ResourceKeyIssuer {
    fn kind(&self) -> IssuerKind {
        IssuerKind::TwoSlots
    }

    fn settle_time(&self) -> Duration {
        SETTLE_TIME
    }

    fn proves(&self) -> bool {
        self.ready.get().is_some_and(|resource| proof::is_possible(self.kind, resource))
    }

    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
        self.ready().await?;
        let Some(current) = request.current else {
            return Err(failure(
                "the current value cannot be read: which key is in use is not known".to_owned(),
            ));
        };
        let keys = self.client.list_keys(&self.id).await?;
        let held = self.held(&keys, current)?.filter(|held| request.in_use.is_none_or(|id| id == held.name));
        let Some(held) = held else { return Err(self.holds_none()) };
        let idle = self.kind.slot(held.partner).ok_or_else(|| self.holds_none())?;
        let (in_use, before) = (self.key(&keys, held)?.clone(), self.key(&keys, idle)?.clone());
        let keys = self.regenerate(idle, &before).await?;
        let value = compose::replace(current, &in_use, self.key(&keys, idle)?);
        Ok(Credential { id: idle.name.to_owned(), value: value.ok_or_else(|| self.holds_none())? })
    }

    async fn find(&self, _rotation: &str) -> Result<Vec<FoundCredential>> {
        Ok(Vec::new())
    }

    async fn identify(&self, value: &Secret) -> Result<Option<String>> {
        self.ready().await?;
        let keys = self.client.list_keys(&self.id).await?;
        Ok(self.held(&keys, value)?.map(|slot| slot.name.to_owned()))
    }

    async fn verify(&self, value: &Secret) -> Result<()> {
        let resource = self.ready().await?;
        let keys = self.client.list_keys(&self.id).await?;
        let Some(slot) = self.held(&keys, value)? else { return Err(self.holds_none()) };
        if !proof::is_possible(self.kind, resource) {
            return Ok(());
        }
        match self.try_key(self.key(&keys, slot)?).await? {
            Verdict::Works => Ok(()),
            Verdict::Refused(said) => {
                Err(failure(format!("the key '{}' of {} does not work: {said}", slot.name, self.id)))
            }
        }
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        self.ready().await?;
        let Some(slot) = self.kind.slot(id) else {
            return Err(failure(format!("{} has no key '{id}'", self.id)));
        };
        let keys = self.client.list_keys(&self.id).await?;
        let before = self.key(&keys, slot)?.clone();
        self.regenerate(slot, &before).await?;
        self.see_refused(slot, &before).await
    }
}

impl ResourceKeyIssuer {
    fn holds_none(&self) -> Error {
        failure(format!(
            "the value holds none of the keys that {} has now: it is of another resource, or its key was made anew; set a \
             working value first",
            self.id
        ))
    }
}
