use std::{collections::BTreeSet, fmt::Write as _};

use super::LeakReport;

/// Rules for credentials that Azure issues: words in scanners' names for them, the name of our rule, and its regular
/// expression.
const FORMATS: [Format; 6] = [
    (&["storage"], "azure-storage-key", r"(?i)AccountKey=([A-Za-z0-9+/]{86}==)"),
    (
        &["client-secret", "client_secret", "activedirectory", "active_directory", "azure-ad"],
        "entra-client-secret",
        r"(?:^|[^A-Za-z0-9_~.-])([A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})(?:$|[^A-Za-z0-9_~.-])",
    ),
    (&["sas"], "azure-sas", r"(?i)[?&]sig=([A-Za-z0-9%+/]{43,}(?:=|%3D))"),
    (&["cosmos"], "azure-cosmos-key", r"(?i)AccountEndpoint=https://[^;]+;AccountKey=([A-Za-z0-9+/]{86}==)"),
    (
        &["servicebus", "service_bus", "eventhub", "event_hub"],
        "azure-shared-access-key",
        r"(?i)SharedAccessKey=([A-Za-z0-9+/]{43}=)",
    ),
    (
        &["sql", "password", "connection", "basic auth"],
        "connection-string-password",
        r#"(?i)(?:Password|Pwd)\s*=\s*([^;"'\s]{8,})"#,
    ),
];

/// Returns a gitleaks configuration with rules for the kinds of secrets that were found, in addition to gitleaks's
/// default rules. Kinds without such a rule are listed in a comment.
pub fn gitleaks_config(report: &LeakReport) -> String {
    let found: BTreeSet<String> = report.leaks.iter().map(|leak| leak.rule.to_lowercase()).collect();
    let due: BTreeSet<&str> = found.iter().flat_map(|rule| known(rule)).map(|(_, id, _)| *id).collect();
    let mut text = "title = \"secrets that leaked before\"\n\n[extend]\nuseDefault = true\n".to_owned();
    for (_, id, expression) in FORMATS.iter().filter(|(_, id, _)| due.contains(id)) {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "\n[[rules]]\nid = \"{id}\"\ndescription = \"{id}, which leaked before\"\nregex = '''{expression}'''\nsecretGroup = 1\n"
        );
    }
    let others: Vec<String> = found
        .iter()
        .filter(|rule| known(rule).next().is_none())
        .map(|rule| arm_core::printable(rule).to_string())
        .collect();
    if !others.is_empty() {
        let _ = write!(
            text,
            "\n# Also found, and covered by the default rules of gitleaks: {}\n",
            others.join(", ")
        );
    }
    text
}

/// Returns the entry for `.pre-commit-config.yaml` that runs gitleaks before each commit.
pub fn pre_commit_entry() -> &'static str {
    "repos:\n  - repo: https://github.com/gitleaks/gitleaks\n    rev: v8.30.1\n    hooks:\n      - id: gitleaks\n"
}

/// The formats that a rule's name refers to.
fn known(rule: &str) -> impl Iterator<Item = &'static Format> {
    FORMATS.iter().filter(move |(words, ..)| words.iter().any(|word| rule.contains(word)))
}

type Format = (&'static [&'static str], &'static str, &'static str);
