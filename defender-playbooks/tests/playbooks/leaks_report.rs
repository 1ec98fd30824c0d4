//! What people read at the end, and what is planned with the log of the vault.

use std::{collections::BTreeSet, time::Duration};

use arm_core::Outcome;
use defender_alerts::SecretFindingsClient;
use defender_playbooks::{
    VaultReaders,
    leaks::{self, LeakMatches, LeakPlan, LeakReport, LeakStep, LeaksClient, SecretFacts},
};
use futures::StreamExt as _;
use keyvault_ops::{RotateError, Rotation, SecretId, SecretsClient, VaultId, rotate_many};
use mock_azure::{AuditEvent, MockAzure};
use serde_json::json;

use crate::lab::{arm, group, seed, subscription, vault, workspace, writes};

const APP: &str = "00000000-0000-0000-0000-0000000000e1";
const STRANGER: &str = "00000000-0000-0000-0000-0000000000e2";

fn report() -> LeakReport {
    let finding = |rule: &str, secret: &str, file: &str, owner: &str| json!({ "RuleID": rule, "Secret": secret, "File": file, "StartLine": 1, "Email": owner });
    leaks::read_in(
        "o/<img src=x>|app",
        &json!([
            finding("db", "Zq-password-of-the-database", "a.env", "dev@contoso.example"),
            finding("queue", "Zq-key-of-the-queue", "b.env", "dev@contoso.example"),
            finding("npm", "Zq-token-of-somebody", ".npmrc", "ops@contoso.example"),
        ])
        .to_string(),
    )
}

/// A vault with a log, two secrets that leaked, one application that reads the first, and a stranger who did once. The log does
/// not tell which version they got, which is no sign that they got the new one.
async fn estate() -> (MockAzure, LeakMatches, VaultReaders) {
    let azure = seed()
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .diagnostic_setting(vault().as_str(), "x", &workspace().to_string(), &["AuditEvent"])
        .secret("kv-prod", "password", "Zq-password-of-the-database")
        .secret("kv-prod", "queue", "Zq-key-of-the-queue")
        .start()
        .await;
    let now = azure.now();
    azure.audit_event(AuditEvent::new("VaultGet", vault(), now - time::Duration::days(12)));
    for (who, hours) in [(APP, 48), (STRANGER, 5)] {
        let mut event = AuditEvent::new("SecretGet", vault(), now - time::Duration::hours(hours));
        event.object_id = who.to_owned();
        event.secret_id = Some("https://kv-prod.vault.azure.net/secrets/password/1".to_owned());
        event.request_uri = "https://kv-prod.vault.azure.net/secrets/password?api-version=7.5".to_owned();
        azure.audit_event(event);
    }
    let found = LeaksClient::new(&arm(&azure)).find_secrets(report(), ["kv-prod".parse().unwrap()]);
    let matches = found.reads_at_most(10).pause(Duration::ZERO).await.unwrap();
    let id: VaultId = vault().as_str().parse().unwrap();
    let readers = VaultReaders::new(&arm(&azure), &id, &workspace()).unwrap();
    (azure, matches, readers.window(Duration::from_secs(10 * 86_400)).ignore(STRANGER))
}

#[tokio::test]
async fn a_plan_names_the_readers_by_the_log_and_says_where_the_log_cannot_tell() {
    let (azure, matches, readers) = estate().await;
    let plan = LeakPlan::with_readers(&matches, &[readers.ignore(azure.signed_in())], |secret| match secret
        .name
        .as_str()
    {
        "queue" => SecretFacts::default().misused(),
        _ => SecretFacts::default(),
    })
    .await;
    let [first, second] = plan.secrets.as_slice() else { panic!("{plan:?}") };
    assert_eq!((first.secret.name.as_str(), first.step), ("queue", LeakStep::RevokeFirst));
    assert!(first.readers.is_empty() && first.readers_unknown.is_empty(), "{first:?}");
    assert_eq!((second.secret.name.as_str(), second.step), ("password", LeakStep::Rotate));
    assert_eq!(second.readers, [APP], "the stranger and oneself are none to wait for");

    // Without a log, and with one that cannot be read, nobody is known and that is said.
    let plan = LeakPlan::with_readers(&matches, &[], |_| SecretFacts::default()).await;
    assert!(
        plan.secrets.iter().all(|it| it.readers_unknown == ["no log was given for its vault"]),
        "{plan:?}"
    );
    let (azure, matches, readers) = estate().await;
    azure.inject(mock_azure::Fault::status(403).on("POST", "/query").always());
    let plan = LeakPlan::with_readers(&matches, &[readers], |_| SecretFacts::default()).await;
    assert!(plan.secrets.iter().all(|it| it.readers_unknown[0].contains("could not be read")), "{plan:?}");
}

