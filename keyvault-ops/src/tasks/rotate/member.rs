//! One secret of a rotation: its state before, and which of its versions are to be retired.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use arm_core::Secret;
use futures::TryStreamExt as _;

use super::super::retire_old_versions::newest;
use super::{
    IssuerKind, IssuerReport, Rotate, RotateFailure, Rotation,
    beside::Beside,
    error::Step,
    hooks::Hooks,
    wish::{REPLACES, ROTATED, ROTATING},
};
use crate::{
    LedgerAction, SecretBundle, SecretErrorExt as _, SecretId, SecretProperties, SecretRefusal,
    SecretVersion,
    ledger::{LedgerWriter, Line, Record},
};

pub(super) struct Member {
    pub(super) task: Rotate,
    /// The other secrets of the same call.
    pub(super) beside: Beside,
    pub(super) writer: LedgerWriter,
    pub(super) done: Rotation,
    pub(super) record: Record,
    /// The current version at the beginning; `None` if it was disabled.
    pub(super) current: Option<SecretBundle>,
    /// All versions that were listed at the beginning: none of them becomes current again once ours is set.
    pub(super) listed: HashSet<SecretVersion>,
    pub(super) disabled_before: u64,
    /// The newest versions, if the current version was disabled at the beginning: their credentials may still be valid.
    pub(super) ended_before: Vec<SecretVersion>,
    /// The versions to retire.
    pub(super) old: Vec<OldVersion>,
    /// The old versions that stay enabled.
    pub(super) kept: Vec<OldVersion>,
    /// The credentials that were identified in this run, including those in versions that were disabled since.
    pub(super) identified: BTreeMap<SecretVersion, String>,
    /// Whether an earlier run of this rotation has left a tag, so that it may have revoked a credential.
    pub(super) begun: bool,
}

/// A version from before the rotation.
pub(super) struct OldVersion {
    pub(super) version: SecretVersion,
    /// The issuer's id of its credential, if it was identified.
    pub(super) credential: Option<String>,
    /// Its value, if it was read.
    pub(super) value: Option<Secret>,
    /// Whether its credential is known to be revoked.
    pub(super) revoked: bool,
    /// Whether it is known to be disabled.
    pub(super) disabled: bool,
}

impl Member {
    pub(super) fn new(task: Rotate, beside: Beside) -> Self {
        let writer = LedgerWriter {
            ledger: task.retire.ledger.clone().filter(|_| !task.retire.dry_run),
            vault: task.client.host().to_owned(),
            secret: task.name.clone(),
            rotation: Some(task.id.clone()),
        };
        let done = Rotation {
            vault: writer.vault.clone(),
            secret: task.name.clone(),
            id: task.id.clone(),
            previous: None,
            current: None,
            resumed: false,
            issuer: IssuerReport { configured: task.issuer.is_some(), ..IssuerReport::default() },
            consumers_moved: false,
            retirement: None,
            later: Vec::new(),
            active: None,
            dry_run: task.retire.dry_run,
        };
        Self {
            task,
            beside,
            writer,
            done,
            record: Record::default(),
            current: None,
            listed: HashSet::new(),
            disabled_before: 0,
            ended_before: Vec::new(),
            old: Vec::new(),
            kept: Vec::new(),
            identified: BTreeMap::new(),
            begun: false,
        }
    }

    pub(super) fn secret_id(&self, version: Option<SecretVersion>) -> SecretId {
        SecretId { vault_host: self.done.vault.clone(), name: self.task.name.clone(), version }
    }

    pub(super) fn note(&self, action: LedgerAction, line: Line) -> Step {
        self.writer.write(action, line).map_err(RotateFailure::Ledger)
    }

    /// The current version; `None` if it is disabled.
    pub(super) async fn read_current(&self) -> Step<Option<SecretBundle>> {
        let read = self.task.client.get(&self.task.name).await;
        if let Ok(found) = &read {
            self.beside.note(&self.secret_id(None), &found.value);
        }
        match read {
            Ok(found) if found.properties.managed => {
                let reason = "the secret belongs to a certificate: renew the certificate instead";
                Err(RotateFailure::Invalid(reason.to_owned()))
            }
            Ok(found) => Ok(Some(found)),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => Ok(None),
            Err(error) => Err(RotateFailure::Service(error)),
        }
    }

