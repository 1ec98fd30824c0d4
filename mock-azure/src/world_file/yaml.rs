//! Converts YAML to JSON.

use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// Parses a text with at most one document. A text without one is an empty object.
pub(super) fn value(text: &str) -> Result<Value, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| format!("not YAML: {error}"))?;
    match documents.as_slice() {
        [] => Ok(Value::Object(Map::new())),
        [document] => json(document),
        several => Err(format!("expected one YAML document, found {}", several.len())),
    }
}

fn json(yaml: &Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null | Yaml::BadValue => Value::Null,
        Yaml::Boolean(it) => Value::Bool(*it),
        Yaml::Integer(it) => Value::from(*it),
        Yaml::Real(text) => {
            let number = text.parse().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or_else(|| format!("'{text}' is not a JSON number"))?)
        }
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Array(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Hash(members) => {
            let mut all = Map::new();
            for (name, value) in members {
                let name = name.as_str().ok_or("a name is not text: put it in quotes")?;
                all.insert(name.to_owned(), json(value)?);
            }
            Value::Object(all)
        }
        Yaml::Alias(_) => return Err("aliases are not read".to_owned()),
    })
}
