//! A record of what was done to secrets, as lines of JSON without values.

mod entry;
mod store;
mod writer;

use std::{collections::BTreeMap, fmt, io, path::Path, sync::Arc};

use azure_core::{Error, Result, error::ErrorKind};

pub use entry::{LedgerAction, LedgerEntry, UnfinishedRotation, ValueSource};
use store::Store;
pub(crate) use writer::{LedgerWriter, Line};

use crate::{SecretName, SecretVersion};

/// A record of every step of the tasks that use it. It contains names, versions, credential ids and reasons, never a
/// value.
///
/// One entry is written before each irreversible step, and another after it; only the revocation of a new credential
/// that cannot be used is recorded just afterwards. These entries are used to resume a stopped rotation: see
/// [`unfinished`](Self::unfinished). Each entry is appended in a single write while the file is locked, so that several
/// processes can share a file. A truncated line does not affect the others.
///
/// Clones write to the same place. A task that cannot write to its ledger stops before its next step.
#[derive(Clone)]
pub struct Ledger {
    store: Arc<Store>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger(..)")
    }
}

impl Ledger {
    /// Creates a ledger that appends to this file, which is created if it does not exist.
    ///
    /// # Errors
    /// The file cannot be opened for writing.
    pub fn append_to(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { store: Arc::new(Store::file(path.as_ref())?) })
    }

    /// Creates a ledger that keeps its entries in memory until its last clone is dropped.
    pub fn in_memory() -> Self {
        Self { store: Arc::new(Store::default()) }
    }

    /// Returns the lines as stored.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn contents(&self) -> io::Result<Vec<u8>> {
        self.store.read()
    }

    /// Returns all entries, oldest first. Lines that cannot be parsed are skipped.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn entries(&self) -> io::Result<Vec<LedgerEntry>> {
        let lines = self.contents()?;
        Ok(lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    /// Returns the rotations that were started but have not ended.
    ///
    /// [`SecretsClient::resume`](crate::SecretsClient::resume) resumes one of them. If its value came from an issuer or
    /// from [`to`](crate::Rotate::to), provide the same issuer or value again; otherwise, the rotation is refused.
    ///
    /// ```
    /// # async fn f(
    /// #     secrets: &keyvault_ops::SecretsClient,
    /// #     issuer: std::sync::Arc<dyn keyvault_ops::Issuer>,
    /// # ) -> Result<(), Box<dyn std::error::Error>> {
    /// use keyvault_ops::{Ledger, ValueSource};
    ///
    /// let ledger = Ledger::append_to("rotations.jsonl")?;
    /// for begun in ledger.unfinished()? {
    ///     let mut rotate = secrets.resume(&begun).ledger(&ledger);
    ///     if begun.source == ValueSource::Issuer {
    ///         rotate = rotate.issuer(issuer.clone());
    ///     }
    ///     println!("{}", rotate.await?);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn unfinished(&self) -> io::Result<Vec<UnfinishedRotation>> {
        let mut open: Vec<UnfinishedRotation> = Vec::new();
        for entry in self.entries()? {
            let Some(rotation) = entry.rotation else { continue };
            let same = |other: &UnfinishedRotation| {
                (&other.rotation, &other.vault, &other.secret) == (&rotation, &entry.vault, &entry.secret)
            };
            match (entry.action, entry.source) {
                (LedgerAction::Begun, Some(source)) if !open.iter().any(same) => {
                    let (vault, secret, reason) = (entry.vault, entry.secret, entry.detail);
                    open.push(UnfinishedRotation { vault, secret, rotation, source, reason });
                }
                (LedgerAction::Finished | LedgerAction::Overtaken, _) => open.retain(|other| !same(other)),
                _ => {}
            }
        }
        Ok(open)
    }

    /// Collects the entries of one rotation of one secret.
    pub(crate) fn record_of(&self, vault: &str, secret: &SecretName, rotation: &str) -> Result<Record> {
        let mut record = Record::default();
        for entry in self.entries().map_err(unreadable)? {
            if (entry.vault.as_str(), &entry.secret, entry.rotation.as_deref())
                == (vault, secret, Some(rotation))
            {
                record.take(entry);
            }
        }
        Ok(record)
    }

    pub(crate) fn append(&self, entry: &LedgerEntry) -> Result<()> {
        let line = serde_json::to_vec(entry).map_err(|error| unwritable(error.into()))?;
        self.store.append(line).map_err(unwritable)
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::with_message(ErrorKind::Io, format!("the ledger cannot be written: {error}"))
}

fn unreadable(error: io::Error) -> Error {
    Error::with_message(ErrorKind::Io, format!("the ledger cannot be read: {error}"))
}

/// What a ledger recorded about earlier runs of a rotation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) source: Option<ValueSource>,
    pub(crate) previous: Option<SecretVersion>,
    /// The credentials that the issuer identified in old versions.
    pub(crate) credentials: BTreeMap<SecretVersion, String>,
    /// The credentials that were created, oldest first.
    pub(crate) created: Vec<String>,
    /// Whether a set was started whose response was not recorded.
    pub(crate) setting: bool,
    /// The version that the set created.
    pub(crate) set: Option<SecretVersion>,
    /// The credentials that the issuer confirmed to have revoked.
    pub(crate) revoked: Vec<String>,
}

impl Record {
    fn take(&mut self, entry: LedgerEntry) {
        match entry.action {
            LedgerAction::Begun => {
                self.source = self.source.or(entry.source);
                self.previous = self.previous.take().or(entry.version);
                self.credentials.extend(entry.credentials);
            }
            LedgerAction::CredentialCreated => self.created.extend(entry.credential),
            LedgerAction::Setting => self.setting = true,
            LedgerAction::Set => {
                self.setting = false;
                self.set = entry.version;
            }
            LedgerAction::CredentialRevoked => self.revoked.extend(entry.credential),
            _ => {}
        }
    }
}
