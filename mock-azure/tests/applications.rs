//! Applications of the directory and their passwords, as any HTTP client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use azure_core::http::Method::{self, Get, Post};
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};
use support::{Answer, send};

const APP: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";
const OLD: &str = "old8Q~0123456789012345678901234567abcd";

fn seed() -> Seed {
    MockAzure::seed().application(APP, CLIENT, "web", OLD)
}

async fn ask(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    send(azure, method, &format!("https://graph.microsoft.com/v1.0/applications/{path}"), body).await
}

#[tokio::test]
async fn a_password_is_shown_once_and_listed_without_its_value_until_it_is_removed() {
    let azure = seed().password_propagation_time(Duration::from_secs(60)).start().await;
    let (start, end) = ("2026-03-01T00:00:00Z", "2099-03-01T00:00:00Z");
    let asked = json!({ "displayName": "new", "startDateTime": start, "endDateTime": end });
    let added =
        ask(&azure, Post, &format!("{APP}/addPassword"), json!({ "passwordCredential": asked })).await;
    assert_eq!(added.status, 200, "{}", added.body);
    let (value, key_id) = (added.body["secretText"].as_str().unwrap(), added.body["keyId"].as_str().unwrap());

    let shown = ask(&azure, Get, APP, Value::Null).await.body;
    assert_eq!((&shown["id"], &shown["appId"]), (&json!(APP), &json!(CLIENT)));
    let expected = json!({
        "customKeyIdentifier": null, "displayName": "new", "startDateTime": start, "endDateTime": end,
        "hint": &value[..3], "keyId": key_id, "secretText": null,
    });
    assert_eq!(shown["passwordCredentials"][0], expected);
    assert_eq!(shown["passwordCredentials"][1]["hint"], "old");
    let old_id = shown["passwordCredentials"][1]["keyId"].as_str().unwrap().to_owned();
    let (new, old) =
        ((key_id.to_owned(), Some("new".to_owned())), (old_id.clone(), Some("by hand".to_owned())));
    assert_eq!(azure.application_passwords(APP), [new.clone(), old]);
    assert!(azure.application_passwords(CLIENT).is_empty());

    let takes = |secret: &str| azure.application_takes(CLIENT, secret);
    assert_eq!((takes(OLD), takes(value)), (true, false), "a new one has to spread");
    azure.advance(Duration::from_secs(61));
    assert_eq!((takes(OLD), takes(value)), (true, true));
    let remove =
        async || ask(&azure, Post, &format!("{APP}/removePassword"), json!({ "keyId": old_id })).await;
    assert_eq!(remove().await.status, 204);
    assert_eq!(azure.application_passwords(APP), [new]);
    assert_eq!((takes(OLD), takes(value)), (true, true), "and so has a removal");
    azure.advance(Duration::from_secs(61));
    assert_eq!((takes(OLD), takes(value)), (false, true));
    let again = remove().await;
    assert_eq!((again.status, again.code()), (400, "Request_BadRequest"));
    assert_eq!(ask(&azure, Get, CLIENT, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_policy_forbids_passwords_or_those_that_live_too_long_unless_it_is_off() {
    let restriction =
        |kind: &str, state: &str| json!([{ "restrictionType": kind, "state": state, "maxLifetime": "P30D" }]);
    let lives = |end: &str| json!({ "passwordCredential": { "startDateTime": "2026-03-01T00:00:00Z", "endDateTime": end } });
    let (month, more) = ("2026-03-31T00:00:00Z", "2026-03-31T00:00:01Z");
    for (policy, end, told) in [
        (restriction("passwordAddition", "enabled"), month, "CredentialTypeNotAllowedAsPerAppPolicy"),
        (restriction("passwordAddition", "disabled"), month, ""),
        (restriction("passwordLifetime", "enabled"), month, ""),
        (restriction("passwordLifetime", "enabled"), more, "CredentialInvalidLifetimeAsPerAppPolicy"),
        (restriction("passwordLifetime", "disabled"), more, ""),
    ] {
        let azure = seed().application_policy(policy.clone()).start().await;
        let added = ask(&azure, Post, &format!("{APP}/addPassword"), lives(end)).await;
        assert_eq!(
            (added.status, added.code()),
            (if told.is_empty() { 200 } else { 400 }, told),
            "{policy} {end}"
        );
        assert_eq!(azure.application_passwords(APP).len(), if told.is_empty() { 2 } else { 1 });
    }
}

#[tokio::test]
async fn the_realm_of_a_sign_in_name_is_its_domain() {
    let azure = seed().start().await;
    let url = "https://login.microsoftonline.com/common/userrealm/Ann@Contoso.example?api-version=1.0";
    let realm = send(&azure, Get, url, Value::Null).await;
    assert_eq!(realm.status, 200);
    assert_eq!(
        (&realm.body["account_type"], &realm.body["domain_name"]),
        (&json!("Managed"), &json!("Contoso.example"))
    );
}