    /// Reads the current version, lists all versions, and finds out whether an earlier run has set the new one.
    pub(super) async fn snapshot(&mut self) -> Step {
        if let Some(ledger) = &self.writer.ledger {
            let record = ledger.record_of(&self.writer.vault, &self.writer.secret, &self.task.id);
            self.record = record.map_err(RotateFailure::Ledger)?;
        }
        self.task.check_source(&self.record)?;
        self.current = self.read_current().await?;
        let (mut enabled, mut marked, mut newest) = (Vec::new(), Vec::new(), (None, Vec::new()));
        self.listed.clear();
        self.disabled_before = 0;
        let mut versions = self.task.client.list_versions(&self.task.name);
        while let Some(version) = versions.try_next().await.map_err(RotateFailure::Service)? {
            let Some(id) = version.version().cloned() else { continue };
            if version.tags.get(ROTATED).is_some_and(|rotation| *rotation == self.task.id) {
                marked.push(version.clone());
            }
            let left = [ROTATED, ROTATING].iter().filter_map(|tag| version.tags.get(*tag));
            self.begun |= left.into_iter().any(|rotation| *rotation == self.task.id);
            match version.enabled {
                true => enabled.push((id.clone(), version.created)),
                false => self.disabled_before += 1,
            }
            if version.created > newest.0 {
                newest = (version.created, Vec::new());
            }
            if version.created == newest.0 && !version.enabled {
                newest.1.push(id.clone());
            }
            self.listed.insert(id);
        }
        self.find_own(&marked).await?;
        if self.current.is_none() && !self.done.resumed {
            self.ended_before = newest.1;
        }
        match (&self.done.current, &self.current) {
            (Some(_), _) => {}
            (None, Some(current)) => {
                self.done.previous = current.properties.version().cloned();
                self.task.check_against(&current.properties, &current.value)?;
            }
            (None, None) => self.done.previous = None,
        }
        self.divide(enabled);
        Ok(())
    }

    /// Finds the version that an earlier run of this rotation has set: the one in the ledger, or else the one with its
    /// tag and value.
    async fn find_own(&mut self, marked: &[SecretProperties]) -> Step {
        let own = match (&self.record.set, marked) {
            (Some(set), _) => Some(set.clone()),
            (None, []) => None,
            (None, marked) => Some(self.own_of(marked).await?),
        };
        self.done.resumed = own.is_some();
        if let Some(own) = &own {
            let tagged = marked.iter().find(|version| version.version() == Some(own));
            self.done.previous = self.record.previous.clone().or_else(|| tagged.and_then(replaced_by));
        }
        self.done.current = own;
        Ok(())
    }

    /// Finds out by the value which tagged version is ours: someone who sets a version by hand may copy the tags.
    async fn own_of(&self, marked: &[SecretProperties]) -> Step<SecretVersion> {
        for properties in marked {
            let Some(version) = properties.version() else { continue };
            let is_own = match (&self.task.value, marked) {
                (Some(given), _) => self.value_of(version).await?.as_ref() == Some(given),
                (None, [_]) => !self.repeats_the_value_before(properties, version).await?,
                (None, _) => false,
            };
            if is_own {
                return Ok(version.clone());
            }
        }
        let versions: Vec<&str> = marked.iter().filter_map(|it| Some(it.version()?.as_str())).collect();
        Err(self.set_by_somebody(&versions.join(", ")))
    }

    /// Whether a tagged version has the value of the version that it replaces. A rotation never sets that value.
    async fn repeats_the_value_before(
        &self,
        properties: &SecretProperties,
        version: &SecretVersion,
    ) -> Step<bool> {
        let Some(before) = self.record.previous.clone().or_else(|| replaced_by(properties)) else {
            return Ok(false);
        };
        let Some(value) = self.value_of(version).await? else { return Ok(false) };
        Ok(self.value_of(&before).await? == Some(value))
    }

    /// The failure for a version that has the tag of this rotation, but perhaps was set by somebody else.
    pub(super) fn set_by_somebody(&self, version: &str) -> RotateFailure {
        RotateFailure::Undetermined(format!(
            "the tag of rotation '{}' is on {version}, which somebody else may have set: use another id",
            self.task.id
        ))
    }

