//! JSON text whose values are found in one pass and decoded when they are needed.

use std::{borrow::Cow, fmt};

use serde::de::{Error as _, IgnoredAny};
use serde_json::Value;

use super::{
    from_str,
    from_text::unquoted,
    scan::{Levels, Scanner},
    span::{MISSING, NULL, Span},
};

/// A JSON text with the position of each of its values.
///
/// Making one reads the text once and decodes nothing. Values are then found by name at every level without reading the
/// text again.
///
/// ```
/// use arm_core::wire::Tape;
///
/// let tape = Tape::of(r#"{ "Code": "Gone", "details": [{ "at": 1.50 }] }"#)?;
/// let error = tape.root();
/// assert_eq!(error.get("code").and_then(|code| code.text()).as_deref(), Some("Gone"));
/// let details = error.get("details").into_iter().flat_map(|details| details.items());
/// let times: Vec<&str> = details.filter_map(|it| it.get("at")).map(|at| at.as_str()).collect();
/// assert_eq!(times, ["1.50"]);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Tape<'a> {
    text: &'a str,
    spans: Vec<Span>,
}

/// A value in a [`Tape`].
#[derive(Debug, Clone, Copy)]
pub struct Node<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
}

/// Hides the text, which may contain data that must not appear in a log.
impl fmt::Debug for Tape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").finish_non_exhaustive()
    }
}

/// The text of no value: null.
impl Default for Tape<'_> {
    fn default() -> Self {
        Self { text: "null", spans: vec![NULL] }
    }
}

impl<'a> Tape<'a> {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// The text is not JSON; the error is that of `serde_json`.
    pub fn of(text: &'a str) -> serde_json::Result<Self> {
        // A name or value seldom takes fewer bytes.
        let spans = Vec::with_capacity(text.len() / 8 + 4);
        let written = Written { spans, innermost: OUTSIDE };
        let mut scanner = Scanner::new(text);
        match u32::try_from(text.len()).ok().and_then(|_| scanner.walk(written)) {
            Some(Written { spans, .. }) if scanner.peek().is_none() => Ok(Self { text, spans }),
            _ => {
                let IgnoredAny = serde_json::from_str(text)?;
                Err(serde_json::Error::custom("the text is too large"))
            }
        }
    }

    /// Returns the whole value.
    #[inline]
    pub fn root(&self) -> Node<'_, 'a> {
        Node { tape: self, at: 0 }
    }

    /// Returns the index of the span after this one and all that it contains.
    #[inline]
    fn behind(&self, at: usize) -> usize {
        self.spans.get(at).map_or(self.spans.len(), |span| span.next() as usize)
    }

    #[inline]
    fn text(&self, span: Span) -> &'a str {
        self.text.get(span.begin()..span.end()).unwrap_or_default()
    }

    /// Returns a string, or the name of a member, without quotes and escapes.
    #[inline]
    fn unquoted(&self, span: Span) -> Option<Cow<'a, str>> {
        match span.is_escaped() {
            false => self.text.get(span.begin() + 1..span.end() - 1).map(Cow::Borrowed),
            true => unquoted(self.text(span)).map(Cow::Owned),
        }
    }
}

impl<'t, 'a> Node<'t, 'a> {
    #[inline]
    fn span(self) -> Span {
        self.tape.spans.get(self.at).copied().unwrap_or(MISSING)
    }

