//! What the results of tasks on secrets say.

use arm_core::Outcome;
use azure_core::Result;
use keyvault_ops::{CleanUpReport, Retirement, Rotation, SecretName, SeedReport, Seeded, SweepReport};
use serde_json::{Value, json};

use super::{Changes, PlanAction, PlannedChange, PlannedResource, resources::refused};

/// A secret of a vault, or a version of one: only its existence, never its value.
#[derive(Debug)]
pub struct PlannedSecret(String);

impl PlannedSecret {
    /// The full id of a secret in the vault with this host name, such as `kv-prod.vault.azure.net`.
    pub fn id_in(vault: &str, secret: &SecretName) -> String {
        format!("https://{vault}/secrets/{secret}")
    }
}

impl PlannedResource for PlannedSecret {
    const ROLE: &'static str = "Key Vault Secrets Officer";
    const PERMISSION: &'static str = "Microsoft.KeyVault/vaults/secrets/setSecret/action";

    fn id(&self) -> String {
        self.0.clone()
    }

    fn shown(&self) -> Result<Value> {
        Ok(Value::Null)
    }
}

impl Changes for SeedReport {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let one = |outcome: &Outcome<SecretName, Seeded>| {
            let seeded = outcome.result.as_ref().map_err(|error| refused(&outcome.target, error))?;
            let action = if *seeded == Seeded::Unchanged { PlanAction::NoChange } else { PlanAction::Create };
            let change = PlannedChange::of::<PlannedSecret>(
                action,
                PlannedSecret::id_in(&self.vault, &outcome.target),
            );
            Ok(if change.is_change() { change.made_at_apply("value") } else { change })
        };
        self.outcomes.iter().map(one).collect()
    }
}

impl Changes for Rotation {
    /// A new version, and the old ones disabled, each unless an earlier run of the rotation has done it.
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
    /// Each version that is disabled, by its id.
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
        let change = PlannedChange::of::<PlannedSecret>(PlanAction::Update, format!("{id}/{version}"));
        change.member("attributes.enabled", Some(json!(true)), Some(json!(false)))
    })
}

impl Changes for CleanUpReport {
    /// Each secret that goes, with all its versions, and each deleted one that is purged.
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
                let permission = "Microsoft.KeyVault/vaults/secrets/delete";
                let as_read = json!({ "versions": versions });
                all.push(PlannedChange::delete_of::<PlannedSecret>(&id, permission, Some(&as_read)));
            }
            if self.purged.contains(name) {
                let deleted = format!("https://{}/deletedsecrets/{name}", self.vault);
                let permission = "Microsoft.KeyVault/vaults/secrets/purge/action";
                all.push(PlannedChange::delete_of::<PlannedSecret>(deleted, permission, None));
            }
            if !self.deleted.contains_key(name) && !self.purged.contains(name) {
                all.push(PlannedChange::of::<PlannedSecret>(PlanAction::NoChange, id));
            }
        }
        Ok(all)
    }
}

impl Changes for SweepReport {
    /// Each secret that is read: nothing is changed, and it raises alerts.
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let read = |name: &SecretName| PlannedChange {
            role: "Key Vault Secrets User".to_owned(),
            permission: "Microsoft.KeyVault/vaults/secrets/getSecret/action".to_owned(),
            ..PlannedChange::of::<PlannedSecret>(PlanAction::Read, PlannedSecret::id_in(&self.vault, name))
        };
        Ok(self.names.iter().map(read).collect())
    }
}
