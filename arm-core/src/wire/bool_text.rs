//! Booleans that the service writes as `"True"` and `"False"`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serializer, de};

/// A boolean in either form.
struct Wire(bool);

impl<'de> Deserialize<'de> for Wire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl de::Visitor<'_> for Either {
            type Value = Wire;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#""True" or "False""#)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Wire, E> {
                Ok(Wire(value))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Wire, E> {
                match text {
                    _ if text.eq_ignore_ascii_case("true") => Ok(Wire(true)),
                    _ if text.eq_ignore_ascii_case("false") => Ok(Wire(false)),
                    _ => Err(E::custom(r#"expected "True" or "False""#)),
                }
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// Reads `"True"` and `"False"` in any case, and real booleans.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Wire::deserialize(deserializer).map(|Wire(value)| value)
}

/// Writes `"True"` or `"False"`.
pub fn serialize<S: Serializer>(value: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if *value { "True" } else { "False" })
}

/// For an optional field.
pub mod option {
    use super::{Deserialize, Deserializer, Serializer, Wire};

    /// Reads the text; null is `None`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
        let wire = Option::<Wire>::deserialize(deserializer)?;
        Ok(wire.map(|Wire(value)| value))
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
