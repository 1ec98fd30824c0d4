//! Revoking the old credentials and disabling the old versions.

use std::collections::BTreeSet;

use arm_core::Secret;
use futures::{StreamExt as _, stream};

use super::super::retire_old_versions::{CHUNK, disable};
use super::{
    IssuerKind, RotateFailure, RotateStep,
    confirm::{SETTLING, overtaken},
    error::{GroupStep, Step},
    hooks::{Hooks, pause, wait_until_moved},
    member::{Member, OldVersion},
    run::Group,
};
use crate::{LedgerAction, Retirement, SecretId, SecretVersion, ledger::Line};

impl Group {
    pub(super) async fn wait_for_consumers(&mut self) -> GroupStep {
        self.step = RotateStep::WaitForConsumers;
        for (at, member) in self.members.iter_mut().enumerate() {
            if member.task.consumers.is_none() {
                continue;
            }
            let to = member.secret_id(member.done.current.clone());
            member.wait_until_moved(&to).await.map_err(|failure| (at, failure))?;
            member.done.consumers_moved = true;
            let line = to.version.as_ref().map(Line::version).unwrap_or_default();
            member.note(LedgerAction::ConsumersMoved, line).map_err(|failure| (at, failure))?;
        }
        for member in &self.members {
            let kept = member.kept.iter().filter_map(|kept| kept.value.clone());
            member.beside.note_moved(&member.secret_id(None), kept.collect());
        }
        Ok(())
    }

    /// Revokes the identified credentials of the versions to retire, each of them once, and never the one in use.
    pub(super) async fn revoke(&mut self) -> GroupStep {
        let Some(hooks) = self.hooks.clone().filter(|hooks| hooks.kind() != IssuerKind::One) else {
            return Ok(());
        };
        for id in self.to_revoke().await? {
            if self.look_before_revoking(&hooks, &id).await? {
                continue;
            }
            for (at, member) in self.members.iter().enumerate() {
                let noted = member.note(LedgerAction::Revoking, Line::credential(&id));
                noted.map_err(|failure| (at, failure))?;
            }
            self.note_revoked(&id);
            let outcome = hooks.revoke(&id).await;
            let looked = self.look_at_all().await;
            outcome.map_err(|failure| (0, failure))?;
            for (at, member) in self.members.iter_mut().enumerate() {
                member.done.issuer.revoked.push(id.clone());
                let holds = member.old.iter_mut().filter(|old| old.credential.as_ref() == Some(&id));
                holds.for_each(|old| old.revoked = true);
                let noted = member.note(LedgerAction::CredentialRevoked, Line::credential(&id));
                noted.map_err(|failure| (at, failure))?;
            }
            looked?;
        }
        Ok(())
    }

    /// Notes that this credential may be revoked from here on, whatever the response.
    pub(super) fn note_revoked(&mut self, id: &str) {
        self.revoked.push(id.to_owned());
        self.members.iter().for_each(|member| member.beside.note_revoked());
    }

    /// Checks that the new versions are current. Returns whether another secret of the same call may contain the
    /// credential.
    async fn look_before_revoking(&self, hooks: &Hooks, id: &str) -> GroupStep<bool> {
        let Some(beside) = self.members.first().map(|member| &member.beside) else { return Ok(true) };
        loop {
            let Some(known) = self.held_beside(hooks, id).await.map_err(|failure| (0, failure))? else {
                return Ok(true);
            };
            self.look_at_all().await?;
            if beside.added() == known {
                return Ok(false);
            }
        }
    }

    /// Returns how many values the call knows, if no other secret of it contains this credential; `None` if one does,
    /// or if one cannot be read.
    pub(super) async fn held_beside(&self, hooks: &Hooks, id: &str) -> Step<Option<u64>> {
        let group: Vec<SecretId> = self.members.iter().map(|member| member.secret_id(None)).collect();
        let Some(first) = self.members.first() else { return Ok(None) };
        let Some((elsewhere, known)) = first.beside.elsewhere(&group, &hooks.issuer).await else {
            return Ok(None);
        };
        let olds = self.members.iter().flat_map(|member| &member.old);
        let holding = olds.filter(|old| old.credential.as_deref() == Some(id));
        let values: Vec<&Secret> = holding.filter_map(|old| old.value.as_ref()).collect();
        for value in &elsewhere {
            // Without a value, the credential is known only from the ledger.
            let held = match values.is_empty() {
                true => hooks.identify(value).await?.as_deref() == Some(id),
                false => values.contains(&value),
            };
            if held {
                return Ok(None);
            }
        }
        Ok(Some(known))
    }

    /// The ids of the credentials to revoke, including those that an earlier run created and did not set.
    async fn to_revoke(&self) -> GroupStep<BTreeSet<String>> {
        let own = self.in_use.iter().map(String::as_str);
        let kept: BTreeSet<&str> = self
            .members
            .iter()
            .flat_map(|member| &member.kept)
            .filter_map(|kept| kept.credential.as_deref())
            .chain(own)
            .collect();
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for (at, member) in self.members.iter().enumerate() {
            ids.extend(member.old.iter().filter(|old| !old.revoked).filter_map(|old| old.credential.clone()));
            if let Some(hooks) = &self.hooks {
                let found = hooks.find(&member.task.id).await.map_err(|failure| (at, failure))?;
                ids.extend(found.into_iter().map(|found| found.id));
            }
        }
        ids.retain(|id| !kept.contains(id.as_str()));
        Ok(ids)
    }

