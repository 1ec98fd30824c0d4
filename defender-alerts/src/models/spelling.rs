//! The service sends alerts in one of two spellings, at random: with nested names in camel case, as documented, or in
//! Pascal case (azure-rest-api-specs#38880).

use serde_json::{Map, Value};

/// The documented names inside identifiers and entities.
const NAMES: &[&str] = &[
    "$id",
    "aadTenantId",
    "aadUserId",
    "address",
    "agentId",
    "appId",
    "asn",
    "azureID",
    "azureResourceId",
    "city",
    "cloudProvider",
    "commandLine",
    "countryCode",
    "countryName",
    "directory",
    "hostName",
    "location",
    "name",
    "omsAgentID",
    "organization",
    "processId",
    "resourceId",
    "state",
    "type",
    "upnSuffix",
    "url",
    "workspaceId",
    "workspaceResourceGroup",
    "workspaceSubscriptionId",
];

/// Returns the same value with names in their documented spelling.
pub(super) fn documented(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let spelled = fields.iter().map(|(name, value)| {
                let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name));
                let name =
                    known.filter(|known| !fields.contains_key(**known)).map_or(name.as_str(), |known| known);
                (name.to_owned(), documented(value))
            });
            Value::Object(spelled.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(documented).collect(),
        other => other.clone(),
    }
}

/// Whether a name in a JSON text begins with a capital letter, which no documented name does.
pub(super) fn is_unusual(json: &str) -> bool {
    // Few strings begin with a capital letter. Looking at each byte is faster than searching for each quote.
    let begins = json.as_bytes().windows(2).enumerate();
    begins.filter(|(_, pair)| pair[0] == b'"' && pair[1].is_ascii_uppercase()).any(|(at, _)| {
        let rest = &json[at + 1..];
        let behind = rest.find('"').map(|end| rest[end + 1..].trim_start());
        behind.is_some_and(|behind| behind.starts_with(':'))
    })
}
