//! Strings that the service sometimes writes as numbers or booleans.

use std::{borrow::Cow, fmt};

use serde::{Deserializer, Serializer, de};

struct Scalar;

impl<'de> de::Visitor<'de> for Scalar {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }
}

/// Reads any scalar as text, borrowed if possible; null is an empty string.
pub fn scalar<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    deserializer.deserialize_any(Scalar)
}

/// Reads any scalar as text: a `String`, a `Cow` or a [`SharedStr`](crate::SharedStr); null is an empty string.
pub fn deserialize<'de, D: Deserializer<'de>, T: From<Cow<'de, str>>>(
    deserializer: D,
) -> Result<T, D::Error> {
    scalar(deserializer).map(T::from)
}

/// Serializes the text as a string.
pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// For an optional field.
pub mod option {
    use std::marker::PhantomData;

    use super::{Cow, Deserializer, Serializer, scalar};

    /// Reads any scalar as text; null is `None`.
    pub fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: From<Cow<'de, str>>,
    {
        struct Optional<T>(PhantomData<T>);

        impl<'de, T: From<Cow<'de, str>>> serde::de::Visitor<'de> for Optional<T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string, a number, a boolean or null")
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                scalar(deserializer).map(|text| Some(T::from(text)))
            }
        }

        deserializer.deserialize_option(Optional(PhantomData))
    }

    /// Writes the text, or null.
    pub fn serialize<S: Serializer>(
        text: &Option<impl AsRef<str>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match text {
            Some(text) => serializer.serialize_str(text.as_ref()),
            None => serializer.serialize_none(),
        }
    }
}
