//! Values that are decoded on first use.

use std::{borrow::Cow, fmt, marker::PhantomData, sync::OnceLock};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Visitor},
};

use super::from_text::{TEXT_OF_VALUE, from_str};
use crate::SharedStr;

/// A value that is decoded on first use, for members that are rarely used.
///
/// `T` must accept any JSON value, since a decoding error gives the default of `T`. A text that `serde_json` might
/// reject, because a number is too large or a surrogate is unpaired, is decoded immediately, as is any text that is not
/// decoded with [`from_str`](super::from_str).
#[derive(Clone, Default)]
pub struct Deferred<T> {
    text: SharedStr,
    value: OnceLock<T>,
}

impl<T> Deferred<T> {
    /// Returns the text from which the value was read; `None` if it was decoded immediately, or created locally.
    pub fn text(&self) -> Option<&str> {
        Some(&*self.text).filter(|text| !text.is_empty())
    }

    /// Runs a decoder of the text. The [`SharedStr`]s that it borrows from the text share the text.
    pub fn sharing<R>(&self, decode: impl FnOnce() -> R) -> R {
        self.text.sharing(decode)
    }
}

impl<T: DeserializeOwned + Default> Deferred<T> {
    /// Returns a reference to the value, decoded on the first call.
    pub fn get(&self) -> &T {
        self.value.get_or_init(|| self.text().and_then(|text| from_str(text).ok()).unwrap_or_default())
    }

    /// Returns the value, decoded if necessary.
    pub fn into_inner(self) -> T {
        self.get();
        self.value.into_inner().unwrap_or_default()
    }
}

impl<T: DeserializeOwned + Default + Serialize> Deferred<T> {
    /// Returns the text from which the value was read, or an equivalent one.
    pub fn written(&self) -> Cow<'_, str> {
        self.text()
            .map_or_else(|| Cow::Owned(serde_json::to_string(self.get()).unwrap_or_default()), Cow::Borrowed)
    }
}

impl<T> From<T> for Deferred<T> {
    fn from(value: T) -> Self {
        Self { text: SharedStr::default(), value: value.into() }
    }
}

impl<T: DeserializeOwned + Default + PartialEq> PartialEq for Deferred<T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: DeserializeOwned + Default + fmt::Debug> fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<T: DeserializeOwned + Default + Serialize> Serialize for Deferred<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Deferred<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrValue<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrValue<T> {
            type Value = Deferred<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Deferred<T>, E> {
                Ok(Deferred { text: Cow::Borrowed(text).into(), value: OnceLock::new() })
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Deferred<T>, D::Error> {
                T::deserialize(deserializer).map(Deferred::from)
            }
        }

        deserializer.deserialize_newtype_struct(TEXT_OF_VALUE, TextOrValue(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::wire::from_text::tests::texts;

    #[test]
    fn a_value_waits_for_the_question_only_where_it_cannot_fail() {
        let waits = |text: &str| from_str::<Deferred<Value>>(text).map(|it| it.value.get().is_none());
        for text in [r#"{"a":[1.50,-7,"b\n\"",null,true]}"#, "\"\u{fc}\"", "17"] {
            assert!(waits(text).unwrap(), "{text}");
        }
        for text in [r#"["\u00e9"]"#, "[1e5]"] {
            assert!(!waits(text).unwrap(), "{text}");
        }
        for text in [r#"["\ud800"]"#, "1e999", &"9".repeat(400), "[1", "nul"] {
            assert!(waits(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_asked_for_later_is_what_it_would_have_been_at_once(text in texts()) {
            let later = from_str::<Deferred<Value>>(&text).ok().map(Deferred::into_inner);
            prop_assert_eq!(later, serde_json::from_str::<Value>(&text).ok());
        }
    }
}
