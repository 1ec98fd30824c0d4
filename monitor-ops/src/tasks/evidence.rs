//! Evidence from the logs for an alert.

use std::{collections::BTreeSet, time::Duration};

use arm_core::{Audience, ResourceId, refuse};
use azure_core::Result;
use futures::TryStreamExt as _;
use time::OffsetDateTime;

use crate::{
    DiagnosticProperties, DiagnosticSetting, DiagnosticsClient, LogQuery, LogsClient, Sink, Timespan,
    VaultOperation, VaultOperationName, WorkspaceId, WorkspacesClient, kql, models::RESTORE,
};

/// How late the logs of a vault can arrive.
const LATENESS: Duration = Duration::from_secs(600);

/// Whether the logs can be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogSource {
    /// The logs are present: an operation that is not in them did not happen, unless the logging lost it or the vault
    /// did not log at the time. Whether a vault sends logs is checked only if it was given and nothing was found.
    Present,
    /// The workspace has no vault logs yet, so nothing is known. If a vault was given, it sends its logs there.
    NoLogsYet,
    /// The vault does not send its audit log to the workspace, so nothing is known, now or later.
    Off,
    /// The result is empty, and whether the vault sends logs could not be determined, for this reason.
    Unknown(String),
}

/// The evidence found in the logs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Evidence {
    /// The operations, oldest first.
    pub operations: Vec<VaultOperation>,
    /// Whether an empty list can be relied on.
    pub source: LogSource,
    /// Whether the time span ended long enough ago for all logs to have arrived: vault logs can take ten minutes. Never
    /// `true` with [`Timespan::Last`], which ends now.
    pub is_settled: bool,
    /// Whether there are more operations than the limit allows.
    pub is_truncated: bool,
    /// Why rows of the log could not be read, one entry per row. Their operations are missing from the list.
    pub unreadable: Vec<String>,
}

impl Evidence {
    /// Whether the list can be considered complete: present, settled, not truncated, and without unreadable rows. This
    /// requires a [`Timespan::Between`] that ended ten minutes ago.
    pub fn is_conclusive(&self) -> bool {
        self.source == LogSource::Present
            && self.is_settled
            && !self.is_truncated
            && self.unreadable.is_empty()
    }

    /// The secrets whose values or backups were returned, by name in lower case: those to rotate.
    pub fn secrets_read(&self) -> BTreeSet<String> {
        self.operations
            .iter()
            .filter(|operation| operation.revealed_secret())
            .filter_map(VaultOperation::secret)
            .collect()
    }

    /// The IP addresses that the operations came from.
    pub fn caller_ips(&self) -> BTreeSet<&str> {
        self.operations
            .iter()
            .map(|operation| operation.caller_ip.as_str())
            .filter(|ip| !ip.is_empty())
            .collect()
    }

    /// The number of operations that the vault refused.
    pub fn refused(&self) -> usize {
        self.operations.iter().filter(|operation| operation.was_refused()).count()
    }
}

/// Looks up operations on vaults in the logs of a workspace. Narrow the search with its methods, then await it.
///
/// Reads both tables that can contain them, `AzureDiagnostics` and `AZKVAuditLogs`, without their entries for
/// authentication. If nothing is found and a vault was given, the vault's diagnostic settings are read, to distinguish
/// "nothing happened" from "nothing is logged".
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct GatherEvidence {
    logs: LogsClient,
    workspace: WorkspaceId,
    vault: Option<ResourceId>,
    callers: Vec<String>,
    ips: Vec<String>,
    operations: Vec<VaultOperationName>,
    secret: Option<String>,
    span: Timespan,
    limit: usize,
}