    /// Returns the text of the value, as it came.
    #[inline]
    pub fn as_str(self) -> &'a str {
        self.tape.text(self.span())
    }

    /// Returns a string unquoted and with its escapes decoded; `None` for any other value.
    #[inline]
    pub fn text(self) -> Option<Cow<'a, str>> {
        let span = self.span();
        if span.first() == b'"' { self.tape.unquoted(span) } else { None }
    }

    /// Returns a string like [`text`](Self::text), and a number or boolean as it is written; `None` for any other
    /// value.
    #[inline]
    pub fn scalar(self) -> Option<Cow<'a, str>> {
        let span = self.span();
        match span.first() {
            b'{' | b'[' | b'n' => None,
            b'"' => self.tape.unquoted(span),
            _ => Some(Cow::Borrowed(self.tape.text(span))),
        }
    }

    /// Decodes the value.
    ///
    /// # Errors
    ///
    /// It contains a number that is too large or half of a surrogate pair, or is nested more than 127 levels deep.
    pub fn value(self) -> serde_json::Result<Value> {
        match self.text() {
            Some(text) => Ok(Value::String(text.into_owned())),
            None => from_str(self.as_str()),
        }
    }

    #[inline]
    fn first(self) -> u8 {
        self.span().first()
    }

    /// Whether the value is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        self.first() == b'{'
    }

    /// Whether the value is a list.
    #[inline]
    pub fn is_list(self) -> bool {
        self.first() == b'['
    }

    /// Whether the value is a string.
    #[inline]
    pub fn is_string(self) -> bool {
        self.first() == b'"'
    }

    /// Whether the value is null.
    #[inline]
    pub fn is_null(self) -> bool {
        self.first() == b'n'
    }

    /// Returns the items of a list, in the order of the text; none if it is not a list.
    #[inline]
    pub fn items(self) -> impl Iterator<Item = Self> + use<'t, 'a> {
        self.inside(self.is_list())
    }

    /// Returns the names and values of an object, in the order of the text; none if it is not an object. A name is `None`
    /// if it cannot be decoded: if it contains the escape of half a character.
    pub fn members(self) -> impl Iterator<Item = (Option<Cow<'a, str>>, Self)> + use<'t, 'a> {
        self.named().map(|(name, value)| (value.tape.unquoted(name), value))
    }

    /// Returns an object as text without members of this name, ignoring case.
    pub fn without(self, name: &str) -> String {
        let mut text = String::from("{");
        for (key, value) in self.named() {
            if self.tape.unquoted(key).is_some_and(|key| key.eq_ignore_ascii_case(name)) {
                continue;
            }
            if text.len() > 1 {
                text.push(',');
            }
            text.extend([self.tape.text(key), ":", value.as_str()]);
        }
        text.push('}');
        text
    }

    /// Returns the value of a member: the last one with the exact name, as in `serde_json`, or else one whose name
    /// differs only in case.
    pub fn get(self, name: &str) -> Option<Self> {
        let [value] = self.fields([name]);
        value
    }

    /// Returns the values of several members, each like [`get`](Self::get), in a single pass over the names.
    pub fn fields<const N: usize>(self, names: [&str; N]) -> [Option<Self>; N] {
        let mut values = [None; N];
        // Most names are of another length, and are not decoded.
        let bit = |length: usize| 1_u64 << length.min(63);
        let lengths = names.iter().fold(0, |lengths, name| lengths | bit(name.len()));
        for (key, value) in self.named() {
            let length = key.end() - key.begin() - 2;
            if !key.is_escaped() && lengths & bit(length) == 0 {
                continue;
            }
            let Some(key) = self.tape.unquoted(key) else { continue };
            for (name, found) in names.iter().zip(&mut values) {
                // An exact name replaces what was found; another only fills a gap.
                if key == *name || (found.is_none() && key.eq_ignore_ascii_case(name)) {
                    *found = Some(value);
                }
            }
        }
        values
    }

    /// Returns the spans of the names, and the values, of an object.
    #[inline]
    fn named(self) -> impl Iterator<Item = (Span, Self)> + use<'t, 'a> {
        let Inside { tape, mut at, end } = self.inside(self.is_object());
        std::iter::from_fn(move || match tape.spans.get(at..at + 2) {
            Some([name, value]) if at < end => {
                let node = Self { at: at + 1, tape };
                at = value.next() as usize;
                Some((*name, node))
            }
            _ => None,
        })
    }

    #[inline]
    fn inside(self, whether: bool) -> Inside<'t, 'a> {
        let (at, end) = if whether { (self.at + 1, self.tape.behind(self.at)) } else { (0, 0) };
        Inside { tape: self.tape, at, end }
    }
}

/// The nodes in a list or object.
struct Inside<'t, 'a> {
    tape: &'t Tape<'a>,
    at: usize,
    end: usize,
}

impl<'t, 'a> Iterator for Inside<'t, 'a> {
    type Item = Node<'t, 'a>;

