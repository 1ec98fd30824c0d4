//! Removes tokens and secrets from the requests that a server records.

use serde_json::Value;

use crate::http::host::{Host, Service};

const REDACTED: &str = "REDACTED";

/// The headers whose values are kept: names, or prefixes that end with a dash.
const PLAIN_HEADERS: &[&str] = &[
    "accept",
    "accept-",
    "connection",
    "content-",
    "host",
    "if-",
    "prefer",
    "retry-",
    "user-agent",
    "x-ms-client-",
    "x-ms-correlation-",
];

/// Fragments of the names of members and parameters with secret values, in lower case.
const SECRET_NAMES: &[&str] = &[
    "code",
    "connectionstring",
    "key",
    "parameters",
    "password",
    "protected",
    "script",
    "secret",
    "sig",
    "token",
];

/// Fragments of texts that are secret under any name: links and connection strings with a key.
const SECRET_TEXTS: &[&str] = &["sig=", "accountkey=", "sharedaccesskey=", "password="];

/// The maximum size of a body that is kept, in bytes.
const BODY: usize = 16 * 1024;

/// Removes the secrets from a recorded request to `host`.
pub(super) fn redact(
    host: &str,
    query: &mut [(String, String)],
    headers: &mut [(String, String)],
    body: &mut Value,
) {
    for (_, value) in headers.iter_mut().filter(|(name, _)| !is_plain(name)) {
        REDACTED.clone_into(value);
    }
    for (_, value) in query.iter_mut().filter(|(name, value)| is_secret(name) || has_secret(value)) {
        REDACTED.clone_into(value);
    }
    let open = Host::resolve_or_local(host, "").is_some_and(|host| {
        matches!(host.service, Service::Management | Service::Graph | Service::LogAnalytics)
    });
    if body.is_null() {
        return;
    }
    if !open || body.is_string() {
        *body = REDACTED.into();
    } else if body.to_string().len() > BODY {
        *body = format!("more than {BODY} bytes").into();
    } else {
        members(body);
    }
}

fn is_plain(name: &str) -> bool {
    PLAIN_HEADERS.iter().any(|plain| name == *plain || (plain.ends_with('-') && name.starts_with(plain)))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "$skiptoken" && SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

fn has_secret(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    SECRET_TEXTS.iter().any(|secret| text.contains(secret))
}

fn members(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                if is_secret(name) { *value = REDACTED.into() } else { members(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(members),
        Value::String(text) if has_secret(text) => REDACTED.clone_into(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn redacted(host: &str, mut body: Value) -> String {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut query = vec![pair("api-version", "7.5"), pair("sig", "hidden"), pair("$skiptoken", "p-1")];
        let mut headers =
            vec![pair("authorization", "Bearer hidden"), pair("accept", "a/b"), pair("x-new-auth", "hidden")];
        redact(host, &mut query, &mut headers, &mut body);
        format!("{query:?} {headers:?} {body}")
    }

    #[test]
    fn tokens_and_secrets_are_not_kept_and_the_rest_is() {
        let vault = redacted("kv-one.vault.azure.net", json!({ "value": "hidden" }));
        let sign_in = redacted("login.microsoftonline.com", json!("client_secret=hidden"));
        let automation = redacted(
            "management.azure.com",
            json!({ "location": "kept", "properties": { "actions": [
                { "uri": "https://logic.example/?sp=run&sig=hidden" },
                { "connectionString": "hidden" },
                { "settings": { "protectedSettings": { "any": "hidden" } } },
            ] } }),
        );
        for text in [&vault, &sign_in, &automation] {
            assert!(!text.contains("hidden"), "{text}");
            assert!(text.contains("7.5") && text.contains("p-1") && text.contains("a/b"), "{text}");
        }
        assert!(automation.contains("kept"), "{automation}");
        let long = redacted("management.azure.com", json!({ "tags": "x".repeat(BODY) }));
        assert!(long.contains("more than"), "{long}");
    }
}
