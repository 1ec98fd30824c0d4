//! Values as literals of the Kusto Query Language, for log queries and Resource Graph. Put every untrusted value into a
//! query with one of these functions.

use std::fmt::Write as _;

use time::OffsetDateTime;

use crate::wire;

/// Writes a string as a Kusto literal: quoted, with every character that could end it escaped.
///
/// ```
/// assert_eq!(arm_core::kql::quoted("it's"), r"'it\'s'");
/// assert_eq!(arm_core::kql::quoted("' or 1==1 //"), r"'\' or 1==1 //'");
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
            // Also the two separators that some parsers treat as the end of a line.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                let _ = write!(literal, "\\u{:04x}", u32::from(c));
            }
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

/// Writes strings as a list for `in` and `in~`.
///
/// ```
/// assert_eq!(arm_core::kql::list(["a", "b"]), "('a', 'b')");
/// ```
pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let literals: Vec<String> = values.into_iter().map(quoted).collect();
    format!("({})", literals.join(", "))
}

/// Writes an instant as a `datetime(..)` literal in UTC.
pub fn datetime(instant: OffsetDateTime) -> String {
    format!("datetime({})", precise(instant))
}

/// Writes an instant in UTC with at most seven fractional digits, the most that Kusto can parse.
pub fn precise(instant: OffsetDateTime) -> String {
    let ticks = instant.nanosecond() / 100 * 100;
    wire::instant::format(instant.replace_nanosecond(ticks).unwrap_or(instant))
}
