//! The steps of a rotation.

use futures::TryStreamExt as _;

use super::{
    Credential, IssuerReport, OldCredential, Rotate, RotateError, RotateFailure, RotateStep, Rotation,
    set::{CREDENTIAL, REPLACES, ROTATED},
};
use crate::{
    LedgerAction, SecretBundle, SecretErrorExt as _, SecretId, SecretProperties, SecretRefusal,
    SecretVersion,
    ledger::Scribe,
    random_value,
    retire_old_versions::{self, RETIRED_BY},
};

/// How often the new version is read while the old one still answers.
const READ_ATTEMPTS: u32 = 5;

pub(super) type Step<T = ()> = std::result::Result<T, RotateFailure>;

pub(super) async fn rotate(task: Rotate) -> Result<Rotation, RotateError> {
    let scribe = Scribe {
        ledger: task.retire.ledger.clone().filter(|_| !task.retire.dry_run),
        vault: task.client.host().to_owned(),
        secret: task.name.clone(),
        rotation: Some(task.id.clone()),
    };
    let done = Rotation {
        vault: scribe.vault.clone(),
        secret: task.name.clone(),
        id: task.id.clone(),
        previous: None,
        current: None,
        resumed: false,
        issuer: IssuerReport { configured: task.issuer.is_some(), ..IssuerReport::default() },
        consumers_moved: false,
        retirement: None,
        active: None,
        rolled_back_to: None,
        dry_run: task.retire.dry_run,
    };
    let mut run = Run { task, scribe, done, step: RotateStep::Snapshot };
    match run.steps().await {
        Ok(()) => Ok(run.done),
        Err(source) => {
            let reason = format!("{}: {source}", run.step);
            // What stopped it is the better news; a ledger that fails as well adds nothing.
            let _ = run.scribe.note(LedgerAction::Stopped, run.done.current.as_ref(), Some(reason));
            if run.step >= RotateStep::Set {
                run.done.active = run.task.client.verify_single_active(&run.task.name).await.ok();
            }
            Err(RotateError { completed: Box::new(run.done), step: run.step, source: Box::new(source) })
        }
    }
}

pub(super) struct Run {
    pub(super) task: Rotate,
    pub(super) scribe: Scribe,
    pub(super) done: Rotation,
    pub(super) step: RotateStep,
}

/// What the secret was before.
pub(super) struct Snapshot {
    /// Nothing when the current version is disabled.
    pub(super) current: Option<SecretBundle>,
}

impl Run {
    async fn steps(&mut self) -> Step {
        self.check()?;
        let snapshot = self.snapshot().await?;
        if self.task.retire.dry_run {
            return self.plan().await;
        }
        self.note(LedgerAction::Begun, None, self.task.reason.clone())?;
        let credential = match self.resumable(&snapshot) {
            Some(credential) => credential,
            None => self.replace(&snapshot).await?,
        };
        self.verify(&snapshot, &credential).await?;
        if self.task.revoke_first {
            self.step = RotateStep::RevokeFirst;
            self.revoke(&snapshot).await?;
        }
        self.wait_for_consumers().await?;
        self.retire().await?;
        if !self.task.revoke_first {
            self.step = RotateStep::Revoke;
            self.revoke(&snapshot).await?;
        }
        self.report().await
    }

    fn check(&self) -> Step {
        let refuse = |reason: &str| Err(RotateFailure::Invalid(reason.to_owned()));
        let long = |text: &str| text.chars().count() > 512;
        if long(&self.task.id) || self.task.reason.as_deref().is_some_and(long) {
            return refuse("the id and the reason must not be longer than 512 characters");
        }
        if self.task.issuer.is_some() && self.task.value.is_some() {
            return refuse("the new value is given and an issuer is to make one: choose one of them");
        }
        if self.task.revoke_first && (self.task.issuer.is_none() || self.task.retire.keep_enabled > 1) {
            return refuse("revoke_first needs an issuer, and keeps no old version enabled");
        }
        Ok(())
    }