impl LogsClient {
    /// Looks up operations on vaults, to investigate an alert or a suspicion.
    ///
    /// ```
    /// # use monitor_ops::{LogSource, LogsClient, WorkspaceId};
    /// # async fn f(arm: &arm_core::ArmClient, workspace: WorkspaceId, vault: arm_core::ResourceId) -> azure_core::Result<()> {
    /// let evidence = LogsClient::new(arm).evidence(&workspace).vault(&vault).caller_ip("203.0.113.7").await?;
    /// match evidence.source {
    ///     LogSource::Present => println!("read: {:?}", evidence.secrets_read()),
    ///     source => println!("the logs cannot tell: {source:?}"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Permissions
    ///
    /// Log Analytics Reader on the workspace; permission to read the vault's diagnostic settings, without which an
    /// empty result is [`LogSource::Unknown`].
    pub fn evidence(&self, workspace: &WorkspaceId) -> GatherEvidence {
        GatherEvidence {
            logs: self.clone(),
            workspace: workspace.clone(),
            vault: None,
            callers: Vec::new(),
            ips: Vec::new(),
            operations: Vec::new(),
            secret: None,
            span: Timespan::Last(Duration::from_secs(24 * 3600)),
            limit: 10_000,
        }
    }
}

impl GatherEvidence {
    /// Includes only operations on this vault.
    pub fn vault(mut self, vault: &ResourceId) -> Self {
        self.vault = Some(vault.clone());
        self
    }

    /// Includes only operations of this caller, by object id. Repeated calls add callers.
    pub fn caller(mut self, object_id: impl Into<String>) -> Self {
        self.callers.push(object_id.into());
        self
    }

    /// Includes only operations from this IP address. Repeated calls add addresses.
    pub fn caller_ip(mut self, address: impl Into<String>) -> Self {
        self.ips.push(address.into());
        self
    }

    /// Includes only these operations. Repeated calls add operations.
    pub fn operations(mut self, operations: impl IntoIterator<Item = VaultOperationName>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// Includes only operations on this secret, by name, also after its deletion, such as a purge. A restore is not
    /// found if its log entry does not name the secret.
    pub fn secret(mut self, name: &str) -> Self {
        self.secret = Some(name.to_lowercase());
        self
    }

    /// Includes only operations in this time span. Default: the last 24 hours, up to now, so an empty result is not
    /// [conclusive](Evidence::is_conclusive): for that, set a [`Timespan::Between`] that ended ten minutes ago.
    pub fn timespan(mut self, span: Timespan) -> Self {
        self.span = span;
        self
    }

    /// Sets the maximum number of operations, at least 1. Default: 10,000.
    pub fn limit(mut self, operations: usize) -> Self {
        self.limit = operations.max(1);
        self
    }

    /// Returns the query that will be sent.
    pub fn query(&self) -> String {
        let mut query = kql::vault_operations();
        let mut narrow = |condition: String| {
            query.push_str("\n| where ");
            query.push_str(&condition);
        };
        if let Some(vault) = &self.vault {
            narrow(format!("Vault == {}", kql::quoted(&vault.as_str().to_lowercase())));
        }
        if let Some(secret) = &self.secret {
            let name = "tolower(extract(@'/(?:deleted)?secrets/([0-9A-Za-z-]+)', 1, Uri))";
            narrow(format!("{name} == {}", kql::quoted(secret)));
            if secret == RESTORE {
                narrow(format!("Operation != {}", kql::quoted(VaultOperationName::SecretRestore.as_str())));
            }
        }
        if let Timespan::Between(from, to) = self.span {
            let (from, to) = (kql::datetime(from), kql::datetime(to));
            narrow(format!("TimeGenerated between ({from} .. {to})"));
        }
        let any = |column: &str, values: &mut dyn Iterator<Item = &str>| {
            let values: Vec<&str> = values.collect();
            (!values.is_empty()).then(|| format!("{column} in~ {}", kql::list(values)))
        };
        any("ObjectId", &mut self.callers.iter().map(String::as_str)).into_iter().for_each(&mut narrow);
        any("CallerIp", &mut self.ips.iter().map(String::as_str)).into_iter().for_each(&mut narrow);
        any("Operation", &mut self.operations.iter().map(VaultOperationName::as_str))
            .into_iter()
            .for_each(&mut narrow);
        query.push_str(&format!("\n| top {} by TimeGenerated asc", self.limit.saturating_add(1)));
        query
    }

    async fn run(self) -> Result<Evidence> {
        let management = self.logs.arm().with_audience(Audience::Management);
        let workspace = WorkspacesClient::new(&management).get(&self.workspace).await?;
        let Some(customer) = workspace.properties.customer_id else {
            return refuse(format!(
                "the workspace {} has no customer id yet: wait until it is created",
                self.workspace
            ));
        };
        let query = LogQuery::new(self.query()).timespan(self.span);
        let found = match self.logs.query(&customer, query).await {
            Ok(results) => Some(results.readable_rows::<VaultOperation>()?),
            Err(error) if kql::missing_table(&error).is_some() => None,
            Err(error) => return Err(error),
        };
        let table_exists = found.is_some();
        let (mut operations, unreadable) = found.unwrap_or_default();
        let unreadable: Vec<String> = unreadable.iter().map(ToString::to_string).collect();
        let is_truncated = operations.len() + unreadable.len() > self.limit;
        operations.truncate(self.limit);
        let source = if operations.is_empty() && unreadable.is_empty() {
            self.why_empty(&DiagnosticsClient::new(&management), table_exists).await
        } else {
            LogSource::Present
        };
        let until = match self.span {
            Timespan::Between(_, to) => to,
            Timespan::Last(_) => OffsetDateTime::now_utc(),
        };
        // A time span that ends too late to be represented is never settled.
        let settled = LATENESS.try_into().ok().and_then(|lateness| until.checked_add(lateness));
        let is_settled = settled.is_some_and(|settled| settled <= OffsetDateTime::now_utc());
        Ok(Evidence { operations, source, is_settled, is_truncated, unreadable })
    }

    async fn why_empty(&self, diagnostics: &DiagnosticsClient, table_exists: bool) -> LogSource {
        let there = if table_exists { LogSource::Present } else { LogSource::NoLogsYet };
        let Some(vault) = &self.vault else { return there };
        match diagnostics.list(vault).try_collect::<Vec<DiagnosticSetting>>().await {
            Ok(settings) => {
                let sink = Sink::from(&self.workspace);
                let sends =
                    |properties: &DiagnosticProperties| properties.sends_audit() && sink.is_of(properties);
                if settings.iter().any(|setting| sends(&setting.properties)) { there } else { LogSource::Off }
            }
            Err(error) => LogSource::Unknown(error.to_string()),
        }
    }
}

arm_core::awaited!(GatherEvidence => Result<Evidence>);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(name: &str, status: u16, ip: &str, secret: &str) -> VaultOperation {
        serde_json::from_value(json!({
            "TimeGenerated": "2026-03-01T12:00:00Z", "Vault": "/v", "Operation": name, "Status": status,
            "Result": "", "CallerIp": ip, "ObjectId": "", "Upn": "", "AppId": "", "Client": "",
            "Uri": format!("https://v.vault.azure.net/secrets/{secret}"), "CorrelationId": "",
        }))
        .unwrap()
    }

