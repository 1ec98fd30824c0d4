use std::collections::BTreeMap;

use arm_core::{Secret, wire};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines_before;
use crate::leaks::{Leak, LeakReport, Leaked, LeakedHash, Place, Tested};

#[derive(Deserialize)]
struct Baseline<'a> {
    #[serde(borrow)]
    results: BTreeMap<String, Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Finding {
    #[serde(rename = "type")]
    kind: String,
    #[serde(with = "wire::secret")]
    hashed_secret: Secret,
    #[serde(default)]
    is_verified: bool,
    line_number: Option<u64>,
    is_secret: Option<bool>,
}

pub(super) fn read(text: &str) -> LeakReport {
    let text = text.trim_start_matches('\u{feff}');
    let baseline: Baseline<'_> = match serde_json::from_str(text) {
        Ok(baseline) => baseline,
        Err(error) => return LeakReport::unreadable(&error),
    };
    let mut report = LeakReport::default();
    for (file, findings) in baseline.results {
        for raw in findings {
            let leak = |finding: Finding| finding.leak(file.clone());
            report.take(serde_json::from_str(raw.get()), lines_before(text, raw.get()), leak);
        }
    }
    report
}

impl Finding {
    fn leak(self, file: String) -> Leak {
        let place = Place { file: Some(file), line: self.line_number, ..Place::default() };
        let mut leak = Leak::of("detect-secrets", self.kind, place);
        leak.tested = if self.is_verified { Tested::Works } else { Tested::Not };
        leak.dismissed = self.is_secret == Some(false);
        let hash = self.hashed_secret.expose().to_ascii_lowercase();
        leak.leaked = Leaked::Hash(LeakedHash::Sha1(hash.into()));
        leak
    }
}
