//! Lossless write-backs: a model keeps the JSON from which it was read.
//!
//! When a model is read, changed and written back, the body is the JSON received with only the changed members
//! replaced. Members that the model always writes are added, and members that it omits are omitted if they were null.
//! Names and values therefore keep their spelling, and parts that could not be read are written back unchanged. A write
//! that would replace such a part is refused.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    marker::PhantomData,
    sync::Arc,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, SeqAccess, Visitor},
    ser::Error,
};
use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

use super::{
    from_text::WITH_TEXT,
    merge::{Unread, merge},
    without_values,
};

/// The JSON that the service sent for a model that is written back; empty for a model created locally.
///
/// Two values are equal if their unreadable parts are equal. `Debug` shows the locations of those parts, never values.
#[derive(Clone, Default)]
pub struct AsSent(Option<Arc<Sent>>);

struct Sent {
    original: Original,
    unread: Unread,
}

/// The JSON received. Most models are never written back, so the text is decoded to a value only when needed.
enum Original {
    Text(Box<str>),
    Value(Value),
}

impl Original {
    fn value(&self) -> serde_json::Result<Cow<'_, Value>> {
        match self {
            Self::Text(text) => serde_json::from_str(text).map(Cow::Owned),
            Self::Value(value) => Ok(Cow::Borrowed(value)),
        }
    }
}

impl AsSent {
    /// Returns the locations that could not be read, as JSON pointers.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|sent| &sent.unread).map(String::as_str)
    }

    /// Returns the values that could not be read, by location.
    fn unread_values(&self) -> BTreeMap<&str, Option<Value>> {
        let Some(sent) = self.0.as_ref().filter(|sent| !sent.unread.is_empty()) else {
            return BTreeMap::new();
        };
        let original = sent.original.value().unwrap_or_default();
        sent.unread.iter().map(|place| (place.as_str(), original.pointer(place).cloned())).collect()
    }

    /// Returns the body of a write: the JSON received, with the changes from `before` to `now`. `before` serializes the
    /// model as it was received; `never_sent` removes members that must not be sent.
    ///
    /// For a model created locally, the body is `now` itself.
    pub fn over<M: WriteBack>(
        &self,
        now: Value,
        before: impl FnOnce(M) -> serde_json::Result<Value>,
        never_sent: impl FnOnce(&mut Value),
    ) -> serde_json::Result<Value> {
        let Some(sent) = &self.0 else { return Ok(now) };
        let original = sent.original.value()?;
        let (model, _) = leniently(&original).map_err(<serde_json::Error as Error>::custom)?;
        let before = before(model)?;
        let mut original = original.into_owned();
        never_sent(&mut original);
        merge(original, &before, now, &sent.unread).map_err(<serde_json::Error as Error>::custom)
    }
}

impl fmt::Debug for AsSent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsSent").field("unread", &self.unread().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

impl PartialEq for AsSent {
    fn eq(&self, other: &Self) -> bool {
        self.unread_values() == other.unread_values()
    }
}

impl Eq for AsSent {}

/// A model that is read, changed and written back. Implement it with [`write_back!`](crate::write_back).
pub trait WriteBack: Sized {
    /// Reads the model; fails if a member cannot be read.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
    /// Writes only the members of the model.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
    /// Returns the JSON received.
    fn as_sent(&self) -> &AsSent;
    /// Returns a mutable reference to the JSON received, which is set when the model is read.
    fn as_sent_mut(&mut self) -> &mut AsSent;
}

/// Reads a model, skipping members that cannot be read if the model can be read without them.
pub fn deserialize<'de, M: WriteBack, D: Deserializer<'de>>(deserializer: D) -> Result<M, D::Error> {
    deserializer.deserialize_newtype_struct(WITH_TEXT, Beside(PhantomData))
}

/// Reads a model together with the JSON received: from its text if the deserializer is ours and everything can be read.
struct Beside<M>(PhantomData<M>);

