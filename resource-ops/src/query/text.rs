//! Strings and names, escaped for a query.

use std::fmt::Write as _;

/// Words that Kusto does not read as the name of a column.
const RESERVED: &[&str] = &[
    "and",
    "as",
    "asc",
    "between",
    "by",
    "contains",
    "count",
    "desc",
    "distinct",
    "endswith",
    "evaluate",
    "extend",
    "false",
    "filter",
    "find",
    "has",
    "has_all",
    "has_any",
    "in",
    "join",
    "kind",
    "let",
    "limit",
    "matches",
    "not",
    "null",
    "nulls",
    "of",
    "on",
    "or",
    "order",
    "parse",
    "print",
    "project",
    "range",
    "regex",
    "render",
    "search",
    "sort",
    "startswith",
    "step",
    "summarize",
    "take",
    "to",
    "top",
    "true",
    "typeof",
    "union",
    "where",
    "with",
];

/// A string as a Kusto literal: quoted, with everything escaped that could end it.
///
/// ```
/// assert_eq!(resource_ops::query::quoted("it's"), r"'it\'s'");
/// ```
pub fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for c in text.chars() {
        match c {
            '\\' | '\'' => literal.extend(['\\', c]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // Also the two separators that some readers take for the end of a line.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(literal, "\\u{:04x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// Whether a name needs no quoting in a query. `kind` needs none: it is a column of every table.
pub(super) fn is_plain(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    letters && begins && (name == "kind" || !RESERVED.contains(&name))
}
