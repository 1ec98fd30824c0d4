//! Ensuring that a vault exists and matches its spec.

use arm_core::{ArmErrorExt as _, Change, Mode, Wish, is_same_region};
use azure_core::{Error, Result, error::ErrorKind};
use futures::TryStreamExt as _;
use serde::Serialize;

use crate::{
    AccessPolicy, DeletedVault, Vault, VaultErrorExt as _, VaultId, VaultName, VaultSpec, VaultsClient,
};

/// Compares a spec with a vault, except for the fields that the service fills in.
const WISH: Wish = Wish::new().ignoring(&[
    "etag",
    "enableSoftDelete",
    "hsmPoolResourceId",
    "privateEndpointConnections",
    "provisioningState",
    "systemData",
    "vaultUri",
]);

/// A task that creates a vault unless it exists, and changes an existing one only where it differs from the spec.
///
/// Anything that the spec does not contain is kept: other tags, the access policies of other principals, the firewall,
/// and fields that this crate does not model. The pricing tier and the permission model are always part of the spec.
/// Purge protection is turned on if requested, and never off. It is an error if a soft-deleted vault of the same group
/// has the name, unless [`recover_deleted`](Self::recover_deleted) is set.
///
/// **If it stops halfway**, the vault may or may not exist; running the task again finishes it. After that, another run
/// writes nothing.
///
/// ```
/// # use keyvault_ops::{VaultId, VaultSpec, VaultsClient};
/// # async fn f(vaults: &VaultsClient, id: &VaultId) -> azure_core::Result<()> {
/// let spec = VaultSpec::builder()
///     .location("westeurope")
///     .tenant_id("00000000-0000-0000-0000-0000000000aa")
///     .build();
/// let change = vaults.ensure(id, spec).await?;
/// println!("{} {}", change.verb(), change.current().name);
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// `Microsoft.KeyVault/vaults/read` and `/write`; to change the permission model, also
/// `Microsoft.Authorization/roleAssignments/write`; to find and recover a deleted vault, also
/// `Microsoft.KeyVault/deletedVaults/read`.
///
/// # Errors
///
/// [`is_vault_name_taken`](crate::VaultErrorExt::is_vault_name_taken): another vault in the cloud has the name,
/// possibly a soft-deleted one. If that is in the subscription and the caller may see it, the message says where it is.
/// A dry run checks this too, as far as the caller's permissions allow, but its error has only the message.
///
/// An existing vault with another region, tenant or retention period is an error too, since these cannot be changed.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureVault {
    client: VaultsClient,
    id: VaultId,
    spec: VaultSpec,
    recover: bool,
}

impl VaultsClient {
    /// Ensures that a vault exists and matches the spec. See [`EnsureVault`].
    pub fn ensure(&self, id: &VaultId, spec: VaultSpec) -> EnsureVault {
        EnsureVault { client: self.clone(), id: id.clone(), spec, recover: false }
    }
}

