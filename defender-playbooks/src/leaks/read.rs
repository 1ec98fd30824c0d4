use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Leak, formats};

/// What the reports of scanners say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakReport {
    /// What was found.
    pub leaks: Vec<Leak>,
    /// What could not be read. As long as there is any, the report is not the whole truth.
    pub unread: Vec<Unread>,
}

impl LeakReport {
    /// Adds what another report says.
    pub fn join(mut self, other: Self) -> Self {
        self.leaks.extend(other.leaks);
        self.unread.extend(other.unread);
        self
    }

    /// Whether everything could be read.
    pub fn is_complete(&self) -> bool {
        self.unread.is_empty()
    }
}

/// A part of a report that could not be read. It never quotes the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Unread {
    /// The line, from 1, on which the part begins or the reading stopped.
    pub line: usize,
    /// Why.
    pub why: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// A format of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportFormat {
    /// The JSON report of gitleaks.
    Gitleaks,
    /// SARIF 2.1, of any scanner.
    Sarif,
    /// The JSON lines of TruffleHog.
    Trufflehog,
    /// Secret scanning alerts, as GitHub's REST API lists them.
    GitHub,
    /// A baseline of detect-secrets.
    DetectSecrets,
}

/// Reads a scanner's report, whose format it recognises.
///
/// The values in it are held in memory that is wiped, and nowhere else; `text` is yours to wipe. A part that cannot be
/// read is named by its line, and the rest is read.
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

/// The same for a report that does not name its repository: a report of gitleaks, SARIF or a baseline.
pub fn read_in(repository: &str, text: &str) -> LeakReport {
    let mut report = read(text);
    for leak in &mut report.leaks {
        leak.place.repository.get_or_insert_with(|| repository.to_owned());
    }
    report
}

/// The members by which the formats are told apart.
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
        // An empty list is an empty report of either.
        let is_empty = elements.is_empty() && inside.trim_start().starts_with(']');
        return known.or(is_empty.then_some(ReportFormat::Gitleaks));
    }
    let whole = serde_json::from_str::<Members>(text).ok();
    let lines = || text.lines().filter_map(|line| serde_json::from_str::<Members>(line).ok());
    match whole {
        Some(Members { runs: Some(_), .. }) => Some(ReportFormat::Sarif),
        Some(Members { results: Some(_), .. }) => Some(ReportFormat::DetectSecrets),
        _ if lines().any(|line| line.detector.is_some()) => Some(ReportFormat::Trufflehog),
        // One that was cut off cannot be read as a whole.
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
            "this is no report of gitleaks, TruffleHog, GitHub secret scanning or detect-secrets, and no SARIF"
        }
    };
    Unread { line: 1, why: why.to_owned() }
}

/// The elements of a list, and where reading stopped before its end.
pub(super) fn elements(text: &str) -> (Vec<&RawValue>, Option<Unread>) {
    let mut found = Vec::new();
    let stopped = {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = deserializer.deserialize_seq(Collect(&mut found));
        read.and_then(|()| deserializer.end()).err()
    };
    (found, stopped.map(|error| because(&error, 0)))
}

struct Collect<'a, 'de>(&'a mut Vec<&'de RawValue>);

impl<'de> Visitor<'de> for Collect<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            self.0.push(element);
        }
        Ok(())
    }
}

/// Why a part could not be read, in words that quote nothing: serde's own message would.
pub(super) fn because(error: &serde_json::Error, lines_before: usize) -> Unread {
    use serde_json::error::Category;
    let why = match error.classify() {
        Category::Eof => "the report ends in the middle",
        Category::Syntax => "this is no JSON",
        Category::Data => "a member is missing, or is not of the type that the format has",
        Category::Io => "it cannot be read",
    };
    let line = lines_before + error.line().max(1);
    Unread { line, why: format!("{why} (column {})", error.column()) }
}

/// How many lines of the text lie before a part of it.
pub(super) fn lines_before(text: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}
