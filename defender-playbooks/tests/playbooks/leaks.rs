//! A thousand planted secrets, forty repositories, and everything that was said about them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::ArmClient;
use defender_playbooks::leaks::{self, HowMatched, LeakPlan, LeakReport, LeakStep, LeaksClient, SecretFacts};
use keyvault_ops::VaultName;
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};
use sha1::Digest as _;
use test_kit::overheard::Overheard;
use tracing::instrument::WithSubscriber as _;

use crate::lab::{arm, subscription};

const REPOSITORIES: usize = 40;
const EACH: usize = 25;

/// A key that looks like nothing else here: its first six characters stand in no other text.
fn key(of: &str, number: usize) -> String {
    let digest = sha1::Sha1::digest(format!("{of}{number}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("Zq{number:04}{}", &hex[..26])
}

/// What the vault holds of a key: the key, or something around it.
fn stored(number: usize) -> String {
    let key = key("planted", number);
    match number % 4 {
        1 => format!(
            "DefaultEndpointsProtocol=https;AccountName=app;AccountKey={key};EndpointSuffix=core.windows.net"
        ),
        2 => format!("amqps://app:{key}@broker.example.invalid/queue"),
        _ => key,
    }
}

fn vaults() -> [VaultName; 2] {
    ["kv-one", "kv-two"].map(|name| name.parse().unwrap())
}

/// Every tenth secret has a newer version, which did not leak.
fn seed() -> Seed {
    let mut seed = MockAzure::seed();
    for vault in vaults() {
        seed = seed
            .vault(subscription(), "rg-app", vault.as_str())
            .vault_role(vault.as_str(), "Key Vault Secrets Officer");
    }
    for number in 0..REPOSITORIES * EACH {
        let (vault, name) = (vaults()[number % 2].to_string(), format!("s-{number}"));
        seed = seed.secret(&vault, &name, &stored(number));
        if number % 10 == 9 {
            seed = seed.secret(&vault, &name, &key("newer", number));
        }
    }
    for number in 0..20 {
        seed = seed.secret(
            "kv-one",
            &format!("shown-in-part-{number}"),
            &format!("{}-tail{number:02}", key("partly", number)),
        );
    }
    seed
}

/// What lies in a repository beside the planted keys: nearly the same, a piece, more around it, another tenant's.
fn decoys(number: usize) -> [String; 4] {
    let key = key("planted", number);
    let near = format!("{}!", &key[..key.len() - 1]);
    [near, key[..key.len() - 6].to_owned(), format!("{key}7f"), self::key("elsewhere", number)]
}

fn gitleaks(value: &str, at: usize) -> Value {
    json!({ "RuleID": "generic-api-key", "Secret": value, "Match": format!("k = \"{value}\""), "File": "src/settings.py", "StartLine": at + 1, "Commit": "c0ffee",
        "Email": "dev@example.invalid", "Message": format!("oops {value}") })
}

fn sarif(driver: &str, results: Vec<Value>) -> String {
    json!({ "version": "2.1.0", "runs": [{ "tool": { "driver": { "name": driver, "rules": [] } }, "results": results }] }).to_string()
}

fn sarif_result(snippet: &str, at: usize) -> Value {
    json!({ "ruleId": "secret", "message": { "text": format!("found {snippet}") }, "locations": [{ "physicalLocation": {
        "artifactLocation": { "uri": "src/app.cs" }, "region": { "startLine": at + 1, "snippet": { "text": snippet } } } }] })
}

/// The report of one repository, in the format that is its turn.
fn report(repository: usize) -> LeakReport {
    let planted = (0..EACH).map(|at| key("planted", repository * EACH + at));
    let values: Vec<String> =
        planted.chain(decoys(repository * EACH)).chain(decoys(repository * EACH + 3)).collect();
    let each = |make: &dyn Fn(&str, usize) -> Value| -> Vec<Value> {
        values.iter().enumerate().map(|(at, value)| make(value, at)).collect()
    };
    let text = match repository % 6 {
        0 => Value::from(each(&gitleaks)).to_string(),
        1 => sarif("gitleaks", each(&sarif_result)),
        2 => {
            let line = |value: &str, at: usize| json!({ "SourceMetadata": { "Data": { "Git": { "file": "a.env", "line": at + 1, "commit": "c1" } } },
                "DetectorName": "AzureStorage", "Verified": false, "Raw": value, "RawV2": value, "Redacted": "", "SecretParts": { "key": value } });
            each(&line).iter().map(|line| format!("{line}\n")).collect()
        }
        3 => Value::from(each(&|value, at| json!({ "number": at, "state": "open", "secret_type": "azure_key", "secret": value, "validity": "unknown" }))).to_string(),
        4 => {
            let hashed = |value: &str, at: usize| {
                let digest: String = sha1::Sha1::digest(value).iter().map(|byte| format!("{byte:02x}")).collect();
                json!({ "type": "Secret Keyword", "filename": "a.py", "hashed_secret": digest, "is_verified": false, "line_number": at + 1 })
            };
            json!({ "version": "1.5.0", "results": { "a.py": each(&hashed) } }).to_string()
        }
        // A line of code around it; every second one is the whole connection string.
        _ => {
            let line = |value: &str, at: usize| match at % 2 {
                0 => sarif_result(&format!("var key = \"{value}\"; // do not commit"), at),
                _ => sarif_result(&format!("AccountName=app;AccountKey={value};EndpointSuffix=x"), at),
            };
            sarif("other", each(&line))
        }
    };
    leaks::read_in(&format!("o/repository-{repository}"), &text)
}

/// The beginnings and ends of twenty values, as `--redact=60` leaves them.
fn shown_in_part() -> LeakReport {
    let findings: Vec<Value> =
        (0..20).map(|number| gitleaks(&format!("{}...", &key("partly", number)[..12]), number)).collect();
    leaks::read_in("o/redacted", &Value::from(findings).to_string())
}

async fn matched(arm: &ArmClient, report: LeakReport) -> leaks::LeakMatches {
    let leaks = LeaksClient::new(arm);
    let would = leaks.find_secrets(report.clone(), vaults()).dry_run().await.unwrap();
    leaks.find_secrets(report, vaults()).pause(Duration::ZERO).reads_at_most(would.reads).await.unwrap()
}

#[tokio::test]
async fn a_thousand_planted_secrets_are_found_none_besides_and_none_is_ever_said() {
    mock_azure::fast_forward();
    let azure = seed().start().await;
    let arm = arm(&azure);
    let heard = Arc::new(Mutex::new(String::new()));
    let hear = heard.clone();
    let listener = Overheard(move |line: &str| *hear.lock().unwrap() += line);
    let mut reports: Vec<LeakReport> = (0..REPOSITORIES).map(report).collect();
    // In a snippet that is a line, a line of another tool tells its whole value: decoys are none of a vault's.
    reports.push(shown_in_part());
    let all = reports.into_iter().fold(LeakReport::default(), LeakReport::join);
    assert!(all.is_complete());
    let matches = matched(&arm, all).with_subscriber(listener).await;

    assert!(matches.is_complete(), "{:?}", matches.not_looked_at);
    assert_eq!(matches.reads, REPOSITORIES * EACH + REPOSITORIES * EACH / 10 + 20);
    let mut found: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for secret in matches.certain() {
        let number: usize = secret.secret.name.as_str()[2..].parse().unwrap();
        for version in &secret.versions {
            let place = &matches.report.leaks[version.leak].place;
            assert_eq!(place.repository.as_deref(), Some(format!("o/repository-{}", number / EACH).as_str()));
            assert_ne!(version.how, HowMatched::Candidate);
            assert_eq!(version.current, number % 10 != 9, "s-{number}");
            found.entry(number).or_default().insert(format!("{place}"));
        }
        assert_eq!(secret.versions.len(), 1, "s-{number}: a decoy was taken for it");
    }
    assert_eq!(found.len(), REPOSITORIES * EACH, "every planted one");
    assert_eq!(matches.candidates().count(), 20);
    assert!(matches.candidates().all(|secret| secret.secret.name.as_str().starts_with("shown-in-part-")));
    assert_eq!(matches.unmatched().count(), REPOSITORIES * 8, "each decoy is for people");

    let plan = LeakPlan::of(&matches, |secret| match secret.name.as_str() {
        "s-7" => SecretFacts::default().misused().read_by(["app-7"]),
        _ => SecretFacts::default(),
    });
    assert_eq!((plan.secrets[0].secret.name.as_str(), plan.secrets[0].step), ("s-7", LeakStep::RevokeFirst));
    let due = |step| plan.secrets.iter().filter(|planned| planned.step == step).count();
    assert_eq!([LeakStep::Rotate, LeakStep::RetireOld, LeakStep::LookAt].map(due), [899, 100, 20]);
    let rotations = plan.rotations(&arm).unwrap();
    assert_eq!(rotations.len(), 900);

    // Everything that can be written of it, in one text.
    let closed = leaks::close(&matches.report, &LeakReport::default(), &BTreeSet::new());
    let mut written = heard.lock().unwrap().clone();
    assert!(!written.is_empty(), "nothing was heard: then this proves nothing");
    write!(
        written,
        "{matches:?}{plan:?}{rotations:?}{closed:?}{}{}{}{}",
        serde_json::to_string(&matches).unwrap(),
        serde_json::to_string(&plan).unwrap(),
        leaks::to_sarif(&closed, "rotated"),
        leaks::gitleaks_config(&matches.report),
    )
    .unwrap();
    let beginnings = (0..REPOSITORIES * EACH).map(|number| key("planted", number)[..6].to_owned());
    let beginnings = aho_corasick::AhoCorasick::new(beginnings).unwrap();
    assert_eq!(beginnings.find(&written).map(|found| format!("s-{}", found.pattern().as_usize())), None);
}

#[tokio::test]
async fn a_vault_that_cannot_be_listed_and_a_missing_consent_are_said() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed()
        .vault(subscription(), "rg-app", "kv-one")
        .vault_role("kv-one", "Key Vault Secrets User")
        .secret("kv-one", "s-0", &stored(0))
        .vault(subscription(), "rg-app", "kv-two")
        .start()
        .await;
    let client = LeaksClient::new(&arm(&azure));
    let refused = client.find_secrets(report(0), vaults()).await.unwrap_err();
    assert!(refused.to_string().contains("reads_at_most(1)"), "{refused}");
    let values = |azure: &MockAzure| {
        azure
            .requests()
            .iter()
            .filter(|request| request.path.contains("/secrets/s-0") && !request.path.contains("versions"))
            .count()
    };
    assert_eq!(values(&azure), 0, "nothing was read");
    let matches =
        client.find_secrets(report(0), vaults()).pause(Duration::ZERO).reads_at_most(1).await.unwrap();
    assert_eq!(matches.certain().count(), 1);
    assert!(!matches.is_complete());
    assert_eq!(matches.not_looked_at.len(), 1);
    assert_eq!(matches.not_looked_at[0].0, "kv-two");
    let named =
        client.find_secrets(report(0), vaults()).named(["other".parse().unwrap()]).dry_run().await.unwrap();
    assert_eq!(named.reads, 0);
}
