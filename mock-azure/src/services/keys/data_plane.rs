//! A resource's own host, where its keys are used. Every request is checked against the keys that are currently valid.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Keys, Row};
use crate::{
    http::{Call, Method, Reply, host::Service},
    state::{At, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface { at: At::Keyed, answer, ..Surface::EMPTY };

/// Finds the resource at a host. Several rules of a namespace share one host.
pub(super) fn resource_at<'w>(world: &'w World, host: &str) -> Option<&'w Value> {
    let (name, suffix) = host.split_once('.')?;
    let public = PUBLIC.iter().find(|(other, _)| *other == suffix).map_or(suffix, |(_, public)| public);
    let rows = super::rows().filter(|row| row.host.is_some_and(|host| is_same_service(host, public)));
    let of_row = |row: &'static Row| {
        let kind = row.kind.strip_suffix("/authorizationRules").unwrap_or(row.kind);
        let mut found = world.resources.of_type("/subscriptions", kind);
        found.find(|found| found["name"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(name)))
    };
    rows.into_iter().find_map(of_row)
}

fn is_same_service(one: &str, other: &str) -> bool {
    let cognitive = ["openai.azure.com", "cognitiveservices.azure.com"];
    one == other || (cognitive.contains(&one) && cognitive.contains(&other))
}

/// The domains of the other clouds, and the corresponding ones of the public cloud.
const PUBLIC: &[(&str, &str)] = &[
    ("blob.core.usgovcloudapi.net", "blob.core.windows.net"),
    ("blob.core.chinacloudapi.cn", "blob.core.windows.net"),
    ("documents.azure.us", "documents.azure.com"),
    ("documents.azure.cn", "documents.azure.com"),
    ("servicebus.usgovcloudapi.net", "servicebus.windows.net"),
    ("servicebus.chinacloudapi.cn", "servicebus.windows.net"),
    ("openai.azure.us", "openai.azure.com"),
    ("openai.azure.cn", "openai.azure.com"),
    ("cognitiveservices.azure.us", "cognitiveservices.azure.com"),
    ("cognitiveservices.azure.cn", "cognitiveservices.azure.com"),
    ("search.azure.us", "search.windows.net"),
    ("search.azure.cn", "search.windows.net"),
];

/// Whether keys are turned on for a resource or, for a rule, for its namespace.
pub(super) fn may_be_used(world: &World, id: &str) -> bool {
    let Some(resource) = world.resources.get(id) else { return false };
    let Some(row) = resource["type"].as_str().and_then(Row::of) else { return false };
    let above = id.to_ascii_lowercase().find("/authorizationrules/").map(|at| &id[..at]);
    let owner = above.and_then(|above| world.resources.get(above)).unwrap_or(resource);
    !row.is_off(owner)
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let Service::Keyed(host) = &call.host.service else { return None };
    let resource = resource_at(world, host)?.clone();
    let kind = resource["type"].as_str().unwrap_or_default();
    match kind {
        "Microsoft.Storage/storageAccounts" => storage(world, call, &resource),
        "Microsoft.DocumentDB/databaseAccounts" => cosmos(world, call, &resource),
        "Microsoft.CognitiveServices/accounts" => openai(world, call, &resource),
        "Microsoft.Search/searchServices" => search(world, call, &resource),
        _ => namespace(world, call, &resource),
    }
}

fn id_of(resource: &Value) -> &str {
    resource["id"].as_str().unwrap_or_default()
}

fn taken(world: &World, id: &str) -> Vec<String> {
    world.states.get::<Keys>().taken(id, world.now()).map(str::to_owned).collect()
}

/// The signature of a text, in base64. `bytes` is the key in the form that the service uses.
fn signature(bytes: &[u8], text: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(bytes) else { return String::new() };
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn signs(key: &str, text: &str, given: &str) -> bool {
    STANDARD.decode(key).is_ok_and(|bytes| signature(&bytes, text) == given)
}

/// Documented: `SharedKey` and its string to sign, `Get Account Information`, and the error codes. The age of a
/// request's date is not checked, because clients do not see the double's clock.
fn storage(world: &World, call: &Call, resource: &Value) -> Option<Reply> {
    let refuse = |code: &str, message: &str| {
        let body = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        );
        Some(Reply::raw(403, body, "application/xml").header("x-ms-error-code", code))
    };
    let failed = "Server failed to authenticate the request. Make sure the value of Authorization header is formed \
                  correctly including the signature.";
    let account = resource["name"].as_str().unwrap_or_default();
    let prefix = format!("SharedKey {account}:");
    let Some(given) = call.header("authorization").and_then(|header| header.strip_prefix(&prefix)) else {
        return refuse("AuthenticationFailed", failed);
    };
    if !may_be_used(world, id_of(resource)) {
        return refuse(
            "KeyBasedAuthenticationNotPermitted",
            "Key based authentication is not permitted on this storage account.",
        );
    }
    let text = storage_text(account, call);
    if call.header("x-ms-date").is_none()
        || !taken(world, id_of(resource)).iter().any(|key| signs(key, &text, given))
    {
        return refuse("AuthenticationFailed", failed);
    }
    let is = |name: &str, value: &str| call.query(name).is_some_and(|found| found == value);
    (call.method == Method::Get && call.len() == 0 && is("restype", "account") && is("comp", "properties"))
        .then(|| {
            Reply::empty(200).header("x-ms-sku-name", "Standard_LRS").header("x-ms-account-kind", "StorageV2")
        })
}

