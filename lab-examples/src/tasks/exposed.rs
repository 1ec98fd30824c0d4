//! The exposed credential: the key of a storage account, stored in a secret as an application would.

use arm_core::{Mode, ResourceId, refuse};
use azure_core::Result;
use defender_playbooks::plan::{Changes, PlanAction, PlannedChange, PlannedKind, PlannedSecret, Step};
use futures::TryStreamExt as _;
use keyvault_issuers::KeyedResourcesClient;
use keyvault_ops::{Rotation, SecretName, SecretsClient};
use serde_json::Value;

use crate::{
    Lab,
    tasks::{task1, task4},
    tenant,
};

/// The plan's step on which the rotation depends.
pub(super) const STEP: &str = "task4: the exposed secret";
/// The secret with the key of a storage account, in the offline tenant.
const STORAGE_SECRET: &str = "storage-connection";
/// The key that it contains at first.
const EXPOSED_KEY: &str = "key1";

/// Returns the account whose key is exposed. On real Azure, there is none: the lab creates no account, and uses
/// nobody's.
pub(super) fn account(lab: &Lab) -> Result<Option<ResourceId>> {
    if lab.azure.double.is_none() {
        return Ok(None);
    }
    let group = lab.subscription().resource_group(tenant::PRODUCTION)?;
    let account = group.resource(&"Microsoft.Storage/storageAccounts".parse()?, tenant::STORAGE)?;
    Ok(Some(account))
}

/// The secret that this task rotates.
pub(super) fn secret(account: Option<&ResourceId>) -> Result<SecretName> {
    let first = format!("{}-1", task4::PREFIX);
    Ok(account.map_or(first.as_str(), |_| STORAGE_SECRET).parse()?)
}

/// Stores the account's key in the vault, as an application would, unless it is already there.
pub(super) async fn expose(lab: &Lab) -> Result<()> {
    let Some(account) = account(lab)? else { return Ok(()) };
    let name = secret(Some(&account))?;
    let what = format!("secret {name}");
    let detail =
        format!("a connection string with {EXPOSED_KEY} of {}, as an application stores it", account.name());
    if lab.dry_run() && !lab.is_planning() {
        lab.screen.step(what, "would change", detail);
        return Ok(());
    }
    let secrets = task4::secrets(lab)?;
    let set = PlannedSecret::set_in(secrets.host(), &name);
    let step = Step::new(STEP).after(task1::ROLE_STEP, [set.clone()]);
    let work = |mode| store_key(lab, &secrets, &account, &set, mode);
    match lab.work(step, work).await? {
        Some(stored) if stored.iter().any(PlannedChange::is_change) => {
            lab.screen.about(&set.id).step(what, "set", detail)
        }
        Some(_) => lab.screen.step(what, "unchanged", ""),
        None => {}
    }
    Ok(())
}

/// Stores the account's key in the secret, unless the secret exists.
async fn store_key(
    lab: &Lab,
    secrets: &SecretsClient,
    account: &ResourceId,
    set: &PlannedChange,
    mode: Mode,
) -> Result<Vec<PlannedChange>> {
    let name = secret(Some(account))?;
    let listed: Vec<_> = secrets.list().try_collect().await?;
    if listed.iter().any(|secret| secret.id.name == name) {
        return Ok(vec![PlannedChange::of::<PlannedSecret>(PlanAction::NoChange, &set.id)]);
    }
    if !mode.is_dry_run() {
        let keys = KeyedResourcesClient::new(&lab.azure.arm).list_keys(account).await?;
        let Some(key) = keys.find(EXPOSED_KEY) else {
            return refuse(format!("the account {} has no key '{EXPOSED_KEY}'", account.name()));
        };
        let connection = format!(
            "DefaultEndpointsProtocol=https;AccountName={};AccountKey={};EndpointSuffix=core.windows.net",
            account.name(),
            key.expose()
        );
        secrets.set(&name, connection.into()).await?;
    }
    Ok(vec![set.clone()])
}

/// A rotation, and the account whose keys it regenerates.
#[derive(Debug)]
pub(super) struct Rotated {
    pub(super) rotation: Rotation,
    pub(super) account: Option<ResourceId>,
}

impl Changes for Rotated {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let mut all = self.rotation.changes()?;
        all.extend(self.account.as_ref().map(keys_regenerated));
        Ok(all)
    }
}

/// The type of a storage account in a plan.
enum KeyedAccount {}

impl PlannedKind for KeyedAccount {
    const ROLE: &'static str = "Storage Account Key Operator Service Role";
    const PERMISSION: &'static str = "Microsoft.Storage/storageAccounts/regenerateKey/action";
}

/// The change of the account's keys: the idle key is regenerated and stored, then the exposed key is regenerated, which
/// revokes it.
pub(super) fn keys_regenerated(account: &ResourceId) -> PlannedChange {
    let change = PlannedChange::of::<KeyedAccount>(PlanAction::Update, account.to_string());
    let regenerated = |change: PlannedChange, key: &str| {
        change.member(&format!("keys[{key}].value"), None, Some(Value::Null))
    };
    regenerated(regenerated(change, EXPOSED_KEY), "key2")
}
