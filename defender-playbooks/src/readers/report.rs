use std::{collections::BTreeMap, fmt};

use time::OffsetDateTime;

/// The readers of a secret, according to the vault's own log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readers {
    /// The secret.
    pub secret: String,
    /// The start of the time window that was searched.
    pub from: OffsetDateTime,
    /// The callers that obtained its value.
    pub readers: Vec<Reader>,
    /// Why there may be more readers; empty if the log appears complete.
    pub unknown: Vec<String>,
}

/// A caller that read a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reader {
    /// The sign-in name of a person, or the object id; without either, the application id or address.
    pub who: String,
    /// The object id in lower case, for [`VaultReaders::ignore`](crate::VaultReaders::ignore). If the log has none, the
    /// sign-in name, application id or address.
    pub object_id: String,
    /// Whether it is a person, who may have read it only once, rather than a workload.
    pub is_person: bool,
    /// The number of reads.
    pub reads: usize,
    /// The time of the last read.
    pub last: OffsetDateTime,
    /// The version that it got when it last requested the current one, and the time of that read.
    pub current: Option<(String, OffsetDateTime)>,
    /// The versions that it requested by id, each with the time of the last read. It will not move by itself.
    pub pinned: BTreeMap<String, OffsetDateTime>,
}

/// Whether the readers of a secret have moved to a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Movement {
    /// The readers that have read the version.
    pub moved: Vec<String>,
    /// The readers that request another version by its id, each with that version. They never move by themselves.
    pub pinned: Vec<(String, String)>,
    /// The readers that read the secret before, but have not read this version yet, as far as the log shows.
    pub silent: Vec<String>,
    /// Why the log is inconclusive. The lists above may then be incomplete.
    pub unknown: Vec<String>,
}

impl Movement {
    /// Whether all readers in the log have moved, and the log appears complete.
    pub fn is_complete(&self) -> bool {
        self.pinned.is_empty() && self.silent.is_empty() && self.unknown.is_empty()
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    match names.is_empty() {
        true => Ok(()),
        false => write!(f, "; {what}: {}", names.join(", ")),
    }
}

impl fmt::Display for Movement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_complete(), self.unknown.is_empty()) {
            (true, _) => f.write_str("all have moved")?,
            (false, true) => f.write_str("not all have moved")?,
            (false, false) => f.write_str("NOT KNOWN whether all have moved")?,
        }
        list(f, "because", &self.unknown)?;
        list(f, "moved", &self.moved)?;
        let pinned: Vec<String> =
            self.pinned.iter().map(|(who, version)| format!("{who} (to {version})")).collect();
        list(f, "pinned to a version, so they never move by themselves", &pinned)?;
        list(f, "not seen since", &self.silent)
    }
}

impl fmt::Display for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "readers of '{}' since {}:", self.secret, self.from)?;
        for reader in &self.readers {
            write!(f, "  {}: {} reads, the last at {}", reader.who, reader.reads, reader.last)?;
            if let Some((version, _)) = &reader.current {
                write!(f, "; got version {version}")?;
            }
            for version in reader.pinned.keys() {
                write!(f, "; requests version {version} by its id")?;
            }
            writeln!(f)?;
        }
        match self.unknown.is_empty() {
            true => Ok(()),
            false => writeln!(f, "  NOT KNOWN whether the list is complete: {}", self.unknown.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_have_moved_only_if_none_is_pinned_silent_or_unknown() {
        let moved = || Movement { moved: vec!["app".to_owned()], ..Movement::default() };
        let not = [
            (Movement { pinned: vec![("job".to_owned(), "v1".to_owned())], ..moved() }, "job (to v1)"),
            (Movement { silent: vec!["idle".to_owned()], ..moved() }, "idle"),
            (Movement { unknown: vec!["no log".to_owned()], ..moved() }, "no log"),
        ];
        assert!(moved().is_complete() && Movement::default().is_complete());
        let all = moved().to_string();
        for (movement, why) in not {
            let said = movement.to_string();
            assert!(!movement.is_complete() && said.contains(why) && said.contains("app"), "{said}");
            assert_ne!(said.split(';').next(), all.split(';').next());
        }
        let unknown = Movement { unknown: vec!["no log".to_owned()], ..moved() }.to_string();
        let silent = Movement { silent: vec!["idle".to_owned()], ..moved() }.to_string();
        assert_ne!(unknown.split(';').next(), silent.split(';').next(), "not known is not the same as no");
    }
}