impl EnsureVault {
    /// If the vault is soft-deleted, recovers it with everything in it, and then applies the spec. Its role assignments
    /// are not recovered.
    pub fn recover_deleted(mut self) -> Self {
        self.recover = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<Change<Vault>> {
        match self.client.get_opt(&self.id).await? {
            Some(found) => self.change(found, mode).await,
            None => self.create(mode).await,
        }
    }

    async fn create(self, mode: Mode) -> Result<Change<Vault>> {
        if mode.is_dry_run() {
            let mut planned = Vault::planned(&self.id, &self.spec)?;
            match self.refused_name(self.find_deleted().await?)? {
                // Its other settings are unknown until it is recovered.
                Some(deleted) => planned.tags = deleted.tags.into_iter().chain(planned.tags).collect(),
                None => self.check_name().await?,
            }
            return Ok(Change::Created(planned));
        }
        let made = self.client.create_or_update(&self.id, &self.spec).await;
        let error = match made {
            Ok(_) => return Ok(Change::Created(self.verified(&self.spec).await?)),
            Err(error) if error.is_vault_name_taken() => error,
            Err(error) => return Err(error),
        };
        let deleted = match self.refused_name(self.find_deleted().await?) {
            Ok(Some(deleted)) => deleted,
            Ok(None) => return Err(error),
            Err(reason) => return Err(error.reworded(reason.to_string())),
        };
        let recovered = self.client.recover(&deleted, &self.spec.tenant_id).await?;
        // It has its old settings: apply the spec.
        let change = self.change(recovered, mode).await?;
        Ok(Change::Created(change.into_current()))
    }

    async fn change(&self, found: Vault, mode: Mode) -> Result<Change<Vault>> {
        let spec = self.merged(&found)?;
        if spec == VaultSpec::from(&found) || self.is_met(&spec, &found)? {
            return Ok(Change::Unchanged(found));
        }
        if mode.is_dry_run() {
            let mut after = Vault::planned(&self.id, &spec)?;
            after.name.clone_from(&found.name);
            return Ok(Change::Updated { before: found, after });
        }
        self.client.create_or_update(&self.id, &spec).await?;
        let after = self.verified(&spec).await?;
        Ok(Change::Updated { before: found, after })
    }

    /// Reads the vault back after a write, and checks that it matches the spec.
    async fn verified(&self, spec: &VaultSpec) -> Result<Vault> {
        let found = self.client.get(&self.id).await?;
        WISH.verify(format_args!("the vault '{}'", self.id.name()), spec, &found)?;
        Ok(found)
    }

    fn is_met(&self, spec: &VaultSpec, found: &Vault) -> Result<bool> {
        match WISH.verify("", spec, found) {
            Ok(()) => Ok(true),
            Err(error) if arm_core::unmet(&error).is_empty() => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Rejects another region or retention period: neither can change, not even on recovery.
    fn check_fixed(&self, location: &str, days: Option<i64>) -> Result<()> {
        if !is_same_region(location, &self.spec.location) {
            return self.fixed("location", location, &self.spec.location);
        }
        match (days, self.spec.soft_delete_retention_in_days.map(i64::from)) {
            (Some(is), Some(wish)) if is != wish => {
                self.fixed("retention of", &format!("{is} days"), &format!("{wish} days"))
            }
            _ => Ok(()),
        }
    }

    fn fixed(&self, what: &str, is: &str, wish: &str) -> Result<()> {
        let name = self.id.name();
        arm_core::refuse(format!(
            "the vault '{name}' exists with the {what} {is}, which cannot be changed to {wish}: choose another name"
        ))
    }

    /// The spec of the existing vault, with the wanted settings applied.
    fn merged(&self, found: &Vault) -> Result<VaultSpec> {
        let (wanted, mut merged) = (&self.spec, VaultSpec::from(found));
        let days = found.properties.soft_delete_retention_in_days.map(i64::from);
        self.check_fixed(&found.location, days)?;
        if !found.properties.tenant_id.eq_ignore_ascii_case(&wanted.tenant_id) {
            self.fixed("tenant", &found.properties.tenant_id, &wanted.tenant_id)?;
        }
        merged.sku = wanted.sku.clone();
        merged.enable_rbac_authorization = wanted.enable_rbac_authorization;
        merged.enable_purge_protection |= wanted.enable_purge_protection;
        merged.tags.extend(wanted.tags.clone());
        for policy in &wanted.access_policies {
            if merged.access_policies.iter().any(|there| is_met(policy, there)) {
                continue;
            }
            let principal = |policy: &AccessPolicy| {
                (
                    policy.object_id.to_ascii_lowercase(),
                    policy.application_id.as_ref().map(|id| id.to_ascii_lowercase()),
                )
            };
            merged.access_policies.retain(|other| principal(other) != principal(policy));
            merged.access_policies.push(policy.clone());
        }
        take(&mut merged.enabled_for_deployment, &wanted.enabled_for_deployment);
        take(&mut merged.enabled_for_disk_encryption, &wanted.enabled_for_disk_encryption);
        take(&mut merged.enabled_for_template_deployment, &wanted.enabled_for_template_deployment);
        // The service normalizes addresses and subnet ids.
        if let Some(rules) = &wanted.network_acls
            && !found.properties.network_acls.as_ref().is_some_and(|there| is_met(rules, there))
        {
            merged.network_acls = Some(rules.clone());
        }
        take(&mut merged.public_network_access, &wanted.public_network_access);
        Ok(merged)
    }

    /// Returns the soft-deleted vault that has the name if it is to be recovered; otherwise, an error that says where
    /// it is.
    fn refused_name(&self, deleted: Option<DeletedVault>) -> Result<Option<DeletedVault>> {
        match deleted {
            None => Ok(None),
            Some(deleted) if deleted.vault_id == self.id && self.recover => {
                self.check_fixed(&deleted.location, deleted.retention_days())?;
                Ok(Some(deleted))
            }
            Some(deleted) if deleted.vault_id == self.id => Err(self.deleted()),
            Some(deleted) => {
                let message = format!(
                    "the name '{}' belongs to the soft-deleted vault {} in {}: choose another name, or purge that one",
                    self.id.name(),
                    deleted.vault_id,
                    deleted.location
                );
                Err(Error::with_message(ErrorKind::Other, message))
            }
        }
    }

    /// Fails if someone else has the name, which must be unique in the whole cloud.
    async fn check_name(&self) -> Result<()> {
        let Some(subscription) = self.id.resource_id().subscription() else { return Ok(()) };
        let name: VaultName = self.id.name().parse()?;
        match self.client.check_name_availability(&subscription, &name).await {
            Ok(answer) if answer.name_available => Ok(()),
            Ok(answer) => {
                let why = answer.message.unwrap_or_default();
                let message = format!("the name '{name}' cannot be used for a new vault: {why}");
                Err(Error::with_message(ErrorKind::Other, message))
            }
            // A caller that may create vaults may not be allowed to check names.
            Err(error) if error.is_role_missing() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Finds the soft-deleted vault that has the name, anywhere in the subscription.
    async fn find_deleted(&self) -> Result<Option<DeletedVault>> {
        let Some(subscription) = self.id.resource_id().subscription() else { return Ok(None) };
        let mut deleted = self.client.list_deleted(&subscription);
        loop {
            match deleted.try_next().await {
                Ok(Some(vault)) if vault.name.eq_ignore_ascii_case(self.id.name()) => return Ok(Some(vault)),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(None),
                // A caller that may create vaults may not be allowed to see deleted ones.
                Err(error) if error.is_role_missing() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn deleted(&self) -> Error {
        let message = format!(
            "the name '{}' belongs to a soft-deleted vault of this group: recover it with recover_deleted(), or purge it",
            self.id.name()
        );
        Error::with_message(ErrorKind::Other, message)
    }
}

/// Whether the existing value means the same as the wanted one, even if it is spelled differently.
fn is_met(wanted: &impl Serialize, there: &impl Serialize) -> bool {
    let values = serde_json::to_value(wanted).ok().zip(serde_json::to_value(there).ok());
    values.is_some_and(|(wanted, there)| Wish::new().unmet(&wanted, &there).is_empty())
}

fn take<T: Clone>(merged: &mut Option<T>, wanted: &Option<T>) {
    if wanted.is_some() {
        merged.clone_from(wanted);
    }
}

arm_core::task!(EnsureVault => Change<Vault>);
