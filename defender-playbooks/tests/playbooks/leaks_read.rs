//! What is read of each format, and of files that are broken.

use defender_playbooks::leaks::{self, Closing, Leaked, Tested};
use serde_json::json;

const VALUE: &str = "Zk4-invented-value-0001";

#[test]
fn gitleaks_gives_place_and_owner_and_a_truncated_value_is_redacted() {
    let finding = |secret: &str| {
        json!({ "RuleID": "azure-storage", "Secret": secret, "Match": format!("key={secret}"), "File": "infra/app.env", "StartLine": 3,
            "Commit": "c0ffee", "Email": "a@example.invalid", "Link": "https://git.example.invalid/o/r/blob/c0ffee/infra/app.env#L3",
            "Tags": null })
    };
    let report = json!([finding(VALUE), finding("Zk4-invent..."), finding("REDACTED")]).to_string();
    let report = leaks::read(&report);
    assert!(report.is_complete());
    assert_eq!(
        report.leaks[0].place.to_string(),
        "https://git.example.invalid/o/r: infra/app.env:3 at c0ffee"
    );
    assert_eq!(report.leaks[0].owner.as_deref(), Some("a@example.invalid"));
    let kinds: Vec<&str> = report.leaks.iter().map(|leak| leak.leaked.kind()).collect();
    assert_eq!(kinds, ["value", "redacted", "nothing"]);
}

#[test]
fn trufflehog_lines_have_three_states_and_its_messages_are_passed_over() {
    let line = |more: serde_json::Value| {
        let mut line = json!({ "SourceMetadata": { "Data": { "Git": { "commit": "c1", "file": "a.env", "line": 2, "repository": "https://r.example/r.git",
            "email": "B <b@example.invalid>" } } }, "DetectorName": "AzureStorage", "Verified": false, "Raw": VALUE, "Redacted": "" });
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line.to_string()
    };
    let report = [
        r#"{"level":"info-0","msg":"running source"}"#.to_owned(),
        line(json!({ "Verified": true })),
        line(json!({ "VerificationError": "timeout" })),
        line(json!({})),
        line(json!({}))[..120].to_owned(),
    ];
    let report = leaks::read(&report.join("\n"));
    let tested: Vec<Tested> = report.leaks.iter().map(|leak| leak.tested).collect();
    assert_eq!(tested, [Tested::Works, Tested::Unclear, Tested::Not]);
    assert_eq!(report.unread.len(), 1);
    assert_eq!(report.unread[0].to_string(), "line 5: the line is truncated");
}

#[test]
fn github_says_who_resolved_what_and_hides_values_on_request() {
    let alert = json!({ "number": 1, "state": "resolved", "resolution": "false_positive", "validity": "active", "secret_type": "azure_storage_account_key",
        "html_url": "https://github.example/o/r/security/secret-scanning/1",
        "first_location_detected": { "path": "a.env", "start_line": 7, "commit_sha": "c2" } });
    let report = leaks::read(&json!([alert]).to_string());
    let leak = &report.leaks[0];
    assert_eq!(leak.place.to_string(), "o/r: a.env:7 at c2");
    assert!(leak.dismissed && leak.tested == Tested::Works && leak.leaked == Leaked::Nothing);
}

#[test]
fn a_baseline_has_hashes_and_its_audit_counts() {
    let finding = |is_secret| {
        json!({ "type": "Secret Keyword", "filename": "a.env", "hashed_secret": "e77aee9cc9bd8b30b31adc0acff2d36e7ad86853",
        "is_verified": false, "line_number": 3, "is_secret": is_secret })
    };
    let report =
        json!({ "version": "1.5.0", "results": { "a.env": [finding(false), finding(true)] } }).to_string();
    let report = leaks::read_in("o/r", &report);
    assert_eq!(report.leaks[0].place.to_string(), "o/r: a.env:3");
    assert!(report.leaks[0].dismissed && !report.leaks[1].dismissed);
    assert_eq!(format!("{:?}", report.leaks[0].leaked), "Leaked(hash)");
}

#[test]
fn what_cannot_be_read_is_named_by_its_line_and_never_quoted() {
    let broken = format!(
        "[\n{{\"RuleID\":\"a\",\"Secret\":\"{VALUE}\"}},\n{{\"RuleID\":7,\"Secret\":\"{VALUE}\"}},\n{{\"RuleID\":\"{VALUE}"
    );
    let report = leaks::read(&broken);
    assert_eq!(report.leaks.len(), 1, "the rest is read");
    let lines: Vec<usize> = report.unread.iter().map(|unread| unread.line).collect();
    assert_eq!(lines, [3, 4]);
    assert!(!format!("{report:?}").contains(&VALUE[..6]));
    assert!(report.unread[1].why.starts_with("the report is truncated"), "{:?}", report.unread[1]);
    let nothing = leaks::read("");
    assert!(!nothing.is_complete() && nothing.unread[0].why.contains("empty"));
    assert!(leaks::read("[]").is_complete(), "an empty list is a report that found nothing");
}

