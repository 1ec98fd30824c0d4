//! Decodes text with the fast scanner: the same result as `serde_json` for most models, in less time.
//!
//! For anything unusual, it fails without a reason and `serde_json` decodes the text instead. Results are therefore the
//! same, and all errors are those of `serde_json`.

use std::fmt;

use serde::{
    Deserialize, Deserializer, de,
    de::{
        DeserializeSeed, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, StringDeserializer},
    },
};

use super::scan::{Scanner, behind_plain};

/// Asks our own deserializer for a value and its text. Other deserializers ignore a newtype's name.
pub(super) const WITH_TEXT: &str = "arm_core::WithText";
/// Asks our own deserializer for the text of a value.
pub(super) const TEXT_ALONE: &str = "arm_core::Part";
/// Asks our own deserializer for the text of a value that is certain to be decodable, or else for the value.
pub(super) const TEXT_OF_VALUE: &str = "arm_core::Deferred";

/// Decodes JSON text in the same way as the body of a response.
///
/// # Errors
///
/// Those of `serde_json::from_str`.
pub fn from_str<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    match first_value(text) {
        Some((value, rest)) if rest.trim_start_matches([' ', '\n', '\t', '\r']).is_empty() => Ok(value),
        _ => serde_json::from_str(text),
    }
}

/// Returns the value at the beginning of a text, and the rest; `None` if `serde_json` has to decode it.
pub(crate) fn first_value<'de, T: Deserialize<'de>>(text: &'de str) -> Option<(T, &'de str)> {
    let mut read = Read { scanner: Scanner::new(text), depth: 0 };
    let opens = read.scanner.peek()?;
    let value = T::deserialize(&mut read).ok()?;
    let rest = text.get(read.scanner.at()..)?;
    // Numbers and literals have no closing delimiter.
    let ends = |byte: &u8| b" \n\t\r\"[]{},:".contains(byte);
    if !b"{[\"".contains(&opens) && !rest.as_bytes().first().is_none_or(ends) {
        return None;
    }
    Some((value, rest))
}

/// The error that makes `serde_json` decode the text.
#[derive(Debug)]
struct Odd;

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not as expected")
    }
}

impl std::error::Error for Odd {}

impl de::Error for Odd {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
}

/// The maximum depth of models, which is less than that of `serde_json`.
const DEEPEST: u32 = 100;

struct Read<'de> {
    scanner: Scanner<'de>,
    depth: u32,
}

impl<'de> Read<'de> {
    /// Reads a whole list or object, whose first byte has been seen.
    fn inside<T>(
        &mut self,
        close: u8,
        read: impl FnOnce(Items<'_, 'de>) -> Result<T, Odd>,
    ) -> Result<T, Odd> {
        self.depth += 1;
        self.scanner.peek().filter(|_| self.depth < DEEPEST).ok_or(Odd)?;
        // In ASCII, an opening bracket is two before its closing one.
        self.scanner.take(close - 2).ok_or(Odd)?;
        let value = read(Items { read: self, close, first: true })?;
        self.scanner.take(close).ok_or(Odd)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Returns itself if the next value begins with one of these bytes.
    fn begins_with(&mut self, bytes: &[u8]) -> Result<&mut Self, Odd> {
        self.scanner.peek().filter(|byte| bytes.contains(byte)).map(|_| self).ok_or(Odd)
    }

    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Odd> {
        match self.text()? {
            Text::Plain(text) => visitor.visit_borrowed_str(text),
            Text::Unescaped(text) => visitor.visit_string(text),
        }
    }

    fn text(&mut self) -> Result<Text<'de>, Odd> {
        self.scanner.peek();
        let begin = self.scanner.at();
        let (plain, escaped) = self.scanner.string().ok_or(Odd)?;
        if !escaped {
            return Ok(Text::Plain(plain));
        }
        unquoted(self.scanner.since(begin)).map(Text::Unescaped).ok_or(Odd)
    }
}

/// Returns the content of a JSON string with escapes.
pub(super) fn unquoted(quoted: &str) -> Option<String> {
    let inside = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.and_then(unescaped).or_else(|| serde_json::from_str(quoted).ok())
}

/// Returns a string without its escapes; `None` if it contains one by number, such as `\u00e9`.
fn unescaped(text: &str) -> Option<String> {
    let (mut unescaped, mut rest) = (String::with_capacity(text.len()), text);
    loop {
        let at = rest.len() - behind_plain(rest.as_bytes()).len();
        unescaped.push_str(&rest[..at]);
        match rest.as_bytes().get(at) {
            Some(b'\\') => {}
            Some(_) => return None,
            None => return Some(unescaped),
        }
        unescaped.push(match rest.as_bytes().get(at + 1)? {
            byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => return None,
        });
        rest = &rest[at + 2..];
    }
}

enum Text<'de> {
    Plain(&'de str),
    Unescaped(String),
}

