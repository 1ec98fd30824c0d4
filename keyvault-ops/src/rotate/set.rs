//! Setting the new value, and the old one again.

use std::collections::BTreeMap;

use arm_core::Secret;
use azure_core::Error;
use time::OffsetDateTime;

use super::{
    Credential, RotateFailure,
    run::{Run, Snapshot, Step},
};
use crate::{
    LedgerAction, SecretErrorExt as _, SecretProperties, SecretVersion, attributes::TAG_LIMIT,
    retire_old_versions::RETIRED_BY,
};

pub(super) const ROTATED: &str = "rotated";
pub(super) const REPLACES: &str = "replaces";
pub(super) const CREDENTIAL: &str = "credential";
const REASON: &str = "reason";
const DATE: &str = "date";
/// The tags that a rotation adds: they do not go over to the next version.
const OWN_TAGS: &[&str] = &[ROTATED, REPLACES, CREDENTIAL, REASON, DATE, RETIRED_BY];
/// How often a set of which no answer came is tried, after looking whether it was carried out.
const SET_ATTEMPTS: u32 = 3;

/// What is to be set.
pub(super) struct Wanted {
    value: Secret,
    tags: BTreeMap<String, String>,
    content_type: Option<String>,
    expires: Option<OffsetDateTime>,
}

impl Run {
    pub(super) fn wanted(&self, snapshot: &Snapshot, credential: &Credential) -> Wanted {
        let now = OffsetDateTime::now_utc();
        let old = snapshot.current.as_ref().map(|found| &found.properties);
        let mut tags = old.map(|old| old.tags.clone()).unwrap_or_default();
        tags.retain(|name, _| !OWN_TAGS.contains(&name.as_str()));
        let date = arm_core::wire::instant::format(now.replace_nanosecond(0).unwrap_or(now));
        // In the order of their use: the last ones give way where there is no room.
        let added = [
            (ROTATED, Some(self.task.id.clone())),
            (REPLACES, self.done.previous.as_ref().map(ToString::to_string)),
            (CREDENTIAL, Some(credential.id.clone()).filter(|id| !id.is_empty())),
            (REASON, self.task.reason.clone()),
            (DATE, Some(date)),
        ];
        for (name, value) in added {
            if let Some(value) = value.filter(|_| tags.len() < TAG_LIMIT) {
                tags.insert(name.to_owned(), value);
            }
        }
        let lifetime = self.task.expires_in.and_then(|lifetime| lifetime.try_into().ok());
        let lifetime = lifetime.or_else(|| old.and_then(|old| Some(old.expires? - old.created?)));
        Wanted {
            value: credential.value.clone(),
            tags,
            content_type: old.and_then(|old| old.content_type.clone()),
            expires: lifetime
                .filter(|lifetime: &time::Duration| lifetime.is_positive())
                .map(|lifetime| now + lifetime),
        }
    }

    /// Sets once. When no answer comes, a read tells whether it was carried out, before it is tried again.
    pub(super) async fn set(&self, wanted: &Wanted) -> Result<SecretVersion, Error> {
        let (client, name) = (&self.task.client, &self.task.name);
        for attempt in 1.. {
            let mut set = client.set(name, wanted.value.clone()).tags(wanted.tags.clone());
            if let Some(content_type) = &wanted.content_type {
                set = set.content_type(content_type);
            }
            if let Some(expires) = wanted.expires {
                set = set.expires_on(expires);
            }
            let error = match set.await {
                Ok(properties) => return self.version_of(properties),
                Err(error) if error.may_have_acted() => error,
                Err(error) => return Err(error),
            };
            match client.get(name).await {
                Ok(found) if found.value == wanted.value && self.is_new(&found.properties) => {
                    return self.version_of(found.properties);
                }
                Ok(_) if attempt < SET_ATTEMPTS => {}
                _ => return Err(error),
            }
        }
        Err(self.no_version())
    }

    fn is_new(&self, properties: &SecretProperties) -> bool {
        properties.version() != self.done.previous.as_ref()
    }

    fn version_of(&self, properties: SecretProperties) -> Result<SecretVersion, Error> {
        properties.id.version.ok_or_else(|| self.no_version())
    }

    pub(super) fn no_version(&self) -> Error {
        let kind = azure_core::error::ErrorKind::DataConversion;
        let missing = Error::with_message(kind, "the service did not tell which version it made");
        self.task.client.failed("setting", &self.task.name, missing)
    }

    /// Sets the old value again: the new credential does not work.
    pub(super) async fn roll_back(&mut self, snapshot: &Snapshot, credential: &Credential) -> Step {
        let Some(old) = snapshot.current.as_ref().filter(|_| !self.done.resumed) else { return Ok(()) };
        let wanted = Wanted {
            value: old.value.clone(),
            tags: old.properties.tags.clone(),
            content_type: old.properties.content_type.clone(),
            expires: old.properties.expires,
        };
        let version = self.set(&wanted).await.map_err(RotateFailure::Service)?;
        self.done.rolled_back_to = Some(version.clone());
        self.drop_orphan(credential, true).await;
        self.note(LedgerAction::RolledBack, Some(&version), None)
    }
}
