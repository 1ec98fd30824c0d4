//! Splits a text into tokens.

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{KqlError, Scalar, limits};

/// The kind of a token, with its content.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Name(String),
    Literal(Scalar),
    Symbol(&'static str),
    End,
}

/// A token and its position.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) part: Part,
    pub(crate) text: String,
    line: usize,
    position: usize,
}

impl Token {
    /// The error for a token that no version of Kusto accepts here.
    pub(crate) fn refuse(&self) -> KqlError {
        KqlError::Syntax { token: self.text.clone(), line: self.line, position: self.position }
    }

    /// The error for a token that this engine does not accept here. At the end of the text, it is a syntax error;
    /// before, Kusto may support more.
    pub(crate) fn unexpected(&self) -> KqlError {
        if self.part == Part::End || self.joins() {
            return self.refuse();
        }
        let (text, line, position) = (&self.text, self.line, self.position);
        KqlError::Unsupported(format!("the text '{text}' on line [{line},{position}] is not known here"))
    }

    /// Whether it joins two operands, so that nothing begins with it in any version of Kusto.
    fn joins(&self) -> bool {
        const JOINING: &[&str] =
            &["==", "!=", "=~", "!~", "<=", ">=", "=", "<", ">", ",", "|", ";", "/", "%"];
        matches!(self.part, Part::Symbol(symbol) if JOINING.contains(&symbol))
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
    /// A position whose line is known, and where that line begins. Positions are looked up in order.
    known: (usize, usize, usize),
    after_pipe: bool,
}

/// Splits a query.
pub(crate) fn tokens(source: &str) -> Result<Vec<Token>, KqlError> {
    if source.len() > limits::TEXT {
        return Err(KqlError::unsupported("a query longer than a million characters is not known here"));
    }
    let mut reader = Reader { chars: source.chars().collect(), at: 0, known: (0, 1, 0), after_pipe: false };
    let mut tokens = Vec::new();
    loop {
        reader.skip_blank();
        let start = reader.at;
        let part = reader.part()?;
        let text: String = reader.chars[start..reader.at].iter().collect();
        let (line, position) = reader.place(start);
        reader.after_pipe = part == Part::Symbol("|");
        let end = part == Part::End;
        tokens.push(Token { part, text, line, position });
        if end {
            balanced(&tokens)?;
            return Ok(tokens);
        }
    }
}

/// Refuses unbalanced brackets, which are invalid in every version of Kusto.
fn balanced(tokens: &[Token]) -> Result<(), KqlError> {
    let mut open = Vec::new();
    for token in tokens {
        match token.part {
            Part::Symbol("(") => open.push(")"),
            Part::Symbol("[") => open.push("]"),
            Part::Symbol(closing @ (")" | "]")) if open.pop() != Some(closing) => return Err(token.refuse()),
            Part::End if !open.is_empty() => return Err(token.refuse()),
            _ => {}
        }
    }
    Ok(())
}

impl Reader {
    fn peek(&self, ahead: usize) -> char {
        self.chars.get(self.at + ahead).copied().unwrap_or('\0')
    }

    fn ended(&self) -> bool {
        self.at >= self.chars.len()
    }

    /// The line of a position, from 1, and the position in that line, from 0.
    fn place(&mut self, at: usize) -> (usize, usize) {
        let (from, mut line, mut begins) = self.known;
        let from = if from <= at {
            from
        } else {
            (line, begins) = (1, 0);
            0
        };
        for index in from..at.min(self.chars.len()) {
            if self.chars[index] == '\n' {
                (line, begins) = (line + 1, index + 1);
            }
        }
        self.known = (at, line, begins);
        (line, at - begins)
    }

    fn refuse(&mut self, at: usize) -> KqlError {
        let (line, position) = self.place(at);
        let token = self.chars.get(at).map_or(String::new(), char::to_string);
        KqlError::Syntax { token, line, position }
    }

    fn unsupported(&mut self, at: usize) -> KqlError {
        let (line, position) = self.place(at);
        let text: String = self.chars[at..].iter().take(20).take_while(|c| !c.is_whitespace()).collect();
        KqlError::Unsupported(format!("the text '{text}' on line [{line},{position}] is not known here"))
    }

    fn skip_blank(&mut self) {
        loop {
            while self.peek(0).is_whitespace() {
                self.at += 1;
            }
            if self.peek(0) != '/' || self.peek(1) != '/' {
                return;
            }
            while !self.ended() && self.peek(0) != '\n' {
                self.at += 1;
            }
        }
    }

