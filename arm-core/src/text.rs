//! Text from outside, made safe to print.

use std::{borrow::Cow, fmt::Write as _};

/// Escapes characters that could control a terminal or reorder a line: control characters (including line breaks and
/// tabs), bidirectional controls and most invisible characters, but not joiners, which emoji and some scripts need. An
/// escape looks like `\u{1b}`.
///
/// Use it before printing any text from a service or another person, such as names, messages and headers. Text without
/// such characters is borrowed.
///
/// ```
/// assert_eq!(arm_core::printable("kv-prod"), "kv-prod");
/// assert_eq!(arm_core::printable("a\u{1b}[2Jb\u{202e}c"), r"a\u{1b}[2Jb\u{202e}c");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, needs_escape)
}

/// Like [`printable`], for text of several lines: keeps line feeds and tabs.
///
/// ```
/// assert_eq!(arm_core::printable_lines("one\n\ttwo\r"), "one\n\ttwo\\u{d}");
/// ```
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| !matches!(c, '\n' | '\t') && needs_escape(c))
}

fn escape(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// C0, DEL and C1; marks, embeddings, overrides and isolates of the bidirectional algorithm; line and paragraph
/// separators; zero-width and interlinear characters; tags. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Returns the beginning of an unexpected body, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_reorders_a_line_is_shown_as_a_number() {
        for (text, shown) in [
            ("\u{1b}]8;;https://evil.example\u{7}x", r"\u{1b}]8;;https://evil.example\u{7}x"),
            ("\u{9b}2J", r"\u{9b}2J"),
            ("a\rb\nc", r"a\u{d}b\u{a}c"),
            ("\u{202e}gpj.exe\u{2069}", r"\u{202e}gpj.exe\u{2069}"),
            ("\u{61c}\u{200f}\u{feff}", r"\u{61c}\u{200f}\u{feff}"),
            ("pay\u{200b}pal\u{2028}\u{e0041}", r"pay\u{200b}pal\u{2028}\u{e0041}"),
        ] {
            assert_eq!(printable(text), shown);
            assert!(!printable(text).chars().any(needs_escape));
        }
    }

    #[test]
    fn plain_text_of_any_script_is_borrowed_unchanged() {
        for text in ["", "kv-prod", "Zażółć", "مرحبا", "日本語", "👩\u{200d}💻", "می\u{200c}خواهم"]
        {
            assert!(matches!(printable(text), Cow::Borrowed(same) if same == text), "{text}");
        }
        assert_eq!(printable_lines("one\n\ttwo\u{85}"), "one\n\ttwo\\u{85}");
    }
}
