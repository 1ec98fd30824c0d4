//! Finds what a query selects, without running it.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    KqlError, Scalar,
    ast::{Expr, Let, Pipeline, Query, Source, Step},
    compare, parse, token,
};

/// A condition that keeps rows by comparing a column with a text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    operator: &'static str,
    pub(crate) text: String,
}

impl Comparison {
    /// Whether the condition keeps this value of the column.
    pub(crate) fn keeps(&self, value: &str) -> bool {
        compare::binary(self.operator, &Scalar::text(value), &Scalar::text(self.text.clone()))
            .is_ok_and(|kept| kept.truth())
    }
}

/// The comparisons of a column with texts in a query, except those that exclude rows.
pub(crate) fn comparisons(query: &str, column: &str) -> Result<Vec<Comparison>, KqlError> {
    let query = parse::query(token::tokens(query)?)?;
    let mut reader = Reader { column, lets: HashMap::new(), found: Vec::new() };
    reader.query(&query);
    Ok(reader.found)
}

struct Reader<'a> {
    column: &'a str,
    lets: HashMap<&'a str, &'a Expr>,
    found: Vec<Comparison>,
}

impl<'a> Reader<'a> {
    fn query(&mut self, query: &'a Query) {
        for (name, value) in &query.lets {
            match value {
                Let::Value(expr) => {
                    self.lets.insert(name, expr);
                }
                Let::View(pipeline) => self.pipeline(pipeline),
            }
        }
        self.pipeline(&query.pipeline);
    }

    fn pipeline(&mut self, pipeline: &'a Pipeline) {
        if let Source::Union { legs, .. } = &pipeline.source {
            legs.iter().for_each(|leg| self.pipeline(leg));
        }
        for step in &pipeline.steps {
            match step {
                Step::Where(condition) => self.expr(condition),
                Step::Extend(list) | Step::Project(list) => {
                    list.iter().for_each(|named| self.expr(&named.expr));
                }
                Step::Summarize { aggregates, by } => {
                    aggregates.iter().chain(by).for_each(|named| self.expr(&named.expr));
                }
                _ => {}
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Chain(first, rest) => {
                if let [(operator, right)] = rest.as_slice() {
                    self.compare(first, operator, right);
                }
                self.expr(first);
                rest.iter().for_each(|(_, expr)| self.expr(expr));
            }
            Expr::In { value, list, negated: false, ignore_case } => {
                let operator = if *ignore_case { "=~" } else { "==" };
                list.iter().for_each(|item| self.compare(value, operator, item));
            }
            Expr::HasTerms { value, list, negated: false, .. } => {
                list.iter().for_each(|item| self.compare(value, "has", item));
            }
            // A negated condition excludes rows.
            Expr::Call(name, _) if name == "not" => {}
            Expr::Call(_, arguments) => arguments.iter().for_each(|argument| self.expr(argument)),
            _ => {}
        }
    }

    fn compare(&mut self, left: &'a Expr, operator: &'static str, right: &'a Expr) {
        if operator.starts_with('!') || matches!(operator, "and" | "or" | "matches regex") {
            return;
        }
        let sides = if self.is_column(left) { Some(right) } else { self.is_column(right).then_some(left) };
        let Some(other) = sides else { return };
        let other = match other {
            Expr::Name(name) => self.lets.get(name.as_str()).copied().unwrap_or(other),
            other => other,
        };
        let texts = match other {
            Expr::Literal(Scalar::Text(text)) => vec![text.clone()],
            Expr::Literal(Scalar::Dynamic(Value::Array(items))) => {
                items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => return,
        };
        self.found.extend(texts.into_iter().map(|text| Comparison { operator, text }));
    }

    /// Whether an expression is this column, ignoring case.
    fn is_column(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Name(name) => name == self.column,
            Expr::Call(function, arguments) => {
                matches!(function.as_str(), "tolower" | "tostring")
                    && matches!(arguments.as_slice(), [Expr::Name(name)] if name == self.column)
            }
            _ => false,
        }
    }
}