impl<'de, M: WriteBack> Visitor<'de> for Beside<M> {
    type Value = M;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut value_and_text: A) -> Result<M, A::Error> {
        let missing = || de::Error::custom("no value");
        let model = value_and_text.next_element_seed(self)?.ok_or_else(missing)?;
        let text = value_and_text.next_element::<&'de str>()?.ok_or_else(missing)?;
        Ok(beside(model, Original::Text(text.into()), Unread::new()))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        let original = Value::deserialize(deserializer)?;
        let (model, unread) = leniently::<M>(&original).map_err(de::Error::custom)?;
        Ok(beside(model, Original::Value(original), unread))
    }
}

/// Reads only the model.
impl<'de, M: WriteBack> DeserializeSeed<'de> for Beside<M> {
    type Value = M;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M, D::Error> {
        M::read(deserializer)
    }
}

fn beside<M: WriteBack>(mut model: M, original: Original, unread: Unread) -> M {
    *model.as_sent_mut() = AsSent(Some(Arc::new(Sent { original, unread })));
    model
}

/// Serializes a model, and keeps every unchanged part of the JSON received.
pub fn serialize<M: WriteBack, S: Serializer>(model: &M, serializer: S) -> Result<S::Ok, S::Error> {
    if model.as_sent().0.is_none() {
        return model.write(serializer);
    }
    let now = model.write(serde_json::value::Serializer).map_err(<S::Error as Error>::custom)?;
    let before = |before: M| before.write(serde_json::value::Serializer);
    model.as_sent().over(now, before, |_| {}).map_err(<S::Error as Error>::custom)?.serialize(serializer)
}

/// Checks that a body can be written, so that a dry run fails like a real run.
///
/// # Errors
///
/// The body would overwrite a part that could not be read, or cannot be serialized.
pub fn check_writable(body: &impl Serialize) -> azure_core::Result<()> {
    let refusal = |error: serde_json::Error| {
        azure_core::Error::with_message(azure_core::error::ErrorKind::DataConversion, error.to_string())
    };
    serde_json::to_value(body).map(drop).map_err(refusal)
}

/// The maximum number of unreadable members in a model.
const MOST: usize = 64;

/// Returns a model, and the locations that were left out to read it.
fn leniently<M: WriteBack>(original: &Value) -> Result<(M, Unread), String> {
    if let Ok(model) = M::read(original) {
        return Ok((model, Unread::new()));
    }
    let (mut copy, mut removed, mut first) = (original.clone(), Removed::default(), None);
    for _ in 0..MOST {
        let mut track = Track::new();
        let error = match M::read(serde_path_to_error::Deserializer::new(&copy, &mut track)) {
            Ok(model) => return Ok((model, removed.places)),
            Err(error) => without_values(&error),
        };
        let path = pointers(&track.path());
        let place = removed.place(&path);
        let first: &mut String = first.get_or_insert_with(|| match place.as_str() {
            "" => error,
            place => format!("{place}: {error}"),
        });
        if !take(&mut copy, &path) {
            return Err(std::mem::take(first));
        }
        removed.note(&path, place);
    }
    Err(first.unwrap_or_default())
}

/// One step into a value.
#[derive(Clone)]
enum Step {
    Member(String),
    Item(usize),
}

fn pointers(path: &Path) -> Vec<Step> {
    let steps = path.iter().map_while(|segment| match segment {
        Segment::Map { key } => Some(Step::Member(key.clone())),
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Enum { .. } | Segment::Unknown => None,
    });
    steps.collect()
}

/// Removes the value at a path; returns whether there was one.
fn take(value: &mut Value, path: &[Step]) -> bool {
    let Some((last, way)) = path.split_last() else { return false };
    let inside = way.iter().try_fold(value, |value, step| match step {
        Step::Member(key) => value.get_mut(key.as_str()),
        Step::Item(index) => value.get_mut(*index),
    });
    match (last, inside) {
        (Step::Member(key), Some(Value::Object(fields))) => fields.remove(key.as_str()).is_some(),
        (Step::Item(index), Some(Value::Array(items))) if *index < items.len() => {
            items.remove(*index);
            true
        }
        _ => false,
    }
}

