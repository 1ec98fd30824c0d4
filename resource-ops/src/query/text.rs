//! Decides which names need quoting in a query.

/// Words that Kusto does not accept as column names.
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

/// Whether a name can be used in a query without quoting. `kind` can, since it is a column of every table.
pub(super) fn is_plain(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    letters && begins && (name == "kind" || !RESERVED.contains(&name))
}
