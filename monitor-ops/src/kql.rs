//! Helpers for Kusto queries. Insert untrusted values only with [`quoted`], [`list`] or [`datetime`].

pub use arm_core::kql::{datetime, list, quoted};

/// A query for vault operations in both tables that can contain them, with the same columns for both. It ends without a
/// newline, so that more operators can be appended.
///
/// Tables that do not exist yet are skipped; if neither exists, the query is refused.
pub(crate) fn vault_operations() -> String {
    format!("union isfuzzy=true\n{FROM_BOTH_TABLES}\n| where Operation != 'Authentication'")
}

/// Like [`vault_operations`], but returns no rows if neither table exists.
pub(crate) fn vault_operations_or_nothing() -> String {
    format!(
        "union isfuzzy=true\n    (datatable({COLUMNS})[]),\n{FROM_BOTH_TABLES}\n| where Operation != 'Authentication'"
    )
}

const COLUMNS: &str = "TimeGenerated:datetime, _ResourceId:string, Vault:string, Operation:string, Status:int, \
                       Result:string, CallerIp:string, ObjectId:string, Upn:string, AppId:string, Uri:string, \
                       Requested:string, Client:string, CorrelationId:string";

/// `identity_claim_*` and most other columns of `AzureDiagnostics` exist only after a record has used them.
const FROM_BOTH_TABLES: &str = "    (AzureDiagnostics
    | where ResourceProvider =~ 'MICROSOFT.KEYVAULT' and Category == 'AuditEvent'
    | project TimeGenerated, _ResourceId, Vault = tolower(_ResourceId), Operation = OperationName,
        Status = toint(column_ifexists('httpStatusCode_d', real(null))), Result = ResultSignature,
        CallerIp = CallerIPAddress,
        ObjectId = coalesce(tostring(column_ifexists('identity_claim_oid_g', '')),
            tostring(column_ifexists('identity_claim_http_schemas_microsoft_com_identity_claims_objectidentifier_g', ''))),
        Upn = tostring(column_ifexists('identity_claim_http_schemas_xmlsoap_org_ws_2005_05_identity_claims_upn_s', '')),
        AppId = tostring(column_ifexists('identity_claim_appid_g', '')),
        Uri = coalesce(tostring(column_ifexists('id_s', '')), tostring(column_ifexists('requestUri_s', ''))),
        Requested = tostring(column_ifexists('requestUri_s', '')),
        Client = tostring(column_ifexists('clientInfo_s', '')), CorrelationId),
    (AZKVAuditLogs
    | where Category == 'AuditEvent'
    | project TimeGenerated, _ResourceId, Vault = tolower(_ResourceId), Operation = OperationName,
        Status = toint(HttpStatusCode), Result = ResultSignature,
        CallerIp = CallerIpAddress,
        ObjectId = coalesce(tostring(Identity.claim.oid),
            tostring(Identity.claim['http://schemas.microsoft.com/identity/claims/objectidentifier'])),
        Upn = tostring(Identity.claim['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn']),
        AppId = tostring(Identity.claim.appid),
        Uri = coalesce(Id, RequestUri), Requested = RequestUri, Client = ClientInfo, CorrelationId)";

/// Requests that a vault refused.
pub(crate) const REFUSED: &str = "| where Status == 403";

/// Callers that list secrets and read many of them, or read even more without listing. One row per caller and vault.
pub(crate) fn mass_reading(distinct: u32) -> String {
    let half = distinct.div_ceil(2).max(1);
    format!(
        "| where Operation in ('SecretGet', 'SecretList', 'SecretListVersions') and Status == 200
| extend Secret = tolower(extract(@'/secrets/([0-9A-Za-z-]+)', 1, Uri))
| summarize Lists = countif(Operation != 'SecretGet'), Reads = countif(Operation == 'SecretGet'),
    Distinct = dcountif(Secret, Operation == 'SecretGet' and isnotempty(Secret)),
    First = min(TimeGenerated), Last = max(TimeGenerated)
    by _ResourceId, Vault, ObjectId, CallerIp
| where Distinct >= {distinct} or (Lists > 0 and Distinct >= {half})"
    )
}

/// Returns the name of the missing table if a query was refused because a table does not exist.
///
/// A table is created with its first record, so this often just means "no logs yet".
pub fn missing_table(error: &azure_core::Error) -> Option<String> {
    use arm_core::ArmErrorExt as _;
    let error = error.arm_error()?;
    let details = error.details.iter().map(|detail| detail.message.as_str());
    let texts = error.inner_message.as_deref().into_iter().chain([error.message.as_str()]).chain(details);
    texts.into_iter().find_map(|text| {
        let rest = &text[text.find("Failed to resolve table")?..];
        let name = rest.split('\'').nth(1)?;
        Some(name.to_owned())
    })
}
