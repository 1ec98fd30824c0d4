//! `"True"` and `"False"` in place of booleans.

use serde::{Deserialize, Deserializer, Serializer};

#[derive(Deserialize)]
#[serde(untagged)]
enum Wire {
    Bool(bool),
    Text(String),
}

impl Wire {
    fn read<E: serde::de::Error>(self) -> Result<bool, E> {
        match self {
            Self::Bool(value) => Ok(value),
            Self::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Self::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Self::Text(_) => Err(E::custom("expected \"True\" or \"False\"")),
        }
    }
}

/// Reads `"True"`, `"False"` in any case, and real booleans.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Wire::deserialize(deserializer)?.read()
}

/// Writes `"True"` or `"False"`.
pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *value { "True" } else { "False" })
}

/// The same for an optional field.
pub mod option {
    use super::{Deserialize, Deserializer, Serializer, Wire};

    /// Reads the text, or `None`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
        Option::<Wire>::deserialize(deserializer)?.map(Wire::read).transpose()
    }

    /// Writes the text, or null.
    pub fn serialize<S: Serializer>(value: &Option<bool>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::{from_value, json, to_value};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Plan {
        #[serde(with = "super")]
        enabled: bool,
        #[serde(default, with = "super::option")]
        enforced: Option<bool>,
    }

    #[test]
    fn booleans_as_text_in_any_case_and_real_ones_are_read_and_written_as_the_service_does() {
        for (sent, enabled) in
            [(json!("True"), true), (json!("false"), false), (json!("TRUE"), true), (json!(false), false)]
        {
            let plan: Plan = from_value(json!({ "enabled": sent, "enforced": sent })).unwrap();
            assert_eq!(plan, Plan { enabled, enforced: Some(enabled) });
            let word = if enabled { "True" } else { "False" };
            assert_eq!(to_value(&plan).unwrap(), json!({ "enabled": word, "enforced": word }));
        }
        let plan: Plan = from_value(json!({ "enabled": "True", "enforced": null })).unwrap();
        assert_eq!(plan.enforced, None);
        for bad in [json!("yes"), json!(1), json!(null)] {
            assert!(from_value::<Plan>(json!({ "enabled": bad })).is_err(), "{bad}");
        }
    }
}
