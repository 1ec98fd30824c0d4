//! The checks of a rotation's options, and the new version that they describe.

use std::{collections::BTreeMap, time::Duration};

use arm_core::Secret;
use time::OffsetDateTime;

use super::{Credential, IssuerKind, Rotate, RotateFailure, error::Step};
use crate::{
    SecretProperties, SecretVersion,
    client::{TAG_LENGTH, TAG_LIMIT, check_value},
    ledger::Record,
};

/// Tag: the id of the rotation that set a version.
pub(super) const ROTATED: &str = "rotated";
/// Tag: the version that was current before.
pub(super) const REPLACES: &str = "replaces";
/// Tag: the issuer's id of the credential in a version.
pub(super) const CREDENTIAL: &str = "credential";
/// Tag: the id of the rotation that is about to regenerate the idle slot.
pub(in crate::tasks) const ROTATING: &str = "rotating";
const REASON: &str = "reason";
const DATE: &str = "date";
/// Tags that a rotation adds; they are not copied to the next version. On a version that no rotation set, they are the
/// user's own.
const OWN_TAGS: &[&str] = &[ROTATED, REPLACES, CREDENTIAL, REASON, DATE];

/// The tags that the user gave a version.
fn user_tags(version: &SecretProperties) -> BTreeMap<String, String> {
    let rotated = version.tags.contains_key(ROTATED);
    let own = |name: &str| name == ROTATING || (rotated && OWN_TAGS.contains(&name));
    version
        .tags
        .iter()
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The version to set.
#[derive(Debug)]
pub(super) struct NewVersion {
    pub(super) value: Secret,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) content_type: Option<String>,
    pub(super) expires: Option<OffsetDateTime>,
}

fn refuse<T>(reason: impl Into<String>) -> Step<T> {
    Err(RotateFailure::Invalid(reason.into()))
}

impl Rotate {
    /// Checks everything that can be checked without a request.
    pub(super) fn check(&self) -> Step {
        let long = |text: &str| text.chars().count() > TAG_LENGTH;
        if self.id.is_empty() || long(&self.id) || self.reason.as_deref().is_some_and(long) {
            return refuse(format!(
                "the id must not be empty, and the id and the reason must not be longer than {TAG_LENGTH} characters"
            ));
        }
        if self.issuer.is_some() && self.value.is_some() {
            return refuse("both a new value and an issuer were given: use only one of them");
        }
        if self.revoke_first && (self.issuer.is_none() || self.retire.keep_enabled > 1) {
            return refuse("revoke_first needs an issuer, and cannot keep an old version enabled");
        }
        let one = self.issuer.as_ref().is_some_and(|issuer| issuer.kind() == IssuerKind::One);
        if one && !self.accept_outage {
            return refuse(
                "the issuer has only one credential: a new one cuts off everyone who uses the old one; call \
                 accept_outage() to do it anyway",
            );
        }
        if let Some(value) = &self.value {
            check_value(value).map_err(|error| RotateFailure::Invalid(error.to_string()))?;
        }
        self.expires(None, OffsetDateTime::now_utc()).map(drop)
    }

    /// Checks that an earlier run got its value from the same source as this one would.
    pub(super) fn check_source(&self, record: &Record) -> Step {
        if let Some(begun) = &self.unfinished
            && begun.vault != self.client.host()
        {
            return refuse(format!(
                "the rotation was started in {}, not in {}",
                begun.vault,
                self.client.host()
            ));
        }
        let begun = record.source.or(self.unfinished.as_ref().map(|begun| begun.source));
        match begun {
            Some(begun) if begun != self.source() => refuse(format!(
                "rotation '{}' was started with {begun} and would be resumed with {}: resume it with what it was \
                 started with",
                self.id,
                self.source()
            )),
            _ => Ok(()),
        }
    }

    /// Checks what depends on the current version.
    pub(super) fn check_against(&self, current: &SecretProperties, value: &Secret) -> Step {
        if self.value.as_ref() == Some(value) {
            return refuse("the new value is the current one: give another one, or let one be generated");
        }
        let user_tags = user_tags(current).len();
        let needed = 1 + usize::from(self.issuer.is_some());
        if user_tags + needed > TAG_LIMIT {
            return refuse(format!(
                "the secret has {user_tags} tags of at most {TAG_LIMIT}, and a rotation needs room for {needed}: remove \
                 some first"
            ));
        }
        Ok(())
    }

    /// Builds the new version, which keeps what the user set on the old one.
    pub(super) fn new_version(
        &self,
        old: Option<&SecretProperties>,
        credential: &Credential,
    ) -> Step<NewVersion> {
        let now = OffsetDateTime::now_utc();
        let mut tags = old.map(user_tags).unwrap_or_default();
        let date = arm_core::wire::instant::format(now.replace_nanosecond(0).unwrap_or(now));
        let replaces: Option<&SecretVersion> = old.and_then(SecretProperties::version);
        // In the order of their importance: the last ones are left out if there is no room.
        let added = [
            (ROTATED, Some(self.id.clone())),
            (CREDENTIAL, Some(credential.id.clone()).filter(|id| !id.is_empty())),
            (REPLACES, replaces.map(ToString::to_string)),
            (REASON, self.reason.clone()),
            (DATE, Some(date)),
        ];
        for (name, value) in added {
            if let Some(value) = value.filter(|_| tags.len() < TAG_LIMIT || tags.contains_key(name)) {
                tags.insert(name.to_owned(), value);
            }
        }
        Ok(NewVersion {
            value: credential.value.clone(),
            tags,
            content_type: old.and_then(|old| old.content_type.clone()),
            expires: self.expires(old, now)?,
        })
    }

    fn expires(&self, old: Option<&SecretProperties>, now: OffsetDateTime) -> Step<Option<OffsetDateTime>> {
        if let Some(lifetime) = self.expires_in {
            return match checked_add(now, lifetime) {
                Some(expires) if expires > now => Ok(Some(expires)),
                _ => {
                    refuse(format!("expires_in({lifetime:?}) must be positive and end before the year 10000"))
                }
            };
        }
        let Some(expires) = old.and_then(|old| old.expires) else { return Ok(None) };
        let lifetime = old.and_then(|old| old.created).map(|created| expires - created);
        Ok(match lifetime {
            // A date that far away means never, and is kept.
            Some(lifetime) if lifetime.is_positive() => Some(now.checked_add(lifetime).unwrap_or(expires)),
            _ => None,
        })
    }
}

fn checked_add(now: OffsetDateTime, lifetime: Duration) -> Option<OffsetDateTime> {
    now.checked_add(lifetime.try_into().ok()?)
}
