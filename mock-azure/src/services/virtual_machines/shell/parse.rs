//! From text to commands.

use super::{Chain, Command, List, Piece, Pipeline, Redirect, Script, Word};
use crate::services::virtual_machines::commands;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(Word),
    Redirect(Redirect),
    Operator(&'static str),
}

impl Script {
    /// Reads a script; the error is what the double does not know.
    pub(in crate::services::virtual_machines) fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { tokens: tokens(text)?, at: 0 };
        let list = parser.list(&[])?;
        if parser.at < parser.tokens.len() {
            return Err(format!("{:?}", parser.tokens[parser.at]));
        }
        Ok(Self(list))
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = text.replace("\r\n", "\n").replace("\\\n", " ").chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest: String = chars[at..].iter().take(4).collect();
        let found = ["&&", "||", ";", "\n", "|"].into_iter().find(|operator| rest.starts_with(operator));
        if let Some(operator) = found {
            tokens.push(Token::Operator(if operator == "\n" { ";" } else { operator }));
            at += operator.len();
        } else if chars[at].is_whitespace() {
            at += 1;
        } else if chars[at] == '#' {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if rest.starts_with("2>&1") {
            at += 4;
            let target = Word(vec![Piece::Text { text: "&1".to_owned(), quoted: true }]);
            tokens.push(Token::Redirect(Redirect { errors: true, append: false, target }));
        } else if rest.starts_with('>') || rest.starts_with("2>") {
            let errors = rest.starts_with('2');
            at += usize::from(errors) + 1;
            let append = chars.get(at) == Some(&'>');
            at += usize::from(append);
            at += chars[at..].iter().take_while(|c| **c == ' ').count();
            let target = word(&chars, &mut at)?;
            tokens.push(Token::Redirect(Redirect { errors, append, target }));
        } else if matches!(chars[at], '<' | '&' | '(' | ')' | '`') {
            return Err(chars[at..].iter().take_while(|c| **c != '\n').collect());
        } else {
            tokens.push(Token::Word(word(&chars, &mut at)?));
        }
    }
    Ok(tokens)
}

fn word(chars: &[char], at: &mut usize) -> Result<Word, String> {
    let mut pieces = Vec::new();
    let mut quote: Option<char> = None;
    let mut text = String::new();
    let push = |text: &mut String, quoted: bool, pieces: &mut Vec<Piece>| {
        if !text.is_empty() || quoted {
            pieces.push(Piece::Text { text: std::mem::take(text), quoted });
        }
    };
    while let Some(c) = chars.get(*at).copied() {
        match (c, quote) {
            ('\'', None) | ('"', None) => {
                push(&mut text, false, &mut pieces);
                quote = Some(c);
            }
            (c, Some(open)) if c == open => {
                push(&mut text, true, &mut pieces);
                quote = None;
            }
            ('\\', None) | ('\\', Some('"')) => {
                let next = chars.get(*at + 1).copied().unwrap_or('\\');
                let escapes = quote.is_none() || matches!(next, '"' | '\\' | '$' | '`');
                if escapes {
                    *at += 1;
                    push(&mut text, quote.is_some(), &mut pieces);
                    pieces.push(Piece::Text { text: next.to_string(), quoted: true });
                } else {
                    text.push('\\');
                }
            }
            ('`', None | Some('"')) => return Err("`".to_owned()),
            ('$', None | Some('"')) => {
                let rest: String = chars[*at + 1..].iter().collect();
                match variable(&rest) {
                    Some((name, length)) => {
                        push(&mut text, quote.is_some(), &mut pieces);
                        pieces.push(Piece::Variable { name, quoted: quote.is_some() });
                        *at += length;
                    }
                    None if rest.starts_with(['(', '{']) => {
                        return Err(format!("${}", rest.chars().take(20).collect::<String>()));
                    }
                    None => text.push('$'),
                }
            }
            (c, None) if c.is_whitespace() || matches!(c, ';' | '|' | '&' | '<' | '>' | '(' | ')') => break,
            (c, _) => text.push(c),
        }
        *at += 1;
    }
    if let Some(open) = quote {
        return Err(format!("a text without its closing {open}"));
    }
    push(&mut text, false, &mut pieces);
    Ok(Word(pieces))
}

