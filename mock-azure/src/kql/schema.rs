//! What an expression needs and what type it has, known before any row is read.

use super::{
    Column, Kind, KqlError, Scalar,
    ast::{Expr, Named},
    function,
};

/// Refuses an expression that names a column that is not there, or a function that is not known.
pub(crate) fn check(
    expr: &Expr,
    columns: &[Column],
    lets: &dyn Fn(&str) -> bool,
    operator: &str,
) -> Result<(), KqlError> {
    let all = |exprs: &[&Expr]| exprs.iter().try_for_each(|expr| check(expr, columns, lets, operator));
    match expr {
        Expr::Literal(_) | Expr::Star => Ok(()),
        Expr::Name(name) if columns.iter().any(|column| column.name == *name) || lets(name) => Ok(()),
        Expr::Name(name) => Err(KqlError::Semantic {
            code: "SEM0100",
            message: format!("'{operator}' operator: Failed to resolve scalar expression named '{name}'"),
        }),
        Expr::Call(name, arguments) => {
            function::known(name, arguments.len())?;
            let skip = usize::from(name == "column_ifexists");
            all(&arguments.iter().skip(skip).collect::<Vec<_>>())
        }
        Expr::Member(of, member) => all(&[of, member]),
        Expr::Binary(_, left, right) => all(&[left, right]),
        Expr::In { value, list, .. } | Expr::HasTerms { value, list, .. } => {
            check(value, columns, lets, operator)?;
            all(&list.iter().collect::<Vec<_>>())
        }
        Expr::Between { value, low, high, .. } => all(&[value, low, high]),
        Expr::Negative(inner) => check(inner, columns, lets, operator),
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
        Expr::Member(..) | Expr::Star => Kind::Dynamic,
        Expr::In { .. } | Expr::HasTerms { .. } | Expr::Between { .. } => Kind::Bool,
        Expr::Negative(inner) => of(inner),
        Expr::Binary(operator, left, right) => match operator.as_str() {
            "+" | "-" | "*" | "/" | "%" => arithmetic(operator, of(left), of(right)),
            _ => Kind::Bool,
        },
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

/// The name that a column gets.
pub(crate) fn name(named: &Named, index: usize) -> String {
    match (&named.name, &named.expr) {
        (Some(name), _) | (None, Expr::Name(name)) => name.clone(),
        (None, Expr::Call(function, arguments)) => match arguments.first() {
            Some(Expr::Name(column)) if function == "bin" => column.clone(),
            Some(Expr::Name(column)) => format!("{function}_{column}"),
            _ => format!("{function}_"),
        },
        (None, expr @ Expr::Member(..)) => path(expr).unwrap_or_else(|| format!("Column{}", index + 1)),
        _ => format!("Column{}", index + 1),
    }
}

/// `a_b_c` of `a.b['c']`.
fn path(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Name(name) => Some(name.clone()),
        Expr::Member(of, member) => match member.as_ref() {
            Expr::Literal(Scalar::Text(text)) => Some(format!("{}_{text}", path(of)?)),
            _ => None,
        },
        _ => None,
    }
}
