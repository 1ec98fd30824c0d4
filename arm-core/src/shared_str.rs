//! Strings that are parts of one text.

use std::{
    borrow::{Borrow, Cow},
    cell::RefCell,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

thread_local! {
    /// The text that this thread is decoding, if strings may share it.
    static DECODED: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// A string that can share the text from which it was read, such as the JSON of an alert. A clone copies no text.
///
/// It dereferences to `str`, and compares, prints and serializes like a `str`. A string that shares a text keeps all of
/// that text in memory; to keep the string alone, convert it to a `String`. A string that has escapes in the JSON, or
/// that you create, has a text of its own.
///
/// ```
/// use arm_core::SharedStr;
///
/// let name = SharedStr::from("kv-prod");
/// assert!(name == "kv-prod" && name.starts_with("kv-"));
/// let owned: String = name.into();
/// # assert_eq!(owned, "kv-prod");
/// ```
#[derive(Clone, Default)]
pub struct SharedStr {
    whole: Arc<str>,
    begin: u32,
    /// The length in bytes; [`REST`] stands for the rest of the text.
    length: u32,
}

const REST: u32 = u32::MAX;

impl SharedStr {
    /// Returns the string.
    pub fn as_str(&self) -> &str {
        let rest = self.whole.get(self.begin as usize..);
        let text = rest
            .and_then(|rest| if self.length == REST { Some(rest) } else { rest.get(..self.length as usize) });
        text.unwrap_or_default()
    }

    /// Runs a decoder of the text. The strings that it borrows from the text share the text.
    pub(crate) fn sharing<T>(&self, decode: impl FnOnce() -> T) -> T {
        sharing(&self.whole, decode)
    }

    /// Returns a part of `borrowed` as a string that shares `whole`, which is `borrowed` itself or a copy of it. A
    /// string that is not a part of `borrowed` is copied.
    pub(crate) fn of(part: &str, borrowed: &str, whole: &Arc<str>) -> Self {
        let begin = (part.as_ptr() as usize).wrapping_sub(borrowed.as_ptr() as usize);
        let inside = begin.checked_add(part.len()).is_some_and(|end| end <= borrowed.len());
        match (u32::try_from(begin), u32::try_from(part.len())) {
            (Ok(begin), Ok(length)) if inside && length < REST => {
                Self { whole: whole.clone(), begin, length }
            }
            _ => Self::from(part),
        }
    }
}

/// Runs a decoder of a text. The [`SharedStr`]s that it borrows from the text share the text.
pub(crate) fn sharing<T>(whole: &Arc<str>, decode: impl FnOnce() -> T) -> T {
    let outer = DECODED.replace(Some(whole.clone()));
    let value = decode();
    DECODED.set(outer);
    value
}

impl Deref for SharedStr {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for SharedStr {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for SharedStr {
    fn borrow(&self) -> &str {
        self
    }
}

impl fmt::Display for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for SharedStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for SharedStr {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SharedStr {}

impl PartialOrd for SharedStr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedStr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other)
    }
}

impl Hash for SharedStr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialEq<str> for SharedStr {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for SharedStr {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for SharedStr {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl From<&str> for SharedStr {
    fn from(text: &str) -> Self {
        Self { whole: text.into(), begin: 0, length: REST }
    }
}

impl From<String> for SharedStr {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// A string that is borrowed from the text being decoded shares that text.
impl From<Cow<'_, str>> for SharedStr {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => DECODED.with_borrow(|whole| match whole {
                Some(whole) => Self::of(text, whole, whole),
                None => Self::from(text),
            }),
            Cow::Owned(text) => Self::from(text),
        }
    }
}

impl From<SharedStr> for String {
    fn from(text: SharedStr) -> Self {
        text.as_str().to_owned()
    }
}

impl Serialize for SharedStr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for SharedStr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = SharedStr;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<SharedStr, E> {
                Ok(Cow::Borrowed(text).into())
            }

            fn visit_str<E>(self, text: &str) -> Result<SharedStr, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::from_str;

    #[test]
    fn a_part_shares_its_text_and_what_is_no_part_is_copied() {
        let whole: Arc<str> = r#"["kv-prod","a\tb","ü",""]"#.into();
        let read: Vec<SharedStr> = sharing(&whole, || from_str(&whole).unwrap());
        assert_eq!(read, ["kv-prod", "a\tb", "ü", ""]);
        let shares = |text: &SharedStr| Arc::ptr_eq(&text.whole, &whole);
        assert_eq!(read.iter().map(shares).collect::<Vec<_>>(), [true, false, true, true]);
        // Outside, and of another text.
        let other = String::from(&*whole);
        assert!(!from_str::<Vec<SharedStr>>(&whole).unwrap().iter().any(shares));
        let elsewhere: Vec<SharedStr> = sharing(&whole, || from_str(&other).unwrap());
        assert!(elsewhere == read && !elsewhere.iter().any(shares));
        let behind = SharedStr::of("true", &whole, &whole);
        assert!(behind == "true" && !shares(&behind));
    }

    #[test]
    fn it_is_found_shown_sorted_and_written_as_its_text() {
        let mut all = [SharedStr::from("b"), "a".into()];
        all.sort();
        assert_eq!((format!("{:>3}|{:?}", all[0], all[1]), all[0].len()), ("  a|\"b\"".to_owned(), 1));
        let named = std::collections::BTreeMap::from([(all[0].clone(), 1)]);
        assert_eq!((named["a"], named.get("b")), (1, None));
        let set = std::collections::HashSet::from(all.clone());
        assert!(set.contains("b") && !set.contains("c"));
        assert_eq!(serde_json::to_string(&all).unwrap(), r#"["a","b"]"#);
        assert_eq!(serde_json::from_str::<Vec<SharedStr>>(r#"["a","\u0062"]"#).unwrap(), all);
        assert!(SharedStr::default().is_empty() && serde_json::from_str::<SharedStr>("1").is_err());
    }
}