/// The name after a `$`, and how many characters it takes.
fn variable(rest: &str) -> Option<(String, usize)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(braced) = rest.strip_prefix('{') {
        let (name, _) = braced.split_once('}')?;
        return (!name.is_empty() && name.chars().all(is_name)).then(|| (name.to_owned(), name.len() + 2));
    }
    if rest.starts_with('?') {
        return Some(("?".to_owned(), 1));
    }
    let digits = rest.starts_with(|c: char| c.is_ascii_digit());
    let name: String = if digits {
        rest.chars().take(1).collect()
    } else {
        rest.chars().take_while(|c| is_name(*c)).collect()
    };
    (!name.is_empty()).then(|| (name.clone(), name.len()))
}

impl Word {
    /// The text, when there is nothing in the word to work out.
    fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text { text, .. }] => Some(text),
            _ => None,
        }
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn keyword(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some(Token::Word(Word(pieces))) => match pieces.as_slice() {
                [Piece::Text { text, quoted: false }] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    fn take(&mut self, operator: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Operator(it)) if *it == operator);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, keyword: &str) -> Result<(), String> {
        if self.keyword() == Some(keyword) {
            self.at += 1;
            return Ok(());
        }
        Err(format!("a script without its '{keyword}'"))
    }

    fn list(&mut self, ends: &[&str]) -> Result<List, String> {
        let mut list = Vec::new();
        loop {
            while self.take(";") {}
            if self.at >= self.tokens.len() || self.keyword().is_some_and(|word| ends.contains(&word)) {
                return Ok(list);
            }
            let first = self.pipeline()?;
            let mut rest = Vec::new();
            loop {
                let and = self.take("&&");
                if !and && !self.take("||") {
                    break;
                }
                while self.take(";") {}
                rest.push((and, self.pipeline()?));
            }
            list.push(Chain { first, rest });
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, String> {
        let negated = self.keyword() == Some("!");
        self.at += usize::from(negated);
        let mut commands = vec![self.command()?];
        while self.take("|") {
            commands.push(self.command()?);
        }
        Ok(Pipeline { negated, commands })
    }

    fn command(&mut self) -> Result<Command, String> {
        match self.keyword() {
            Some("if") => {
                self.at += 1;
                let condition = self.list(&["then"])?;
                self.expect("then")?;
                let then = self.list(&["else", "fi"])?;
                let otherwise = if self.keyword() == Some("else") {
                    self.at += 1;
                    self.list(&["fi"])?
                } else {
                    Vec::new()
                };
                self.expect("fi")?;
                Ok(Command::If { condition, then, otherwise })
            }
            Some("for") => {
                self.at += 1;
                let name = self.keyword().unwrap_or_default().to_owned();
                self.at += 1;
                self.expect("in")?;
                let mut words = Vec::new();
                while let Some(Token::Word(word)) = self.tokens.get(self.at) {
                    words.push(word.clone());
                    self.at += 1;
                }
                while self.take(";") {}
                self.expect("do")?;
                let body = self.list(&["done"])?;
                self.expect("done")?;
                Ok(Command::For { name, words, body })
            }
            _ => self.simple(),
        }
    }

    fn simple(&mut self) -> Result<Command, String> {
        let (mut assigned, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            match self.tokens.get(self.at) {
                Some(Token::Word(word)) => match assignment(word).filter(|_| words.is_empty()) {
                    Some(assignment) => assigned.push(assignment),
                    None => words.push(word.clone()),
                },
                Some(Token::Redirect(redirect)) => redirects.push(redirect.clone()),
                _ => break,
            }
            self.at += 1;
        }
        match words.first() {
            None if assigned.is_empty() => Err("a command that is missing".to_owned()),
            Some(word) if !word.plain().is_some_and(|name| commands::KNOWN.contains(&name)) => {
                Err(word.plain().unwrap_or("a command from a variable").to_owned())
            }
            _ => Ok(Command::Simple { assigned, words, redirects }),
        }
    }
}

/// `NAME=value`
fn assignment(word: &Word) -> Option<(String, Word)> {
    let Some((Piece::Text { text, quoted: false }, rest)) = word.0.split_first() else { return None };
    let (name, value) = text.split_once('=')?;
    let is_name = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let first = Piece::Text { text: value.to_owned(), quoted: true };
    is_name.then(|| (name.to_owned(), Word(std::iter::once(first).chain(rest.iter().cloned()).collect())))
}
