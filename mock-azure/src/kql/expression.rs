//! Values computed from a row: the expressions of a query.

use super::{KqlError, Scalar, ast::Expr, parse::Parser, token::Part};

/// Operators between two values, by how strongly they bind; the weakest first.
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
        "has",
        "!has",
        "has_cs",
        "startswith",
        "!startswith",
        "startswith_cs",
        "endswith",
        "!endswith",
        "endswith_cs",
        "matches regex",
    ],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Parser {
    pub(crate) fn expr(&mut self, level: usize) -> Result<Expr, KqlError> {
        let Some(operators) = BINARY.get(level) else { return self.unary() };
        let mut left = self.expr(level + 1)?;
        loop {
            if level == 2
                && let Some(listed) = self.membership(&mut left)?
            {
                left = listed;
                continue;
            }
            let Some(operator) = self.operator(operators) else { return Ok(left) };
            let right = self.expr(level + 1)?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    /// The operator at this place, if it is one of these. `!has` and `matches regex` are two tokens.
    fn operator(&mut self, operators: &[&str]) -> Option<String> {
        let negated = matches!(self.peek().part, Part::Symbol("!"));
        let text = match (&self.peek().part, self.ahead(1)) {
            (Part::Symbol("!"), Part::Name(name)) => format!("!{name}"),
            (Part::Symbol(symbol), _) => (*symbol).to_owned(),
            (Part::Name(first), Part::Name(second)) if first == "matches" => format!("{first} {second}"),
            (Part::Name(name), _) => name.clone(),
            _ => return None,
        };
        operators.contains(&text.as_str()).then(|| {
            self.at += 1 + usize::from(negated || text.contains(' '));
            text
        })
    }

    fn membership(&mut self, left: &mut Expr) -> Result<Option<Expr>, KqlError> {
        let negated = matches!(self.peek().part, Part::Symbol("!"));
        let word = match self.ahead(usize::from(negated)) {
            Part::Name(name) => name.clone(),
            _ => return Ok(None),
        };
        if !matches!(word.as_str(), "in" | "in~" | "between" | "has_any" | "has_all") {
            if matches!(word.as_str(), "hasprefix" | "hassuffix") {
                return Err(KqlError::Unsupported(format!("the operator '{word}' is not known here")));
            }
            return Ok(None);
        }
        self.at += 1 + usize::from(negated);
        self.symbol("(")?;
        let value = Box::new(std::mem::replace(left, Expr::Star));
        if word == "between" {
            let low = Box::new(self.expr(3)?);
            self.symbol("..")?;
            let high = Box::new(self.expr(3)?);
            self.symbol(")")?;
            return Ok(Some(Expr::Between { value, low, high, negated }));
        }
        let list = self.arguments()?;
        if word.starts_with("has") {
            return Ok(Some(Expr::HasTerms { value, list, all: word == "has_all", negated }));
        }
        Ok(Some(Expr::In { value, list, negated, ignore_case: word == "in~" }))
    }

    /// What follows an opening parenthesis, up to the closing one.
    pub(crate) fn arguments(&mut self) -> Result<Vec<Expr>, KqlError> {
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
            return Ok(Expr::Negative(Box::new(self.unary()?)));
        }
        let token = self.peek().clone();
        let mut expr = match token.part {
            Part::Literal(ref value) => {
                self.at += 1;
                Expr::Literal(value.clone())
            }
            Part::Symbol("(") => {
                self.at += 1;
                let inner = self.expr(0)?;
                self.symbol(")")?;
                inner
            }
            Part::Symbol("[") => {
                self.at += 1;
                let Part::Literal(Scalar::Text(name)) = self.peek().part.clone() else {
                    return Err(self.peek().refuse());
                };
                self.at += 1;
                self.symbol("]")?;
                Expr::Name(name)
            }
            Part::Symbol("*") => {
                self.at += 1;
                Expr::Star
            }
            Part::Name(ref name) => {
                self.at += 1;
                if self.take_symbol("(") {
                    Expr::Call(name.clone(), self.arguments()?)
                } else {
                    Expr::Name(name.clone())
                }
            }
            _ => return Err(token.refuse()),
        };
        loop {
            if matches!(self.peek().part, Part::Symbol(".")) {
                self.at += 1;
                let member = Expr::Literal(Scalar::Text(self.name()?));
                expr = Expr::Member(Box::new(expr), Box::new(member));
            } else if self.take_symbol("[") {
                let member = self.expr(0)?;
                self.symbol("]")?;
                expr = Expr::Member(Box::new(expr), Box::new(member));
            } else {
                return Ok(expr);
            }
        }
    }
}
