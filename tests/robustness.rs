//! What must hold for any input: the bodies of the fuzz targets under proptest, from real shapes that were
//! bent. `PROPTEST_CASES=1000000` makes a long run of it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::{sync::LazyLock, time::Duration};

use arm_core::wire::{instant, iso_duration};
use azure_core::time::OffsetDateTime;
use contract_tests::{all_contracts, edges, fixture, payload, robustness};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

const IDS: &[&str] = &[
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-prod",
    "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/locations/westeurope/alerts/1_2",
    "/providers/Microsoft.Management/managementGroups/root",
    "https://kv-prod.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef",
    "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/assessments/a/subAssessments/b",
    "soc@example.com",
    "Microsoft.KeyVault/vaults",
];

/// A text, with some of its bytes replaced, removed or doubled.
fn bent(text: String) -> impl Strategy<Value = Vec<u8>> {
    let bends =
        vec((any::<Index>(), 0_u8..3, prop_oneof![any::<u8>(), Just(b'/'), Just(b'"'), Just(b'\\')]), 0..6);
    bends.prop_map(move |bends| {
        let mut bytes = text.clone().into_bytes();
        for (at, kind, byte) in bends {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match kind {
                _ if bytes.is_empty() => bytes.push(byte),
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

fn bent_id() -> impl Strategy<Value = String> {
    let text = proptest::sample::select(IDS).prop_flat_map(|id| bent(id.to_owned()));
    text.prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn bent_alerts() -> impl Strategy<Value = Vec<u8>> {
    bent(fixture("alerts/list.json").to_string())
}

fn bent_page() -> impl Strategy<Value = Vec<u8>> {
    const PAGES: &[&str] = &[
        r#"{"value":[{"a":"]}\"\\,"},[1,[2]],"x",3.5,true,null,{}],"nextLink":"https://management.azure.com/things?p=2"}"#,
        "{ \"nextLink\" : null , \"value\" : [ 1 , null ,\n 23 ] , \"count\" : [ 2 ] }",
        " [ {\"a\": 1} , null, 2 ] ",
        "\u{feff}{\"@odata.context\":\"c\",\"value\":[],\"more\":{\"value\":[1]}}",
    ];
    proptest::sample::select(PAGES).prop_flat_map(|page| bent(page.to_owned()))
}

fn bent_refusal() -> impl Strategy<Value = Vec<u8>> {
    bent(json!({ "error": { "code": "C", "message": "m", "details": [{ "code": "D" }], "innererror": { "code": "I" } } }).to_string())
}

fn bent_attack_path() -> impl Strategy<Value = Vec<u8>> {
    bent(fixture("attack_paths/row.json").to_string())
}

fn some_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-zA-Z$@.]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn ids_survive_any_text(text in any::<String>()) {
        robustness::ids(&text);
    }

    #[test]
    fn ids_survive_bent_ids(text in bent_id()) {
        robustness::ids(&text);
    }

    #[test]
    fn refusals_can_be_read_whatever_they_hold(body in prop_oneof![vec(any::<u8>(), 0..200), bent_refusal()]) {
        robustness::error_body(&body);
    }

    #[test]
    fn a_list_reads_item_by_item_what_its_pages_say(body in bent_page()) {
        robustness::list_page(&body);
    }

    #[test]
    fn texts_are_decoded_as_serde_json_does(body in prop_oneof![bent_page(), bent_alerts(), bent_attack_path()]) {
        robustness::json_text(&body);
    }

    #[test]
    fn alert_pages_are_decoded_or_refused(body in bent_alerts()) {
        robustness::alert_page(&body);
    }

    #[test]
    fn attack_paths_are_decoded_or_refused(body in bent_attack_path()) {
        robustness::attack_paths(&body);
    }

    #[test]
    fn no_text_ends_a_literal_of_a_query(text in prop_oneof![any::<String>(), "['\"\\\\|/a\n\u{2028}]{0,12}"]) {
        robustness::kql(&text);
    }

    #[test]
    fn durations_are_read_as_they_were_written(seconds in 0_u64..10_000_000_000, nanos in 0_u32..1_000_000_000) {
        let duration = Duration::new(seconds, nanos / 1000 * 1000);
        let read = iso_duration::parse(&iso_duration::format(duration)).unwrap();
        // The wire is read as a floating-point number of seconds.
        prop_assert!(read.abs_diff(duration) < Duration::from_micros(10), "{duration:?} came back as {read:?}");
    }

    #[test]
    fn instants_are_read_as_they_were_written(seconds in 0_i64..4_000_000_000, nanos in 0_i128..1_000_000_000) {
        let nanos = i128::from(seconds) * 1_000_000_000 + nanos;
        let moment = OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap();
        let text = instant::format(moment);
        let read: Moment = serde_json::from_value(json!({ "at": text })).unwrap();
        prop_assert_eq!(read.at, Some(moment));
    }
}

fn bent_edge() -> impl Strategy<Value = String> {
    let text = proptest::sample::select(edges::EDGES).prop_flat_map(|edge| bent(edge.to_owned()));
    prop_oneof![text.prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()), any::<String>()]
}

fn bent_rows() -> impl Strategy<Value = Vec<u8>> {
    let columns = json!([
        { "name": "TimeGenerated", "type": "datetime" },
        { "name": "OperationName", "type": "string" },
        { "name": "DurationMs", "type": "long" },
    ]);
    let rows = json!([["9999-12-31T23:59:59-01:00", "SecretGet", 1], ["", null, "NaN"], [1]]);
    bent(json!({ "tables": [{ "name": "PrimaryResult", "columns": columns, "rows": rows }] }).to_string())
}

fn bent_line() -> impl Strategy<Value = Vec<u8>> {
    proptest::sample::select(edges::EDGES).prop_flat_map(|time| {
        let line = json!({ "time": time, "vault": "kv", "secret": "db", "rotation": "r-1", "action": "begun", "source": "issuer" });
        bent(line.to_string())
    })
}

fn bent_finding() -> impl Strategy<Value = Vec<u8>> {
    bent(fixture("sub_assessments/get.json").to_string())
}

proptest! {
    #[test]
    fn instants_at_the_edge_of_time_are_read_as_they_were_written(text in bent_edge()) {
        edges::instants(&text);
    }

    #[test]
    fn durations_of_any_length_are_read_and_reckoned_with(text in bent_edge()) {
        edges::durations(&text);
    }

    #[test]
    fn rows_of_a_log_are_read_or_refused_one_by_one(body in bent_rows()) {
        edges::log_rows(&body);
    }

    #[test]
    fn ledger_lines_round_trip(line in bent_line()) {
        edges::ledger_line(&line);
    }

    #[test]
    fn findings_are_decoded_or_refused(body in bent_finding()) {
        edges::findings(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_header_says_the_call_ends(value in prop_oneof![bent_edge(), bent_id()]) {
        edges::headers(&value);
    }
}

#[test]
fn an_edge_of_time_or_number_anywhere_in_an_answer_is_read_or_refused_by_every_model() {
    edges::EDGES.iter().for_each(|edge| {
        edges::instants(edge);
        edges::durations(edge);
        edges::headers(edge);
    });
    let put: Vec<Value> = edges::EDGES
        .iter()
        .map(|edge| json!(edge))
        .chain([json!(u64::MAX), json!(i64::MIN), json!(1e308)])
        .collect();
    let mut tried = 0;
    for (_, contracts) in all_contracts() {
        for contract in contracts {
            let (Some(model), Some(answer)) = (contract.model.and_then(payload::model), contract.answer)
            else {
                continue;
            };
            let mut places = Vec::new();
            values("", &answer, &mut places);
            for place in places {
                // Each place gets two of them, in turn: every kind of place meets all.
                for value in [&put[tried % put.len()], &put[(tried + 5) % put.len()]] {
                    let mut changed = answer.clone();
                    *changed.pointer_mut(&place).unwrap() = value.clone();
                    model.survives(&changed);
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
}

#[derive(serde::Deserialize)]
struct Moment {
    #[serde(with = "instant::option")]
    at: Option<OffsetDateTime>,
}

/// Fields that are maps of the user's words: what is added there is the user's, not the service's.
const MAPS: &[&str] = &["customDetails", "customProperties", "tags", "userAssignedIdentities"];

fn objects(place: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.push(place.to_owned());
            for (name, value) in fields.iter().filter(|(name, _)| !MAPS.contains(&name.as_str())) {
                objects(&format!("{place}/{name}"), value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                objects(&format!("{place}/{index}"), item, found);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whatever_is_added_anywhere_to_what_is_written_back_survives(
        name in "[a-z]{1,6}Invented[A-Za-z]{0,4}",
        added in some_json(),
        place in any::<Index>(),
    ) {
        for (model, answer) in WRITTEN_BACK.iter() {
            let mut answer = answer.clone();
            let mut places = Vec::new();
            objects("", &answer, &mut places);
            let place = &places[place.index(places.len())];
            answer.pointer_mut(place).unwrap()[&name] = added.clone();
            let report = model.survives(&answer);
            prop_assert!(!report.has_failed(), "{}: {name} at {place}: {report}", model.name);
        }
    }

    #[test]
    fn whatever_stands_anywhere_in_what_is_written_back_survives_or_is_refused_by_its_place(
        put in some_json(),
        place in any::<Index>(),
    ) {
        for (model, answer) in WRITTEN_BACK.iter() {
            // An assessment is read whole: a value of another kind than text may go back as text.
            if model.name == "Assessment" {
                continue;
            }
            let mut places = Vec::new();
            values("", answer, &mut places);
            let place = &places[place.index(places.len())];
            let mut changed = answer.clone();
            *changed.pointer_mut(place).unwrap() = put.clone();
            let report = model.survives(&changed);
            // A model makes no sense without some of its members: then nothing is made of it, so nothing is written.
            if report.errors.is_empty() {
                prop_assert!(!report.has_failed(), "{}: {put} at {place}: {report}", model.name);
            }
        }
    }

    #[test]
    fn whatever_is_added_anywhere_to_what_is_exported_is_written_out(added in some_json(), place in any::<Index>()) {
        for (model, answer) in EXPORTED.iter() {
            let mut answer = answer.clone();
            let mut places = Vec::new();
            objects("", &answer, &mut places);
            let place = &places[place.index(places.len())];
            answer.pointer_mut(place).unwrap()["inventedByTheService"] = added.clone();
            let report = model.survives(&answer);
            prop_assert!(!report.has_failed(), "{} at {place}: {report}", model.name);
        }
    }
}

/// Every model that is written out as it came, with an answer.
static EXPORTED: LazyLock<Vec<(&'static payload::Model, Value)>> = LazyLock::new(|| {
    let contracts = all_contracts().into_iter().flat_map(|(_, contracts)| contracts);
    let model_and_answer = |it: contract_tests::Contract| {
        let (model, answer) = it.model.and_then(payload::model).zip(it.answer)?;
        Some((model, answer.pointer("/value/0").cloned().unwrap_or(answer)))
    };
    // What the contracts do not say the model of: a row of Resource Graph, an answer of Microsoft Graph, a list in an answer.
    let path = include_str!("fixtures/attack_paths/row.json");
    let principal =
        r#"{"id":"00000000-0000-0000-0000-0000000000b1","displayName":"ci","accountEnabled":true}"#;
    let alerts: Value = serde_json::from_str(include_str!("fixtures/incidents/alerts.json")).unwrap();
    let alert = alerts["value"][0].to_string();
    let others = [("AttackPath", path), ("DirectoryPrincipal", principal), ("IncidentAlert", &alert)]
        .map(|(model, text)| (payload::model(model).unwrap(), serde_json::from_str(text).unwrap()));
    let answers = contracts.filter_map(model_and_answer).chain(others);
    answers.filter(|(model, _)| model.kind == payload::Kind::Exported).collect()
});

/// Every model that is written back, with what the service answers to the write.
static WRITTEN_BACK: LazyLock<Vec<(&'static payload::Model, Value)>> = LazyLock::new(|| {
    let contracts = all_contracts().into_iter().flat_map(|(_, contracts)| contracts);
    let writes = contracts.filter(|it| ["PATCH", "PUT"].contains(&it.request.method.as_str()));
    let model_and_answer = |it: contract_tests::Contract| it.model.and_then(payload::model).zip(it.answer);
    writes.filter_map(model_and_answer).filter(|(model, _)| model.kind == payload::Kind::WriteBack).collect()
});

#[test]
fn every_model_that_is_written_back_or_out_is_tried() {
    let tried: Vec<&str> = WRITTEN_BACK.iter().chain(EXPORTED.iter()).map(|(model, _)| model.name).collect();
    for model in payload::MODELS.iter().filter(|model| model.kind != payload::Kind::ReadOnly) {
        assert!(tried.contains(&model.name), "{}", model.name);
    }
}

#[test]
fn a_member_that_cannot_be_read_does_not_hide_the_others() {
    // What each model cannot do without, beside its id and name.
    const NEEDED: &[(&str, &[&str])] = &[
        ("ActionGroup", &["/properties", "/properties/groupShortName", "/properties/enabled"]),
        ("AlertRule", &["/kind", "/properties"]),
        ("Assessment", &["/properties"]),
        ("AssessmentMetadata", &["/properties"]),
        ("Automation", &["/properties"]),
        ("DataConnector", &["/properties"]),
        ("DiagnosticSetting", &["/properties"]),
        ("GovernanceAssignment", &["/properties"]),
        ("Incident", &["/properties", "/properties/title", "/properties/severity", "/properties/status"]),
        ("OnboardingState", &["/properties"]),
        ("PolicyExemption", &["/properties"]),
        ("Pricing", &["/properties", "/properties/pricingTier"]),
        ("ResourceGroup", &["/location"]),
        ("ScheduledQueryRule", &["/properties"]),
        ("SecurityContact", &["/properties"]),
        ("StandardAssignment", &["/properties"]),
        ("SuppressionRule", &["/properties"]),
        (
            "Vault",
            &[
                "/location",
                "/properties",
                "/properties/tenantId",
                "/properties/sku",
                "/properties/sku/family",
                "/properties/sku/name",
            ],
        ),
        ("Workspace", &["/properties"]),
    ];
    for (model, answer) in WRITTEN_BACK.iter() {
        // An assessment is read whole, since lists of them are long: an odd value costs its row.
        if model.name == "Assessment" {
            continue;
        }
        let needed =
            NEEDED.iter().find(|(name, _)| *name == model.name).map_or(&[][..], |(_, needed)| needed);
        let mut places = Vec::new();
        values("", answer, &mut places);
        for place in places.iter().filter(|place| !["/id", "/name"].contains(&place.as_str())) {
            let mut changed = answer.clone();
            *changed.pointer_mut(place).unwrap() = json!([{ "unreadable": [1] }]);
            let report = model.survives(&changed);
            let stops = needed.contains(&place.as_str());
            assert!(stops || !report.has_failed(), "{} without {place}: {report}", model.name);
        }
    }
}

/// The places of all values, outer ones first.
fn values(place: &str, value: &Value, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect(),
        _ => Vec::new(),
    };
    for (step, value) in inner {
        let place = format!("{place}/{}", step.replace('~', "~0").replace('/', "~1"));
        found.push(place.clone());
        values(&place, value, found);
    }
}
