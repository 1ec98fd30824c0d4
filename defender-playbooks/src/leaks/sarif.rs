use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Closing, Leak};

/// Returns leaks as SARIF 2.1, each with the result of a second scan. It contains no secret value.
///
/// A [`Gone`](Closing::Gone) leak has an accepted suppression with this justification. A
/// [`Dismissed`](Closing::Dismissed) one has an accepted suppression that says where it was dismissed. The suppression
/// of a leak that waits for a scan is under review, and a leak that is still there has none. GitHub code scanning does
/// not support suppressions: upload only leaks without one.
pub fn to_sarif(closed: &[(&Leak, Closing)], justification: &str) -> Value {
    let rules: BTreeSet<&str> = closed.iter().map(|(leak, _)| leak.rule.as_str()).collect();
    let rules: Vec<Value> =
        rules.into_iter().map(|rule| json!({ "id": rule, "shortDescription": { "text": rule } })).collect();
    let results: Vec<Value> =
        closed.iter().map(|(leak, closing)| result(leak, *closing, justification)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "defender-playbooks", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "results": results,
        }],
    })
}

fn result(leak: &Leak, closing: Closing, justification: &str) -> Value {
    let suppression =
        |status: &str, why: &str| json!([{ "kind": "external", "status": status, "justification": why }]);
    let suppressions = match closing {
        Closing::Gone => suppression("accepted", justification),
        Closing::Dismissed => {
            suppression("accepted", &format!("dismissed in {}, which has the reason", leak.scanner))
        }
        Closing::WaitingForScan => suppression("underReview", "waiting for the next scan"),
        Closing::StillThere => json!([]),
    };
    let mut result = json!({
        "ruleId": leak.rule,
        "level": "error",
        "message": { "text": format!("{} found a secret ({}) in {}", leak.scanner, leak.rule, leak.place) },
        "locations": [location(leak)],
        "suppressions": suppressions,
        "properties": { "scanner": leak.scanner, "closing": closing, "tested": leak.tested },
    });
    if let Some(commit) = &leak.place.commit {
        result["partialFingerprints"] = json!({ "commitSha": commit });
    }
    result
}

fn location(leak: &Leak) -> Value {
    let place = &leak.place;
    let mut location = json!({});
    if let Some(file) = &place.file {
        location["physicalLocation"] = json!({ "artifactLocation": { "uri": address(file) } });
        if let Some(line) = place.line.filter(|line| *line > 0) {
            location["physicalLocation"]["region"] = json!({ "startLine": line });
        }
    }
    let resource = place.resource.as_ref().map(|id| (id.as_str(), "resource"));
    if let Some((name, kind)) = resource.or(place.repository.as_deref().map(|name| (name, "module"))) {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name, "kind": kind }]);
    }
    location
}

/// A path as a URI reference.
pub(crate) fn address(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let parts = path.bytes().map(|byte| match byte {
        b'\\' => "/".to_owned(),
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    parts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaks::Place;

    #[test]
    fn a_path_is_a_uri_and_a_line_is_counted_from_one() {
        assert_eq!(address(r"a-b/c\d_e~1.rs x%"), "a-b/c/d_e~1.rs%20x%25");
        let at = |line: Option<u64>| {
            let place = Place { file: Some("f".to_owned()), line, ..Place::default() };
            location(&Leak::of("s", "r".to_owned(), place))["physicalLocation"]["region"].clone()
        };
        assert_eq!(at(Some(1)), json!({ "startLine": 1 }));
        assert_eq!((at(Some(0)), at(None)), (Value::Null, Value::Null));
    }
}
