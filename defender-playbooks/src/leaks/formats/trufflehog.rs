use std::collections::BTreeMap;

use arm_core::{Secret, wire};
use serde::Deserialize;

use super::{at, lines_before, some};
use crate::leaks::{Leak, LeakReport, Leaked, Place, Tested};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Finding {
    detector_name: String,
    source_metadata: Option<Metadata>,
    #[serde(default)]
    verified: bool,
    verification_error: Option<serde::de::IgnoredAny>,
    #[serde(default, with = "wire::secret::option")]
    raw: Option<Secret>,
    #[serde(default, with = "wire::secret::option")]
    redacted: Option<Secret>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "Data", default)]
    data: BTreeMap<String, Source>,
}

/// The members that the sources share, such as Git, GitHub, file systems and containers.
#[derive(Deserialize, Default)]
struct Source {
    repository: Option<String>,
    commit: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    link: Option<String>,
    email: Option<String>,
    image: Option<String>,
    bucket: Option<String>,
    container: Option<String>,
}

/// Reads one object per line, possibly with log messages of TruffleHog in between.
pub(super) fn read(text: &str) -> LeakReport {
    let mut report = LeakReport::default();
    for line in text.lines().filter(|line| line.trim_start().starts_with('{')) {
        let before = lines_before(text, line);
        match serde_json::from_str::<Finding>(line) {
            Ok(finding) => report.leaks.push(finding.leak()),
            Err(_) if is_message(line) => {}
            Err(error) if error.is_eof() => report.unread.push(at(before + 1, "the line is truncated")),
            Err(error) => report.unread.push(super::because(&error, before)),
        }
    }
    report
}

/// A log message has a level and no detector.
fn is_message(line: &str) -> bool {
    #[derive(Deserialize)]
    struct Message {
        #[serde(rename = "level")]
        _level: serde::de::IgnoredAny,
    }
    !line.contains("\"DetectorName\"") && serde_json::from_str::<Message>(line).is_ok()
}

impl Finding {
    fn leak(self) -> Leak {
        let source =
            self.source_metadata.and_then(|metadata| metadata.data.into_values().next()).unwrap_or_default();
        let container = source.image.or(source.bucket).or(source.container);
        let place = Place {
            repository: some(source.repository).or(some(container)),
            commit: some(source.commit),
            file: some(source.file),
            line: source.line.filter(|line| *line > 0),
            link: some(source.link),
            ..Place::default()
        };
        let mut leak = Leak::of("trufflehog", self.detector_name, place);
        leak.tested = match (self.verified, self.verification_error) {
            (true, _) => Tested::Works,
            (false, Some(_)) => Tested::Unclear,
            // This is also the case for a run without verification: the report does not distinguish them.
            (false, None) => Tested::Not,
        };
        leak.owner = some(source.email);
        leak.leaked = match self.raw.map_or(Leaked::Nothing, Leaked::value) {
            Leaked::Nothing => self.redacted.as_ref().map_or(Leaked::Nothing, Leaked::masked),
            value => value,
        };
        leak
    }
}
