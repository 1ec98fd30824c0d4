//! Answers of a service that has moved on.

use serde_json::{Map, Value};

/// A field that no model names.
const INVENTED_FIELD: &str = "inventedByTheService";
const INVENTED_WORD: &str = "InventedWord";

/// Fields whose word chooses the shape of what stands beside it.
const KINDS: &[&str] = &["actionType", "assessedResourceType", "kind", "odata.type", "source", "type"];
/// Objects that are maps from the user's words to the user's words.
const MAPS: &[&str] = &["tags"];

/// Objects that are maps from ids to objects.
const MAPS_OF_OBJECTS: &[&str] = &["userAssignedIdentities"];

/// The same answer with an invented field in every object, and an invented word in place of every word that
/// could be an enum's. `fixed` are fields to leave alone.
pub fn with_unknowns(answer: &Value, keep_kinds: bool, fixed: &[&str]) -> Value {
    let leave = |key: &str| fixed.contains(&key) || (keep_kinds && KINDS.contains(&key));
    change("", answer, &leave)
}

fn change(key: &str, value: &Value, leave: &dyn Fn(&str) -> bool) -> Value {
    match value {
        _ if leave(key) || MAPS.contains(&key) => value.clone(),
        Value::Object(object) => {
            let mut changed: Map<String, Value> =
                object.iter().map(|(key, value)| (key.clone(), change(key, value, leave))).collect();
            if !MAPS_OF_OBJECTS.contains(&key) {
                changed.insert(INVENTED_FIELD.to_owned(), "kept".into());
            }
            changed.into()
        }
        Value::Array(items) => items.iter().map(|item| change(key, item, leave)).collect(),
        Value::String(text) if is_word(text) => INVENTED_WORD.into(),
        other => other.clone(),
    }
}

/// Whether a text could be an enum's: not an id, a URL, a time, a duration, a GUID, a flag or a sentence.
fn is_word(text: &str) -> bool {
    let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let flag = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    letters && begins && !flag && !is_duration(text) && !is_guid(text) && text.len() < 64
}

fn is_duration(text: &str) -> bool {
    text.strip_prefix('P').is_some_and(|rest| {
        rest.contains(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || "TDHMSWY.".contains(c))
    })
}

fn is_guid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
