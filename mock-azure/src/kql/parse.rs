//! From tokens to a query.

use super::{
    Column, Kind, KqlError, Scalar, Table,
    token::{Part, Token},
};

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

/// A value computed from a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Scalar),
    Name(String),
    Call(String, Vec<Expr>),
    /// `a.b` and `a['b']`.
    Member(Box<Expr>, Box<Expr>),
    Binary(String, Box<Expr>, Box<Expr>),
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
        ignore_case: bool,
    },
    /// `has_any` and `has_all`.
    HasTerms {
        value: Box<Expr>,
        list: Vec<Expr>,
        all: bool,
        negated: bool,
    },
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        negated: bool,
    },
    Negative(Box<Expr>),
    /// `*`, as in `arg_max(TimeGenerated, *)`.
    Star,
}

/// A computed column, with its name if the query gives one.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: Option<String>,
    pub(crate) expr: Expr,
}

/// Where rows come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Table(String),
    Union {
        fuzzy: bool,
        legs: Vec<Pipeline>,
    },
    Print(Vec<Named>),
    /// Rows in the query itself.
    Datatable(Table),
}

/// What happens to rows.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Where(Expr),
    Extend(Vec<Named>),
    Project(Vec<Named>),
    ProjectAway(Vec<String>),
    ProjectRename(Vec<Named>),
    Summarize { aggregates: Vec<Named>, by: Vec<Named> },
    Distinct(Vec<Named>),
    Sort(Vec<(Expr, bool)>),
    Take(Expr),
    Count,
}

/// A source and its steps.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) source: Source,
    pub(crate) steps: Vec<Step>,
}

/// A name that the query defines.
#[derive(Debug, Clone)]
pub(crate) enum Let {
    Value(Expr),
    View(Pipeline),
}

/// A whole query.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) lets: Vec<(String, Let)>,
    pub(crate) pipeline: Pipeline,
}

/// Operators that Kusto has and this double has not.
const OTHER_OPERATORS: &[&str] = &[
    "as",
    "consume",
    "evaluate",
    "facet",
    "find",
    "getschema",
    "invoke",
    "join",
    "lookup",
    "make-series",
    "mv-apply",
    "mv-expand",
    "mvexpand",
    "parse",
    "parse-where",
    "parse-kv",
    "partition",
    "project-keep",
    "project-reorder",
    "range",
    "reduce",
    "render",
    "sample",
    "sample-distinct",
    "scan",
    "search",
    "serialize",
    "top-hitters",
    "top-nested",
    "fork",
];

