//! Read-only models that keep the text from which they were read, so that they can be serialized unchanged.

use std::{borrow::Cow, fmt, marker::PhantomData, ops::Range, sync::Arc};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
    ser::Error as _,
};
use serde_json::value::RawValue;

use super::from_text::{TEXT_ALONE, WITH_TEXT, from_str};
use crate::SharedStr;

/// A model that keeps the text from which it was read. Implement this trait with [`kept!`](crate::kept).
pub trait Kept: Sized + PartialEq {
    /// The type decoded from the text, which may borrow from it.
    type Wire<'a>: Deserialize<'a>;

    /// Creates the model from the decoded value and the text from which it borrows.
    fn read(wire: Self::Wire<'_>, text: &str) -> Self;

    /// Returns the text from which the model was read.
    fn sent(&self) -> &SentText;
}

/// Reads a model and its text, in a single pass if the deserializer is ours.
pub fn deserialize<'de, M: Kept, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
    struct WithText<M>(PhantomData<M>);

    impl<'de, M: Kept> Visitor<'de> for WithText<M> {
        type Value = M;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut value_and_text: A) -> Result<M, A::Error> {
            let missing = || de::Error::custom("no value");
            let wire = value_and_text.next_element::<M::Wire<'de>>()?.ok_or_else(missing)?;
            let text = value_and_text.next_element::<&'de str>()?.ok_or_else(missing)?;
            Ok(M::read(wire, text))
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
            let text = Box::<RawValue>::deserialize(deserializer)?;
            let wire = from_str(text.get()).map_err(de::Error::custom)?;
            Ok(M::read(wire, text.get()))
        }
    }

    deserializer.deserialize_newtype_struct(WITH_TEXT, WithText(PhantomData))
}

/// Serializes a model as the text from which it was read.
///
/// # Errors
///
/// A field was changed after the model was read, so it no longer matches the text; or the model was created locally,
/// for example as the plan of a dry run.
pub fn serialize<M: Kept, S: Serializer>(model: &M, serializer: S) -> Result<S::Ok, S::Error> {
    let text = model.sent().as_str();
    if text.is_empty() {
        return Err(S::Error::custom(
            "this was not read from the service, and only what was received can be written out",
        ));
    }
    let came = M::read(from_str(text).map_err(S::Error::custom)?, text);
    if came != *model {
        return Err(S::Error::custom(
            "a field was changed since this was read, and only what was received can be written out",
        ));
    }
    let raw: &RawValue = serde_json::from_str(text).map_err(S::Error::custom)?;
    raw.serialize(serializer)
}

/// The text from which a model was read.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SentText(Arc<str>);

impl SentText {
    /// Keeps a copy of a text.
    pub fn of(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns a part of `borrowed`, which is this text or the text of which it is a copy, as a string that shares this
    /// text. A string that is not a part of `borrowed` is copied.
    pub fn share(&self, part: Cow<'_, str>, borrowed: &str) -> SharedStr {
        match part {
            Cow::Borrowed(part) => SharedStr::of(part, borrowed, &self.0),
            Cow::Owned(part) => part.into(),
        }
    }

    /// Returns the text of one part.
    pub fn part(&self, place: &Place) -> &str {
        let Place(Range { start, end }) = place;
        self.0.get(*start as usize..*end as usize).unwrap_or_default()
    }
}

/// Hides the text, which may contain data that must not appear in a log.
impl fmt::Debug for SentText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

/// The raw text of a member's value, borrowed from the text being read.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a>(&'a str);

impl<'a> Part<'a> {
    /// Returns the part's text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Returns the part's position in `whole`, the text from which it is borrowed.
    pub fn place_in(self, whole: &str) -> Place {
        let start = (self.0.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        Place(at(start)..at(start + self.0.len()))
    }
}

/// The position of a part in the [`SentText`] of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Range<u32>);

impl<'de: 'a, 'a> Deserialize<'de> for Part<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Part<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Part<'de>, E> {
                Ok(Part(text))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Part<'de>, D::Error> {
                <&'de RawValue>::deserialize(deserializer).map(|raw| Part(raw.get()))
            }
        }

        deserializer.deserialize_newtype_struct(TEXT_ALONE, Text)
    }
}

/// Makes a model serialize as the text from which it was read.
///
/// `kept!(Name)` is for a type that implements [`Kept`](crate::wire::Kept). `kept!(derived Name)` is for a type that
/// derives `Deserialize` with `#[serde(remote = "Self")]` and has a field `#[serde(skip)] sent: SentText`. `kept!(Name
/// from Wire)` is for a type that implements `From<Wire>` and has a field `sent: SentText`.
///
/// ```
/// use arm_core::wire::{self, SentText};
///
/// #[derive(Debug, PartialEq, serde::Deserialize)]
/// #[serde(remote = "Self", rename_all = "camelCase")]
/// struct Plan {
///     name: String,
///     #[serde(skip)]
///     sent: SentText,
/// }
/// arm_core::kept!(derived Plan);
///
/// let sent = r#"{"invented": 1.50, "name": "KeyVaults"}"#;
/// let mut plan: Plan = serde_json::from_str(sent)?;
/// assert_eq!(serde_json::to_string(&plan)?, sent);
/// plan.name = "Other".to_owned();
/// assert!(serde_json::to_string(&plan).is_err(), "it is not what came");
///
/// let planned = Plan { name: "KeyVaults".to_owned(), sent: SentText::default() };
/// assert!(serde_json::to_string(&planned).is_err(), "it never came");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! kept {
    (derived $name:ident) => {
        const _: () = {
            /// The model without its text.
            #[derive(Debug)]
            #[allow(unnameable_types)]
            pub struct Wire($name);

            impl<'de> $crate::__serde::Deserialize<'de> for Wire {
                fn deserialize<D: $crate::__serde::Deserializer<'de>>(
                    deserializer: D,
                ) -> ::std::result::Result<Self, D::Error> {
                    $name::deserialize(deserializer).map(Wire)
                }
            }

            impl $crate::wire::Kept for $name {
                type Wire<'a> = Wire;

                fn read(Wire(model): Wire, text: &str) -> Self {
                    Self { sent: $crate::wire::SentText::of(text), ..model }
                }

                fn sent(&self) -> &$crate::wire::SentText {
                    &self.sent
                }
            }
        };
        $crate::kept!($name);
    };
    ($name:ident from $wire:ty) => {
        impl $crate::wire::Kept for $name {
            type Wire<'a> = $wire;

            fn read(wire: $wire, text: &str) -> Self {
                Self { sent: $crate::wire::SentText::of(text), ..Self::from(wire) }
            }

            fn sent(&self) -> &$crate::wire::SentText {
                &self.sent
            }
        }
        $crate::kept!($name);
    };
    ($name:ident) => {
        impl<'de> $crate::__serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::wire::kept::deserialize(deserializer)
            }
        }

        impl $crate::__serde::Serialize for $name {
            fn serialize<S: $crate::__serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::wire::kept::serialize(self, serializer)
            }
        }
    };
}
