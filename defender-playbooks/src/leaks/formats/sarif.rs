use std::collections::BTreeMap;

use arm_core::{Secret, wire};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{gitleaks, lines_before, some};
use crate::leaks::{Leak, LeakReport, Leaked, LeakedHash, Place};

#[derive(Deserialize)]
struct Log<'a> {
    #[serde(borrow)]
    runs: Vec<Run<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    #[serde(borrow, default)]
    results: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    version_control_provenance: Option<Vec<Provenance>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Driver,
}

#[derive(Deserialize)]
struct Driver {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance {
    repository_uri: Option<String>,
    revision_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: Option<String>,
    kind: Option<String>,
    #[serde(default)]
    locations: Option<Vec<Location>>,
    #[serde(default)]
    partial_fingerprints: Option<BTreeMap<String, wireless::Fingerprint>>,
    #[serde(default)]
    suppressions: Option<Vec<Suppression>>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Option<Physical>,
    #[serde(default)]
    logical_locations: Option<Vec<Logical>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Option<Artifact>,
    region: Option<Region>,
}

#[derive(Deserialize)]
struct Artifact {
    uri: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: Option<u64>,
    snippet: Option<Snippet>,
}

#[derive(Deserialize)]
struct Snippet {
    #[serde(default, with = "wire::secret::option")]
    text: Option<Secret>,
}

/// A fingerprint may be the hash of a secret.
mod wireless {
    use arm_core::{Secret, wire};
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(transparent)]
    pub(super) struct Fingerprint(#[serde(with = "wire::secret")] pub(super) Secret);
}

pub(super) fn read(text: &str) -> LeakReport {
    let text = text.trim_start_matches('\u{feff}');
    let log: Log<'_> = match serde_json::from_str(text) {
        Ok(log) => log,
        Err(error) => return LeakReport::unreadable(&error),
    };
    let mut report = LeakReport::default();
    for run in log.runs {
        let Some(results) = run.results else {
            report.unread.push(super::at(1, "a run has no results: the scanner did not run"));
            continue;
        };
        let origin = run.version_control_provenance.unwrap_or_default().into_iter().next();
        for raw in results {
            match serde_json::from_str::<Finding>(raw.get()) {
                Ok(finding) if finding.is_a_finding() => {
                    report.leaks.push(finding.leak(&run.tool.driver.name, origin.as_ref()));
                }
                Ok(_) => {}
                Err(error) => report.unread.push(super::because(&error, lines_before(text, raw.get()))),
            }
        }
    }
    report
}

impl Finding {
    fn is_a_finding(&self) -> bool {
        matches!(self.kind.as_deref(), None | Some("fail" | "open" | "review"))
    }

    fn leak(self, driver: &str, origin: Option<&Provenance>) -> Leak {
        let location = self.locations.unwrap_or_default().into_iter().next().unwrap_or_default();
        let names = location.logical_locations.unwrap_or_default();
        let resource = names.iter().find_map(|name| name.fully_qualified_name.as_deref()?.parse().ok());
        let (artifact, region) =
            location.physical_location.map_or((None, None), |it| (it.artifact_location, it.region));
        let mut prints = self.partial_fingerprints.unwrap_or_default();
        let mut print = |name: &str| prints.remove(name).and_then(|it| some(Some(it.0.expose().to_owned())));
        let place = Place {
            repository: origin.and_then(|it| some(it.repository_uri.clone())),
            commit: print("commitSha").or(origin.and_then(|it| some(it.revision_id.clone()))),
            file: artifact.and_then(|it| some(it.uri)),
            line: region.as_ref().and_then(|it| it.start_line),
            resource,
            link: None,
        };
        let email = print("email");
        let mut leak = Leak::of(driver, self.rule_id.unwrap_or_else(|| "unnamed".to_owned()), place);
        leak.owner = email;
        leak.dismissed = self.suppressions.is_some_and(|all| {
            !all.is_empty() && all.iter().all(|it| matches!(it.status.as_deref(), None | Some("accepted")))
        });
        let snippet = region.and_then(|it| it.snippet).and_then(|it| it.text);
        leak.leaked = match snippet {
            // In a report of gitleaks, the snippet is the secret; in others, it is the line.
            Some(text) if driver.eq_ignore_ascii_case("gitleaks") => gitleaks::leaked(Some(text), None),
            Some(text) => match Leaked::value(text) {
                Leaked::Value(text) => Leaked::Text(text),
                other => other,
            },
            None => hash(prints),
        };
        leak
    }
}

/// TruffleHog writes the SHA-256 of the secret. Other fingerprints of that length never match the hash of a value.
fn hash(prints: BTreeMap<String, wireless::Fingerprint>) -> Leaked {
    let digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let found = prints.into_values().find(|it| digest(it.0.expose()));
    found.map_or(Leaked::Nothing, |it| {
        Leaked::Hash(LeakedHash::Sha256(it.0.expose().to_ascii_lowercase().into()))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_scanner_reports_as_passed_or_for_information_is_no_leak() {
        let result =
            |kind: Option<&str>| json!({ "ruleId": kind.unwrap_or("none"), "kind": kind, "message": {} });
        let kinds = [
            None,
            Some("fail"),
            Some("open"),
            Some("review"),
            Some("pass"),
            Some("notApplicable"),
            Some("informational"),
        ];
        let results: Vec<_> = kinds.into_iter().map(result).collect();
        let log = json!({ "runs": [{ "tool": { "driver": { "name": "s" } }, "results": results }] });
        let report = read(&log.to_string());
        let rules: Vec<&str> = report.leaks.iter().map(|leak| leak.rule.as_str()).collect();
        assert_eq!(rules, ["none", "fail", "open", "review"]);
        assert!(report.is_complete(), "{:?}", report.unread);
    }
}