    async fn snapshot(&mut self) -> Step<Snapshot> {
        let current = match self.task.client.get(&self.task.name).await {
            Ok(found) if found.properties.managed => {
                let reason = "the secret belongs to a certificate: renew the certificate instead";
                return Err(RotateFailure::Invalid(reason.to_owned()));
            }
            Ok(found) => Some(found),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => None,
            Err(error) => return Err(RotateFailure::Service(error)),
        };
        self.done.previous = current.as_ref().and_then(|found| found.properties.id.version.clone());
        Ok(Snapshot { current })
    }

    /// What a dry run tells.
    async fn plan(&mut self) -> Step {
        let active =
            self.task.client.verify_single_active(&self.task.name).await.map_err(RotateFailure::Service)?;
        let enabled = active.others + u64::from(active.current.is_some());
        let kept_of_old = (self.task.retire.keep_enabled as u64 - 1).min(enabled);
        self.done.retirement = active.current.clone().map(|current| crate::Retirement {
            current,
            seen: active.versions,
            disabled: enabled - kept_of_old,
            disabled_before: active.versions - enabled,
            kept: kept_of_old + 1,
            dry_run: true,
        });
        self.done.active = Some(active);
        Ok(())
    }

    /// The credential of an earlier run of the same rotation, which had set it.
    fn resumable(&mut self, snapshot: &Snapshot) -> Option<Credential> {
        let found = snapshot.current.as_ref()?;
        let tags = &found.properties.tags;
        tags.get(ROTATED).filter(|id| **id == self.task.id)?;
        self.done.resumed = true;
        self.done.current = found.properties.id.version.clone();
        self.done.previous = tags.get(REPLACES).and_then(|version| version.parse().ok());
        self.done.issuer.created = tags.get(CREDENTIAL).cloned();
        let id = tags.get(CREDENTIAL).cloned().unwrap_or_default();
        Some(Credential { id, value: found.value.clone() })
    }

    /// Sets a new version.
    async fn replace(&mut self, snapshot: &Snapshot) -> Step<Credential> {
        let credential = self.new_credential().await?;
        self.step = RotateStep::Set;
        let wanted = self.wanted(snapshot, &credential);
        match self.set(&wanted).await {
            Ok(version) => {
                self.done.current = Some(version);
                self.note(LedgerAction::Set, self.done.current.clone().as_ref(), self.task.reason.clone())?;
                Ok(credential)
            }
            Err(error) => {
                self.drop_orphan(&credential, !error.may_have_acted()).await;
                Err(RotateFailure::Service(error))
            }
        }
    }

    async fn new_credential(&mut self) -> Step<Credential> {
        let Some(issuer) = self.task.issuer.clone() else {
            let value = match self.task.value.clone() {
                Some(given) => given,
                None => random_value().map_err(RotateFailure::Service)?,
            };
            return Ok(Credential { id: String::new(), value });
        };
        self.step = RotateStep::CreateCredential;
        let credential = issuer.create(&self.secret_id(None)).await.map_err(RotateFailure::Hook)?;
        self.done.issuer.created = Some(credential.id.clone());
        if let Err(failure) = self.note(LedgerAction::CredentialCreated, None, Some(credential.id.clone())) {
            self.drop_orphan(&credential, true).await;
            return Err(failure);
        }
        Ok(credential)
    }

    /// Revokes a credential that could not be stored, if it surely was not.
    pub(super) async fn drop_orphan(&mut self, credential: &Credential, surely_not_stored: bool) {
        let Some(issuer) = self.task.issuer.clone() else { return };
        let orphan = OldCredential {
            version: None,
            id: Some(credential.id.clone()),
            value: Some(credential.value.clone()),
        };
        if !surely_not_stored || issuer.revoke(&orphan).await.is_err() {
            self.done.issuer.orphan = Some(credential.id.clone());
        }
    }

    async fn verify(&mut self, snapshot: &Snapshot, credential: &Credential) -> Step {
        self.step = RotateStep::Verify;
        let found = self.read_new().await?;
        if found.value != credential.value {
            return Err(RotateFailure::OtherValue);
        }
        if let Some(issuer) = self.task.issuer.clone() {
            if let Err(error) = issuer.verify(credential).await {
                self.roll_back(snapshot, credential).await?;
                return Err(RotateFailure::Hook(error));
            }
            self.done.issuer.verified = true;
        }
        self.note(LedgerAction::Verified, self.done.current.clone().as_ref(), None)
    }

