//! What the rows of a log say about the readers of a secret. Pure functions, without requests or clock.

use std::collections::BTreeMap;

use monitor_ops::{VaultOperation, VaultOperationName};
use time::OffsetDateTime;

use super::{Movement, Reader};

/// A read that returned the secret's value.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) time: OffsetDateTime,
    /// Identifies the caller.
    pub(super) caller: String,
    /// The caller's name in a report.
    pub(super) who: String,
    pub(super) is_person: bool,
    /// The version requested by its id.
    pub(super) asked: Option<String>,
    /// The version returned.
    pub(super) answered: Option<String>,
}

/// The question: whether everyone has moved to a version.
#[derive(Debug, Clone)]
pub(super) struct Question<'a> {
    pub(super) version: &'a str,
    pub(super) set: OffsetDateTime,
    /// Object ids of callers whose reads are ignored.
    pub(super) ignored: &'a [String],
    /// The caller that set the version, and read old ones in the process: its reads by version are ignored.
    pub(super) setter: Option<&'a str>,
}

/// The reads that returned the secret's value.
pub(super) fn reads(operations: &[VaultOperation]) -> Vec<Read> {
    let disclosed =
        |it: &&VaultOperation| it.operation == VaultOperationName::SecretGet && it.revealed_secret();
    operations.iter().filter(disclosed).map(read).collect()
}

fn read(operation: &VaultOperation) -> Read {
    let names = [&operation.object_id, &operation.upn, &operation.app_id, &operation.caller_ip];
    let first = |names: &[&String]| names.iter().find(|name| !name.is_empty()).map(|name| (**name).clone());
    let caller = first(&names).unwrap_or_default().to_lowercase();
    let who = first(&[&operation.upn, &operation.object_id, &operation.app_id, &operation.caller_ip]);
    Read {
        time: operation.time,
        caller,
        who: who.unwrap_or_else(|| "unknown".to_owned()),
        is_person: !operation.upn.is_empty(),
        asked: operation.requested_version(),
        answered: operation.version(),
    }
}

/// The callers, each with what they have read.
pub(super) fn readers(reads: &[Read]) -> Vec<Reader> {
    let mut found: BTreeMap<&str, Reader> = BTreeMap::new();
    for read in reads {
        let reader = found.entry(&read.caller).or_insert_with(|| Reader {
            who: read.who.clone(),
            object_id: read.caller.clone(),
            is_person: read.is_person,
            reads: 0,
            last: read.time,
            current: None,
            pinned: BTreeMap::new(),
        });
        reader.reads += 1;
        reader.last = reader.last.max(read.time);
        match (&read.asked, &read.answered) {
            (Some(asked), _) => {
                let last = reader.pinned.entry(asked.clone()).or_insert(read.time);
                *last = (*last).max(read.time);
            }
            (None, Some(answered)) => {
                if reader.current.as_ref().is_none_or(|(_, at)| *at <= read.time) {
                    reader.current = Some((answered.clone(), read.time));
                }
            }
            (None, None) => {}
        }
    }
    found.into_values().collect()
}

/// Which readers have moved, which will not move by themselves, and which have not been seen since.
pub(super) fn movement(reads: &[Read], asked: &Question<'_>, unknown: Vec<String>) -> Movement {
    let counts = |read: &&Read| {
        let own = asked.setter.is_some_and(|setter| setter.eq_ignore_ascii_case(&read.caller));
        let ignored = asked.ignored.iter().any(|ignored| ignored.eq_ignore_ascii_case(&read.caller));
        !(ignored || own && read.asked.is_some())
    };
    let counted: Vec<Read> = reads.iter().filter(counts).cloned().collect();
    let mut movement = Movement { unknown, ..Movement::default() };
    for reader in readers(&counted) {
        let pins: Vec<&String> = reader.pinned.keys().filter(|pinned| *pinned != asked.version).collect();
        let follows =
            reader.current.as_ref().map(|(version, at)| version == asked.version && *at >= asked.set);
        let is_pinned = !pins.is_empty();
        if is_pinned {
            movement.pinned.extend(pins.into_iter().map(|pinned| (reader.who.clone(), pinned.clone())));
        }
        match follows {
            Some(true) => movement.moved.push(reader.who),
            Some(false) => movement.silent.push(reader.who),
            // It requests only the new version, by its id.
            None if reader.pinned.contains_key(asked.version) => movement.moved.push(reader.who),
            None if is_pinned => {}
            // The log does not show which version it got.
            None => movement.silent.push(reader.who),
        }
    }
    movement
}
