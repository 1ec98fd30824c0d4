//! The syntax tree of a query.

use super::{Scalar, Table};

/// A value computed from a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Literal(Scalar),
    Name(String),
    Call(String, Vec<Expr>),
    /// `a.b['c']`: a value and the path of members into it.
    Path(Box<Expr>, Vec<Expr>),
    /// Operators of equal precedence, from left to right. A chain is one level deep, however long it is.
    Chain(Box<Expr>, Vec<(&'static str, Expr)>),
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

/// The source of rows.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Table(String),
    Union {
        fuzzy: bool,
        legs: Vec<Pipeline>,
    },
    Print(Vec<Named>),
    /// Rows written in the query itself.
    Datatable(Table),
}

/// An operator that transforms rows.
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