#[test]
fn a_value_in_a_path_or_an_address_is_not_shown() {
    let report = json!([{ "RuleID": "url", "Secret": VALUE, "File": format!("dumps/{VALUE}.txt"), "Link": format!("https://x.example/?sig={VALUE}") }]);
    let report = leaks::read(&report.to_string());
    assert_eq!(report.leaks[0].place.file.as_deref(), Some("dumps/***.txt"));
    assert!(!serde_json::to_string(&report).unwrap().contains(&VALUE[..6]));
}

#[test]
fn a_leak_is_gone_only_where_somebody_looked_again() {
    let finding = |file: &str, line: u64, secret: &str| json!({ "RuleID": "a", "Secret": secret, "File": file, "StartLine": line, "Commit": "c" });
    let one = leaks::read_in(
        "o/one",
        &json!([finding("a", 1, "first-value"), finding("b", 2, "other-value")]).to_string(),
    );
    let two = leaks::read_in("o/two", &json!([finding("c", 3, "third-value")]).to_string());
    let first = one.join(two);
    let second = leaks::read_in("o/one", &json!([finding("b", 9, "other-value")]).to_string());
    let looked_at = ["o/one".to_owned()].into();
    let closed = leaks::close(&first, &second, &looked_at);
    let closings: Vec<Closing> = closed.iter().map(|(_, closing)| *closing).collect();
    assert_eq!(closings, [Closing::Gone, Closing::StillThere, Closing::WaitingForScan]);
    let broken = second.join(leaks::read("{"));
    assert_eq!(
        leaks::close(&first, &broken, &looked_at)[0].1,
        Closing::WaitingForScan,
        "an unread report proves nothing"
    );

    let sarif = leaks::to_sarif(&closed, "rotated on 1 November");
    let statuses: Vec<&str> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["suppressions"][0]["status"].as_str().unwrap_or("none"))
        .collect();
    assert_eq!(statuses, ["accepted", "none", "underReview"]);
    let again = leaks::read(&sarif.to_string());
    assert_eq!(again.leaks.iter().map(|leak| leak.dismissed).collect::<Vec<_>>(), [true, false, false]);
}

#[test]
fn a_configuration_names_the_formats_that_were_found() {
    let report = leaks::read(
        r#"[{"RuleID":"azure-storage-key","Secret":"x1"},{"RuleID":"pypi-token","Secret":"x2"}]"#,
    );
    let config = leaks::gitleaks_config(&report);
    assert!(config.contains("id = \"azure-storage-key\"") && !config.contains("azure-sas"));
    assert!(config.contains("default rules of gitleaks: pypi-token"));
}

#[test]
fn every_rule_of_the_configuration_finds_what_it_is_for() {
    let (long, short) = (
        format!("{}==", "aB3/".repeat(22)[..86].to_owned()),
        format!("{}=", "aB3/".repeat(11)[..43].to_owned()),
    );
    let samples = [
        ("azure-storage", "azure-storage-key", format!("AccountName=a;AccountKey={long};"), long.clone()),
        (
            "client-secret",
            "entra-client-secret",
            format!("secret = 'abc8Q~{}'", "x".repeat(34)),
            format!("abc8Q~{}", "x".repeat(34)),
        ),
        (
            "sas-token",
            "azure-sas",
            format!("https://a.example/c?sv=1&sig={}", short.replace('=', "%3D")),
            short.replace('=', "%3D"),
        ),
        (
            "cosmos",
            "azure-cosmos-key",
            format!("AccountEndpoint=https://c.example:443/;AccountKey={long};"),
            long,
        ),
        (
            "servicebus",
            "azure-shared-access-key",
            format!("SharedAccessKeyName=r;SharedAccessKey={short}"),
            short,
        ),
        (
            "sql-password",
            "connection-string-password",
            "Server=s;Password=correct-horse;".to_owned(),
            "correct-horse".to_owned(),
        ),
    ];
    for (found, id, line, value) in samples {
        let config =
            leaks::gitleaks_config(&leaks::read(&json!([{ "RuleID": found, "Secret": "x" }]).to_string()));
        let rule = config.split("[[rules]]").find(|rule| rule.contains(&format!("id = \"{id}\""))).unwrap();
        let expression = regex::Regex::new(rule.split("'''").nth(1).unwrap()).unwrap();
        assert_eq!(expression.captures(&line).map(|found| found[1].to_owned()), Some(value), "{id}");
    }
    assert!(leaks::pre_commit_entry().contains("id: gitleaks"));
}
