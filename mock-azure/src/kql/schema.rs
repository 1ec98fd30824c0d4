//! Checks an expression and determines its type, before any row is read.

use super::{
    Column, Kind, KqlError, Scalar, Table,
    ast::{Expr, Named},
    function,
};

/// Refuses an expression with a missing column or an unknown function.
pub(crate) fn check(
    expr: &Expr,
    table: &Table,
    lets: &dyn Fn(&str) -> bool,
    operator: &str,
) -> Result<(), KqlError> {
    let of = |expr: &Expr| check(expr, table, lets, operator);
    match expr {
        Expr::Literal(_) | Expr::Star => Ok(()),
        Expr::Name(name) if table.position(name).is_some() || lets(name) => Ok(()),
        Expr::Name(name) if table.open => {
            Err(KqlError::Unsupported(format!("the column '{name}' is not known here")))
        }
        // Reported: the wording of SEM0100, by users of columns that appear with their first value.
        Expr::Name(name) => Err(KqlError::Semantic {
            code: "SEM0100",
            message: format!("'{operator}' operator: Failed to resolve scalar expression named '{name}'"),
        }),
        Expr::Call(name, arguments) => {
            function::known(name, arguments.len())?;
            let skip = usize::from(name == "column_ifexists");
            arguments.iter().skip(skip).try_for_each(of)
        }
        Expr::Path(first, members) => of(first).and_then(|()| members.iter().try_for_each(of)),
        Expr::Chain(first, rest) => of(first).and_then(|()| rest.iter().try_for_each(|(_, expr)| of(expr))),
        Expr::In { value, list, .. } | Expr::HasTerms { value, list, .. } => {
            of(value).and_then(|()| list.iter().try_for_each(of))
        }
        Expr::Between { value, low, high, .. } => {
            [value, low, high].into_iter().try_for_each(|expr| of(expr))
        }
        Expr::Negative(inner) => of(inner),
    }
}

/// The type of an expression.
pub(crate) fn kind(expr: &Expr, columns: &[Column], lets: &dyn Fn(&str) -> Option<Scalar>) -> Kind {
    let of = |expr: &Expr| kind(expr, columns, lets);
    match expr {
        Expr::Literal(value) => value.kind().unwrap_or(Kind::String),
        Expr::Name(name) => match columns.iter().find(|column| column.name == *name) {
            Some(column) => column.kind,
            None => lets(name).and_then(|value| value.kind()).unwrap_or(Kind::String),
        },
        Expr::Call(name, arguments) => function::kind(name, arguments, &of, columns),
        Expr::Path(..) | Expr::Star => Kind::Dynamic,
        Expr::In { .. } | Expr::HasTerms { .. } | Expr::Between { .. } => Kind::Bool,
        Expr::Negative(inner) => of(inner),
        Expr::Chain(first, rest) => rest.iter().fold(of(first), |left, (operator, right)| match *operator {
            "+" | "-" | "*" | "/" | "%" => arithmetic(operator, left, of(right)),
            _ => Kind::Bool,
        }),
    }
}

fn arithmetic(operator: &str, left: Kind, right: Kind) -> Kind {
    match (left, right) {
        (Kind::DateTime, Kind::DateTime) => Kind::Timespan,
        (Kind::DateTime, _) | (_, Kind::DateTime) => Kind::DateTime,
        (Kind::Timespan, Kind::Timespan) if operator == "/" => Kind::Real,
        (Kind::Timespan, _) | (_, Kind::Timespan) => Kind::Timespan,
        (Kind::Real, _) | (_, Kind::Real) => Kind::Real,
        _ => Kind::Long,
    }
}

/// The name of an output column.
pub(crate) fn name(named: &Named, index: usize) -> String {
    match (&named.name, &named.expr) {
        (Some(name), _) | (None, Expr::Name(name)) => name.clone(),
        (None, Expr::Call(function, arguments)) => match arguments.first() {
            Some(Expr::Name(column)) if function == "bin" => column.clone(),
            Some(Expr::Name(column)) => format!("{function}_{column}"),
            _ => format!("{function}_"),
        },
        (None, expr @ Expr::Path(..)) => path(expr).unwrap_or_else(|| format!("Column{}", index + 1)),
        _ => format!("Column{}", index + 1),
    }
}

/// `a_b_c` of `a.b['c']`.
fn path(expr: &Expr) -> Option<String> {
    let Expr::Path(first, members) = expr else { return None };
    let Expr::Name(name) = first.as_ref() else { return None };
    members.iter().try_fold(name.clone(), |path, member| match member {
        Expr::Literal(Scalar::Text(text)) => Some(format!("{path}_{text}")),
        _ => None,
    })
}