    /// The current version, which must be the new one. A read that still answers the old one is repeated.
    async fn read_new(&self) -> Step<SecretBundle> {
        for attempt in 1.. {
            let found = match self.task.client.get(&self.task.name).await {
                Ok(found) => found,
                Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => {
                    return Err(RotateFailure::CurrentDisabled);
                }
                Err(error) => return Err(RotateFailure::Service(error)),
            };
            let current = found.properties.version();
            if current == self.done.current.as_ref() {
                return Ok(found);
            }
            if current != self.done.previous.as_ref() || attempt == READ_ATTEMPTS {
                let current = found.properties.id.version.ok_or_else(|| self.no_version());
                return Err(RotateFailure::Overtaken { current: current.map_err(RotateFailure::Service)? });
            }
            azure_core::sleep(azure_core::time::Duration::seconds(1)).await;
        }
        Err(RotateFailure::Service(self.no_version()))
    }

    async fn wait_for_consumers(&mut self) -> Step {
        let Some(consumers) = self.task.consumers.clone() else { return Ok(()) };
        self.step = RotateStep::WaitForConsumers;
        let to = self.secret_id(self.done.current.clone());
        consumers.wait_until_moved(&to).await.map_err(RotateFailure::Hook)?;
        self.done.consumers_moved = true;
        self.note(LedgerAction::ConsumersMoved, self.done.current.clone().as_ref(), None)
    }

    async fn retire(&mut self) -> Step {
        self.step = RotateStep::Retire;
        let mut options = self.task.retire.clone();
        options.expected = self.done.current.clone();
        options.rotation = Some(self.task.id.clone());
        options.mark = self.task.issuer.is_some();
        options.next_to_keep = self.done.previous.clone();
        match retire_old_versions::run(&self.task.client, &self.task.name, &options).await {
            Ok(retirement) => {
                self.done.retirement = Some(retirement);
                Ok(())
            }
            Err(error) => {
                self.done.retirement = error.completed;
                Err(error.source.into())
            }
        }
    }

    /// Revokes the credentials of the versions that this rotation ends: those that it disabled, in this run or an
    /// earlier one, or is about to disable.
    async fn revoke(&mut self, snapshot: &Snapshot) -> Step {
        let Some(issuer) = self.task.issuer.clone() else { return Ok(()) };
        let mut versions = self.task.client.list_versions(&self.task.name);
        while let Some(version) = versions.try_next().await.map_err(RotateFailure::Service)? {
            if version.version() == self.done.current.as_ref() || !self.ends(&version) {
                continue;
            }
            let value = snapshot.current.as_ref().filter(|old| old.properties.version() == version.version());
            let old = OldCredential {
                id: version.tags.get(CREDENTIAL).cloned(),
                value: value.map(|old| old.value.clone()),
                version: version.id.version,
            };
            issuer.revoke(&old).await.map_err(RotateFailure::Hook)?;
            self.done.issuer.revoked += 1;
            self.note(LedgerAction::CredentialRevoked, old.version.as_ref(), old.id.clone())?;
        }
        Ok(())
    }

    fn ends(&self, version: &SecretProperties) -> bool {
        let retired = version.tags.get(RETIRED_BY).is_some_and(|id| *id == self.task.id);
        let previous = self.task.retire.keep_enabled == 1 && version.version() == self.done.previous.as_ref();
        retired || previous || (self.task.revoke_first && version.enabled)
    }

    async fn report(&mut self) -> Step {
        self.step = RotateStep::Report;
        let active = self.task.client.verify_single_active(&self.task.name).await;
        self.done.active = Some(active.map_err(RotateFailure::Service)?);
        self.note(LedgerAction::Finished, self.done.current.clone().as_ref(), None)
    }

    fn secret_id(&self, version: Option<SecretVersion>) -> SecretId {
        SecretId { vault_host: self.done.vault.clone(), name: self.task.name.clone(), version }
    }

    pub(super) fn note(
        &self,
        action: LedgerAction,
        version: Option<&SecretVersion>,
        detail: Option<String>,
    ) -> Step {
        self.scribe.note(action, version, detail).map_err(RotateFailure::Ledger)
    }
}
