//! What must hold for any input whatever: the bodies of the fuzz targets and of the property tests.

use std::{
    collections::VecDeque,
    fmt::Display,
    str::FromStr,
    sync::{Arc, Mutex},
};

use arm_core::{
    ArmClient, ArmError, ArmOptions, ArmPath, ManagementGroupId, ResourceGroupId, ResourceGroupName,
    ResourceId, ResourceName, ResourceType, Scope, SubscriptionId, wire,
};
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, RawResponse, Request, Transport, headers::Headers,
};
use defender_alerts::{
    Alert, AlertId, AssessmentId, AssessmentKey, AttackPath, Finding, Location, SubAssessmentId,
};
use futures::TryStreamExt as _;
use keyvault_ops::{SecretId, SecretName, SecretVersion, VaultId, VaultName};
use monitor_ops::{CustomerId, MailAddress, WorkspaceId};
use resource_ops::{
    PrincipalId, ProviderNamespace, RoleAssignmentId, RoleId, VirtualMachineId,
    query::{GraphQuery, Table, column, quoted},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, value::RawValue};

use crate::loopback::StaticToken;

/// Whatever can be parsed as an id can be written and parsed again, and stays within its own path.
pub fn ids(text: &str) {
    fn again<T: FromStr + Display>(text: &str) -> Option<T> {
        let id: T = text.parse().ok()?;
        let written = id.to_string();
        let Ok(read) = written.parse::<T>() else {
            panic!("'{text}' is written as '{written}', which is not a valid id")
        };
        assert_eq!(read.to_string(), written);
        assert!(!written.contains(['\r', '\n', '\0']), "{written:?} could end a header");
        Some(id)
    }
    again::<SubscriptionId>(text);
    again::<ResourceGroupId>(text);
    again::<ResourceGroupName>(text);
    again::<ManagementGroupId>(text);
    again::<ResourceType>(text);
    again::<Scope>(text);
    again::<AlertId>(text);
    again::<AssessmentId>(text);
    again::<AssessmentKey>(text);
    again::<SubAssessmentId>(text);
    again::<Location>(text);
    again::<SecretId>(text);
    again::<SecretName>(text);
    again::<SecretVersion>(text);
    again::<VaultId>(text);
    again::<VaultName>(text);
    again::<CustomerId>(text);
    again::<MailAddress>(text);
    again::<WorkspaceId>(text);
    again::<PrincipalId>(text);
    again::<ProviderNamespace>(text);
    again::<RoleAssignmentId>(text);
    again::<RoleId>(text);
    again::<VirtualMachineId>(text);
    if let Some(name) = again::<ResourceName>(text) {
        let path = ArmPath::root().literal("before").segment(&name).literal("after").to_string();
        stays(&path, 3);
    }
    if let Some(id) = again::<ResourceId>(text) {
        stays(&ArmPath::from(&id).to_string(), id.as_str().matches('/').count());
    }
}

/// A path must come through the parsing of URLs as it is, with all its segments.
fn stays(path: &str, segments: usize) {
    let url: url::Url = format!("https://management.azure.com{path}").parse().unwrap();
    assert_eq!(url.path(), path);
    assert_eq!(url.host_str(), Some("management.azure.com"));
    assert_eq!(url.path_segments().unwrap().count(), segments, "{path}");
    assert!(url.query().is_none() && url.fragment().is_none() && url.username().is_empty());
}

/// Any body of a refusal is an error that can be read and shown.
pub fn error_body(body: &[u8]) {
    let response = RawResponse::from_bytes(400.into(), Headers::new(), body.to_vec());
    let error = ArmError::of(&response);
    let shown = error.to_string();
    assert!(shown.starts_with("400"));
    assert!(error.code.is_empty() || error.has_code(&error.code));
}

