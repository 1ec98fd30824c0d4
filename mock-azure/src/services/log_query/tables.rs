//! The tables of vault logs, generated from the operations on the vaults.

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    kql::{Column, Kind, Scalar, Table, Tables},
    services::{
        diagnostic_settings::{Mode, Routes},
        vaults::audit::{AuditEvent, AuditLog},
    },
    state::World,
};

use super::{Queries, Scope, machine_tables, security_alerts};

const DIAGNOSTICS: &str = "AzureDiagnostics";
const DEDICATED: &str = "AZKVAuditLogs";
const CATEGORY: &str = "AuditEvent";

type Cell = (&'static str, Kind, fn(&Row<'_>) -> Scalar);

struct Row<'a> {
    event: &'a AuditEvent,
    workspace: &'a str,
    /// Upper-case parts of the vault's id: subscription, group, name.
    parts: (String, String, String),
}

impl Row<'_> {
    fn text(&self, text: Option<&str>) -> Scalar {
        text.map_or(Scalar::text(""), Scalar::text)
    }

    fn identity(&self) -> Value {
        let event = self.event;
        let mut claim = json!({});
        if event.upn.is_some() {
            claim["http://schemas.microsoft.com/identity/claims/objectidentifier"] = json!(event.object_id);
            claim["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = json!(event.upn);
        } else if !event.object_id.is_empty() {
            claim["oid"] = json!(event.object_id);
        }
        if let Some(app_id) = &event.app_id {
            claim["appid"] = json!(app_id);
        }
        json!({ "claim": claim })
    }
}

/// Columns of both tables.
const COMMON: &[Cell] = &[
    ("TenantId", Kind::String, |row| Scalar::text(row.workspace)),
    ("TimeGenerated", Kind::DateTime, |row| Scalar::Time(row.event.time)),
    ("Category", Kind::String, |_| Scalar::text(CATEGORY)),
    ("OperationName", Kind::String, |row| Scalar::text(&*row.event.operation)),
    ("OperationVersion", Kind::String, |_| Scalar::text("7.5")),
    ("ResultType", Kind::String, |row| {
        Scalar::text(if row.event.status < 400 { "Success" } else { "Failed" })
    }),
    ("ResultSignature", Kind::String, |row| Scalar::text(row.event.result_signature())),
    ("ResultDescription", Kind::String, |_| Scalar::text("")),
    ("DurationMs", Kind::Long, |_| Scalar::Long(12)),
    ("CorrelationId", Kind::String, |row| Scalar::text(row.event.correlation_id.clone())),
    ("SourceSystem", Kind::String, |_| Scalar::text("Azure")),
    ("_ResourceId", Kind::String, |row| Scalar::Text(row.event.vault_id.to_ascii_lowercase())),
];

/// Columns of `AzureDiagnostics`.
const OF_DIAGNOSTICS: &[Cell] = &[
    ("ResourceId", Kind::String, |row| Scalar::Text(row.event.vault_id.to_ascii_uppercase())),
    ("SubscriptionId", Kind::String, |row| Scalar::Text(row.parts.0.to_ascii_lowercase())),
    ("ResourceGroup", Kind::String, |row| Scalar::Text(row.parts.1.clone())),
    ("Resource", Kind::String, |row| Scalar::Text(row.parts.2.clone())),
    ("ResourceProvider", Kind::String, |_| Scalar::text("MICROSOFT.KEYVAULT")),
    ("ResourceType", Kind::String, |_| Scalar::text("VAULTS")),
    ("CallerIPAddress", Kind::String, |row| Scalar::text(row.event.caller_ip.clone())),
    ("Type", Kind::String, |_| Scalar::text(DIAGNOSTICS)),
];

/// Columns of `AzureDiagnostics` that appear with their first value.
const FROM_FIRST_USE: &[Cell] = &[
    ("id_s", Kind::String, |row| row.text(row.event.secret_id.as_deref())),
    ("requestUri_s", Kind::String, |row| Scalar::text(row.event.request_uri.clone())),
    ("clientInfo_s", Kind::String, |row| Scalar::text(row.event.client_info.clone())),
    ("httpStatusCode_d", Kind::Real, |row| Scalar::Real(f64::from(row.event.status))),
    ("isRbacAuthorized_b", Kind::Bool, |row| Scalar::Bool(row.event.by_rbac && row.event.status < 400)),
    ("identity_claim_appid_g", Kind::String, |row| row.text(row.event.app_id.as_deref())),
    ("identity_claim_oid_g", Kind::String, |row| {
        row.text(row.event.upn.is_none().then_some(row.event.object_id.as_str()))
    }),
    ("identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g", Kind::String, |row| {
        row.text(row.event.upn.is_some().then_some(row.event.object_id.as_str()))
    }),
    ("identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s", Kind::String, |row| {
        row.text(row.event.upn.as_deref())
    }),
];