    /// Disables the versions to retire.
    pub(super) async fn disable_old(&mut self) -> GroupStep {
        self.step = RotateStep::Retire;
        for at in 0..self.members.len() {
            let disabled = self.members[at].disable_old().await.map_err(|failure| (at, failure))?;
            if let Err(newer) = disabled {
                return Err((at, overtaken(&newer)));
            }
        }
        Ok(())
    }

    /// Reads the final state.
    pub(super) async fn report(&mut self) -> GroupStep {
        self.step = RotateStep::Report;
        if !self.revoked.is_empty() {
            // After this pause, a revoked value that somebody made current just before is visible.
            pause(SETTLING).await;
        }
        self.look_at_all().await?;
        let own = self.in_use.clone();
        let one = self.hooks.as_ref().is_some_and(|hooks| hooks.kind() == IssuerKind::One);
        for (at, member) in self.members.iter_mut().enumerate() {
            member.report(&own, one).await.map_err(|failure| (at, failure))?;
        }
        Ok(())
    }
}

impl Member {
    pub(super) async fn wait_until_moved(&self, to: &SecretId) -> Step {
        match &self.task.consumers {
            Some(consumers) => wait_until_moved(&**consumers, self.task.consumers_limit, to).await,
            None => Ok(()),
        }
    }

    /// The inner `Err` holds a version that someone else has set.
    async fn disable_old(&mut self) -> Step<Result<(), crate::SecretBundle>> {
        let Some(current) = self.done.current.clone() else { return Ok(Ok(())) };
        let kept = self.kept.len() as u64 + 1;
        let mut done = Retirement {
            vault: self.task.client.host().to_owned(),
            secret: self.task.name.clone(),
            versions: Vec::new(),
            current: Some(current),
            seen: self.disabled_before + kept + self.old.iter().filter(|old| !old.disabled).count() as u64,
            disabled: 0,
            disabled_before: self.disabled_before,
            kept,
            dry_run: false,
        };
        self.done.retirement = Some(done.clone());
        let ending: Vec<SecretVersion> =
            self.old.iter().filter(|old| !old.disabled).map(|old| old.version.clone()).collect();
        if ending.is_empty() {
            return Ok(Ok(()));
        }
        let detail = Some(format!("{} old versions", ending.len()));
        self.note(LedgerAction::Retiring, Line { detail, ..Line::default() })?;
        for chunk in ending.chunks(CHUNK) {
            let calls: Vec<_> = chunk.iter().map(|version| self.disable_one(version)).collect();
            let outcomes: Vec<Step<Result<(), crate::SecretBundle>>> =
                stream::iter(calls).buffered(self.task.retire.concurrency).collect().await;
            let ended = chunk.iter().zip(&outcomes).filter(|(_, outcome)| matches!(outcome, Ok(Ok(()))));
            done.versions.extend(ended.map(|(version, _)| version.clone()));
            done.disabled = done.versions.len() as u64;
            self.done.retirement = Some(done.clone());
            for outcome in outcomes {
                if let Err(newer) = outcome? {
                    return Ok(Err(newer));
                }
            }
            if let Some(hear) = &self.task.retire.on_progress {
                hear(&done);
            }
        }
        Ok(Ok(()))
    }

    async fn disable_one(&self, version: &SecretVersion) -> Step<Result<(), crate::SecretBundle>> {
        if let Err(newer) = self.look().await? {
            return Ok(Err(newer));
        }
        let disabled = disable(&self.task.client, &self.task.name, &self.writer, version).await;
        disabled.map(Ok).map_err(RotateFailure::Service)
    }

    async fn report(&mut self, own: &[String], replaced: bool) -> Step {
        let active = self.active_versions().await.map_err(RotateFailure::Service)?;
        let kept = |version: &SecretVersion| self.kept.iter().any(|kept| kept.version == *version);
        self.done.later = active.other_ids.iter().filter(|version| !kept(version)).cloned().collect();
        let current = active.current.clone();
        self.done.active = Some(active);
        if self.task.issuer.is_some() && !replaced {
            // The credential that is in use must not be revoked.
            let ended =
                |old: &OldVersion| old.revoked || old.credential.as_ref().is_some_and(|id| own.contains(id));
            self.done.issuer.unrevoked =
                self.old.iter().filter(|old| !ended(old)).map(|old| old.version.clone()).collect();
        }
        match current {
            Some(current) if Some(&current) == self.done.current.as_ref() => {}
            Some(current) => return Err(RotateFailure::Overtaken { current }),
            None => return Err(RotateFailure::CurrentDisabled),
        }
        self.note(LedgerAction::Finished, self.done.current.as_ref().map(Line::version).unwrap_or_default())
    }
}
