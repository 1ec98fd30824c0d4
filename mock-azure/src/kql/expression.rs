//! Parses expressions, which compute values from a row.

use super::{KqlError, Scalar, ast::Expr, parse::Parser, token::Part};

/// Binary operators by precedence, lowest first.
const BINARY: &[&[&str]] = &[
    &["or"],
    &["and"],
    &[
        "==",
        "!=",
        "=~",
        "!~",
        "<",
        ">",
        "<=",
        ">=",
        "contains",
        "!contains",
        "contains_cs",
        "!contains_cs",
        "has",
        "!has",
        "has_cs",
        "!has_cs",
        "startswith",
        "!startswith",
        "startswith_cs",
        "!startswith_cs",
        "endswith",
        "!endswith",
        "endswith_cs",
        "!endswith_cs",
        "matches regex",
    ],
    &["+", "-"],
    &["*", "/", "%"],
];

/// The precedence level of comparisons, and of operators that test for membership in a list.
const COMPARISON: usize = 2;

/// The maximum number of lists with which one value may be compared without parentheses.
const LISTS: usize = 10;

impl Parser {
    /// Parses an expression whose operators have at least the precedence `level`.
    pub(crate) fn expr(&mut self, level: usize) -> Result<Expr, KqlError> {
        self.descend()?;
        let mut left = self.unary()?;
        let mut lists = 0;
        loop {
            if level <= COMPARISON && self.is_membership() {
                lists += 1;
                if lists > LISTS {
                    return Err(KqlError::unsupported("so many lists in a row are not known here"));
                }
                left = self.membership(left)?;
                continue;
            }
            let Some((found, operator, tokens)) = self.operator(level) else { break };
            self.at += tokens;
            let right = self.expr(found + 1)?;
            left = chain(left, found, operator, right);
        }
        self.ascend();
        Ok(left)
    }

    /// The operator at this position, its level and its number of tokens, if its precedence is high enough. `!has` and
    /// `matches regex` are two tokens.
    fn operator(&self, level: usize) -> Option<(usize, &'static str, usize)> {
        let joined;
        let (text, tokens) = match (&self.peek().part, self.ahead(1)) {
            (Part::Symbol("!"), Part::Name(name)) => {
                joined = format!("!{name}");
                (joined.as_str(), 2)
            }
            (Part::Symbol(symbol), _) => (*symbol, 1),
            (Part::Name(first), Part::Name(second)) if first == "matches" => {
                joined = format!("{first} {second}");
                (joined.as_str(), 2)
            }
            (Part::Name(name), _) => (name.as_str(), 1),
            _ => return None,
        };
        BINARY.iter().enumerate().skip(level).find_map(|(found, operators)| {
            operators.iter().find(|known| **known == text).map(|known| (found, *known, tokens))
        })
    }

    fn is_membership(&self) -> bool {
        let negated = matches!(self.peek().part, Part::Symbol("!"));
        let Part::Name(word) = self.ahead(usize::from(negated)) else { return false };
        matches!(word.as_str(), "in" | "in~" | "between" | "has_any" | "has_all")
    }

    fn membership(&mut self, left: Expr) -> Result<Expr, KqlError> {
        let negated = self.take_symbol("!");
        let word = self.name()?;
        self.symbol("(")?;
        let value = Box::new(left);
        if word == "between" {
            let low = Box::new(self.expr(COMPARISON + 1)?);
            self.symbol("..")?;
            let high = Box::new(self.expr(COMPARISON + 1)?);
            self.symbol(")")?;
            return Ok(Expr::Between { value, low, high, negated });
        }
        let list = self.arguments()?;
        if word.starts_with("has") {
            return Ok(Expr::HasTerms { value, list, all: word == "has_all", negated });
        }
        Ok(Expr::In { value, list, negated, ignore_case: word == "in~" })
    }

    /// Parses the arguments after an opening parenthesis, up to the closing one.
    fn arguments(&mut self) -> Result<Vec<Expr>, KqlError> {
        let mut list = Vec::new();
        if self.take_symbol(")") {
            return Ok(list);
        }
        loop {
            list.push(if self.take_symbol("*") { Expr::Star } else { self.expr(0)? });
            if self.take_symbol(")") {
                return Ok(list);
            }
            self.symbol(",")?;
        }
    }

    fn unary(&mut self) -> Result<Expr, KqlError> {
        if self.take_symbol("-") {
            self.descend()?;
            let inner = self.unary()?;
            self.ascend();
            return Ok(Expr::Negative(Box::new(inner)));
        }
        let first = self.operand()?;
        let mut members = Vec::new();
        loop {
            if self.take_symbol(".") {
                members.push(Expr::Literal(Scalar::Text(self.name()?)));
            } else if self.take_symbol("[") {
                members.push(self.expr(0)?);
                self.symbol("]")?;
            } else if members.is_empty() {
                return Ok(first);
            } else {
                return Ok(Expr::Path(Box::new(first), members));
            }
        }
    }

    fn operand(&mut self) -> Result<Expr, KqlError> {
        let token = self.peek().clone();
        self.at += 1;
        match token.part {
            Part::Literal(value) => Ok(Expr::Literal(value)),
            Part::Symbol("(") => {
                let inner = self.expr(0)?;
                self.symbol(")")?;
                Ok(inner)
            }
            Part::Symbol("[") => {
                let Part::Literal(Scalar::Text(name)) = self.peek().part.clone() else {
                    return Err(self.peek().unexpected());
                };
                self.at += 1;
                self.symbol("]")?;
                Ok(Expr::Name(name))
            }
            Part::Symbol("*") => Ok(Expr::Star),
            Part::Name(name) if self.take_symbol("(") => Ok(Expr::Call(name, self.arguments()?)),
            Part::Name(name) => Ok(Expr::Name(name)),
            _ => Err(token.unexpected()),
        }
    }
}

/// Adds an operand. A chain of operators with equal precedence stays one level deep.
fn chain(left: Expr, level: usize, operator: &'static str, right: Expr) -> Expr {
    match left {
        Expr::Chain(first, mut rest)
            if rest.first().is_some_and(|(other, _)| BINARY[level].contains(other)) =>
        {
            rest.push((operator, right));
            Expr::Chain(first, rest)
        }
        left => Expr::Chain(Box::new(left), vec![(operator, right)]),
    }
}
