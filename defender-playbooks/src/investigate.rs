//! Combines an alert with the logs of its vaults.

use std::collections::BTreeSet;

use arm_core::{ArmClient, ResourceId};
use azure_core::{Result, time::OffsetDateTime};
use defender_alerts::{Alert, Finding, VaultAccess};
use futures::TryStreamExt as _;
use monitor_ops::{
    DiagnosticSetting, DiagnosticsClient, Evidence, LogsClient, Timespan, VaultOperation, WorkspaceId,
};
use time::Duration;

/// Investigates alerts: triages an alert, and gathers evidence from the logs of the vaults that it names.
///
/// ```
/// # use defender_playbooks::InvestigationsClient;
/// # async fn f(arm: &arm_core::ArmClient, alert: &defender_alerts::Alert) {
/// let found = InvestigationsClient::new(arm).investigate(alert).await;
/// match found.secrets_read() {
///     Some(secrets) => println!("rotate {secrets:?}"),
///     None => println!("the logs cannot tell: rotate everything the caller could read"),
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct InvestigationsClient {
    arm: ArmClient,
}

/// A task that investigates an alert. It only reads. A log that cannot be read is part of the result, not an error.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct Investigate {
    arm: ArmClient,
    finding: Finding,
    workspace: Option<WorkspaceId>,
    around: Duration,
    limit: usize,
}

/// What is known about an alert.
#[derive(Debug)]
#[non_exhaustive]
pub struct Investigation {
    /// What the alert says, supplemented by what the logs say about its caller.
    pub finding: Finding,
    /// The log of each vault that the alert names.
    pub logs: Vec<(ResourceId, VaultLog)>,
}

/// What the log of a vault shows.
#[derive(Debug)]
#[non_exhaustive]
pub enum VaultLog {
    /// It was not queried: the alert is a sample, so nothing really happened.
    Sample,
    /// The vault does not send its audit log to a workspace, so it is unknown what was accessed.
    NotLogged,
    /// It was read. [`Evidence::source`] says whether an empty result can be relied on.
    Read(Evidence),
    /// It could not be read.
    Failed(azure_core::Error),
}

impl InvestigationsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Investigates an alert.
    ///
    /// Searches the log of each vault for operations of the alert's caller, or of any caller if the alert names none,
    /// from an hour before to an hour after the alert. The log is in the first workspace that the vault's diagnostic
    /// settings name.
    ///
    /// # Permissions
    ///
    /// Monitoring Reader on the vaults and Log Analytics Reader on their workspaces.
    pub fn investigate(&self, alert: &Alert) -> Investigate {
        self.investigate_in(alert, None)
    }

    /// Like [`investigate`](Self::investigate), but also distinguishes callers in your own tenant from outsiders.
    pub fn investigate_in(&self, alert: &Alert, own_tenant: Option<&str>) -> Investigate {
        Investigate {
            arm: self.arm.clone(),
            finding: Finding::of(alert, own_tenant),
            workspace: None,
            around: Duration::hours(1),
            limit: 10_000,
        }
    }
}

impl Investigate {
    /// Reads the logs in this workspace instead of the one named in the vault's settings.
    pub fn workspace(mut self, workspace: &WorkspaceId) -> Self {
        self.workspace = Some(workspace.clone());
        self
    }

    /// Sets how much time before and after the alert to read. Default: one hour.
    pub fn around(mut self, time: Duration) -> Self {
        self.around = time.abs();
        self
    }

    /// Sets the maximum number of operations for each vault. Default: 10,000.
    pub fn limit(mut self, operations: usize) -> Self {
        self.limit = operations;
        self
    }

    async fn run(self) -> Investigation {
        let mut logs = Vec::with_capacity(self.finding.vaults.len());
        for vault in &self.finding.vaults {
            let log = match self.finding.is_sample {
                true => VaultLog::Sample,
                false => self.log_of(vault).await.unwrap_or_else(VaultLog::Failed),
            };
            logs.push((vault.clone(), log));
        }
        let accesses: Vec<VaultAccess> = logs
            .iter()
            .filter_map(|(_, log)| log.evidence())
            .flat_map(|found| &found.operations)
            .map(access)
            .collect();
        let finding = match accesses.is_empty() {
            true => self.finding,
            false => self.finding.with_log(&accesses),
        };
        Investigation { finding, logs }
    }

    async fn log_of(&self, vault: &ResourceId) -> Result<VaultLog> {
        let workspace = match &self.workspace {
            Some(workspace) => workspace.clone(),
            None => match self.workspace_of(vault).await? {
                Some(workspace) => workspace,
                None => return Ok(VaultLog::NotLogged),
            },
        };
        let mut asked = LogsClient::new(&self.arm)
            .evidence(&workspace)
            .vault(vault)
            .timespan(self.timespan())
            .limit(self.limit);
        // By object id if the alert has one, since one caller can have many addresses.
        match &self.finding.caller.object_id {
            Some(caller) => asked = asked.caller(caller),
            None => {
                for address in &self.finding.caller.addresses {
                    asked = asked.caller_ip(&address.address);
                }
            }
        }
        asked.await.map(VaultLog::Read)
    }

    /// The workspace that a vault sends its audit log to.
    async fn workspace_of(&self, vault: &ResourceId) -> Result<Option<WorkspaceId>> {
        let settings: Vec<DiagnosticSetting> =
            DiagnosticsClient::new(&self.arm).list(vault).try_collect().await?;
        let logging = settings.iter().filter(|setting| setting.properties.sends_audit());
        let mut workspaces = logging.filter_map(|setting| setting.properties.workspace_id.as_deref());
        Ok(workspaces.find_map(|id| id.parse().ok()))
    }

    fn timespan(&self) -> Timespan {
        let now = OffsetDateTime::now_utc();
        let first = self.finding.first.or(self.finding.last).unwrap_or(now);
        let last = self.finding.last.or(self.finding.first).unwrap_or(now);
        Timespan::Between(
            first.checked_sub(self.around).unwrap_or(first),
            last.checked_add(self.around).unwrap_or(last),
        )
    }
}

arm_core::awaited!(Investigate => Investigation);

impl VaultLog {
    /// The evidence, if the log could be read.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Read(evidence) => Some(evidence),
            _ => None,
        }
    }
}

impl Investigation {
    /// Whether the logs are complete for every vault that the alert names. `false` if it names none.
    pub fn is_conclusive(&self) -> bool {
        let conclusive = |(_, log): &(_, VaultLog)| log.evidence().is_some_and(Evidence::is_conclusive);
        !self.logs.is_empty() && self.logs.iter().all(conclusive)
    }

    /// The secrets whose values the caller obtained, by name in lower case. `None` unless the logs are
    /// [conclusive](Self::is_conclusive), because the caller may have read others too.
    pub fn secrets_read(&self) -> Option<BTreeSet<String>> {
        self.is_conclusive().then(|| self.secrets_known_read())
    }

    /// The secrets that the caller is known to have read. There may be others.
    pub fn secrets_known_read(&self) -> BTreeSet<String> {
        self.logs.iter().filter_map(|(_, log)| log.evidence()).flat_map(Evidence::secrets_read).collect()
    }
}

/// Converts an operation in the log into the form that triage uses.
fn access(operation: &VaultOperation) -> VaultAccess {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    VaultAccess {
        time: operation.time,
        operation: operation.operation.to_string(),
        secret: operation.secret(),
        object_id: some(&operation.object_id),
        address: some(&operation.caller_ip),
        allowed: !operation.was_refused(),
    }
}
