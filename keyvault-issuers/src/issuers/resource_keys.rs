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

/// How long a regenerated key may take to work, and the old one to stop working.
const SETTLE_TIME: Duration = Duration::from_secs(120);
/// The pause between two checks.
const PAUSE: Duration = Duration::from_secs(5);

/// An issuer that rotates the keys of an Azure resource: a storage account, a Cosmos DB account, a Service Bus
/// authorization rule, or another type in the [table](crate#types-of-resources).
///
/// **Kind**: two slots. The key in use is identified by comparing the secret's value, in memory, with the listed keys.
/// A value that contains none of them is refused. The value may be the plain key, or text that contains it, such as a
/// connection string, a URL or JSON. Only the key is replaced, in the same encoding; every other byte is kept.
///
/// **Service behavior**: regenerating a key invalidates the old one, and every SAS signed with it, within seconds to
/// minutes. Connections that are already open, such as Event Hubs links, continue. Cosmos DB may take hours: set the
/// rotation's [`issuer_limit`](keyvault_ops::Rotate::issuer_limit) accordingly.
///
/// **Verification**: before the new key is set, it is used in one request that changes nothing, sent only to the
/// resource's own host. The request is signed with the key or, for Search and Cognitive Services, carries it. After the
/// old key is regenerated, its old value must be refused. For the types and kinds marked *listed, not used* in the
/// table, no such request is known: the issuer only checks that the key is listed, and a rotation is never
/// [complete](keyvault_ops::Rotation::is_complete).
///
/// | if it stops | what is left |
/// |---|---|
/// | before the idle key is regenerated | no change at the resource |
/// | after that, before the new value is set | the idle key is new and in no secret; the key in use works. The next run regenerates the idle key again |
/// | after the value is set | both keys work |
/// | after the old key is regenerated | only the new key works; the next run may regenerate the old one again, which is harmless |
///
/// A dry run changes nothing. That of a rotation does not call the issuer at all; that of `end_old_versions` lists the
/// keys to identify the credentials.
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
///
/// # Permissions
///
/// The permissions to read the resource (for an authorization rule, its namespace), to list its keys and to regenerate
/// one. For most types these are `{type}/read`, `{type}/listKeys/action` and `{type}/regenerateKey/action`; Batch and
/// authorization rules have `regenerateKeys/action`, and Search has `listAdminKeys/action` and
/// `regenerateAdminKey/action`. Contributor has them all; for storage accounts, Reader and Storage Account Key Operator
/// Service Role together have them. They are checked before anything is written, if the caller may read its own
/// permissions.
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
    /// Creates an issuer for the keys of this resource.
    ///
    /// # Errors
    ///
    /// The resource's type is not in the table.
    pub fn new(arm: &ArmClient, resource: ResourceId) -> Result<Self> {
        let kind = kind_of(&resource)?;
        Ok(Self { client: KeyedResourcesClient::new(arm), id: resource, kind, ready: Arc::default() })
    }

    /// Returns the resource whose keys this issuer rotates.
    pub fn resource(&self) -> &ResourceId {
        &self.id
    }

    /// Checks, once, that the resource exists, that it accepts keys, and that the caller may list and regenerate them.
    async fn ready(&self) -> Result<&KeyedResource> {
        self.ready.get_or_try_init(|| self.check()).await
    }

    async fn check(&self) -> Result<KeyedResource> {
        let resource = self.client.get(&self.id).await?;
        if resource.takes_keys == Some(false) {
            return Err(failure(format!(
                "{} has {}, so it accepts no keys and there is nothing to rotate: let its clients use identities, \
                 or turn keys on",
                self.id, self.kind.off
            )));
        }
        let permissions = match self.client.permissions(&self.id).try_collect::<Vec<_>>().await {
            Ok(permissions) => permissions,
            // A caller that may not read its permissions learns of a missing one from the first refused request.
            Err(error) if error.is_forbidden() => return Ok(resource),
            Err(error) => return Err(error),
        };
        for action in [self.kind.list, self.kind.regenerate.action()] {
            let action = format!("{}/{action}/action", self.kind.name);
            if !permissions.iter().any(|held| held.allows(&action)) {
                return Err(failure(format!(
                    "the caller may not perform {action} on {}: assign it a role that allows this, such as \
                     Contributor on this resource",
                    self.id
                )));
            }
        }
        Ok(resource)
    }

    /// Finds the key that a value contains.
    fn held(&self, keys: &ResourceKeys, value: &Secret) -> Result<Option<&'static Slot>> {
        let holds =
            |slot: &&'static Slot| keys.find(slot.listed).is_some_and(|key| compose::holds(value, key));
        let mut held = self.kind.slots.iter().filter(holds);
        match (held.next(), held.next()) {
            (Some(one), Some(other)) => Err(failure(format!(
                "the secret contains two keys of {}, {} and {}: keep each in a secret of its own",
                self.id, one.name, other.name
            ))),
            (held, _) => Ok(held),
        }
    }

    fn key<'a>(&self, keys: &'a ResourceKeys, slot: &Slot) -> Result<&'a Secret> {
        keys.find(slot.listed)
            .ok_or_else(|| failure(format!("{} does not list its key '{}'", self.id, slot.listed)))
    }

    /// Regenerates a key. Returns the keys as listed afterwards.
    async fn regenerate(&self, slot: &Slot, before: &Secret) -> Result<ResourceKeys> {
        let outcome = self.client.regenerate_key(&self.id, slot.name).await;
        let doubtful = match outcome {
            Ok(_) => None,
            // The list shows whether it was carried out.
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
                        "{} accepted the request to regenerate its key '{}' but still lists the old one",
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

    /// Checks that the old value of a regenerated key is refused.
    async fn see_refused(&self, slot: &Slot, key: &Secret) -> Result<()> {
        if !proof::is_possible(self.kind, self.ready().await?) {
            return Ok(());
        }
        let mut waited = Duration::ZERO;
        while self.try_key(key).await? == Verdict::Works {
            if waited >= SETTLE_TIME {
                return Err(failure(format!(
                    "{} still accepts its old key '{}', {} seconds after it was regenerated",
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
            return Err(failure("the current value cannot be read, so the key in use is unknown".to_owned()));
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
            "the value contains none of the current keys of {}: it belongs to another resource, or its key was \
             regenerated; set a working value first",
            self.id
        ))
    }
}
