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

    /// Reads the text, or nothing.
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