    fn evidence() -> Evidence {
        Evidence {
            operations: Vec::new(),
            source: LogSource::Present,
            is_settled: true,
            is_truncated: false,
            unreadable: Vec::new(),
        }
    }

    #[test]
    fn nothing_is_proved_unless_the_log_is_there_settled_whole_and_readable() {
        assert!(evidence().is_conclusive());
        for inconclusive in [
            Evidence { source: LogSource::NoLogsYet, ..evidence() },
            Evidence { source: LogSource::Off, ..evidence() },
            Evidence { source: LogSource::Unknown("403".to_owned()), ..evidence() },
            Evidence { is_settled: false, ..evidence() },
            Evidence { is_truncated: true, ..evidence() },
            Evidence { unreadable: vec!["row 1".to_owned()], ..evidence() },
        ] {
            assert!(!inconclusive.is_conclusive(), "{inconclusive:?}");
        }
    }

    #[test]
    fn the_secrets_read_the_callers_and_the_refusals_are_counted_from_the_operations() {
        let evidence = Evidence {
            operations: vec![
                operation("SecretGet", 200, "203.0.113.7", "b"),
                operation("SecretGet", 200, "203.0.113.7", "A"),
                operation("SecretGet", 403, "203.0.113.8", "c"),
                operation("SecretList", 200, "", "d"),
                operation("SecretSet", 401, "", "e"),
            ],
            ..evidence()
        };
        assert_eq!(evidence.secrets_read().into_iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(evidence.caller_ips().into_iter().collect::<Vec<_>>(), ["203.0.113.7", "203.0.113.8"]);
        assert_eq!(evidence.refused(), 2);
    }
}