/// What a list reads item by item is what a page says when it is decoded whole; a page that cannot be decoded, or an
/// item of it, is an error behind the items that can.
pub fn list_page(body: &[u8]) {
    #[derive(Deserialize)]
    struct Whole {
        #[serde(deserialize_with = "Option::deserialize")] // may be null, but must be there
        value: Option<Vec<Box<RawValue>>>,
        #[serde(rename = "nextLink", alias = "@odata.nextLink", default)]
        next_link: Option<String>,
    }
    let text = std::str::from_utf8(body).map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let page = |text: &str| match serde_json::from_str::<Vec<Box<RawValue>>>(text) {
        Ok(list) => Some(Whole { value: Some(list), next_link: None }),
        Err(_) => serde_json::from_str::<Whole>(text).ok(),
    };
    let whole = text.ok().and_then(page);
    let (items, failed) = read_list(body);
    let Some(whole) = whole else {
        assert!(failed, "{items:?} of {:?}", String::from_utf8_lossy(body));
        return;
    };
    let raw = whole.value.unwrap_or_default();
    let decoded = raw.iter().map(|item| serde_json::from_str::<Option<Value>>(item.get()));
    let (good, bad): (Vec<_>, Vec<_>) = decoded.partition(Result::is_ok);
    let expected: Vec<Value> = good.into_iter().filter_map(|item| item.unwrap_or_default()).collect();
    assert_eq!(items, expected, "{:?}", String::from_utf8_lossy(body));
    // The link may lead nowhere, which is an error as well.
    if whole.next_link.unwrap_or_default().is_empty() {
        assert_eq!(failed, !bad.is_empty(), "{:?}", String::from_utf8_lossy(body));
    }
}

/// The items of a list whose first page is this, and whether an error ended it.
fn read_list(body: &[u8]) -> (Vec<Value>, bool) {
    let pages = [body.to_owned(), br#"{"value":[]}"#.to_vec()];
    let transport = Transport::new(Arc::new(Pages(Mutex::new(pages.into_iter().collect()))));
    let client = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
    let arm = ArmClient::new(Arc::new(StaticToken), ArmOptions::from(client)).unwrap();
    let mut list = arm.get(ArmPath::root().literal("things"), "2026-01-01").pager::<Value>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut items = Vec::new();
        loop {
            match list.try_next().await {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break (items, false),
                Err(_) => break (items, true),
            }
        }
    })
}

/// A transport that answers with one page after the other.
#[derive(Debug)]
struct Pages(Mutex<VecDeque<Vec<u8>>>);

#[async_trait]
impl HttpClient for Pages {
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        let page = self.0.lock().unwrap().pop_front().unwrap_or_default();
        Ok(AsyncRawResponse::from_bytes(200.into(), Headers::new(), page))
    }
}

