//! Builds a sample value of a schema for a fixture, with every member and without real names.

use serde_json::{Map, Value, json};

use crate::{
    rust::members,
    specification::{Schema, Specification},
};

const DEPTH: usize = 8;

/// A sample value of a schema, for the member `name`.
pub(crate) fn sample(
    specification: &mut Specification,
    schema: &Schema,
    name: &str,
    depth: usize,
) -> Result<Value, String> {
    let schema = specification.resolve(schema)?;
    let value = &schema.value;
    if depth > DEPTH {
        return Ok(Value::Null);
    }
    Ok(match value["type"].as_str() {
        Some("string") => match (value["enum"][0].as_str(), value["format"].as_str(), name) {
            (Some(word), _, _) => json!(word),
            (_, Some("date-time"), _) => json!("2026-01-31T12:00:00Z"),
            (_, Some("duration"), _) => json!("PT5M"),
            (_, Some("uuid"), _) | (_, _, "tenantId" | "principalId") => {
                json!("00000000-0000-0000-0000-000000000002")
            }
            (_, _, "subscriptionId") => json!("00000000-0000-0000-0000-000000000001"),
            (_, _, "id") => json!("/subscriptions/00000000-0000-0000-0000-000000000001/example"),
            (_, _, other) => json!(format!("an example of {other}")),
        },
        Some("boolean") => json!(true),
        Some("integer") => json!(3),
        Some("number") => json!(0.5),
        Some("array") => json!([sample(specification, &schema.child(&value["items"]), name, depth + 1)?]),
        _ => {
            let mut all = Map::new();
            for (member, _, property) in members(specification, &schema)? {
                let one = sample(specification, &property, &member, depth + 1)?;
                all.insert(member, one);
            }
            if value["additionalProperties"].is_object() {
                let inner = schema.child(&value["additionalProperties"]);
                all.insert("key".to_owned(), sample(specification, &inner, "key", depth + 1)?);
            }
            Value::Object(all)
        }
    })
}