#[tokio::test]
async fn a_secret_whose_reader_has_not_moved_keeps_its_old_value_until_then() {
    let (azure, matches, readers) = estate().await;
    let readers = readers.ignore(azure.signed_in()).patience(Duration::from_secs(3600));
    let plan = LeakPlan::with_readers(&matches, &[readers], |_| SecretFacts::default()).await;
    let done: Vec<_> = rotate_many(plan.rotations(&arm(&azure)).unwrap(), 1).collect().await;
    let of = |name: &str| done.iter().find(|it| it.target.name.as_str() == name).unwrap();
    let error = of("password").result.as_ref().unwrap_err().to_string();
    assert!(error.contains(APP), "{error}");
    let enabled = azure.secret_versions("kv-prod", "password").iter().filter(|it| it.enabled).count();
    assert_eq!(enabled, 2, "the old one still works");
    assert!(of("queue").result.is_ok());
}

#[tokio::test]
async fn the_report_says_first_what_is_left_and_calls_nothing_done_that_was_not_seen_so() {
    let (azure, matches, _) = estate().await;
    let plan = LeakPlan::of(&matches, |_| SecretFacts::default());
    let nothing_yet = leaks::to_markdown(
        &plan,
        &[],
        &[],
        &leaks::close(&matches.report, &LeakReport::default(), &BTreeSet::new()),
    );
    assert!(
        nothing_yet.contains("3 leaks wait for a scan, which does not mean they are fixed"),
        "{nothing_yet}"
    );

    let done: Vec<Outcome<SecretId, Rotation, RotateError>> =
        rotate_many(plan.rotations(&arm(&azure)).unwrap(), 2).collect().await;
    let second = leaks::read_in("o/<img src=x>|app", "[]");
    let closed = leaks::close(&matches.report, &second, &["o/<img src=x>|app".to_owned()].into());
    let text = leaks::to_markdown(&plan, &done, &[], &closed);
    let left = text.split("## Secrets").next().unwrap();
    assert!(
        left.contains("password of kv-prod.vault.azure.net: rotated"),
        "no issuer, so the old one is valid: {left}"
    );
    assert!(
        left.contains("Ask ops@contoso.example: npm, not found in any vault that was searched"),
        "{left}"
    );
    assert!(!text.replace(r"\<", "").contains('<') && text.contains(r"\<img src=x\>\|app"), "{text}");
    assert_eq!(text.matches("- gone: ").count(), 3, "{text}");
    assert!(!text.contains("Zq-"), "{text}");
    let secrets = SecretsClient::new(&arm(&azure), &"kv-prod".parse().unwrap()).unwrap();
    assert_ne!(
        secrets.get(&"password".parse().unwrap()).await.unwrap().value.expose(),
        "Zq-password-of-the-database"
    );
}

#[tokio::test]
async fn a_finding_of_defender_that_is_not_gone_gets_an_owner_and_a_date_once() {
    let machine = format!("{}/providers/Microsoft.Compute/virtualMachines/vm-app", group());
    let azure = seed()
        .plan(subscription(), "CloudPosture", "Standard")
        .plan_extension(subscription(), "CloudPosture", "AgentlessVmScanning", true)
        .virtual_machine(subscription(), "rg-sec", "vm-app")
        .exposed_secret(&machine, "/home/app/.env")
        .start()
        .await;
    let arm = arm(&azure);
    let found = SecretFindingsClient::new(&arm).find(&subscription()).await.unwrap();
    let first = leaks::of_defender(&found);
    assert_eq!(first.leaks.len(), 1, "{first:?}");
    let closed = leaks::close(&first, &LeakReport::default(), &BTreeSet::new());
    let due = time::macros::datetime!(2026-12-24 12:00 UTC);
    let client = LeaksClient::new(&arm);
    assert!(client.assign(&closed, due, |_| None).await.unwrap().is_empty());
    for again in [false, true] {
        azure.clear_requests();
        let done = client.assign(&closed, due, |_| Some("dev@contoso.example".to_owned())).await.unwrap();
        let change = done[0].result.as_ref().unwrap();
        assert_eq!(change.current().spec.owner.as_deref(), Some("dev@contoso.example"));
        assert_eq!(change.current().spec.remediation_due_date, Some(due));
        assert_eq!(writes(&azure).len(), usize::from(!again));
        assert!(azure.unknown_requests().is_empty());
    }
    let other = client.assign(&closed, due, |_| Some("other@contoso.example".to_owned())).await.unwrap();
    let kept = other[0].result.as_ref().unwrap().current().spec.owner.as_deref();
    assert_eq!(kept, Some("dev@contoso.example"), "whoever has it keeps it");
}
