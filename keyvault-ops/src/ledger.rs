//! What was done to secrets, one line of JSON each, without values.

use std::{
    fmt,
    fs::OpenOptions,
    io::{self, BufRead, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arm_core::wire;
use azure_core::{Error, Result, error::ErrorKind};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{SecretName, SecretVersion};

/// Keeps a line for everything that a task did. It holds names, versions and reasons, never a value.
///
/// A clone writes to the same place. A task that cannot write to it stops before its next step.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ledger(..)")
    }
}

impl Ledger {
    /// Writes to this writer.
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Arc::new(Mutex::new(Box::new(writer))) }
    }

    /// Appends to this file, which is made if it is not there.
    pub fn append_to(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self::new(OpenOptions::new().create(true).append(true).open(path)?))
    }

    /// The rotations that a ledger says were begun and not finished: run each again with its id to finish it.
    ///
    /// A last line that was cut off when the program stopped is left out.
    ///
    /// ```
    /// # async fn f(secrets: &keyvault_ops::SecretsClient) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::{fs::File, io::BufReader};
    /// use keyvault_ops::Ledger;
    ///
    /// for begun in Ledger::unfinished(BufReader::new(File::open("rotations.jsonl")?))? {
    ///     let rotate = secrets.rotate(&begun.secret).id(begun.rotation.unwrap_or_default());
    ///     println!("{}", rotate.await?);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn unfinished(ledger: impl BufRead) -> io::Result<Vec<LedgerEntry>> {
        let mut open: Vec<LedgerEntry> = Vec::new();
        for line in ledger.lines() {
            let Ok(entry) = serde_json::from_str::<LedgerEntry>(&line?) else { continue };
            let same = |other: &LedgerEntry| {
                (&other.rotation, &other.vault, &other.secret)
                    == (&entry.rotation, &entry.vault, &entry.secret)
            };
            match entry.action {
                LedgerAction::Begun if !open.iter().any(same) => open.push(entry),
                LedgerAction::Finished => open.retain(|other| !same(other)),
                _ => {}
            }
        }
        Ok(open)
    }

    pub(crate) fn record(&self, entry: &LedgerEntry) -> Result<()> {
        let failed = |error: io::Error| {
            Error::with_message(ErrorKind::Io, format!("the ledger cannot be written: {error}"))
        };
        let mut line = serde_json::to_vec(entry).map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write_all(&line).and_then(|()| writer.flush()).map_err(failed)
    }
}

/// One line of a [`Ledger`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// When.
    #[serde(with = "wire::instant")]
    pub time: OffsetDateTime,
    /// The vault's host name.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// The rotation that it belongs to; with it, an interrupted one can be taken up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    /// What was done.
    pub action: LedgerAction,
    /// To which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<SecretVersion>,
    /// Why, or why not; the issuer's id of a credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a line of a [`Ledger`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LedgerAction {
    /// A rotation began.
    Begun,
    /// The issuer made a new credential.
    CredentialCreated,
    /// A new version was set.
    Set,
    /// The new version is current and works.
    Verified,
    /// The old value was set again, because the new one does not work.
    RolledBack,
    /// The consumers have moved to the new version.
    ConsumersMoved,
    /// An old version was disabled.
    Disabled,
    /// A credential was revoked at its issuer.
    CredentialRevoked,
    /// A rotation ended well.
    Finished,
    /// A rotation stopped.
    Stopped,
}

/// Writes the lines of one task on one secret.
#[derive(Debug, Clone)]
pub(crate) struct Scribe {
    pub(crate) ledger: Option<Ledger>,
    pub(crate) vault: String,
    pub(crate) secret: SecretName,
    pub(crate) rotation: Option<String>,
}

impl Scribe {
    pub(crate) fn note(
        &self,
        action: LedgerAction,
        version: Option<&SecretVersion>,
        detail: Option<String>,
    ) -> Result<()> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        ledger.record(&LedgerEntry {
            time: OffsetDateTime::now_utc(),
            vault: self.vault.clone(),
            secret: self.secret.clone(),
            rotation: self.rotation.clone(),
            action,
            version: version.cloned(),
            detail,
        })
    }
}
