//! Obtaining the new value, which is tested before it is set and never left behind unreported.

use super::{
    Credential, CredentialRequest, FoundCredential, IssuerKind, RotateFailure, RotateStep,
    confirm::{SETTLING, id_of, overtaken},
    error::{GroupStep, Step},
    hooks::{Hooks, pause},
    member::Member,
    run::Group,
    wish::{CREDENTIAL, ROTATING},
};
use crate::{
    LedgerAction,
    client::{TAG_LENGTH, TAG_LIMIT, check_value},
    ledger::Line,
    random_value,
};

/// What earlier runs have left.
enum TakenUp {
    /// A credential that was set.
    Set(Credential),
    /// A credential that was not set, with its value.
    Unused(Credential),
    Nothing,
}

impl Group {
    /// Returns the credential to set, or the one that an earlier run has set.
    pub(super) async fn obtain(&mut self) -> GroupStep<Credential> {
        self.step = RotateStep::CreateCredential;
        if let Some(set) = self.already_set().await? {
            return Ok(set);
        }
        let Some(hooks) = self.hooks.clone() else {
            if self.members.iter().any(|member| member.record.setting) {
                self.settle().await?;
                if let Some(set) = self.already_set().await? {
                    return Ok(set);
                }
            }
            let value = match self.members[0].task.value.clone() {
                Some(given) => given,
                None => random_value().map_err(|error| (0, RotateFailure::Service(error)))?,
            };
            return Ok(Credential { id: String::new(), value });
        };
        let found = self.found(&hooks).await.map_err(|failure| (0, failure))?;
        let left: Vec<String> = found.iter().map(|credential| credential.id.clone()).collect();
        let credential = match self.take_up(&hooks, found).await {
            Ok(TakenUp::Set(set)) => return Ok(set),
            Ok(TakenUp::Unused(credential)) => credential,
            Ok(TakenUp::Nothing) => self.create(&hooks).await?,
            Err(failed) => {
                for id in left {
                    if !self.revoked.contains(&id) {
                        self.name_orphan(&id);
                    }
                }
                return Err(failed);
            }
        };
        self.done_created(&credential);
        let tested = match self.check_created(&hooks, &credential) {
            Ok(()) => self.test(&hooks, &credential).await,
            Err(failure) => Err(failure),
        };
        if let Err(failure) = tested {
            self.discard(&hooks, &credential, &failure).await;
            return Err((0, failure));
        }
        Ok(credential)
    }

    /// Continues with what earlier runs have created.
    async fn take_up(&mut self, hooks: &Hooks, found: Vec<FoundCredential>) -> GroupStep<TakenUp> {
        if !found.is_empty() || self.members.iter().any(|member| member.record.setting) {
            // An earlier run got this far, and its set may not be visible yet.
            self.settle().await?;
            if let Some(set) = self.already_set().await? {
                return Ok(TakenUp::Set(set));
            }
        }
        let unused = self.take_over(hooks, found).await?;
        Ok(unused.map_or(TakenUp::Nothing, TakenUp::Unused))
    }

    fn done_created(&mut self, credential: &Credential) {
        for member in &mut self.members {
            member.done.issuer.created = Some(credential.id.clone());
        }
    }

    /// Finds the credential that an earlier run has set in one of the secrets, and tests it again.
    async fn already_set(&mut self) -> GroupStep<Option<Credential>> {
        let mut set: Option<Credential> = None;
        for at in 0..self.members.len() {
            if !self.members[at].done.resumed {
                continue;
            }
            let current = match self.members[at].look().await.map_err(|failure| (at, failure))? {
                Ok(current) => current,
                Err(newer) => return Err((at, overtaken(&newer))),
            };
            let mut id = current.properties.tags.get(CREDENTIAL).cloned();
            if let Some(hooks) = self.hooks.clone() {
                self.step = RotateStep::Verify;
                let identified = hooks.identify(&current.value).await.map_err(|failure| (at, failure))?;
                // Whoever sets another value by hand may copy the tags.
                let member = &self.members[at];
                let differs = id.as_ref().zip(identified.as_ref()).is_some_and(|(tag, value)| tag != value);
                if differs && member.record.set.is_none() {
                    let version = id_of(&current.properties).map_err(|failure| (at, failure))?;
                    return Err((at, member.set_by_somebody(version.as_str())));
                }
                id = identified.or(id);
                hooks.verify(&current.value).await.map_err(|failure| (at, failure))?;
                self.members[at].done.issuer.created = id.clone();
                let proved = hooks.issuer.proves();
                self.members.iter_mut().for_each(|member| member.done.issuer.verified = proved);
            }
            let credential = Credential { id: id.unwrap_or_default(), value: current.value };
            // Earlier runs that were not one group may have set different credentials: each secret keeps its own.
            self.in_use.push(credential.id.clone());
            set.get_or_insert(credential);
        }
        Ok(set)
    }

