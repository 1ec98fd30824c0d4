//! What the program writes for machines is what `lab.schema.json` says, command by command.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

use lab_examples::{
    Lab,
    cli::Options,
    quiz,
    screen::{self, Screen},
    tasks::PARTS,
};
use serde_json::Value;

#[test]
fn the_schema_in_the_crate_is_that_of_the_program() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/lab.schema.json");
    let schema = format!("{:#}\n", screen::schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == schema, "not up to date: UPDATE_SCHEMA=1 cargo test -p lab-examples --test schema");
}

/// What of a value is not as a schema says: the part of JSON Schema that ours uses, and no member that it does not name.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        return faults(root, root.pointer(name.trim_start_matches('#')).unwrap(), value, at);
    }
    for either in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[either].as_array() {
            let fits = choices.iter().any(|choice| faults(root, choice, value, at).is_empty());
            return if fits { Vec::new() } else { vec![format!("{at}: no choice fits {value}")] };
        }
    }
    if !schema["const"].is_null() {
        return if schema["const"] == *value { Vec::new() } else { vec![format!("{at}: {value}")] };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        kind => kind.as_str().into_iter().collect(),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let mut found = Vec::new();
    if !kinds.is_empty() && !kinds.contains(&kind) {
        found.push(format!("{at}: {kind} is none of {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    if schema["format"] == "date-time"
        && let Some(text) = value.as_str()
        && arm_core::wire::instant::parse(text).is_none()
    {
        found.push(format!("{at}: '{text}' is no instant"));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}: no '{name}'"));
        }
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(schema) => found.extend(faults(root, schema, member, &format!("{at}/{name}"))),
            None => found.push(format!("{at}: '{name}' is not in the schema")),
        }
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(faults(root, &schema["items"], item, &format!("{at}/{place}")));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_command_writes_is_as_the_schema_says() {
    let root = screen::schema();
    for dry_run in [false, true] {
        for part in PARTS {
            let options = Options { dry_run, ..Options::default() };
            let lab = Lab::with_screen(options, Screen::silent()).await.unwrap();
            assert!(lab.run_alone(part).await);
            let record = lab.screen.recorded();
            let written = serde_json::to_value(&record).unwrap();
            assert_eq!(faults(&root, &root, &written, part.name), [""; 0]);
            assert_eq!(written["subscription"], mock_azure::DEFAULT_SUBSCRIPTION);
            assert!(
                written["tenant"].is_string() && written["live"] == false && written["started"].is_string()
            );
        }
    }
    let screen = Screen::silent();
    quiz::answers(&screen);
    let written = serde_json::to_value(screen.recorded()).unwrap();
    assert_eq!(faults(&root, &root, &written, "quiz"), [""; 0]);
}

#[test]
fn what_is_not_as_the_schema_says_is_seen() {
    let root = screen::schema();
    let screen = Screen::silent();
    quiz::answers(&screen);
    let right = serde_json::to_value(screen.recorded()).unwrap();
    for (place, wrong) in [
        ("/version", "1".into()),
        ("/started", "yesterday".into()),
        ("/parts/0/state", "odd".into()),
        ("/parts/0/steps/0", serde_json::json!({})),
        ("/parts/0/tables/0/rows/0/0", 1.into()),
    ] {
        let mut value = right.clone();
        *value.pointer_mut(place).unwrap() = wrong;
        assert_ne!(faults(&root, &root, &value, ""), [""; 0], "{place}");
    }
}