    #[inline]
    fn next(&mut self) -> Option<Node<'t, 'a>> {
        let node = Node { tape: self.tape, at: self.at };
        if self.at >= self.end {
            return None;
        }
        self.at = self.tape.behind(self.at);
        Some(node)
    }
}

/// A tape that is being written.
struct Written {
    spans: Vec<Span>,
    /// The index of the innermost list or object around the current position. Until such a span ends, its `next` is the
    /// index of the one around it.
    innermost: u32,
}

/// The index of what is around the whole value.
const OUTSIDE: u32 = u32::MAX;

impl Written {
    #[inline(always)]
    fn push(&mut self, span: Span) {
        if self.spans.len() == self.spans.capacity() {
            self.spans = enlarged(std::mem::take(&mut self.spans), span);
        } else {
            self.spans.push(span);
        }
    }
}

/// Adds a span to a full list. Since this takes the list by value, the list stays in registers.
#[cold]
#[inline(never)]
fn enlarged(mut spans: Vec<Span>, span: Span) -> Vec<Span> {
    spans.push(span);
    spans
}

impl Levels for Written {
    #[inline(always)]
    fn open(&mut self, begin: usize, is_object: bool) -> Option<()> {
        let around = std::mem::replace(&mut self.innermost, self.spans.len() as u32);
        let (begin, first) = (begin as u32, if is_object { b'{' } else { b'[' });
        self.push(Span::new(begin, begin, around, first, false));
        Some(())
    }

    #[inline(always)]
    fn close(&mut self, end: usize) -> Option<bool> {
        let next = self.spans.len() as u32;
        if let Some(span) = self.spans.get_mut(self.innermost as usize) {
            self.innermost = span.next();
            *span = Span::new(span.begin() as u32, end as u32, next, span.first(), false);
        }
        self.spans.get(self.innermost as usize).map(|around| around.first() == b'{')
    }

    #[inline(always)]
    fn leaf(&mut self, first: u8, begin: usize, end: usize, escaped: bool) {
        let next = self.spans.len() as u32 + 1;
        self.push(Span::new(begin as u32, end as u32, next, first, escaped));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::wire::from_text::tests::texts;

    #[test]
    fn values_are_found_by_name_at_every_level() {
        let text = r#" { "a":1, "b\n":"x\ty" , "A":2,"a":[3 , {"deep":[{}]},[]],"c":null, "d":{}} "#;
        let tape = Tape::of(text).unwrap();
        let it = tape.root();
        assert_eq!(
            it.members().map(|(name, _)| name.unwrap()).collect::<Vec<_>>(),
            ["a", "b\n", "A", "a", "c", "d"]
        );
        assert_eq!(
            it.get("a").map(Node::as_str),
            Some("[3 , {\"deep\":[{}]},[]]"),
            "the last of the same name"
        );
        let several = it.fields(["A", "C", "e", "b\n"]).map(|value| value.map(Node::as_str));
        assert_eq!(several, [Some("2"), Some("null"), None, Some("\"x\\ty\"")]);
        assert!(it.get("C").is_some_and(Node::is_null) && it.get("e").is_none());
        assert_eq!(it.get("b\n").and_then(Node::text).as_deref(), Some("x\ty"));
        assert_eq!(it.get("A").and_then(Node::scalar).as_deref(), Some("2"));
        let items: Vec<Node<'_, '_>> = it.get("a").into_iter().flat_map(Node::items).collect();
        assert_eq!(
            items.iter().map(|item| item.as_str()).collect::<Vec<_>>(),
            ["3", "{\"deep\":[{}]}", "[]"]
        );
        let deep: Vec<&str> =
            items[1].get("DEEP").into_iter().flat_map(Node::items).map(Node::as_str).collect();
        assert_eq!(deep, ["{}"]);
        assert_eq!(
            (items[0].items().count(), items[0].members().count(), items[2].items().count()),
            (0, 0, 0)
        );
        assert!(it.is_object() && !it.is_list() && !it.is_string() && items[2].is_list());
        assert_eq!(Tape::default().root().as_str(), "null");
        let odd = Tape::of(r#"{"\ud800":1,"a":2}"#).unwrap();
        assert_eq!(odd.root().get("a").map(Node::as_str), Some("2"), "beside a name that cannot be decoded");
        assert!(!format!("{it:?}").contains("deep"), "the text may be secret");
    }

    #[test]
    fn a_name_may_be_long() {
        let names = [62, 63, 64, 70].map(|length| "n".repeat(length));
        let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":{}", name.len())).collect();
        let text = format!("{{{}}}", members.join(","));
        let tape = Tape::of(&text).unwrap();
        let values = tape.root().fields([&names[0], &names[1], &names[2].to_uppercase(), &names[3], "n"]);
        assert_eq!(
            values.map(|value| value.map(Node::as_str)),
            [Some("62"), Some("63"), Some("64"), Some("70"), None]
        );
    }

