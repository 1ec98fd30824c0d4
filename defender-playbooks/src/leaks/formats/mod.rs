//! The report formats, with one file each.

mod defender;
mod detect_secrets;
mod github;
mod gitleaks;
mod sarif;
mod trufflehog;

use serde::de::DeserializeOwned;

pub(crate) use defender::DEFENDER;
pub use defender::of_defender;

use super::{
    Leak, LeakReport, ReportFormat,
    report::{at, because, elements, lines_before, some},
};

pub(super) fn read(format: ReportFormat, text: &str) -> LeakReport {
    let mut report = match format {
        ReportFormat::Gitleaks => list(text, gitleaks::Finding::leak),
        ReportFormat::GitHub => list(text, github::Alert::leak),
        ReportFormat::Trufflehog => trufflehog::read(text),
        ReportFormat::Sarif => sarif::read(text),
        ReportFormat::DetectSecrets => detect_secrets::read(text),
    };
    report.leaks = report.leaks.into_iter().map(Leak::without_value).collect();
    report
}

/// Reads a list of findings, each independently.
fn list<T: DeserializeOwned>(text: &str, leak: impl Fn(T) -> Leak) -> LeakReport {
    let text = text.trim_start_matches('\u{feff}');
    let (elements, stopped) = elements(text);
    let mut report = LeakReport::default();
    for raw in elements {
        report.take(serde_json::from_str(raw.get()), lines_before(text, raw.get()), &leak);
    }
    report.unread.extend(stopped);
    report
}