fn storage_text(account: &str, call: &Call) -> String {
    const PLAIN: &[&str] = &[
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ];
    let mut text = format!("{}\n", call.verb);
    for name in PLAIN {
        let value = call.header(name).unwrap_or_default();
        text.push_str(if *name == "content-length" && value == "0" { "" } else { value });
        text.push('\n');
    }
    let mut own: Vec<_> = call.headers().iter().filter(|(name, _)| name.starts_with("x-ms-")).collect();
    own.sort();
    own.iter().for_each(|(name, value)| text.push_str(&format!("{name}:{}\n", value.trim())));
    text.push_str(&format!("/{account}{}", call.raw_path()));
    let mut query = call.query_pairs().to_vec();
    query.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
    query.sort();
    query.iter().for_each(|(name, value)| text.push_str(&format!("\n{name}:{value}")));
    text
}

/// Documented: the token of a master key and its string to sign. Reported: the refusals.
fn cosmos(world: &World, call: &Call, resource: &Value) -> Option<Reply> {
    let refuse =
        |message: &str| Some(Reply::json(401, json!({ "code": "Unauthorized", "message": message })));
    let token = call.header("authorization").unwrap_or_default();
    let token = percent_decode_str(token).decode_utf8_lossy().into_owned();
    let given = token.strip_prefix("type=master&ver=1.0&sig=").unwrap_or_default();
    if !may_be_used(world, id_of(resource)) {
        return refuse("Local Authorization is disabled. Use an AAD token to authorize all requests.");
    }
    let date = call.header("x-ms-date").unwrap_or_default().to_ascii_lowercase();
    let text = format!("{}\ndbs\n\n{date}\n\n", call.verb.to_ascii_lowercase());
    if date.is_empty() || !taken(world, id_of(resource)).iter().any(|key| signs(key, &text, given)) {
        return refuse(
            "The input authorization token can't serve the request. Please check that the expected payload is built as \
             per the protocol, and check the key being used.",
        );
    }
    (call.method == Method::Get && call.path() == ["dbs"])
        .then(|| Reply::ok(json!({ "_rid": "", "Databases": [], "_count": 0 })))
}

/// Documented: the token of a rule and its string to sign. Reported: the sub-codes of the refusals.
fn namespace(world: &World, call: &Call, namespace: &Value) -> Option<Reply> {
    let refuse = |text: &str| {
        let body = format!("<Error><Code>401</Code><Detail>{text}</Detail></Error>");
        Some(Reply::raw(401, body, "application/xml; charset=utf-8"))
    };
    let token = call.header("authorization").unwrap_or_default();
    let Some(fields) = token.strip_prefix("SharedAccessSignature ") else {
        return refuse(
            "MalformedToken: The credentials contained in the authorization header are not in the WRAP format.",
        );
    };
    let field = |name: &str| {
        let found = fields.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default().to_owned()
    };
    let decoded = |name: &str| percent_decode_str(&field(name)).decode_utf8_lossy().into_owned();
    let rule = format!("{}/authorizationRules/{}", id_of(namespace), decoded("skn"));
    if !may_be_used(world, &rule) {
        return refuse("40101: Local authentication is disabled.");
    }
    let text = format!("{}\n{}", field("sr"), field("se"));
    let signs = |key: &String| signature(key.as_bytes(), &text) == decoded("sig");
    let reaches = decoded("sr").trim_end_matches('/').ends_with(&call.authority);
    if !reaches || !taken(world, &rule).iter().any(signs) {
        return refuse("40103: Invalid authorization token signature");
    }
    let is_known = matches!(call.path().as_slice(), ["$resources", "eventhubs" | "queues"]);
    (call.method == Method::Get && is_known).then(|| {
        Reply::raw(200, "<feed xmlns=\"http://www.w3.org/2005/Atom\"></feed>", "application/atom+xml")
    })
}

/// Documented: the header, the list of models, and the refusals.
fn openai(world: &World, call: &Call, resource: &Value) -> Option<Reply> {
    let refuse = |status: u16, code: &str, message: &str| Some(Reply::arm_error(status, code, message));
    let key = call.header("api-key").unwrap_or_default();
    if !may_be_used(world, id_of(resource)) {
        return refuse(
            403,
            "AuthenticationTypeDisabled",
            "Key based authentication is disabled for this resource.",
        );
    }
    if !taken(world, id_of(resource)).iter().any(|taken| taken == key) {
        let message = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid \
                       key for an active subscription and use a correct regional API endpoint for your resource.";
        return refuse(401, "401", message);
    }
    (call.method == Method::Get && call.path() == ["openai", "models"])
        .then(|| Reply::ok(json!({ "object": "list", "data": [] })))
}

/// Documented: the header, the statistics, and 403 for a wrong key.
fn search(world: &World, call: &Call, resource: &Value) -> Option<Reply> {
    let key = call.header("api-key").unwrap_or_default();
    if !may_be_used(world, id_of(resource)) || !taken(world, id_of(resource)).iter().any(|taken| taken == key)
    {
        return Some(Reply::empty(403));
    }
    (call.method == Method::Get && call.path() == ["servicestats"])
        .then(|| Reply::ok(json!({ "counters": {}, "limits": {} })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_published_example() {
        // RFC 4231, case 2.
        let text = "what do ya want for nothing?";
        assert_eq!(signature(b"Jefe", text), "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    }
}