    /// Waits until all earlier changes are visible, and reads again.
    async fn settle(&mut self) -> GroupStep {
        pause(SETTLING).await;
        for at in 0..self.members.len() {
            self.snapshot(at).await.map_err(|failure| (at, failure))?;
        }
        Ok(())
    }

    /// Finds the credentials that earlier runs have created.
    async fn found(&self, hooks: &Hooks) -> Step<Vec<FoundCredential>> {
        if hooks.kind() != IssuerKind::Many {
            return Ok(Vec::new());
        }
        let mut found: Vec<FoundCredential> = Vec::new();
        for member in &self.members {
            let record = &member.record;
            let created = record.created.iter().map(|id| FoundCredential { id: id.clone(), value: None });
            for credential in hooks.find(&member.task.id).await?.into_iter().chain(created) {
                let revoked = record.revoked.contains(&credential.id);
                // The credential of an old version was not created for this rotation, whatever the issuer says.
                let old = record.credentials.values().any(|id| *id == credential.id);
                if !revoked && !old && !found.iter().any(|known| known.id == credential.id) {
                    found.push(credential);
                }
            }
        }
        Ok(found)
    }

    /// Reuses one of the credentials of earlier runs that comes with its value, and revokes the others. None of them
    /// ever became current.
    async fn take_over(
        &mut self,
        hooks: &Hooks,
        found: Vec<FoundCredential>,
    ) -> GroupStep<Option<Credential>> {
        let mut reused = None;
        for FoundCredential { id, value } in found {
            match value {
                Some(value) if reused.is_none() => reused = Some(Credential { id, value }),
                _ => self.revoke_unused(hooks, &id).await?,
            }
        }
        Ok(reused)
    }

    async fn revoke_unused(&mut self, hooks: &Hooks, id: &str) -> GroupStep {
        for (at, member) in self.members.iter().enumerate() {
            let failed = |failure| (at, failure);
            member.look_before_set().await.map_err(failed)?;
            // The issuer may have returned one that is in use: the value of a disabled version cannot be read to rule
            // that out.
            if member.current.is_none() {
                return Err(failed(RotateFailure::Undetermined(format!(
                    "credential '{id}' of rotation '{}' may be the one of the current version, which is disabled: enable \
                     the version, or revoke the credential",
                    member.task.id
                ))));
            }
            let holds = |old: &super::member::OldVersion| old.credential.as_deref() == Some(id);
            if member.old.iter().chain(&member.kept).any(holds) {
                return Err(failed(RotateFailure::Undetermined(format!(
                    "credential '{id}' of rotation '{}' is stored in a version without the rotation's tag: revoke \
                     it, or set the tag",
                    member.task.id
                ))));
            }
        }
        let failed = |failure| (0, failure);
        if self.held_beside(hooks, id).await.map_err(failed)?.is_none() {
            self.name_orphan(id);
            return Ok(());
        }
        self.members[0].note(LedgerAction::Revoking, Line::credential(id)).map_err(failed)?;
        self.note_revoked(id);
        if let Err(failure) = hooks.revoke(id).await {
            self.name_orphan(id);
            return Err(failed(failure));
        }
        self.members[0].note(LedgerAction::CredentialRevoked, Line::credential(id)).map_err(failed)
    }

    async fn create(&mut self, hooks: &Hooks) -> GroupStep<Credential> {
        match hooks.kind() {
            IssuerKind::Many => {}
            IssuerKind::TwoSlots => {
                self.intend().await?;
                self.note_revoked("the idle slot");
            }
            IssuerKind::One => self.note_revoked("the credential before"),
        }
        for (at, member) in self.members.iter().enumerate() {
            member.look_before_set().await.map_err(|failure| (at, failure))?;
        }
        let failed = |failure| (0, failure);
        let member = &self.members[0];
        member.note(LedgerAction::Creating, Line::default()).map_err(failed)?;
        let secret = member.secret_id(None);
        let request = CredentialRequest {
            rotation: &member.task.id,
            secret: &secret,
            current: member.current.as_ref().map(|current| &current.value),
            in_use: member.in_use(),
        };
        let credential = match hooks.create(request).await {
            Ok(credential) => credential,
            Err(failure) => {
                let unknown = format!("what was created for rotation '{}'", self.members[0].task.id);
                self.name_orphan(&unknown);
                return Err(failed(failure));
            }
        };
        // One that is in use is not recorded as created: a later run would treat it as left over.
        self.check_new(hooks, &credential).map_err(failed)?;
        if let Err(failure) = member.note(LedgerAction::CredentialCreated, Line::credential(&credential.id)) {
            self.discard(hooks, &credential, &failure).await;
            return Err(failed(failure));
        }
        Ok(credential)
    }

    /// Checks that the issuer has not returned the credential in use.
    fn check_new(&self, hooks: &Hooks, credential: &Credential) -> Step {
        let same_value = |member: &Member| {
            member.current.as_ref().is_some_and(|current| current.value == credential.value)
        };
        let same_id = |member: &Member| match hooks.kind() {
            IssuerKind::Many => {
                let mut versions = member.old.iter().chain(&member.kept);
                versions.any(|old| old.credential.as_ref() == Some(&credential.id))
            }
            _ => member.in_use() == Some(&credential.id),
        };
        match self.members.iter().any(|member| same_value(member) || same_id(member)) {
            true => Err(RotateFailure::SameCredential { id: credential.id.clone() }),
            false => Ok(()),
        }
    }

