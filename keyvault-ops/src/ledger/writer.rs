use std::collections::BTreeMap;

use azure_core::Result;
use time::OffsetDateTime;

use super::{Ledger, LedgerAction, LedgerEntry, ValueSource};
use crate::{SecretName, SecretVersion};

/// Writes the lines of one task for one secret.
#[derive(Debug, Clone)]
pub(crate) struct LedgerWriter {
    pub(crate) ledger: Option<Ledger>,
    pub(crate) vault: String,
    pub(crate) secret: SecretName,
    pub(crate) rotation: Option<String>,
}

/// The fields of a line other than its action.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    pub(crate) version: Option<SecretVersion>,
    pub(crate) credential: Option<String>,
    pub(crate) credentials: BTreeMap<SecretVersion, String>,
    pub(crate) source: Option<ValueSource>,
    pub(crate) detail: Option<String>,
}

impl Line {
    pub(crate) fn version(version: &SecretVersion) -> Self {
        Self { version: Some(version.clone()), ..Self::default() }
    }

    pub(crate) fn credential(id: &str) -> Self {
        Self { credential: Some(id.to_owned()), ..Self::default() }
    }
}

impl LedgerWriter {
    pub(crate) fn write(&self, action: LedgerAction, line: Line) -> Result<()> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let Line { version, credential, credentials, source, detail } = line;
        ledger.append(&LedgerEntry {
            time: OffsetDateTime::now_utc(),
            vault: self.vault.clone(),
            secret: self.secret.clone(),
            rotation: self.rotation.clone(),
            action,
            version,
            credential,
            credentials,
            source,
            detail,
        })
    }
}