    /// The value of a version; `None` if it cannot be read because it is disabled.
    pub(super) async fn value_of(&self, version: &SecretVersion) -> Step<Option<Secret>> {
        if let Some(current) = self.current.as_ref().filter(|it| it.properties.version() == Some(version)) {
            return Ok(Some(current.value.clone()));
        }
        match self.task.client.get_version(&self.task.name, version).await {
            Ok(found) => {
                self.beside.note(&self.secret_id(None), &found.value);
                Ok(Some(found.value))
            }
            Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => Ok(None),
            Err(error) => Err(RotateFailure::Service(error)),
        }
    }

    /// Divides the enabled versions into those to retire and those to keep.
    fn divide(&mut self, enabled: Vec<(SecretVersion, Option<time::OffsetDateTime>)>) {
        let own = self.done.current.as_ref();
        let others: Vec<_> = enabled.into_iter().filter(|(version, _)| Some(version) != own).collect();
        let kept =
            newest(&others, self.done.previous.as_ref(), self.task.retire.keep_enabled.saturating_sub(1));
        let old = |(version, _)| OldVersion {
            version,
            credential: None,
            value: None,
            revoked: false,
            disabled: false,
        };
        let (keep, end) = others.into_iter().partition::<Vec<_>, _>(|(version, _)| kept.contains(version));
        self.kept = keep.into_iter().map(old).collect();
        self.old = end.into_iter().map(old).collect();
    }

    /// Has the issuer identify the credentials in the enabled versions. Those that an earlier run recorded are added.
    pub(super) async fn identify(&mut self, hooks: &Hooks) -> Step {
        if hooks.kind() == IssuerKind::One {
            return Ok(());
        }
        let known: BTreeSet<&SecretVersion> =
            self.old.iter().chain(&self.kept).map(|old| &old.version).collect();
        let previous = self.done.previous.as_ref();
        // Disabled since an earlier run or the last read, by that run or by someone else.
        let disabled: BTreeSet<SecretVersion> = self
            .record
            .credentials
            .keys()
            .chain(self.identified.keys())
            .chain(&self.ended_before)
            .chain(previous)
            .filter(|version| !known.contains(version))
            .cloned()
            .collect();
        for version in disabled {
            self.old.push(OldVersion {
                version,
                credential: None,
                value: None,
                revoked: false,
                disabled: true,
            });
        }
        let (mut old, mut kept) = (std::mem::take(&mut self.old), std::mem::take(&mut self.kept));
        let mut outcome = self.identify_each(hooks, &mut old).await;
        if outcome.is_ok() {
            outcome = self.identify_each(hooks, &mut kept).await;
        }
        let identified = old.iter().filter_map(|old| Some((old.version.clone(), old.credential.clone()?)));
        self.identified.extend(identified);
        (self.old, self.kept) = (old, kept);
        outcome
    }

    async fn identify_each(&self, hooks: &Hooks, versions: &mut [OldVersion]) -> Step {
        for old in versions {
            let current = self.current.as_ref().and_then(|current| current.properties.version());
            let readable = !old.disabled || current == Some(&old.version);
            let value = if readable { self.value_of(&old.version).await? } else { None };
            if let Some(value) = value {
                old.credential = hooks.identify(&value).await?;
                old.value = Some(value);
            }
            if old.credential.is_none() {
                let known = self.record.credentials.get(&old.version);
                old.credential = known.or(self.identified.get(&old.version)).cloned();
            }
            old.revoked = old.credential.as_ref().is_some_and(|id| self.record.revoked.contains(id));
        }
        Ok(())
    }

    /// The id of the credential in the current value, if known.
    pub(super) fn in_use(&self) -> Option<&str> {
        let current = self.current.as_ref()?.properties.version()?;
        let mut versions = self.old.iter().chain(&self.kept);
        versions.find(|old| old.version == *current)?.credential.as_deref()
    }

    pub(super) fn begin(&self) -> Step {
        let credentials: BTreeMap<SecretVersion, String> =
            self.old.iter().filter_map(|old| Some((old.version.clone(), old.credential.clone()?))).collect();
        self.note(
            LedgerAction::Begun,
            Line {
                version: self.done.previous.clone(),
                credentials,
                source: Some(self.task.source()),
                detail: self.task.reason.clone(),
                ..Line::default()
            },
        )
    }
}

/// The version that a version set by a rotation replaces, according to its tag.
fn replaced_by(properties: &SecretProperties) -> Option<SecretVersion> {
    properties.tags.get(REPLACES)?.parse().ok()
}