    /// Checks that the credential is new and that a vault accepts it.
    fn check_created(&self, hooks: &Hooks, credential: &Credential) -> Step {
        self.check_new(hooks, credential)?;
        if credential.id.is_empty() || credential.id.chars().count() > TAG_LENGTH {
            let reason = format!("the issuer's id of a credential must have 1 to {TAG_LENGTH} characters");
            return Err(RotateFailure::Invalid(reason));
        }
        check_value(&credential.value).map_err(|error| RotateFailure::Invalid(error.to_string()))
    }

    async fn test(&mut self, hooks: &Hooks, credential: &Credential) -> Step {
        self.step = RotateStep::Verify;
        hooks.verify(&credential.value).await?;
        for member in &mut self.members {
            member.done.issuer.verified = hooks.issuer.proves();
            member.note(LedgerAction::Verified, Line::credential(&credential.id))?;
        }
        Ok(())
    }

    /// Revokes a credential that was certainly not set; reports it as left over if that fails.
    pub(super) async fn discard(&mut self, hooks: &Hooks, credential: &Credential, why: &RotateFailure) {
        // The credential in use must not be revoked; with one or two slots, there is never an additional credential.
        if matches!(why, RotateFailure::SameCredential { .. }) || hooks.kind() != IssuerKind::Many {
            return;
        }
        self.note_revoked(&credential.id);
        if hooks.revoke(&credential.id).await.is_err() {
            self.name_orphan(&credential.id);
        } else {
            let line = Line::credential(&credential.id);
            // It is revoked, even if the ledger cannot record that.
            let _ = self.members[0].note(LedgerAction::CredentialRevoked, line);
        }
    }

    pub(super) fn name_orphan(&mut self, id: &str) {
        for member in &mut self.members {
            if !member.done.issuer.orphans.iter().any(|known| known == id) {
                member.done.issuer.orphans.push(id.to_owned());
            }
        }
    }

    /// Tags each current version with the intent to change the idle slot, and checks that no other rotation has tagged
    /// it.
    async fn intend(&mut self) -> GroupStep {
        for (at, member) in self.members.iter().enumerate() {
            member.write_intent().await.map_err(|failure| (at, failure))?;
        }
        pause(SETTLING).await;
        self.confirm_intent().await?;
        for (at, member) in self.members.iter().enumerate().filter(|(_, member)| !member.task.revoke_first) {
            // A consumer may still use the idle slot, from an older version or one set by hand.
            let current = member.current.as_ref().and_then(|current| current.properties.version().cloned());
            let moved = member.wait_until_moved(&member.secret_id(current)).await;
            moved.map_err(|failure| (at, failure))?;
        }
        Ok(())
    }

    /// Checks that the tagged intent is ours.
    pub(super) async fn confirm_intent(&self) -> GroupStep {
        for (at, member) in self.members.iter().enumerate() {
            member.confirm_intent().await.map_err(|failure| (at, failure))?;
        }
        Ok(())
    }
}

impl Member {
    async fn write_intent(&self) -> Step {
        let refuse = |reason: &str| Err(RotateFailure::Invalid(reason.to_owned()));
        let Some(current) = &self.current else {
            return refuse(
                "the current version is disabled, so it is unknown which of the two slots is in use",
            );
        };
        if self.in_use().is_none() {
            return refuse(
                "the issuer did not identify the current value, so it is unknown which of the two slots is in use: \
                 the value belongs to another issuer, or no longer works; set a working one first",
            );
        }
        let Some(version) = current.properties.version() else {
            return refuse("the current version has no id");
        };
        let mut tags = current.properties.tags.clone();
        match tags.insert(ROTATING.to_owned(), self.task.id.clone()) {
            Some(intent) if intent == self.task.id => return Ok(()),
            Some(rotation) => return Err(RotateFailure::ForeignIntent { rotation }),
            None if tags.len() > TAG_LIMIT => {
                return refuse("the secret has no room for the tag 'rotating': remove a tag first");
            }
            None => {}
        }
        let update = self.task.client.update(&self.task.name, version).tags(tags);
        update.await.map(drop).map_err(RotateFailure::Service)
    }

    pub(super) async fn confirm_intent(&self) -> Step {
        self.look_before_set().await?;
        let found = self.read_current().await?;
        match found.and_then(|found| found.properties.tags.get(ROTATING).cloned()) {
            Some(intent) if intent == self.task.id => Ok(()),
            Some(rotation) => Err(RotateFailure::ForeignIntent { rotation }),
            None => Err(RotateFailure::Undetermined(
                "the tag 'rotating' has been removed from the current version in the meantime: somebody else is \
                 changing it"
                    .to_owned(),
            )),
        }
    }
}