/// Our own decoding of a text is that of `serde_json`: verdict, value, and the text of each item.
pub fn json_text(body: &[u8]) {
    let Ok(text) = std::str::from_utf8(body) else { return };
    let values = (wire::from_str::<Value>(text), serde_json::from_str::<Value>(text));
    assert_eq!(
        values.0.map_err(|error| error.to_string()),
        values.1.map_err(|error| error.to_string()),
        "{text:?}"
    );
    let passed_over = (wire::from_str::<IgnoredAny>(text), serde_json::from_str::<IgnoredAny>(text));
    assert_eq!(passed_over.0.is_ok(), passed_over.1.is_ok(), "{text:?}");
    let ours: Option<Vec<&str>> = wire::from_str(text)
        .ok()
        .map(|parts: Vec<wire::Part<'_>>| parts.into_iter().map(wire::Part::as_str).collect());
    let theirs: Option<Vec<&str>> = serde_json::from_str(text)
        .ok()
        .map(|parts: Vec<&RawValue>| parts.into_iter().map(RawValue::get).collect());
    assert_eq!(ours, theirs, "{text:?}");
    let tape = wire::Tape::of(text);
    assert_eq!(tape.is_ok(), passed_over.1.is_ok(), "{text:?}");
    if let Ok(tape) = tape {
        let items: Option<Vec<&str>> =
            tape.root().is_list().then(|| tape.root().items().map(wire::Node::as_str).collect());
        assert_eq!(items, theirs, "{text:?}");
        // Every value that `serde_json` can decode is the same piece by piece.
        if let Ok(value) = serde_json::from_str::<Value>(text) {
            assert_eq!(whole(tape.root()), value, "{text:?}");
        }
    }
}

fn whole(node: wire::Node<'_, '_>) -> Value {
    if node.is_list() {
        return node.items().map(whole).collect();
    }
    if node.is_object() {
        return node.members().map(|(name, value)| (name.unwrap().into_owned(), whole(value))).collect();
    }
    node.value().expect("the text around it can be decoded")
}

/// Any page of alerts is decoded or refused, and so is every part of each alert.
pub fn alert_page(body: &[u8]) {
    #[derive(Deserialize)]
    struct Page {
        value: Vec<Alert>,
    }
    #[derive(Deserialize)]
    struct AsSent<'a> {
        #[serde(borrow)]
        value: Vec<&'a RawValue>,
    }
    let Ok(page) = serde_json::from_slice::<Page>(body) else { return };
    let sent: AsSent<'_> = serde_json::from_slice(body).unwrap();
    for (alert, sent) in page.value.iter().zip(sent.value) {
        assert_eq!(serde_json::to_string(alert).unwrap(), sent.get(), "an alert is exported as it came");
    }
    for alert in page.value {
        let _ = (alert.key_vault_type(), alert.is_key_vault(), alert.resources(), alert.techniques());
        let _ = (alert.resource_identifiers(), alert.remediation_steps(), alert.extended_links());
        let _ = (alert.entities(), alert.extended_properties(), alert.supporting_evidence());
        let _ = (format!("{alert:?}"), format!("{:?}", Finding::of(&alert, None)));
    }
}

/// Any row of attack paths is decoded or refused.
pub fn attack_paths(body: &[u8]) {
    let Ok(path) = serde_json::from_slice::<AttackPath>(body) else { return };
    let _ = (path.concerns_secrets(), format!("{path:?}"));
    let sent: &RawValue = serde_json::from_slice(body).unwrap();
    assert_eq!(serde_json::to_string(&path).unwrap(), sent.get(), "a path is exported as it came");
}

/// No text ends its literal early, in either crate's queries.
pub fn kql(text: &str) {
    assert_eq!(literal(&quoted(text)).as_deref(), Some(text));
    let query = GraphQuery::table(Table::Resources)
        .filter(column(text).equals(text))
        .filter(column("name").is_any_of([text]))
        .extend("extra", column("tags").key(text))
        .to_string();
    for outside in outside_of_literals(&query) {
        let fits = |c: char| c.is_ascii_alphanumeric() || "_ .=|()[],<>!~-\n".contains(c);
        assert!(outside.chars().all(fits), "{outside:?} is outside of a literal in {query:?}");
    }
}

/// Reads a literal of Kusto's language; `None` if it is none, or goes on behind its end.
fn literal(text: &str) -> Option<String> {
    let mut chars = text.chars();
    let quote = chars.next().filter(|c| "'\"".contains(*c))?;
    let mut read = String::new();
    loop {
        match chars.next()? {
            c if c == quote => return chars.next().is_none().then_some(read),
            '\\' => read.push(match chars.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = chars.by_ref().take(4).collect();
                    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
                }
                c if "'\"\\".contains(c) => c,
                _ => return None,
            }),
            c if c.is_control() || "\u{2028}\u{2029}".contains(c) => return None,
            c => read.push(c),
        }
    }
}

/// What stands between the literals of a query.
fn outside_of_literals(query: &str) -> Vec<String> {
    let (mut parts, mut part, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for c in query.chars() {
        match quote {
            None if "'\"".contains(c) => {
                parts.push(std::mem::take(&mut part));
                quote = Some(c);
            }
            None => part.push(c),
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
        }
    }
    assert!(quote.is_none(), "a literal without end in {query:?}");
    parts.push(part);
    parts
}
