//! Parses tokens into a query.

use super::{
    Column, Kind, KqlError, Scalar, Table,
    ast::{Expr, Let, Named, Pipeline, Query, Source, Step},
    function, limits,
    token::{Part, Token},
};

pub(crate) fn query(tokens: Vec<Token>) -> Result<Query, KqlError> {
    let mut parser = Parser { tokens, at: 0, depth: 0, steps: 0 };
    let mut lets = Vec::new();
    while parser.is_name("let") {
        parser.at += 1;
        parser.count()?;
        let name = parser.name()?;
        parser.symbol("=")?;
        let value =
            if parser.starts_view() { Let::View(parser.pipeline()?) } else { Let::Value(parser.expr(0)?) };
        parser.symbol(";")?;
        lets.push((name, value));
    }
    let pipeline = parser.pipeline()?;
    while parser.take_symbol(";") {}
    match (&parser.peek().part, &pipeline.source, pipeline.steps.as_slice()) {
        (Part::End, ..) => Ok(Query { lets, pipeline }),
        // Recorded: 'not a valid query' is refused at 'a'. A name that may be followed by words is an operator.
        (Part::Name(_) | Part::Literal(_), Source::Table(name), []) if !may_be_operator(name) => {
            Err(parser.peek().refuse())
        }
        _ => Err(parser.peek().unexpected()),
    }
}

/// Whether some version of Kusto may have an operator with this name. Documented: names are case-sensitive, and
/// operators are in lower case.
fn may_be_operator(name: &str) -> bool {
    !name.contains(|c: char| c.is_ascii_uppercase()) && !function::exists(name)
}

pub(crate) struct Parser {
    tokens: Vec<Token>,
    pub(crate) at: usize,
    depth: usize,
    steps: usize,
}

impl Parser {
    pub(crate) fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }

    pub(crate) fn ahead(&self, by: usize) -> &Part {
        &self.tokens[(self.at + by).min(self.tokens.len() - 1)].part
    }

    /// Descends one level; the caller returns with [`ascend`](Self::ascend).
    pub(crate) fn descend(&mut self) -> Result<(), KqlError> {
        self.depth += 1;
        if self.depth > limits::DEPTH {
            return Err(KqlError::Unsupported(format!(
                "nesting deeper than {} is not known here",
                limits::DEPTH
            )));
        }
        Ok(())
    }

    pub(crate) fn ascend(&mut self) {
        self.depth -= 1;
    }

    fn count(&mut self) -> Result<(), KqlError> {
        self.steps += 1;
        if self.steps > limits::STEPS {
            return Err(KqlError::Unsupported(format!(
                "more than {} steps are not known here",
                limits::STEPS
            )));
        }
        Ok(())
    }

    fn is_name(&self, wanted: &str) -> bool {
        matches!(&self.peek().part, Part::Name(name) if name == wanted)
    }

    pub(crate) fn take_name(&mut self, wanted: &str) -> bool {
        let found = self.is_name(wanted);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn take_symbol(&mut self, wanted: &str) -> bool {
        let found = matches!(self.peek().part, Part::Symbol(symbol) if symbol == wanted);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn symbol(&mut self, wanted: &str) -> Result<(), KqlError> {
        if self.take_symbol(wanted) { Ok(()) } else { Err(self.peek().unexpected()) }
    }

    pub(crate) fn name(&mut self) -> Result<String, KqlError> {
        match &self.peek().part {
            Part::Name(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.peek().unexpected()),
        }
    }

    fn word(&mut self, wanted: &str) -> Result<(), KqlError> {
        if self.take_name(wanted) { Ok(()) } else { Err(self.peek().unexpected()) }
    }

    /// Whether a `let` defines rows: a union, or a table followed by a pipe.
    fn starts_view(&self) -> bool {
        self.is_name("union")
            || matches!((&self.peek().part, self.ahead(1)), (Part::Name(_), Part::Symbol("|")))
    }

    fn pipeline(&mut self) -> Result<Pipeline, KqlError> {
        self.descend()?;
        let source = self.source()?;
        let mut steps = Vec::new();
        while self.take_symbol("|") {
            self.count()?;
            self.step(&mut steps)?;
        }
        self.ascend();
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
        let name = self.name()?;
        if matches!(self.peek().part, Part::Symbol("(")) {
            return Err(KqlError::Unsupported(format!("the source '{name}' is not known here")));
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
            let kind = Kind::named(&self.name()?).ok_or_else(|| token.unexpected())?;
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
                _ => return Err(self.peek().unexpected()),
            }
            self.at += 1;
            if !self.take_symbol(",") {
                self.symbol("]")?;
                break;
            }
        }
        if cells.len() % table.columns.len() != 0 {
            return Err(KqlError::unsupported("a datatable whose last row is short is not known here"));
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
            self.count()?;
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
                self.word("by")?;
                Step::Sort(self.sort_keys()?)
            }
            "top" => {
                let rows = self.expr(0)?;
                self.word("by")?;
                steps.push(Step::Sort(self.sort_keys()?));
                Step::Take(rows)
            }
            "take" | "limit" => Step::Take(self.expr(0)?),
            "count" => Step::Count,
            other if may_be_operator(other) => {
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
                return Err(KqlError::unsupported("'nulls first' and 'nulls last' are not known here"));
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
}