/// Columns of `AZKVAuditLogs`.
const OF_DEDICATED: &[Cell] = &[
    ("CallerIpAddress", Kind::String, |row| Scalar::text(row.event.caller_ip.clone())),
    ("ClientInfo", Kind::String, |row| Scalar::text(row.event.client_info.clone())),
    ("HttpStatusCode", Kind::Int, |row| Scalar::Long(i64::from(row.event.status))),
    ("Id", Kind::String, |row| row.text(row.event.secret_id.as_deref())),
    ("RequestUri", Kind::String, |row| Scalar::text(row.event.request_uri.clone())),
    ("Identity", Kind::Dynamic, |row| Scalar::Dynamic(row.identity())),
    ("IsAccessPolicyMatch", Kind::Bool, |row| Scalar::Bool(!row.event.by_rbac && row.event.status < 400)),
    ("IsAddressAuthorized", Kind::Bool, |row| Scalar::Bool(row.event.status < 400)),
    ("IsRbacAuthorized", Kind::Bool, |row| Scalar::Bool(row.event.by_rbac && row.event.status < 400)),
    ("_SubscriptionId", Kind::String, |row| Scalar::Text(row.parts.0.to_ascii_lowercase())),
    ("Type", Kind::String, |_| Scalar::text(DEDICATED)),
];

/// Whether a table is known not to exist until it has a record. Documented: a table of vault logs appears with its
/// first record, and a custom table, `_CL`, only once it is created. Nothing is known about other names: the service
/// has hundreds of tables, many of which exist without rows from the start.
fn absent(name: &str) -> bool {
    matches!(name, DIAGNOSTICS | DEDICATED | security_alerts::NAME) || name.ends_with("_CL")
}

/// The tables in a scope. A table exists once it has received its first record. `now` is that of the whole query, since
/// the clock may be running.
pub(super) fn of(
    world: &World,
    scope: &Scope,
    now: OffsetDateTime,
    span: Option<(OffsetDateTime, OffsetDateTime)>,
) -> Tables {
    let arrived_before = now - world.states.get::<Queries>().delay;
    let mut diagnostics = Vec::new();
    let mut dedicated = Vec::new();
    for event in world.states.get::<AuditLog>().events().filter(|event| event.time <= arrived_before) {
        for (workspace, mode) in world.states.get::<Routes>().of(&event.vault_id, CATEGORY, event.time) {
            if !world.resources.contains(workspace) || !covers(scope, workspace, &event.vault_id) {
                continue;
            }
            let tenant = world.resources.get(workspace).map(|found| &found["properties"]["customerId"]);
            let row = Row {
                event,
                workspace: tenant.and_then(Value::as_str).unwrap_or_default(),
                parts: parts(&event.vault_id),
            };
            match mode {
                Mode::AzureDiagnostics => diagnostics.push(row),
                Mode::Dedicated => dedicated.push(row),
            }
        }
    }
    let inside =
        |row: &Row<'_>| span.is_none_or(|(start, end)| start <= row.event.time && row.event.time <= end);
    let mut tables = Tables::new(absent);
    machine_tables::add_to(&mut tables);
    if !diagnostics.is_empty() {
        let used = FROM_FIRST_USE.iter().filter(|cell| diagnostics.iter().any(|row| !cell.2(row).is_empty()));
        let cells: Vec<Cell> = COMMON.iter().chain(OF_DIAGNOSTICS).chain(used).copied().collect();
        tables.insert(DIAGNOSTICS, table(&cells, diagnostics.into_iter().filter(inside)));
    }
    if !dedicated.is_empty() {
        let cells: Vec<Cell> = COMMON.iter().chain(OF_DEDICATED).copied().collect();
        tables.insert(DEDICATED, table(&cells, dedicated.into_iter().filter(inside)));
    }
    if let Scope::Workspaces(ids) = scope
        && let Some(alerts) = security_alerts::table(world, ids, now, span)
    {
        tables.insert(security_alerts::NAME, alerts);
    }
    tables
}

fn table<'a>(cells: &[Cell], rows: impl Iterator<Item = Row<'a>>) -> Table {
    Table {
        columns: cells.iter().map(|(name, kind, _)| Column::new(*name, *kind)).collect(),
        rows: rows.map(|row| cells.iter().map(|(.., value)| value(&row)).collect()).collect(),
        open: true,
    }
}

fn covers(scope: &Scope, workspace: &str, vault: &str) -> bool {
    match scope {
        Scope::Workspaces(ids) => ids.iter().any(|id| id.eq_ignore_ascii_case(workspace)),
        Scope::Resource(id) => {
            let (id, vault) = (id.to_ascii_lowercase(), vault.to_ascii_lowercase());
            vault == id || vault.starts_with(&format!("{id}/")) || workspace == id
        }
    }
}

fn parts(vault: &str) -> (String, String, String) {
    let upper = vault.to_ascii_uppercase();
    let mut segments = upper.split('/').filter(|part| !part.is_empty()).skip(1).step_by(2);
    let subscription = segments.next().unwrap_or_default().to_owned();
    let group = segments.next().unwrap_or_default().to_owned();
    (subscription, group, upper.rsplit('/').next().unwrap_or_default().to_owned())
}
