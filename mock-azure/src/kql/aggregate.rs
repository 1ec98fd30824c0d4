//! Aggregate functions.

use std::{cmp::Ordering, collections::HashSet};

use serde_json::Value;

use super::{Kind, KqlError, Scalar, arity::fits, compare::compare};

const AGGREGATES: &[(&str, usize, usize)] = &[
    ("arg_max", 2, 2),
    ("arg_min", 2, 2),
    ("avg", 1, 1),
    ("count", 0, 0),
    ("countif", 1, 1),
    ("dcount", 1, 2),
    ("dcountif", 2, 3),
    ("make_list", 1, 2),
    ("make_set", 1, 2),
    ("max", 1, 1),
    ("min", 1, 1),
    ("sum", 1, 1),
    ("take_any", 1, 1),
];

pub(crate) fn exists(name: &str) -> bool {
    AGGREGATES.iter().any(|(known, ..)| *known == name)
}

/// Refuses an unknown aggregate, or one with too few or too many arguments.
pub(crate) fn known(name: &str, arguments: usize) -> Result<(), KqlError> {
    fits(AGGREGATES, name, arguments)
        .unwrap_or_else(|| Err(KqlError::Unsupported(format!("the aggregate '{name}' is not known here"))))
}

pub(crate) fn kind(name: &str, argument: Kind) -> Kind {
    match name {
        "count" | "countif" | "dcount" | "dcountif" => Kind::Long,
        "avg" => Kind::Real,
        "make_set" | "make_list" => Kind::Dynamic,
        _ => argument,
    }
}

/// Reduces the arguments of each row of a group to one value.
pub(crate) fn reduce(name: &str, rows: &[Vec<Scalar>]) -> Scalar {
    let first = || rows.iter().filter_map(|row| row.first());
    let present = || first().filter(|value| !matches!(value, Scalar::Null));
    match name {
        "count" => Scalar::Long(rows.len() as i64),
        "countif" => Scalar::Long(first().filter(|value| value.truth()).count() as i64),
        "dcount" => Scalar::Long(distinct(present()) as i64),
        "dcountif" => {
            let kept =
                rows.iter().filter(|row| row.get(1).is_some_and(Scalar::truth)).filter_map(|row| row.first());
            Scalar::Long(distinct(kept.filter(|value| !matches!(value, Scalar::Null))) as i64)
        }
        "max" => present().max_by(|a, b| compare(a, b)).cloned().unwrap_or(Scalar::Null),
        "min" => present().min_by(|a, b| compare(a, b)).cloned().unwrap_or(Scalar::Null),
        "sum" => {
            let sum: f64 = present().filter_map(Scalar::number).sum();
            if present().any(|value| matches!(value, Scalar::Real(_))) {
                Scalar::Real(sum)
            } else {
                Scalar::Long(sum as i64)
            }
        }
        "avg" => {
            let numbers: Vec<f64> = present().filter_map(Scalar::number).collect();
            if numbers.is_empty() {
                Scalar::Null
            } else {
                Scalar::Real(numbers.iter().sum::<f64>() / numbers.len() as f64)
            }
        }
        "make_list" => Scalar::Dynamic(present().map(Scalar::to_item).collect()),
        "make_set" => {
            let mut seen = HashSet::new();
            let set = present().filter(|value| seen.insert(value.to_text())).map(Scalar::to_item);
            Scalar::Dynamic(Value::Array(set.collect()))
        }
        "arg_max" => extreme(rows, Ordering::Greater),
        "arg_min" => extreme(rows, Ordering::Less),
        _ => present().next().cloned().unwrap_or(Scalar::Null),
    }
}

fn distinct<'a>(values: impl Iterator<Item = &'a Scalar>) -> usize {
    values.map(Scalar::to_text).collect::<HashSet<_>>().len()
}

/// The second argument where the first is largest or smallest.
fn extreme(rows: &[Vec<Scalar>], wanted: Ordering) -> Scalar {
    let mut best: Option<&Vec<Scalar>> = None;
    for row in rows {
        if best.is_none_or(|best| compare(&row[0], &best[0]) == wanted) {
            best = Some(row);
        }
    }
    best.and_then(|row| row.get(1)).cloned().unwrap_or(Scalar::Null)
}