pub(crate) fn query(tokens: Vec<Token>) -> Result<Query, KqlError> {
    let mut parser = Parser { tokens, at: 0 };
    let mut lets = Vec::new();
    while parser.is_name("let") {
        parser.at += 1;
        let name = parser.name()?;
        parser.symbol("=")?;
        let value =
            if parser.starts_view() { Let::View(parser.pipeline()?) } else { Let::Value(parser.expr(0)?) };
        parser.symbol(";")?;
        lets.push((name, value));
    }
    let pipeline = parser.pipeline()?;
    while parser.take_symbol(";") {}
    match parser.peek().part {
        Part::End => Ok(Query { lets, pipeline }),
        _ => Err(parser.peek().refuse()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    fn ahead(&self, by: usize) -> &Part {
        &self.tokens[(self.at + by).min(self.tokens.len() - 1)].part
    }

    fn is_name(&self, wanted: &str) -> bool {
        matches!(&self.peek().part, Part::Name(name) if name == wanted)
    }

    fn take_name(&mut self, wanted: &str) -> bool {
        let found = self.is_name(wanted);
        self.at += usize::from(found);
        found
    }

    fn take_symbol(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek().part, Part::Symbol(symbol) if symbol == wanted);
        self.at += usize::from(found);
        found
    }

    fn symbol(&mut self, wanted: &str) -> Result<(), KqlError> {
        if self.take_symbol(wanted) { Ok(()) } else { Err(self.peek().refuse()) }
    }

    fn name(&mut self) -> Result<String, KqlError> {
        match &self.peek().part {
            Part::Name(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.peek().refuse()),
        }
    }

    /// Whether a `let` defines rows: a union, or a table that is piped on.
    fn starts_view(&self) -> bool {
        self.is_name("union")
            || matches!((&self.peek().part, self.ahead(1)), (Part::Name(_), Part::Symbol("|")))
    }

    fn pipeline(&mut self) -> Result<Pipeline, KqlError> {
        let source = self.source()?;
        let mut steps = Vec::new();
        while self.take_symbol("|") {
            self.step(&mut steps)?;
        }
        Ok(Pipeline { source, steps })
    }

    fn source(&mut self) -> Result<Source, KqlError> {
        if self.take_symbol("(") {
            let leg = self.pipeline()?;
            self.symbol(")")?;
            return Ok(Source::Union { fuzzy: false, legs: vec![leg] });
        }
        if self.take_name("union") {
            return self.union();
        }
        if self.take_name("print") {
            return Ok(Source::Print(self.named_list()?));
        }
        if self.take_name("datatable") {
            return self.datatable();
        }
        let token = self.peek().clone();
        let name = self.name()?;
        let is_operator =
            OTHER_OPERATORS.contains(&name.as_str()) || matches!(self.peek().part, Part::Symbol("("));
        if is_operator {
            return Err(KqlError::Unsupported(format!("the source '{}' is not known here", token.text)));
        }
        Ok(Source::Table(name))
    }

    /// `(Name:type, ..)[value, ..]`
    fn datatable(&mut self) -> Result<Source, KqlError> {
        let mut table = Table::default();
        self.symbol("(")?;
        loop {
            let name = self.name()?;
            self.symbol(":")?;
            let token = self.peek().clone();
            let kind = Kind::named(&self.name()?).ok_or_else(|| token.refuse())?;
            table.columns.push(Column::new(name, kind));
            if self.take_symbol(")") {
                break;
            }
            self.symbol(",")?;
        }
        self.symbol("[")?;
        let mut cells = Vec::new();
        while !self.take_symbol("]") {
            match &self.peek().part {
                Part::Literal(value) => cells.push(value.clone()),
                _ => return Err(self.peek().refuse()),
            }
            self.at += 1;
            if !self.take_symbol(",") {
                self.symbol("]")?;
                break;
            }
        }
        if cells.len() % table.columns.len() != 0 {
            return Err(self.peek().refuse());
        }
        table.rows = cells.chunks(table.columns.len()).map(<[Scalar]>::to_vec).collect();
        Ok(Source::Datatable(table))
    }

    fn union(&mut self) -> Result<Source, KqlError> {
        let mut fuzzy = false;
        while let (Part::Name(option), Part::Symbol("=")) = (self.peek().part.clone(), self.ahead(1)) {
            self.at += 2;
            match (option.as_str(), &self.peek().part) {
                ("isfuzzy", Part::Literal(Scalar::Bool(on))) => fuzzy = *on,
                ("kind", Part::Name(kind)) if kind == "outer" => {}
                _ => {
                    return Err(KqlError::Unsupported(format!(
                        "the union option '{option}' is not known here"
                    )));
                }
            }
            self.at += 1;
        }
        let mut legs = Vec::new();
        loop {
            let leg = if self.take_symbol("(") {
                let leg = self.pipeline()?;
                self.symbol(")")?;
                leg
            } else {
                Pipeline { source: Source::Table(self.name()?), steps: Vec::new() }
            };
            legs.push(leg);
            if !self.take_symbol(",") {
                return Ok(Source::Union { fuzzy, legs });
            }
        }
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), KqlError> {
        let token = self.peek().clone();
        let step = match self.name()?.as_str() {
            "where" | "filter" => Step::Where(self.expr(0)?),
            "extend" => Step::Extend(self.named_list()?),
            "project" => Step::Project(self.named_list()?),
            "project-rename" => Step::ProjectRename(self.named_list()?),
            "project-away" => {
                let mut names = vec![self.name()?];
                while self.take_symbol(",") {
                    names.push(self.name()?);
                }
                Step::ProjectAway(names)
            }
            "distinct" => Step::Distinct(self.named_list()?),
            "summarize" => self.summarize()?,
            "order" | "sort" => {
                if !self.take_name("by") {
                    return Err(self.peek().refuse());
                }
                Step::Sort(self.sort_keys()?)
            }
            "top" => {
                let rows = self.expr(0)?;
                if !self.take_name("by") {
                    return Err(self.peek().refuse());
                }
                steps.push(Step::Sort(self.sort_keys()?));
                Step::Take(rows)
            }
            "take" | "limit" => Step::Take(self.expr(0)?),
            "count" => Step::Count,
            other if OTHER_OPERATORS.contains(&other) || other.starts_with("mv-") => {
                return Err(KqlError::Unsupported(format!("the operator '{other}' is not known here")));
            }
            _ => return Err(token.refuse()),
        };
        steps.push(step);
        Ok(())
    }

    fn summarize(&mut self) -> Result<Step, KqlError> {
        let aggregates = if self.is_name("by") { Vec::new() } else { self.named_list()? };
        let by = if self.take_name("by") { self.named_list()? } else { Vec::new() };
        Ok(Step::Summarize { aggregates, by })
    }

    fn sort_keys(&mut self) -> Result<Vec<(Expr, bool)>, KqlError> {
        let mut keys = Vec::new();
        loop {
            let key = self.expr(0)?;
            let ascending = self.take_name("asc");
            if !ascending {
                self.take_name("desc");
            }
            if self.is_name("nulls") {
                return Err(KqlError::Unsupported(
                    "'nulls first' and 'nulls last' are not known here".to_owned(),
                ));
            }
            keys.push((key, ascending));
            if !self.take_symbol(",") {
                return Ok(keys);
            }
        }
    }

    fn named_list(&mut self) -> Result<Vec<Named>, KqlError> {
        let mut list = Vec::new();
        loop {
            let named = matches!((&self.peek().part, self.ahead(1)), (Part::Name(_), Part::Symbol("=")));
            let name = if named { Some(self.name()?) } else { None };
            self.at += usize::from(named);
            list.push(Named { name, expr: self.expr(0)? });
            if !self.take_symbol(",") {
                return Ok(list);
            }
        }
    }

    fn expr(&mut self, level: usize) -> Result<Expr, KqlError> {
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
