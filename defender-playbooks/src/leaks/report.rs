//! The content of a report, the parts of it that cannot be read, and where they are.

use std::fmt;

use serde::{
    Deserializer, Serialize,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Leak;

/// The content of scanners' reports.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakReport {
    /// The leaks that were found.
    pub leaks: Vec<Leak>,
    /// The parts that could not be read. Unless this is empty, the report is incomplete.
    pub unread: Vec<Unread>,
}

impl LeakReport {
    /// Adds the content of another report.
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
    /// The line number, starting at 1, where the part begins or reading stopped; 0 if the report is not a text.
    pub line: usize,
    /// The reason.
    pub why: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.why),
            line => write!(f, "line {line}: {}", self.why),
        }
    }
}

/// A report format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReportFormat {
    /// The JSON report of gitleaks.
    Gitleaks,
    /// SARIF 2.1, from any scanner.
    Sarif,
    /// The JSON lines of TruffleHog.
    Trufflehog,
    /// Secret scanning alerts, as listed by GitHub's REST API.
    GitHub,
    /// A detect-secrets baseline.
    DetectSecrets,
}

/// The elements of a list, and where reading stopped if that was before its end.
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

/// Why a part could not be read, without quoting it as serde's own message would.
pub(super) fn because(error: &serde_json::Error, lines_before: usize) -> Unread {
    use serde_json::error::Category;
    let why = match error.classify() {
        Category::Eof => "the report is truncated",
        Category::Syntax => "this is not JSON",
        Category::Data => "a member is missing or has the wrong type",
        Category::Io => "it cannot be read",
    };
    let line = lines_before + error.line().max(1);
    Unread { line, why: format!("{why} (column {})", error.column()) }
}

/// The number of lines of the text before one of its parts.
pub(super) fn lines_before(text: &str, part: &str) -> usize {
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}

impl LeakReport {
    pub(super) fn take<T>(
        &mut self,
        read: serde_json::Result<T>,
        lines_before: usize,
        leak: impl Fn(T) -> Leak,
    ) {
        match read {
            Ok(finding) => self.leaks.push(leak(finding)),
            Err(error) => self.unread.push(because(&error, lines_before)),
        }
    }

    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self { leaks: Vec::new(), unread: vec![because(error, 0)] }
    }
}

/// A text that is present and not blank.
pub(super) fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

pub(super) fn at(line: usize, why: &str) -> Unread {
    Unread { line, why: why.to_owned() }
}