    #[test]
    fn an_object_without_a_member_keeps_the_others_as_they_came() {
        let without = |text: &str, name| Tape::of(text).unwrap().root().without(name);
        assert_eq!(
            without(r#"{"a":1,"b\n":"x\ty", "A": 2,"c":[1, 2]}"#, "a"),
            r#"{"b\n":"x\ty","c":[1, 2]}"#
        );
        assert_eq!((without(r#"{ "A" : 1 }"#, "a"), without("{}", "a")), ("{}".to_owned(), "{}".to_owned()));
    }

    #[test]
    fn depth_is_not_bounded_and_takes_no_stack() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let tape = Tape::of(&deep).unwrap();
        let innermost = std::iter::successors(Some(tape.root()), |node| node.items().next()).last();
        assert_eq!(innermost.map(Node::as_str), Some("1"));
        assert!(Tape::of(&deep[1..]).is_err() && tape.root().value().is_err());
    }

    /// Whether a node has the value that `serde_json` decodes, and so has all that it contains.
    fn is_same(node: Node<'_, '_>, value: &Value) -> bool {
        let same = node.is_null() == value.is_null()
            && node.is_object() == value.is_object()
            && node.is_list() == value.is_array()
            && node.text().as_deref() == value.as_str();
        same && match value {
            Value::Array(items) => {
                let nodes: Vec<_> = node.items().collect();
                nodes.len() == items.len() && nodes.iter().zip(items).all(|(node, item)| is_same(*node, item))
            }
            Value::Object(fields) => {
                fields.iter().all(|(name, value)| node.get(name).is_some_and(|node| is_same(node, value)))
            }
            value => node.value().ok().as_ref() == Some(value),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn an_exact_name_is_preferred_and_the_last_of_them_is_taken(
            names in prop::collection::vec(
                prop::sample::select(vec!["a", "A", "\\u0061", "\\u0041", "b", "\\ud800"]), 0..8)
        ) {
            let members: Vec<String> =
                names.iter().enumerate().map(|(at, name)| format!(r#""{name}":{at}"#)).collect();
            let text = format!("{{{}}}", members.join(","));
            let tape = Tape::of(&text).unwrap();
            for (name, found) in ["a", "A", "B"].into_iter().zip(tape.root().fields(["a", "A", "B"])) {
                let named = |is: &dyn Fn(&str) -> bool| {
                    let members = tape.root().members().filter(|(key, _)| key.as_deref().is_some_and(is));
                    members.map(|(_, value)| value.as_str()).collect::<Vec<_>>()
                };
                let exact = named(&|key| key == name).last().copied();
                let other = named(&|key| key.eq_ignore_ascii_case(name)).first().copied();
                prop_assert_eq!(found.map(Node::as_str), exact.or(other), "{} in {}", name, text);
            }
        }

        #[test]
        fn a_tape_is_made_of_what_serde_json_accepts_and_holds_the_same_values(text in texts()) {
            let (tape, raw) = (Tape::of(&text), serde_json::from_str::<&RawValue>(&text));
            prop_assert_eq!(tape.is_ok(), raw.is_ok());
            if let (Ok(tape), Ok(raw)) = (&tape, raw) {
                prop_assert_eq!(tape.root().as_str(), raw.get());
                if let Ok(value) = serde_json::from_str::<Value>(&text) {
                    prop_assert!(is_same(tape.root(), &value), "{}", text);
                }
            }
        }
    }
}
