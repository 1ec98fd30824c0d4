//! Setting the new version, and finding out which one it is.

use std::time::Duration;

use azure_core::Error;
use futures::TryStreamExt as _;

use super::{
    Credential, RotateFailure,
    confirm::{SETTLING, id_of},
    error::Step,
    hooks::pause,
    member::Member,
    wish::{NewVersion, ROTATED},
};
use crate::{LedgerAction, SecretErrorExt as _, SecretVersion, ledger::Line};

/// How many times a set is sent, if the one before is known to have had no effect.
const ATTEMPTS: u32 = 2;

impl Member {
    /// Checks that the current version is still the one of the snapshot.
    pub(super) async fn look_before_set(&self) -> Step {
        let found = self.read_current().await?;
        let version = found.as_ref().map(|found| id_of(&found.properties)).transpose()?;
        let before = self.current.as_ref().and_then(|found| found.properties.version());
        match version {
            version if version.as_ref() == before => Ok(()),
            Some(current) => Err(RotateFailure::Overtaken { current }),
            None => Err(RotateFailure::CurrentDisabled),
        }
    }

    /// Sets the new value, unless someone else has set one since the snapshot.
    pub(super) async fn set(&mut self, credential: &Credential) -> Step {
        let old = self.current.as_ref().map(|found| &found.properties);
        let new = self.task.new_version(old, credential)?;
        self.look_before_set().await?;
        self.note(LedgerAction::Setting, Line::default())?;
        let version = self.send(&new).await?;
        self.done.current = Some(version.clone());
        self.note(LedgerAction::Set, Line { detail: self.task.reason.clone(), ..Line::version(&version) })
    }

    async fn send(&self, new: &NewVersion) -> Step<SecretVersion> {
        let mut attempt = 1;
        loop {
            let mut set = self.task.client.set(&self.task.name, new.value.clone()).tags(new.tags.clone());
            if let Some(content_type) = &new.content_type {
                set = set.content_type(content_type);
            }
            if let Some(expires) = new.expires {
                set = set.expires_on(expires);
            }
            let error = match set.await {
                Ok(properties) => return id_of(&properties),
                Err(error) if error.may_have_acted() => error,
                Err(error) => return Err(RotateFailure::Service(error)),
            };
            match self.find_set(new).await {
                Ok(Some(version)) => return Ok(version),
                Ok(None) if attempt < ATTEMPTS && self.look_before_set().await.is_ok() => attempt += 1,
                Ok(None) => return Err(undetermined(&error)),
                Err(_) => return Err(undetermined(&error)),
            }
        }
    }

    /// Looks for a new version with our tag and our value, until a set would be visible.
    async fn find_set(&self, new: &NewVersion) -> Step<Option<SecretVersion>> {
        let mut waited = Duration::ZERO;
        loop {
            let mut versions = self.task.client.list_versions(&self.task.name);
            while let Some(version) = versions.try_next().await.map_err(RotateFailure::Service)? {
                let marked = version.tags.get(ROTATED).is_some_and(|rotation| *rotation == self.task.id);
                let Some(id) = version.version().filter(|id| marked && !self.listed.contains(*id)) else {
                    continue;
                };
                if self.value_of(id).await?.as_ref() == Some(&new.value) {
                    return Ok(Some(id.clone()));
                }
            }
            if waited > SETTLING {
                return Ok(None);
            }
            pause(Duration::from_secs(1)).await;
            waited += Duration::from_secs(1);
        }
    }
}

fn undetermined(error: &Error) -> RotateFailure {
    RotateFailure::Undetermined(format!("it is unknown whether the new version was set: {error}"))
}
