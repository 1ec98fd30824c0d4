//! The steps: identify the credentials in the versions, revoke them, disable the versions.

use std::collections::BTreeMap;

use arm_core::{Mode, Secret};

use super::{EndError, EndOldVersions, EndedVersions};
use crate::{
    IssuerKind, LedgerAction, RotateFailure, SecretBundle, SecretErrorExt as _, SecretId, SecretRefusal,
    SecretVersion,
    ledger::{LedgerWriter, Line},
    tasks::rotate::{CONSUMERS_LIMIT, Hooks, ROTATING, id_of, wait_until_moved},
};

type Step<T = ()> = Result<T, RotateFailure>;

/// A credential, and the old versions that contain it.
struct Known {
    id: String,
    value: Secret,
    versions: Vec<SecretVersion>,
}

impl EndOldVersions {
    pub(super) async fn carry_out(&self, mode: Mode) -> Result<EndedVersions, EndError> {
        let mut done = EndedVersions {
            vault: self.client.host().to_owned(),
            secret: self.name.clone(),
            current: None,
            revoked: Vec::new(),
            open: Vec::new(),
            retirement: None,
            dry_run: mode.is_dry_run(),
        };
        match self.steps(mode, &mut done).await {
            Ok(()) => Ok(done),
            Err(source) => Err(EndError { completed: Box::new(done), source: Box::new(source) }),
        }
    }

    async fn steps(&self, mode: Mode, done: &mut EndedVersions) -> Step {
        let current = self.read_current().await?;
        let id = id_of(&current.properties)?;
        done.current = Some(id.clone());
        let hooks = self.hooks();
        let credentials = self.credentials(hooks.as_ref(), &id, done).await?;
        if !mode.is_dry_run()
            && !self.at_once
            && let Some(consumers) = &self.consumers
        {
            let to = SecretId {
                vault_host: self.client.host().to_owned(),
                name: self.name.clone(),
                version: Some(id.clone()),
            };
            wait_until_moved(&**consumers, CONSUMERS_LIMIT, &to).await?;
        }
        if let Some(hooks) = &hooks {
            let is_theirs = !credentials.is_empty() && hooks.identify(&current.value).await?.is_some();
            for credential in &credentials {
                self.end(hooks, credential, mode, done).await?;
            }
            if !done.revoked.is_empty() && !mode.is_dry_run() {
                self.check_current(hooks, &credentials, is_theirs, done).await?;
            }
        }
        let mut retire = self.client.retire_old_versions(&self.name).only(self.versions.clone());
        if let Some(ledger) = &self.ledger {
            retire = retire.ledger(ledger);
        }
        if mode.is_dry_run() {
            retire = retire.dry_run();
        }
        match retire.await {
            Ok(retirement) => {
                done.current = retirement.current.clone();
                done.retirement = Some(retirement);
            }
            Err(error) => {
                done.retirement = error.completed;
                return Err(error.source.into());
            }
        }
        Ok(())
    }

    async fn read_current(&self) -> Step<SecretBundle> {
        match self.client.get(&self.name).await {
            Ok(found) => Ok(found),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => {
                Err(RotateFailure::CurrentDisabled)
            }
            Err(error) => Err(RotateFailure::Service(error)),
        }
    }

    /// Identifies the credentials in the versions, each of them once.
    async fn credentials(
        &self,
        hooks: Option<&Hooks>,
        current: &SecretVersion,
        done: &mut EndedVersions,
    ) -> Step<Vec<Known>> {
        let mut found: BTreeMap<String, Known> = BTreeMap::new();
        for version in &self.versions {
            if version == current {
                done.leave(version, "it is the current version: rotate the secret");
                continue;
            }
            let value = match self.client.get_version(&self.name, version).await {
                Ok(found) => found.value,
                Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => {
                    done.leave(version, "it was already disabled, so its value cannot be read");
                    continue;
                }
                Err(error) => return Err(RotateFailure::Service(error)),
            };
            let Some(hooks) = hooks else {
                done.leave(version, "no issuer was given");
                continue;
            };
            match hooks.identify(&value).await? {
                Some(id) => {
                    let known = Known { id: id.clone(), value, versions: Vec::new() };
                    found.entry(id).or_insert(known).versions.push(version.clone());
                }
                None => done.leave(
                    version,
                    "the issuer does not recognize it: it no longer works, or belongs to another issuer",
                ),
            }
        }
        Ok(found.into_values().collect())
    }

