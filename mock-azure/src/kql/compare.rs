//! Operators between two values.

use std::cmp::Ordering;

use time::{Duration, OffsetDateTime};

use super::{KqlError, Scalar};

pub(crate) fn same(a: &Scalar, b: &Scalar, ignore_case: bool) -> bool {
    match (a, b) {
        (Scalar::Text(a), Scalar::Text(b)) if ignore_case => a.eq_ignore_ascii_case(b),
        _ if ignore_case => a.to_text().eq_ignore_ascii_case(&b.to_text()),
        _ => compare(a, b) == Ordering::Equal,
    }
}

/// Orders two values. Values that cannot be compared are ordered by their text.
pub(crate) fn compare(a: &Scalar, b: &Scalar) -> Ordering {
    match (a, b) {
        (Scalar::Text(a), Scalar::Text(b)) => a.cmp(b),
        (Scalar::Time(a), Scalar::Time(b)) => a.cmp(b),
        (Scalar::Span(a), Scalar::Span(b)) => a.cmp(b),
        (Scalar::Null, Scalar::Null) => Ordering::Equal,
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.to_text().cmp(&b.to_text()),
        },
    }
}

/// Applies an operator to two values.
pub(crate) fn binary(operator: &str, a: &Scalar, b: &Scalar) -> Result<Scalar, KqlError> {
    if let Some(positive) = operator.strip_prefix('!').filter(|rest| *rest != "=" && *rest != "~") {
        return Ok(Scalar::Bool(!binary(positive, a, b)?.truth()));
    }
    let lower = |value: &Scalar| value.to_text().to_lowercase();
    let text = |test: fn(&str, &str) -> bool| test(&lower(a), &lower(b));
    let exact = |test: fn(&str, &str) -> bool| test(&a.to_text(), &b.to_text());
    let nulls = matches!(a, Scalar::Null) || matches!(b, Scalar::Null);
    let ordered = |test: fn(Ordering) -> bool| {
        if comparable(a, b) {
            Ok(!nulls && test(compare(a, b)))
        } else {
            Err(KqlError::Unsupported(format!(
                "'{operator}' between values of these types is not known here"
            )))
        }
    };
    Ok(Scalar::Bool(match operator {
        "==" => ordered(Ordering::is_eq)?,
        "!=" => ordered(Ordering::is_ne)?,
        "<" => ordered(Ordering::is_lt)?,
        ">" => ordered(Ordering::is_gt)?,
        "<=" => ordered(Ordering::is_le)?,
        ">=" => ordered(Ordering::is_ge)?,
        "=~" => text(|a, b| a == b),
        "!~" => text(|a, b| a != b),
        "contains" => text(|a, b| a.contains(b)),
        "contains_cs" => exact(|a, b| a.contains(b)),
        "startswith" => text(|a, b| a.starts_with(b)),
        "startswith_cs" => exact(|a, b| a.starts_with(b)),
        "endswith" => text(|a, b| a.ends_with(b)),
        "endswith_cs" => exact(|a, b| a.ends_with(b)),
        "has" => text(has),
        "has_cs" => exact(has),
        _ => return arithmetic(operator, a, b),
    }))
}

/// Whether two values can be compared, unlike a text and a number, for example.
fn comparable(a: &Scalar, b: &Scalar) -> bool {
    let text = |value: &Scalar| matches!(value, Scalar::Text(_));
    let time = |value: &Scalar| matches!(value, Scalar::Time(_) | Scalar::Span(_));
    let loose = |value: &Scalar| matches!(value, Scalar::Dynamic(_) | Scalar::Null);
    loose(a) || loose(b) || (text(a) == text(b) && time(a) == time(b))
}

pub(crate) fn has_term(lower_text: &str, term: &Scalar) -> bool {
    has(lower_text, &term.to_text().to_lowercase())
}

/// Whether a text contains a term that is bounded by characters other than letters and digits.
fn has(text: &str, term: &str) -> bool {
    let bounded = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(term).any(|(at, found)| {
        bounded(text[..at].chars().next_back()) && bounded(text[at + found.len()..].chars().next())
    })
}

fn arithmetic(operator: &str, a: &Scalar, b: &Scalar) -> Result<Scalar, KqlError> {
    let time = |found: Option<OffsetDateTime>| found.map_or(Scalar::Null, Scalar::Time);
    let span = |found: Option<Duration>| found.map_or(Scalar::Null, Scalar::Span);
    Ok(match (a, b, operator) {
        (Scalar::Null, ..) | (_, Scalar::Null, _) => Scalar::Null,
        (Scalar::Time(a), Scalar::Span(b), "+") => time(a.checked_add(*b)),
        (Scalar::Time(a), Scalar::Span(b), "-") => time(a.checked_sub(*b)),
        (Scalar::Time(a), Scalar::Time(b), "-") => Scalar::Span(*a - *b),
        (Scalar::Span(a), Scalar::Span(b), "+") => span(a.checked_add(*b)),
        (Scalar::Span(a), Scalar::Span(b), "-") => span(a.checked_sub(*b)),
        (Scalar::Long(a), Scalar::Long(b), _) => match operator {
            "+" => Scalar::Long(a.wrapping_add(*b)),
            "-" => Scalar::Long(a.wrapping_sub(*b)),
            "*" => Scalar::Long(a.wrapping_mul(*b)),
            "/" => a.checked_div(*b).map_or(Scalar::Null, Scalar::Long),
            _ => a.checked_rem_euclid(*b).map_or(Scalar::Null, Scalar::Long),
        },
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => Scalar::Real(match operator {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                _ => a % b,
            }),
            _ => {
                return Err(KqlError::Unsupported(format!(
                    "'{operator}' between values of these types is not known here"
                )));
            }
        },
    })
}
