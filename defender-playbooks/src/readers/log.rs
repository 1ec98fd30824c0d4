//! Queries the workspace, and detects gaps in its log.

use arm_core::ResourceId;
use azure_core::Result;
use futures::TryStreamExt as _;
use keyvault_ops::{SecretName, SecretVersion};
use monitor_ops::{LogSource, LogsClient, Timespan, VaultOperation, VaultOperationName};
use time::{Duration, OffsetDateTime};

use super::{SETTLING, VaultReaders};

/// The maximum number of rows read for one secret.
const ROWS: usize = 50_000;
/// How far before the window to search for rows that prove that logging was already on.
const BEFORE: Duration = Duration::days(30);
/// The maximum difference between the time of a set in the log and in the vault.
const SKEW: Duration = Duration::seconds(30);

/// The operations on a secret, and why they may be incomplete.
pub(super) struct SecretLog {
    pub(super) operations: Vec<VaultOperation>,
    pub(super) gaps: Vec<String>,
}

/// The caller that set a version at this time.
pub(super) fn setter(operations: &[VaultOperation], set: OffsetDateTime) -> Option<String> {
    let near = sets(operations).filter(|it| (it.time - set).abs() <= SKEW);
    near.min_by_key(|it| (it.time - set).abs()).map(|it| it.object_id.clone())
}

fn sets(operations: &[VaultOperation]) -> impl Iterator<Item = &VaultOperation> {
    operations.iter().filter(|it| it.operation == VaultOperationName::SecretSet && it.status == Some(200))
}

impl VaultReaders {
    fn ask(&self, from: OffsetDateTime, to: Option<OffsetDateTime>) -> monitor_ops::GatherEvidence {
        // An end far in the future, so that a local clock that is behind does not cut off the newest rows.
        let end = to.or(from.checked_add(Duration::days(3650))).unwrap_or(from);
        let vault: &ResourceId = self.vault.resource_id();
        LogsClient::new(&self.arm)
            .evidence(&self.workspace)
            .vault(vault)
            .timespan(Timespan::Between(from, end))
    }

    pub(super) async fn log_of(&self, name: &SecretName, from: OffsetDateTime) -> Result<SecretLog> {
        let found = self.ask(from, None).secret(name.as_str()).limit(ROWS).await?;
        let mut gaps = Vec::new();
        match &found.source {
            LogSource::Present => {}
            LogSource::NoLogsYet => {
                gaps.push("no log of the vault has arrived in the workspace yet".to_owned())
            }
            LogSource::Off => gaps.push("the vault sends no audit log to the workspace".to_owned()),
            LogSource::Unknown(reason) => {
                gaps.push(format!(
                    "could not determine whether the vault sends its audit log to the workspace: {reason}"
                ));
            }
            other => gaps.push(format!("the log is inconclusive: {other:?}")),
        }
        if found.is_truncated {
            gaps.push(format!(
                "the log has more than {ROWS} rows about this secret: choose a shorter window"
            ));
        }
        if !found.unreadable.is_empty() {
            gaps.push(format!("{} rows of the log could not be read", found.unreadable.len()));
        }
        Ok(SecretLog { operations: found.operations, gaps })
    }

    /// Why the log may start later than the window: it contains neither an earlier row nor the creation of the secret.
    pub(super) async fn coverage(
        &self,
        name: &SecretName,
        from: OffsetDateTime,
        operations: &[VaultOperation],
    ) -> Result<Option<String>> {
        let before = self.ask(from.checked_sub(BEFORE).unwrap_or(from), Some(from)).limit(1).await?;
        if !before.operations.is_empty() {
            return Ok(None);
        }
        // That is fine if the secret was created within the window and the log shows every set of it.
        let versions: Vec<_> = self.secrets.list_versions(name).try_collect().await?;
        let young = versions.iter().all(|version| version.created.is_some_and(|created| created >= from));
        let begins = young && sets(operations).count() >= versions.len();
        let gap = "the log has no rows from before the window, so it may start later and miss readers; choose a \
                   shorter window, or wait";
        Ok((!begins).then(|| gap.to_owned()))
    }

    /// Whether the log has a row of the vault that is so much newer than this time that all older rows have arrived.
    /// Waiting adds such a row by itself, since listing versions is logged too.
    pub(super) async fn has_caught_up(&self, with: OffsetDateTime) -> Result<bool> {
        let later = with.checked_add(SETTLING).unwrap_or(with);
        Ok(!self.ask(later, None).limit(1).await?.operations.is_empty())
    }

    /// When a version was set. Lists the versions, which adds a row to the vault's log.
    pub(super) async fn created(
        &self,
        name: &SecretName,
        version: &SecretVersion,
    ) -> Result<Option<OffsetDateTime>> {
        let mut versions = self.secrets.list_versions(name);
        let mut found = None;
        while let Some(listed) = versions.try_next().await? {
            if listed.version() == Some(version) {
                found = listed.created;
            }
        }
        Ok(found)
    }
}