    fn part(&mut self) -> Result<Part, KqlError> {
        let first = self.peek(0);
        if self.ended() {
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
                let second = self.peek(1);
                let begins = |symbol: &&&str| {
                    let mut chars = symbol.chars();
                    chars.next() == Some(first) && chars.next().is_none_or(|wanted| wanted == second)
                };
                let symbol = SYMBOLS.iter().find(begins);
                let symbol = symbol.ok_or_else(|| self.unsupported(self.at))?;
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
                _ if self.ended() => return Err(self.refuse(start)),
                '\n' if verbatim => return Err(self.unsupported(start)),
                // Documented: a text over several lines is enclosed in three backticks.
                '\n' => return Err(self.refuse(start)),
                c if c == quote && verbatim && self.peek(1) == quote => {
                    text.push(quote);
                    self.at += 2;
                }
                c if c == quote => {
                    self.at += 1;
                    return Ok(Part::Literal(Scalar::Text(text)));
                }
                '\\' if !verbatim => {
                    text.push(self.escape(start)?);
                }
                c => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<char, KqlError> {
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
                code.and_then(char::from_u32).ok_or_else(|| self.unsupported(at))?
            }
            Some(_) => return Err(self.unsupported(at)),
            None => return Err(self.refuse(start)),
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
        let literal = match (unit.as_str(), fraction) {
            ("", true) => digits.parse().ok().map(Scalar::Real),
            ("", false) => digits.parse().ok().map(Scalar::Long),
            (unit, _) => spell(&digits, unit).map(Scalar::Span),
        };
        literal.map(Part::Literal).ok_or_else(|| self.unsupported(start))
    }

    fn name(&mut self) -> Result<Part, KqlError> {
        let start = self.at;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        while word(self.peek(0)) {
            self.at += 1;
        }
        // An operator, such as `project-away`, can contain hyphens; elsewhere, a hyphen subtracts.
        while self.after_pipe && self.peek(0) == '-' && self.peek(1).is_ascii_alphabetic() {
            self.at += 1;
            while self.peek(0).is_ascii_alphabetic() {
                self.at += 1;
            }
        }
        let mut name: String = self.chars[start..self.at].iter().collect();
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
        let mut quote = None;
        loop {
            if self.ended() {
                return Err(self.refuse(start));
            }
            match (quote, self.peek(0)) {
                (Some(_), '\\') => self.at += 1,
                (Some(open), c) if c == open => quote = None,
                (Some(_), _) => {}
                (None, c @ ('"' | '\'')) => quote = Some(c),
                (None, '(') => depth += 1,
                (None, ')') => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
        let end = self.at.min(self.chars.len());
        self.at = end;
        let inner: String = self.chars[open + 1..end - 1].iter().collect();
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
        Ok(Part::Literal(literal.ok_or_else(|| self.unsupported(start))?))
    }
}

/// A duration as a number with a unit, such as `5m`.
fn spell(number: &str, unit: &str) -> Option<Duration> {
    Duration::checked_seconds_f64(number.parse::<f64>().ok()? * unit_seconds(unit)?)
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

/// Parses a time as Kusto does: a date, or a date and time with or without a zone.
pub(crate) fn instant(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim().replacen(' ', "T", 1);
    if has_too_many_digits(&text) {
        return None;
    }
    let candidates = [text.clone(), format!("{text}Z"), format!("{text}:00Z"), format!("{text}T00:00:00Z")];
    let read = candidates.iter().find_map(|text| OffsetDateTime::parse(text, &Rfc3339).ok())?;
    read.checked_to_offset(time::UtcOffset::UTC)
}

/// Whether a time has more than seven digits after the second, the maximum of the service.
pub(crate) fn has_too_many_digits(text: &str) -> bool {
    text.split_once('.').is_some_and(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).count() > 7)
}

/// Parses `30m`, `hh:mm:ss` or `d.hh:mm:ss`.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if digits.len() < text.len() {
        return spell(digits, &text[digits.len()..]);
    }
    let (days, clock) = text.split_once('.').filter(|(_, rest)| rest.contains(':')).unwrap_or(("0", text));
    let mut parts = clock.split(':');
    let (hours, minutes) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let days: i64 = days.parse().ok()?;
    let whole = days.checked_mul(86_400)?.checked_add(hours.checked_mul(3_600)?)?;
    let whole = whole.checked_add(minutes.checked_mul(60)?)?;
    Duration::seconds(whole).checked_add(Duration::checked_seconds_f64(seconds)?)
}
