//! Objects whose values remain text until they are needed.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

use super::{Part, from_str};

/// The members of a JSON object, with their values as undecoded text.
///
/// ```
/// use arm_core::wire::{Members, items_of};
///
/// let members = Members::of(r#"{ "Code": "Gone", "details": [{ "at": 1.50 }] }"#);
/// assert_eq!(members.get("code").and_then(|code| code.text()).as_deref(), Some("Gone"));
/// let details = members.get("details").map(|details| items_of(details.as_str())).unwrap_or_default();
/// assert_eq!(Members::of(details[0].as_str()).get("at").map(|at| at.as_str()), Some("1.50"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct Members<'a>(Vec<(Cow<'a, str>, Part<'a>)>);

impl<'a> Members<'a> {
    /// Reads the members of a JSON text; empty if it is not an object.
    pub fn of(text: &'a str) -> Self {
        match is_object(text) {
            true => from_str(text).unwrap_or_default(),
            false => Self::default(),
        }
    }

    /// Returns the value of a member: the one with the exact name, or else one whose name differs only in case.
    pub fn get(&self, name: &str) -> Option<Part<'a>> {
        // Of several members with the same name, the last counts, as in `serde_json`.
        let exact = self.0.iter().rev().find(|(it, _)| it == name);
        exact.or_else(|| self.0.iter().find(|(it, _)| it.eq_ignore_ascii_case(name))).map(|(_, value)| *value)
    }

    /// Returns names and values, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Part<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// Returns the object as text without members of this name, ignoring case.
    pub fn without(&self, name: &str) -> String {
        let mut text = String::from("{");
        for (it, value) in self.0.iter().filter(|(it, _)| !it.eq_ignore_ascii_case(name)) {
            if text.len() > 1 {
                text.push(',');
            }
            match it {
                // The name has no escapes, and needs none.
                Cow::Borrowed(it) => text.extend(["\"", it, "\""]),
                Cow::Owned(it) => text.push_str(&Value::from(it.as_str()).to_string()),
            }
            text.extend([":", value.as_str()]);
        }
        text.push('}');
        text
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for Members<'a> {
    type Item = (Cow<'a, str>, Part<'a>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> Part<'a> {
    /// Returns a string unquoted and with its escapes decoded; `None` for any other value.
    pub fn text(self) -> Option<Cow<'a, str>> {
        let plain = self.as_str().strip_prefix('"')?.strip_suffix('"')?;
        match plain.contains('\\') {
            false => Some(Cow::Borrowed(plain)),
            true => from_str(self.as_str()).ok().map(Cow::Owned),
        }
    }

    /// Returns a string like [`text`](Self::text), and a number or boolean as it is written; `None` for any other
    /// value.
    pub fn scalar(self) -> Option<Cow<'a, str>> {
        match self.as_str().as_bytes() {
            [b'{' | b'[' | b'n', ..] => None,
            [b'"', ..] => self.text(),
            _ => Some(Cow::Borrowed(self.as_str())),
        }
    }

    /// Whether the value is an object.
    pub fn is_object(self) -> bool {
        is_object(self.as_str())
    }

    /// Whether the value is a list.
    pub fn is_list(self) -> bool {
        is_list(self.as_str())
    }

    /// Whether the value is null.
    pub fn is_null(self) -> bool {
        self.as_str() == "null"
    }
}

/// Returns the items of a JSON list as undecoded text; empty if it is not a list.
pub fn items_of(text: &str) -> Vec<Part<'_>> {
    match is_list(text) {
        true => from_str(text).unwrap_or_default(),
        false => Vec::new(),
    }
}

fn is_list(text: &str) -> bool {
    text.trim_ascii_start().starts_with('[')
}

fn is_object(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        struct Each;

        impl<'de> Visitor<'de> for Each {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some((Name(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::first_value;

    #[test]
    fn members_are_read_by_our_own_scanner_and_found_by_name() {
        let text = r#"{"a":1,"b\n":"x\ty","A":2,"a":[3],"c":null}"#;
        let (members, rest) = first_value::<Members<'_>>(text).expect("serde_json had to be asked");
        assert_eq!((rest, members.iter().count()), ("", 5));
        assert_eq!(members.get("a").map(Part::as_str), Some("[3]"), "the last of the same name counts");
        assert_eq!(members.get("C").map(Part::is_null), Some(true));
        assert_eq!(members.get("b\n").and_then(Part::text).as_deref(), Some("x\ty"));
        assert_eq!(members.get("A").and_then(Part::scalar).as_deref(), Some("2"));
        assert_eq!(members.without("a"), r#"{"b\n":"x\ty","c":null}"#);
        assert_eq!(Members::of(r#"{ "A" : 1 }"#).without("a"), "{}");
        assert!(members.get("d").is_none() && Members::of("[1]").is_empty() && items_of("{}").is_empty());
        assert_eq!(
            items_of(" [1, {\"b\": 2}]").iter().map(|it| it.as_str()).collect::<Vec<_>>(),
            ["1", "{\"b\": 2}"]
        );
    }
}
