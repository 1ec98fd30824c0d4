//! From text to tokens.

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{KqlError, Scalar};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Name(String),
    Literal(Scalar),
    Symbol(&'static str),
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) part: Part,
    pub(crate) text: String,
    line: usize,
    position: usize,
}

impl Token {
    pub(crate) fn refuse(&self) -> KqlError {
        KqlError::Syntax { token: self.text.clone(), line: self.line, position: self.position }
    }
}

/// Longest first.
const SYMBOLS: &[&str] = &[
    "==", "!=", "=~", "!~", "<=", ">=", "..", "=", "<", ">", "(", ")", "[", "]", ",", ";", "|", "+", "-",
    "*", "/", "%", ".", "!", ":",
];

/// Literals written as a name and parentheses.
const TYPED: &[&str] =
    &["datetime", "date", "timespan", "time", "real", "double", "int", "long", "bool", "guid", "dynamic"];

struct Reader {
    chars: Vec<char>,
    at: usize,
}

/// Splits a query.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, KqlError> {
    let mut reader = Reader { chars: source.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blank();
        let start = reader.at;
        let part = reader.part()?;
        let text: String = reader.chars[start..reader.at].iter().collect();
        let (line, position) = reader.place(start);
        let end = part == Part::End;
        tokens.push(Token { part, text, line, position });
        if end {
            return Ok(tokens);
        }
    }
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let before = &self.chars[..at.min(self.chars.len())];
        let line = before.iter().filter(|c| **c == '\n').count() + 1;
        let position = before.iter().rev().take_while(|c| **c != '\n').count() + 1;
        (line, position)
    }

    fn refuse(&self, at: usize) -> KqlError {
        let (line, position) = self.place(at);
        let token = self.chars.get(at).map_or(String::new(), char::to_string);
        KqlError::Syntax { token, line, position }
    }

    fn skip_blank(&mut self) {
        loop {
            while self.peek(0).is_whitespace() {
                self.at += 1;
            }
            if self.peek(0) != '/' || self.peek(1) != '/' {
                return;
            }
            while self.at < self.chars.len() && self.peek(0) != '\n' {
                self.at += 1;
            }
        }
    }

    fn part(&mut self) -> Result<Part, KqlError> {
        let first = self.peek(0);
        if self.at >= self.chars.len() {
            return Ok(Part::End);
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' || first == '$' {
            return self.name();
        }
        match first {
            '"' | '\'' => self.text(false),
            '@' if matches!(self.peek(1), '"' | '\'') => {
                self.at += 1;
                self.text(true)
            }
            _ => {
                let rest: String = self.chars[self.at..].iter().take(2).collect();
                let found = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let symbol = found.ok_or_else(|| self.refuse(self.at))?;
                self.at += symbol.len();
                Ok(Part::Symbol(symbol))
            }
        }
    }

    fn text(&mut self, verbatim: bool) -> Result<Part, KqlError> {
        let (start, quote) = (self.at, self.peek(0));
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek(0) {
                '\0' | '\n' => return Err(self.refuse(start)),
                c if c == quote && verbatim && self.peek(1) == quote => {
                    text.push(quote);
                    self.at += 2;
                }
                c if c == quote => {
                    self.at += 1;
                    return Ok(Part::Literal(Scalar::Text(text)));
                }
                '\\' if !verbatim => {
                    text.push(self.escape()?);
                }
                c => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, KqlError> {
        let at = self.at;
        self.at += 2;
        Ok(match self.chars.get(at + 1) {
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(c @ ('\\' | '\'' | '"')) => *c,
            Some('u') => {
                let digits: String = self.chars.iter().skip(self.at).take(4).collect();
                self.at += 4;
                let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                code.and_then(char::from_u32).ok_or_else(|| self.refuse(at))?
            }
            _ => return Err(self.refuse(at)),
        })
    }

    fn number(&mut self) -> Result<Part, KqlError> {
        let start = self.at;
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        let fraction = self.peek(0) == '.' && self.peek(1).is_ascii_digit();
        if fraction {
            self.at += 1;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
        }
        let digits: String = self.chars[start..self.at].iter().collect();
        let unit_at = self.at;
        while self.peek(0).is_ascii_alphabetic() {
            self.at += 1;
        }
        let unit: String = self.chars[unit_at..self.at].iter().collect();
        let refuse = self.refuse(start);
        let number: f64 = digits.parse().map_err(|_| refuse.clone())?;
        let literal = if unit.is_empty() {
            if fraction { Scalar::Real(number) } else { Scalar::Long(digits.parse().map_err(|_| refuse)?) }
        } else {
            let seconds = unit_seconds(&unit).ok_or(refuse)?;
            Scalar::Span(Duration::seconds_f64(number * seconds))
        };
        Ok(Part::Literal(literal))
    }

    fn name(&mut self) -> Result<Part, KqlError> {
        let start = self.at;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        while word(self.peek(0)) {
            self.at += 1;
        }
        let mut name: String = self.chars[start..self.at].iter().collect();
        if matches!(name.as_str(), "project" | "mv")
            && self.peek(0) == '-'
            && self.peek(1).is_ascii_alphabetic()
        {
            self.at += 1;
            name.push('-');
            while self.peek(0).is_ascii_alphabetic() || self.peek(0) == '-' {
                name.push(self.peek(0));
                self.at += 1;
            }
        }
        if name == "in" && self.peek(0) == '~' {
            self.at += 1;
            name.push('~');
        }
        if TYPED.contains(&name.as_str()) && self.peek(0) == '(' {
            return self.typed(&name, start);
        }
        Ok(match name.as_str() {
            "true" => Part::Literal(Scalar::Bool(true)),
            "false" => Part::Literal(Scalar::Bool(false)),
            _ => Part::Name(name),
        })
    }

    fn typed(&mut self, kind: &str, start: usize) -> Result<Part, KqlError> {
        let open = self.at;
        let mut depth = 0usize;
        loop {
            match self.peek(0) {
                '\0' => return Err(self.refuse(start)),
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        let inner: String = self.chars[open + 1..self.at - 1].iter().collect();
        let inner = inner.trim();
        if inner == "null" {
            return Ok(Part::Literal(Scalar::Null));
        }
        let plain = inner.trim_matches(['"', '\'']);
        let literal = match kind {
            "datetime" | "date" => instant(plain).map(Scalar::Time),
            "timespan" | "time" => span(plain).map(Scalar::Span),
            "real" | "double" => plain.parse().ok().map(Scalar::Real),
            "int" | "long" => plain.parse().ok().map(Scalar::Long),
            "bool" => plain.parse().ok().map(Scalar::Bool),
            "guid" => Some(Scalar::text(plain)),
            _ => serde_json::from_str::<Value>(inner).ok().map(Scalar::Dynamic),
        };
        Ok(Part::Literal(literal.ok_or_else(|| self.refuse(start))?))
    }
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "d" => 86_400.0,
        "h" => 3_600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 0.001,
        _ => return None,
    })
}

/// A time as Kusto reads it: a date, or a date and time with or without zone.
pub(crate) fn instant(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim().replacen(' ', "T", 1);
    if has_too_many_digits(&text) {
        return None;
    }
    let candidates = [text.clone(), format!("{text}Z"), format!("{text}:00Z"), format!("{text}T00:00:00Z")];
    candidates.iter().find_map(|text| OffsetDateTime::parse(text, &Rfc3339).ok())
}

/// Whether a time has more digits of a second than the service reads: seven.
pub(crate) fn has_too_many_digits(text: &str) -> bool {
    text.split_once('.').is_some_and(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).count() > 7)
}

/// `30m`, `hh:mm:ss` or `d.hh:mm:ss`.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.len() < text.len() {
        let number: f64 = digits.parse().ok()?;
        return unit_seconds(&text[digits.len()..]).map(|seconds| Duration::seconds_f64(number * seconds));
    }
    let (days, clock) = text.split_once('.').filter(|(_, rest)| rest.contains(':')).unwrap_or(("0", text));
    let mut parts = clock.split(':');
    let (hours, minutes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let days: i64 = days.parse().ok()?;
    Some(
        Duration::days(days)
            + Duration::hours(hours)
            + Duration::minutes(minutes)
            + Duration::seconds_f64(seconds),
    )
}