    /// Revokes a credential, unless something is known to need it.
    async fn end(&self, hooks: &Hooks, credential: &Known, mode: Mode, done: &mut EndedVersions) -> Step {
        if let Some(why) = self.needed(hooks, credential, done).await? {
            credential.versions.iter().for_each(|version| done.leave(version, why.clone()));
            return Ok(());
        }
        if !mode.is_dry_run() {
            let writer = LedgerWriter {
                ledger: self.ledger.clone(),
                vault: self.client.host().to_owned(),
                secret: self.name.clone(),
                rotation: None,
            };
            writer
                .write(LedgerAction::Revoking, Line::credential(&credential.id))
                .map_err(RotateFailure::Ledger)?;
            if let Err(failure) = hooks.revoke(&credential.id).await {
                let why = "the issuer did not confirm that it is revoked";
                credential.versions.iter().for_each(|version| done.leave(version, why));
                return Err(failure);
            }
            let revoked = writer.write(LedgerAction::CredentialRevoked, Line::credential(&credential.id));
            done.revoked.push(credential.id.clone());
            return revoked.map_err(RotateFailure::Ledger);
        }
        done.revoked.push(credential.id.clone());
        Ok(())
    }

    /// Checks whether a credential is still needed, and returns why.
    async fn needed(&self, hooks: &Hooks, known: &Known, done: &EndedVersions) -> Step<Option<String>> {
        for (client, name) in &self.beside {
            let held = match client.get(name).await {
                Ok(found) => hooks.identify(&found.value).await?,
                Err(error) => match error.secret_refusal() {
                    Some(SecretRefusal::Disabled | SecretRefusal::SoftDeleted | SecretRefusal::NotFound) => {
                        None
                    }
                    _ => {
                        let host = client.host();
                        return Ok(Some(format!("'{name}' of {host}, which may need it, could not be read")));
                    }
                },
            };
            if held.as_ref() == Some(&known.id) {
                return Ok(Some(format!("'{name}' of {} needs it: rotate that first", client.host())));
            }
        }
        let current = self.read_current().await?;
        let version = id_of(&current.properties)?;
        if Some(&version) != done.current.as_ref() {
            return Err(RotateFailure::Overtaken { current: version });
        }
        // Another rotation may have regenerated that slot without having set the new value yet.
        if hooks.kind() == IssuerKind::TwoSlots && current.properties.tags.contains_key(ROTATING) {
            return Ok(Some("a rotation of the secret is in progress: run this again after it".to_owned()));
        }
        if hooks.identify(&current.value).await?.as_ref() == Some(&known.id) {
            return Ok(Some(
                "the current version contains the same credential: rotate the secret".to_owned(),
            ));
        }
        match hooks.identify(&known.value).await? {
            Some(id) if id == known.id => Ok(None),
            _ => Ok(Some(
                "the issuer no longer recognizes it: it no longer works, or belongs to another issuer"
                    .to_owned(),
            )),
        }
    }

    /// Checks that no revoked value has become current in the meantime, and that the current value, if it has the same
    /// issuer, still works.
    async fn check_current(
        &self,
        hooks: &Hooks,
        ended: &[Known],
        is_theirs: bool,
        done: &EndedVersions,
    ) -> Step {
        let now = self.read_current().await?;
        let Some(current) = now.properties.version().cloned() else { return Ok(()) };
        let is_ended = |known: &Known| done.revoked.contains(&known.id) && known.value == now.value;
        let dead = || RotateFailure::CurrentCredentialDead {
            current: current.clone(),
            revoked: done.revoked.clone(),
        };
        if ended.iter().any(is_ended) {
            return Err(dead());
        }
        if !is_theirs || Some(&current) != done.current.as_ref() {
            return Ok(());
        }
        match hooks.verify(&now.value).await {
            Err(RotateFailure::Hook(_)) if hooks.identify(&now.value).await?.is_none() => Err(dead()),
            outcome => outcome,
        }
    }
}
