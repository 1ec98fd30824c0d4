//! Parts of Kusto queries. Every value from outside goes through one of these.

use arm_core::wire;
use time::OffsetDateTime;

/// A string as a literal: quoted, and escaped so that it cannot end early.
///
/// ```
/// assert_eq!(monitor_ops::kql::text("kv-prod"), r#""kv-prod""#);
/// assert_eq!(monitor_ops::kql::text(r#"" or 1==1 //"#), r#""\" or 1==1 //""#);
/// ```
pub fn text(value: &str) -> String {
    let mut literal = String::with_capacity(value.len() + 2);
    literal.push('"');
    for c in value.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // Line breaks of Unicode end a literal, too.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                literal.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// Strings as a list for `in` and `in~`.
///
/// ```
/// assert_eq!(monitor_ops::kql::list(["a", "b"]), r#"("a", "b")"#);
/// ```
pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let literals: Vec<String> = values.into_iter().map(text).collect();
    format!("({})", literals.join(", "))
}

/// An instant as a literal, in UTC.
pub fn datetime(instant: OffsetDateTime) -> String {
    format!("datetime({})", precise(instant))
}

/// An instant with the seven digits that the service takes; it refuses more.
pub(crate) fn precise(instant: OffsetDateTime) -> String {
    let ticks = instant.nanosecond() / 100 * 100;
    wire::instant::format(instant.replace_nanosecond(ticks).unwrap_or(instant))
}

/// Vault operations from both tables that they can be in, under the same columns. Ends without a newline, so
/// that more operators can follow.
///
/// Tables that do not exist yet are left out; if neither exists, the query is refused.
pub(crate) fn vault_operations() -> String {
    format!("union isfuzzy=true\n{FROM_BOTH_TABLES}\n| where Operation != 'Authentication'")
}

/// The same, but with no rows instead of a refusal if neither table exists.
pub(crate) fn vault_operations_or_nothing() -> String {
    format!(
        "union isfuzzy=true\n    (datatable({COLUMNS})[]),\n{FROM_BOTH_TABLES}\n| where Operation != 'Authentication'"
    )
}

const COLUMNS: &str = "TimeGenerated:datetime, _ResourceId:string, Vault:string, Operation:string, Status:int, \
                       Result:string, CallerIp:string, ObjectId:string, Upn:string, AppId:string, Uri:string, \
                       Requested:string, Client:string, CorrelationId:string";

/// `identity_claim_*` and most other columns of `AzureDiagnostics` exist only once they have been used.
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

/// Callers that list secrets and then read many, or read very many. One row for each caller and vault.
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

/// Whether a query was refused because a table does not exist (yet), and which.
///
/// A table is created with its first record; until then this means "no logs yet".
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_its_literal() {
        for value in ["\"", "\\", "\\\"", "a\nb", "\u{2028}", "' or true or '", "\0"] {
            let literal = text(value);
            let inner = &literal[1..literal.len() - 1];
            let mut escaped = false;
            for c in inner.chars() {
                assert!(escaped || c != '"', "{literal}");
                assert!(!c.is_control() && c != '\u{2028}', "{literal}");
                escaped = c == '\\' && !escaped;
            }
            assert!(!escaped, "{literal}");
        }
    }
}