/// The values removed from a copy, by their location in the original.
#[derive(Default)]
struct Removed {
    places: Unread,
    items: BTreeMap<String, BTreeSet<usize>>,
}

impl Removed {
    /// Returns the location in the original of a path in the copy, whose lists lack the removed items.
    fn place(&self, path: &[Step]) -> String {
        let mut place = String::new();
        for step in path {
            match step {
                Step::Member(key) => super::merge::push(&mut place, key),
                Step::Item(index) => {
                    let gone = self.items.get(&place).into_iter().flatten();
                    let at = gone.fold(*index, |at, gone| if *gone <= at { at + 1 } else { at });
                    super::merge::push(&mut place, &at.to_string());
                }
            }
        }
        place
    }

    fn note(&mut self, path: &[Step], place: String) {
        if let Some(Step::Item(_)) = path.last()
            && let Some((list, index)) = place.rsplit_once('/')
            && let Ok(index) = index.parse()
        {
            self.items.entry(list.to_owned()).or_default().insert(index);
        }
        let inside = format!("{place}/");
        self.places.retain(|other| !other.starts_with(&inside));
        self.places.insert(place);
    }
}

/// Makes a model keep the JSON received, so that writing it back changes only what was changed in the model.
///
/// The type must derive `Serialize` and `Deserialize` with `#[serde(remote = "Self")]`, and have a field
/// `#[serde(skip)] as_sent: AsSent`. The macro implements both traits and [`WriteBack`](crate::wire::WriteBack) in
/// terms of these.
///
/// ```
/// use arm_core::wire::{self, AsSent};
/// use std::time::Duration;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// #[serde(remote = "Self", rename_all = "camelCase")]
/// struct Rule {
///     name: String,
///     #[serde(default, with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
///     window_size: Option<Duration>,
///     #[serde(skip)]
///     as_sent: AsSent,
/// }
/// arm_core::write_back!(Rule);
///
/// let sent = r#"{"name":"x","windowSize":"an hour or so"}"#;
/// let mut rule: Rule = serde_json::from_str(sent)?;
/// assert_eq!(serde_json::to_string(&rule)?, sent);
/// rule.window_size = Some(Duration::from_secs(60));
/// assert!(serde_json::to_string(&rule).is_err(), "it would write over what it cannot read");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! write_back {
    ($name:ident $(<$of:ident: $($bound:path),+>)?) => {
        impl $(<$of: $($bound +)+ $crate::__serde::Serialize + $crate::__serde::de::DeserializeOwned>)?
            $crate::wire::WriteBack for $name $(<$of>)?
        {
            fn read<'de, D: $crate::__serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn write<S: $crate::__serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }

            fn as_sent(&self) -> &$crate::wire::AsSent {
                &self.as_sent
            }

            fn as_sent_mut(&mut self) -> &mut $crate::wire::AsSent {
                &mut self.as_sent
            }
        }

        impl<'de $(, $of: $($bound +)+ $crate::__serde::Serialize + $crate::__serde::de::DeserializeOwned)?>
            $crate::__serde::Deserialize<'de> for $name $(<$of>)?
        {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                $crate::wire::as_sent::deserialize(deserializer)
            }
        }

        impl $(<$of: $($bound +)+ $crate::__serde::Serialize + $crate::__serde::de::DeserializeOwned>)?
            $crate::__serde::Serialize for $name $(<$of>)?
        {
            fn serialize<S: $crate::__serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                $crate::wire::as_sent::serialize(self, serializer)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::wire::{self, UnknownFields};

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(remote = "Self", rename_all = "camelCase")]
    struct Rule {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(
            default,
            with = "wire::instant::option",
            alias = "endUTC",
            skip_serializing_if = "Option::is_none"
        )]
        end_utc: Option<azure_core::time::OffsetDateTime>,
        #[serde(default, with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
        window: Option<Duration>,
        #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
        parts: Vec<Part>,
        #[serde(flatten)]
        unknown: UnknownFields,
        #[serde(skip)]
        as_sent: AsSent,
    }
    crate::write_back!(Rule);

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Part {
        name: String,
        on: bool,
    }

    /// Reads from text by our own deserializer and by another, which must give the same.
    fn read(value: &Value) -> Rule {
        let text = value.to_string();
        let rule: Rule = wire::from_str(&text).unwrap();
        let other: Rule = serde_json::from_str(&text).unwrap();
        assert_eq!(rule, other);
        assert_eq!(written(&rule), written(&other));
        rule
    }

    fn written(rule: &Rule) -> Value {
        serde_json::to_value(rule).unwrap()
    }

    #[test]
    fn what_cannot_be_read_and_every_spelling_goes_back_as_it_came() {
        let sent = json!({
            "name": "x", "note": { "a": [1] }, "endUTC": "2026-03-01T13:00:00.000+01:00", "Window": "PT60M",
            "window": "soon", "new": null, "parts": [{ "name": "a", "on": true }, 7, { "on": 1 }],
        });
        let mut rule = read(&sent);
        assert_eq!((rule.note.as_deref(), rule.window, rule.parts.len()), (None, None, 1));
        assert!(rule.end_utc.is_some());
        assert_eq!(rule.as_sent.unread().collect::<Vec<_>>(), ["/note", "/parts/1", "/parts/2"]);
        assert_eq!(written(&rule), sent);
        rule.name = "y".into();
        rule.end_utc = wire::instant::parse("2027-01-01T00:00:00Z");
        rule.parts.insert(0, Part { name: "b".into(), on: false });
        rule.parts[1].on = false;
        let mut expected = sent;
        expected["name"] = "y".into();
        expected["endUTC"] = "2027-01-01T00:00:00Z".into();
        expected["parts"] =
            json!([{ "name": "b", "on": false }, { "name": "a", "on": false }, 7, { "on": 1 }]);
        assert_eq!(written(&rule), expected);
    }

    #[test]
    fn text_that_says_a_member_twice_is_read_and_goes_back_by_the_last() {
        let twice = r#"{"name":"x","new":[1],"name":"y","new":{"kept":1.50}}"#;
        let mut rule: Rule = wire::from_str(twice).unwrap();
        assert_eq!(
            (rule.name.as_str(), written(&rule)),
            ("y", json!({ "name": "y", "new": { "kept": 1.5 } }))
        );
        rule.note = Some("seen".into());
        assert_eq!(written(&rule)["new"], json!({ "kept": 1.5 }));
        let unread = r#"{"name":"x","note":[1],"note":[2]}"#;
        let rule: Rule = wire::from_str(unread).unwrap();
        assert_eq!(written(&rule), json!({ "name": "x", "note": [2] }));
    }

    #[test]
    fn what_cannot_be_read_is_never_written_over() {
        for (sent, place) in [
            (json!({ "name": "x", "window": "soon" }), "/window"),
            (json!({ "name": "x", "Window": "PT5M" }), "/Window"),
            (json!({ "name": "x", "window": { "of": "time" } }), "/window"),
        ] {
            let mut rule = read(&sent);
            rule.window = Some(Duration::from_secs(60));
            let error = serde_json::to_value(&rule).unwrap_err().to_string();
            assert!(error.contains(&format!("'{place}' could not be read")), "{error}");
        }
        let mut rule = read(&json!({ "name": "x", "window": null }));
        rule.window = Some(Duration::from_secs(60));
        assert_eq!(written(&rule), json!({ "name": "x", "window": "PT1M" }));
    }

    #[test]
    fn a_model_that_makes_no_sense_is_an_error_that_names_the_place_and_no_value() {
        let error = serde_json::from_value::<Rule>(json!({ "name": ["hunter2"] })).unwrap_err().to_string();
        assert!(error.contains("/name") && !error.contains("hunter2"), "{error}");
        let rule = read(&json!({ "name": "x", "note": ["hunter2"] }));
        assert!(!format!("{:?}", rule.as_sent).contains("hunter2"));
        assert_ne!(
            rule,
            read(&json!({ "name": "x", "note": ["another"] })),
            "another unread value is a difference"
        );
    }
}
