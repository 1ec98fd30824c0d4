//! Reads what `Debug` shows as a tree, so that the results of any two runs can be compared member by member.

use serde_json::{Map, Value};

/// The tree of a value's `Debug`: structs by their members, `None` as null, `Some` as what it holds.
pub fn tree(shown: &str) -> Value {
    let mut reader = Reader(shown);
    let tree = reader.value();
    assert!(reader.0.is_empty(), "not read: {}", reader.0);
    tree
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.0.trim_start();
        let found = rest.strip_prefix(token);
        self.0 = found.unwrap_or(rest);
        found.is_some()
    }

    /// Items up to a closing bracket; each perhaps with the name or key before it.
    fn items(&mut self, close: &str) -> Vec<(Option<Value>, Value)> {
        let mut items = Vec::new();
        while !self.eat(close) {
            assert!(!self.0.is_empty(), "'{close}' is missing");
            if self.eat("..") {
                continue;
            }
            let first = self.value();
            let item = if self.eat(":") { (Some(first), self.value()) } else { (None, first) };
            items.push(item);
            self.eat(",");
        }
        items
    }

    fn group(&mut self, close: &str) -> Value {
        let items = self.items(close);
        match items.iter().any(|(name, _)| name.is_some()) {
            true => Value::Object(
                items.into_iter().map(|(name, value)| (text(name.unwrap_or_default()), value)).collect(),
            ),
            false => Value::Array(items.into_iter().map(|(_, value)| value).collect()),
        }
    }

    fn value(&mut self) -> Value {
        for (open, close) in [("{", "}"), ("[", "]"), ("(", ")")] {
            if self.eat(open) {
                return self.group(close);
            }
        }
        if self.0.starts_with('"') {
            return self.string();
        }
        // A name, or a number or time, which may hold blanks and colons.
        let end = self.0.find(|c: char| "{[(,)]}".contains(c)).unwrap_or(self.0.len());
        let word = &self.0[..end];
        let word = match word.find(": ") {
            Some(colon) => &word[..colon],
            None => word,
        };
        self.0 = &self.0[word.len()..];
        let word = word.trim();
        match word {
            "None" => return Value::Null,
            "Some" => {
                let inside = self.value();
                return inside.as_array().and_then(|items| items.first()).cloned().unwrap_or(inside);
            }
            _ => {}
        }
        let open = [("{", "}"), ("(", ")")].into_iter().find(|(open, _)| self.eat(open));
        match open {
            Some((_, close)) => match (self.group(close), close) {
                (Value::Array(mut items), ")") if items.len() == 1 => wrapped(word, items.remove(0)),
                (Value::Array(items), "}") if items.is_empty() => Value::from(word),
                (inside, ")") => wrapped(word, inside),
                (inside, _) => inside,
            },
            None => Value::from(word),
        }
    }

    fn string(&mut self) -> Value {
        let mut escaped = false;
        let end = self.0[1..].char_indices().find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        let end = end.map_or(self.0.len(), |(at, _)| at + 2);
        let (string, rest) = self.0.split_at(end);
        self.0 = rest;
        Value::from(string.trim_matches('"'))
    }
}

/// `Created(x)`: which case it is matters.
fn wrapped(name: &str, inside: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), inside)]))
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::tree;

    #[derive(Debug)]
    #[allow(dead_code)]
    struct Thing {
        id: Option<&'static str>,
        none: Option<u8>,
        at: (u8, f64),
        list: Vec<Case>,
        map: BTreeMap<&'static str, bool>,
    }

    #[derive(Debug)]
    #[allow(dead_code)]
    enum Case {
        Unit,
        Of(u8),
        With { a: &'static str },
    }

    #[test]
    fn what_debug_shows_is_read_as_a_tree() {
        let thing = Thing {
            id: Some("a \"b\", (c)"),
            none: None,
            at: (1, 2.5),
            list: vec![Case::Unit, Case::Of(3), Case::With { a: "x: y" }],
            map: BTreeMap::from([("k", true)]),
        };
        let expected = json!({
            "id": "a \\\"b\\\", (c)",
            "none": null,
            "at": ["1", "2.5"],
            "list": ["Unit", { "Of": "3" }, { "a": "x: y" }],
            "map": { "k": "true" },
        });
        assert_eq!(tree(&format!("{thing:?}")), expected);
    }
}
