//! Real scanners and the official schema; opt-in, since they are not part of this repository.
//!
//! ```text
//! pip install detect-secrets
//! DETECT_SECRETS=.../bin/detect-secrets SARIF_SCHEMA=.../sarif-schema-2.1.0.json \
//!   cargo test -p defender-playbooks --test playbooks leaks_real -- --ignored
//! ```

use std::{path::PathBuf, process::Command, time::Duration};

use boon::{Compiler, Schemas};
use defender_playbooks::leaks::{self, HowMatched, LeaksClient};
use mock_azure::MockAzure;
use serde_json::json;

use crate::lab::{arm, subscription};

fn named(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} names no program or file"))
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("leaks-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
#[ignore = "needs detect-secrets: DETECT_SECRETS names the program"]
async fn a_baseline_of_the_real_detect_secrets_names_the_planted_secrets() {
    mock_azure::fast_forward();
    let (password, key) =
        ("Zq0001b7d1a4c9e2f83506", format!("{}==", "Zq0002+b7/".repeat(9)[..86].to_owned()));
    let connection =
        format!("DefaultEndpointsProtocol=https;AccountName=app;AccountKey={key};EndpointSuffix=x");
    let folder = folder("baseline");
    std::fs::write(folder.join("app.py"), format!("password = \"{password}\"\nconn = \"{connection}\"\n"))
        .unwrap();
    let scan = Command::new(named("DETECT_SECRETS"))
        .arg("-C")
        .arg(&folder)
        .args(["scan", "--all-files", "."])
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let report = leaks::read_in("o/r", &String::from_utf8(scan.stdout).unwrap());
    assert!(report.is_complete() && !report.leaks.is_empty(), "{report:?}");

    let azure = MockAzure::seed()
        .vault(subscription(), "rg-app", "kv-one")
        .vault_role("kv-one", "Key Vault Secrets User")
        .secret("kv-one", "password", password)
        .secret("kv-one", "connection", &connection)
        .secret("kv-one", "other", "another value that did not leak")
        .start()
        .await;
    let find = LeaksClient::new(&arm(&azure)).find_secrets(report, ["kv-one".parse().unwrap()]);
    let matches = find.reads_at_most(3).pause(Duration::ZERO).await.unwrap();
    let found: Vec<(&str, HowMatched)> =
        matches.certain().map(|secret| (secret.secret.name.as_str(), secret.versions[0].how)).collect();
    assert_eq!(found, [("connection", HowMatched::Hash), ("password", HowMatched::Hash)]);
}

#[test]
#[ignore = "needs the official schema: SARIF_SCHEMA names it"]
fn what_is_written_is_valid_by_the_official_schema() {
    let finding = |file: &str, secret: &str| json!({ "RuleID": "azure-storage", "Secret": secret, "File": file, "StartLine": 3, "Commit": "c0" });
    let first = leaks::read_in(
        "o/one",
        &json!([
            finding("a b\\c.env", "first-value"),
            finding("b", "other-value"),
            finding("", "third-value")
        ])
        .to_string(),
    );
    let second = leaks::read_in("o/one", &json!([finding("b", "other-value")]).to_string());
    let second_elsewhere = leaks::read_in("o/two", &json!([finding("z", "fourth-value")]).to_string());
    let first = first.join(second_elsewhere);
    let closed = leaks::close(&first, &second, &["o/one".to_owned()].into());
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let official = std::fs::read_to_string(named("SARIF_SCHEMA")).unwrap();
    compiler
        .add_resource("https://sarif.example/schema.json", serde_json::from_str(&official).unwrap())
        .unwrap();
    let schema = compiler.compile("https://sarif.example/schema.json", &mut schemas).unwrap();
    let written = leaks::to_sarif(&closed, "rotated");
    let faults = schemas.validate(&written, schema).err().map(|fault| format!("{fault:#}"));
    assert_eq!(faults, None);
}
