//! The planned changes of tasks on secrets.

use arm_core::Outcome;
use azure_core::Result;
use keyvault_ops::{CleanUpReport, Retirement, Rotation, SecretName, SeedReport, Seeded, SweepReport};
use serde_json::json;

use super::{Changes, PlanAction, PlannedChange, PlannedKind, resources::refused};

/// A secret of a vault, or a version of one: only its existence, never its value.
#[derive(Debug)]
pub enum PlannedSecret {}

impl PlannedSecret {
    /// Returns the full id of a secret in the vault with this host name, such as `kv-prod.vault.azure.net`.
    pub fn id_in(vault: &str, secret: &SecretName) -> String {
        format!("https://{vault}/secrets/{secret}")
    }

    /// Plans a new secret, whose value is generated when the plan is applied.
    pub fn set_in(vault: &str, secret: &SecretName) -> PlannedChange {
        PlannedChange::of::<Self>(PlanAction::Create, Self::id_in(vault, secret)).made_at_apply("value")
    }

    /// Plans a read of a secret that has a side effect, such as an alert.
    pub fn read_in(vault: &str, secret: &SecretName) -> PlannedChange {
        PlannedChange {
            role: "Key Vault Secrets User".to_owned(),
            permission: permission("getSecret/action"),
            ..PlannedChange::of::<Self>(PlanAction::Read, Self::id_in(vault, secret))
        }
    }

    /// Plans the rotation of a secret that an earlier step of the same plan sets: a new version is set, and the older
    /// ones are disabled.
    pub fn rotation_in(vault: &str, secret: &SecretName) -> [PlannedChange; 2] {
        let id = Self::id_in(vault, secret);
        let set = PlannedChange::create_below::<Self>(&id).made_at_apply("value");
        [set, Self::disabled(PlannedChange::below::<Self>(PlanAction::Update, &id))]
    }

    fn disabled(change: PlannedChange) -> PlannedChange {
        let change = change.member("attributes.enabled", Some(json!(true)), Some(json!(false)));
        PlannedChange { permission: permission("update/action"), ..change }
    }
}

impl PlannedKind for PlannedSecret {
    const ROLE: &'static str = "Key Vault Secrets Officer";
    const PERMISSION: &'static str = "Microsoft.KeyVault/vaults/secrets/setSecret/action";
}

impl Changes for SeedReport {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let mut all = Vec::new();
        for Outcome { target, result } in &self.outcomes {
            let seeded = result.as_ref().map_err(|error| refused(target, error))?;
            if *seeded == Seeded::Replaced {
                all.push(purge(&self.vault, target));
            }
            let id = PlannedSecret::id_in(&self.vault, target);
            let create = || PlannedChange::of::<PlannedSecret>(PlanAction::Create, &id);
            all.push(match seeded {
                Seeded::Unchanged => PlannedChange::of::<PlannedSecret>(PlanAction::NoChange, &id),
                Seeded::Recovered => PlannedChange { permission: permission("recover/action"), ..create() },
                _ => create().made_at_apply("value"),
            });
        }
        Ok(all)
    }
}

impl Changes for Rotation {
    /// Returns the new version and the old ones that are disabled, except those that an earlier run has already
    /// handled.
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let id = PlannedSecret::id_in(&self.vault, &self.secret);
        let mut all = Vec::new();
        if !self.resumed {
            all.push(PlannedChange::create_below::<PlannedSecret>(&id).made_at_apply("value"));
        }
        all.extend(self.retirement.iter().flat_map(disabled));
        if all.is_empty() {
            all.push(PlannedChange::of::<PlannedSecret>(PlanAction::NoChange, id));
        }
        Ok(all)
    }
}

impl Changes for Retirement {
    /// Returns each version that is disabled, by its id.
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let all: Vec<PlannedChange> = disabled(self).collect();
        let id = PlannedSecret::id_in(&self.vault, &self.secret);
        let none = || vec![PlannedChange::of::<PlannedSecret>(PlanAction::NoChange, id)];
        Ok(if all.is_empty() { none() } else { all })
    }
}

/// The versions that are disabled, in the order of their ids.
fn disabled(retirement: &Retirement) -> impl Iterator<Item = PlannedChange> + use<> {
    let id = PlannedSecret::id_in(&retirement.vault, &retirement.secret);
    let mut versions: Vec<String> = retirement.versions.iter().map(ToString::to_string).collect();
    versions.sort_unstable();
    versions.into_iter().map(move |version| {
        PlannedSecret::disabled(PlannedChange::of::<PlannedSecret>(
            PlanAction::Update,
            format!("{id}/{version}"),
        ))
    })
}

/// The full name of a data action on secrets.
fn permission(action: &str) -> String {
    format!("Microsoft.KeyVault/vaults/secrets/{action}")
}

/// The purge of a deleted secret.
fn purge(vault: &str, name: &SecretName) -> PlannedChange {
    let deleted = format!("https://{vault}/deletedsecrets/{name}");
    PlannedChange::delete_of::<PlannedSecret>(deleted, &permission("purge/action"), None)
}

impl Changes for CleanUpReport {
    /// Returns each secret that is deleted, with all its versions, and each deleted one that is purged.
    ///
    /// # Errors
    ///
    /// One of them was, or would be, refused.
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let mut all = Vec::new();
        for outcome in &self.outcomes {
            let name = &outcome.target;
            outcome.result.as_ref().map_err(|error| refused(name, error))?;
            let id = PlannedSecret::id_in(&self.vault, name);
            if let Some(versions) = self.deleted.get(name) {
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                let as_read = json!({ "versions": versions });
                all.push(PlannedChange::delete_of::<PlannedSecret>(
                    &id,
                    &permission("delete"),
                    Some(&as_read),
                ));
            }
            if self.purged.contains(name) {
                all.push(purge(&self.vault, name));
            }
            if !self.deleted.contains_key(name) && !self.purged.contains(name) {
                all.push(PlannedChange::of::<PlannedSecret>(PlanAction::NoChange, id));
            }
        }
        Ok(all)
    }
}

impl Changes for SweepReport {
    /// Returns each secret that is read: nothing is changed, but the reads raise alerts.
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        Ok(self.names.iter().map(|name| PlannedSecret::read_in(&self.vault, name)).collect())
    }
}