/// Numbers of any size; the visitor decides whether they fit.
macro_rules! numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
            self.begins_with(b"-0123456789")?.deserialize_any(visitor)
        }
    )*};
}

/// Methods that none of our models call.
macro_rules! odd {
    ($($name:ident($($argument:ty),*))*) => {$(
        fn $name<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Odd> {
            Err(Odd)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Read<'de> {
    type Error = Odd;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        match self.scanner.peek().ok_or(Odd)? {
            b'"' => self.string(visitor),
            b'{' => self.inside(b'}', |items| visitor.visit_map(items)),
            b'[' => self.inside(b']', |items| visitor.visit_seq(items)),
            b't' => self.scanner.word("true").ok_or(Odd).and_then(|()| visitor.visit_bool(true)),
            b'f' => self.scanner.word("false").ok_or(Odd).and_then(|()| visitor.visit_bool(false)),
            b'n' => self.scanner.word("null").ok_or(Odd).and_then(|()| visitor.visit_unit()),
            _ => {
                let number = self.scanner.number().ok_or(Odd)?;
                match (number.parse::<u64>(), number.parse::<i64>()) {
                    (Ok(number), _) => visitor.visit_u64(number),
                    // `-0` is a float.
                    (_, Ok(number @ ..=-1)) => visitor.visit_i64(number),
                    _ => serde_json::Deserializer::from_str(number).deserialize_any(visitor).map_err(|_| Odd),
                }
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        match self.scanner.peek() {
            Some(b'n') => self.scanner.word("null").ok_or(Odd).and_then(|()| visitor.visit_none()),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Odd> {
        if name == WITH_TEXT {
            self.scanner.peek();
            let begin = self.scanner.at();
            return visitor.visit_seq(WithText { read: self, begin, at: 0 });
        }
        if name == TEXT_ALONE {
            return self.scanner.value().ok_or(Odd).and_then(|text| visitor.visit_borrowed_str(text));
        }
        if name == TEXT_OF_VALUE
            && let Some(text) = self.scanner.certain_value()
        {
            return visitor.visit_borrowed_str(text);
        }
        // Special types of serde_json, such as raw values, need its own deserializer.
        if name.starts_with('$') {
            let text = self.scanner.value().ok_or(Odd)?;
            let mut of_text = serde_json::Deserializer::from_str(text);
            return of_text.deserialize_newtype_struct(name, visitor).map_err(|_| Odd);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.scanner.value().ok_or(Odd).and_then(|_| visitor.visit_unit())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        let text = self.scanner.value().ok_or(Odd)?;
        let mut of_text = serde_json::Deserializer::from_str(text);
        of_text.deserialize_enum(name, variants, visitor).map_err(|_| Odd)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.string(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.begins_with(b"tf")?.deserialize_any(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.begins_with(b"[")?.deserialize_any(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Odd> {
        self.begins_with(b"{")?.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Odd> {
        self.begins_with(b"{[")?.deserialize_any(visitor)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_f32 deserialize_f64
    }

    odd! {
        deserialize_i128() deserialize_u128() deserialize_char() deserialize_bytes() deserialize_byte_buf()
        deserialize_unit() deserialize_unit_struct(&'static str) deserialize_tuple(usize)
        deserialize_tuple_struct(&'static str, usize)
    }
}

/// The items of a list, or the members of an object.
struct Items<'a, 'de> {
    read: &'a mut Read<'de>,
    close: u8,
    first: bool,
}

impl Items<'_, '_> {
    /// Whether there is another item; skips the comma.
    fn next(&mut self) -> Result<bool, Odd> {
        let byte = self.read.scanner.peek().ok_or(Odd)?;
        if byte == self.close {
            return Ok(false);
        }
        if !std::mem::take(&mut self.first) {
            self.read.scanner.take(b',').ok_or(Odd)?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Odd;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Odd> {
        match self.next()? {
            true => seed.deserialize(&mut *self.read).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = Odd;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Odd> {
        if !self.next()? {
            return Ok(None);
        }
        let key = match self.read.text()? {
            Text::Plain(text) => seed.deserialize(BorrowedStrDeserializer::new(text)),
            Text::Unescaped(text) => seed.deserialize(StringDeserializer::new(text)),
        };
        self.read.scanner.take(b':').ok_or(Odd)?;
        key.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Odd> {
        seed.deserialize(&mut *self.read)
    }
}

/// A value, followed by its text.
struct WithText<'a, 'de> {
    read: &'a mut Read<'de>,
    begin: usize,
    at: u8,
}

impl<'de> SeqAccess<'de> for WithText<'_, 'de> {
    type Error = Odd;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Odd> {
        self.at += 1;
        match self.at {
            1 => seed.deserialize(&mut *self.read).map(Some),
            2 => {
                seed.deserialize(BorrowedStrDeserializer::new(self.read.scanner.since(self.begin))).map(Some)
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
