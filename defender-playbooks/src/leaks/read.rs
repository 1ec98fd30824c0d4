use serde::Deserialize;

use super::{
    formats,
    report::{LeakReport, ReportFormat, Unread, elements},
};

/// Reads a scanner's report. The format is detected.
///
/// The values in it are kept only in memory that is wiped when dropped; wiping `text` is up to you. A finding that
/// cannot be read is reported with its line number, and the others are still read. If the JSON itself is broken or
/// truncated, reading stops there. Of a SARIF report or a detect-secrets baseline, nothing is then read; of
/// TruffleHog's lines, only the broken ones are not.
///
/// ```
/// let report = r#"[{"RuleID":"azure-storage","Secret":"REDACTED","File":"app.env","StartLine":3,"Commit":"c0"}]"#;
/// let found = defender_playbooks::leaks::read(report);
/// assert!(found.is_complete());
/// assert_eq!(found.leaks[0].place.to_string(), "app.env:3 at c0");
/// ```
pub fn read(text: &str) -> LeakReport {
    match recognise(text) {
        Some(format) => formats::read(format, text),
        None => LeakReport { leaks: Vec::new(), unread: vec![unknown(text)] },
    }
}

/// Like [`read`](self::read), but for a report that may not name its repository, such as one of gitleaks, SARIF or
/// detect-secrets.
pub fn read_in(repository: &str, text: &str) -> LeakReport {
    let mut report = read(text);
    for leak in &mut report.leaks {
        leak.place.repository.get_or_insert_with(|| repository.to_owned());
    }
    report
}

/// The members by which the formats are distinguished.
#[derive(Deserialize)]
struct Members {
    runs: Option<serde::de::IgnoredAny>,
    results: Option<serde::de::IgnoredAny>,
    #[serde(rename = "DetectorName")]
    detector: Option<serde::de::IgnoredAny>,
    #[serde(rename = "RuleID")]
    rule: Option<serde::de::IgnoredAny>,
    secret_type: Option<serde::de::IgnoredAny>,
}

fn recognise(text: &str) -> Option<ReportFormat> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if let Some(inside) = text.strip_prefix('[') {
        let (elements, _) = elements(text);
        let known = elements.iter().find_map(|raw| {
            let members: Members = serde_json::from_str(raw.get()).ok()?;
            match (members.rule, members.secret_type) {
                (Some(_), _) => Some(ReportFormat::Gitleaks),
                (_, Some(_)) => Some(ReportFormat::GitHub),
                _ => None,
            }
        });
        // An empty list is an empty report in either format.
        let is_empty = elements.is_empty() && inside.trim_start().starts_with(']');
        return known.or(is_empty.then_some(ReportFormat::Gitleaks));
    }
    let whole = serde_json::from_str::<Members>(text).ok();
    let lines = || text.lines().filter_map(|line| serde_json::from_str::<Members>(line).ok());
    match whole {
        Some(Members { runs: Some(_), .. }) => Some(ReportFormat::Sarif),
        Some(Members { results: Some(_), .. }) => Some(ReportFormat::DetectSecrets),
        _ if lines().any(|line| line.detector.is_some()) => Some(ReportFormat::Trufflehog),
        // A truncated report cannot be read as a whole.
        None if text.starts_with('{') && text.contains("\"runs\"") => Some(ReportFormat::Sarif),
        None if text.starts_with('{') && text.contains("\"hashed_secret\"") => {
            Some(ReportFormat::DetectSecrets)
        }
        _ => None,
    }
}

fn unknown(text: &str) -> Unread {
    let why = match text.trim().is_empty() {
        true => "the report is empty; a scanner that found nothing writes an empty list",
        false => {
            "this is not a report of gitleaks, TruffleHog, GitHub secret scanning or detect-secrets, and not SARIF"
        }
    };
    Unread { line: 1, why: why.to_owned() }
}
