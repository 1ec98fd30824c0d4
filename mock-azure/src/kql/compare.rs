//! Operators between two values.

use std::cmp::Ordering;

use super::Scalar;

pub(crate) fn same(a: &Scalar, b: &Scalar, ignore_case: bool) -> bool {
    if ignore_case {
        a.to_text().eq_ignore_ascii_case(&b.to_text())
    } else {
        compare(a, b) == Ordering::Equal
    }
}

/// How two values are ordered; values that cannot be compared go by their text.
pub(crate) fn compare(a: &Scalar, b: &Scalar) -> Ordering {
    match (a, b) {
        (Scalar::Time(a), Scalar::Time(b)) => a.cmp(b),
        (Scalar::Span(a), Scalar::Span(b)) => a.cmp(b),
        (Scalar::Null, Scalar::Null) => Ordering::Equal,
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => a.to_text().cmp(&b.to_text()),
        },
    }
}

pub(crate) fn binary(operator: &str, a: &Scalar, b: &Scalar) -> Scalar {
    let lower = |value: &Scalar| value.to_text().to_lowercase();
    let text = |test: fn(&str, &str) -> bool| Scalar::Bool(test(&lower(a), &lower(b)));
    let exact = |test: fn(&str, &str) -> bool| Scalar::Bool(test(&a.to_text(), &b.to_text()));
    if let Some(positive) = operator.strip_prefix('!').filter(|rest| *rest != "=" && *rest != "~") {
        return Scalar::Bool(!binary(positive, a, b).truth());
    }
    let nulls = matches!(a, Scalar::Null) || matches!(b, Scalar::Null);
    match operator {
        "==" => Scalar::Bool(!nulls && compare(a, b) == Ordering::Equal),
        "!=" => Scalar::Bool(!nulls && compare(a, b) != Ordering::Equal),
        "=~" => text(|a, b| a == b),
        "!~" => text(|a, b| a != b),
        "<" => Scalar::Bool(!nulls && compare(a, b) == Ordering::Less),
        ">" => Scalar::Bool(!nulls && compare(a, b) == Ordering::Greater),
        "<=" => Scalar::Bool(!nulls && compare(a, b) != Ordering::Greater),
        ">=" => Scalar::Bool(!nulls && compare(a, b) != Ordering::Less),
        "contains" => text(|a, b| a.contains(b)),
        "contains_cs" => exact(|a, b| a.contains(b)),
        "startswith" => text(|a, b| a.starts_with(b)),
        "startswith_cs" => exact(|a, b| a.starts_with(b)),
        "endswith" => text(|a, b| a.ends_with(b)),
        "endswith_cs" => exact(|a, b| a.ends_with(b)),
        "has" => text(has),
        "has_cs" => exact(has),
        _ => arithmetic(operator, a, b),
    }
}

pub(crate) fn has_term(lower_text: &str, term: &Scalar) -> bool {
    has(lower_text, &term.to_text().to_lowercase())
}

/// Whether a text holds a term, bounded by what is neither letter nor digit.
fn has(text: &str, term: &str) -> bool {
    let bounded = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(term).any(|(at, found)| {
        bounded(text[..at].chars().next_back()) && bounded(text[at + found.len()..].chars().next())
    })
}

fn arithmetic(operator: &str, a: &Scalar, b: &Scalar) -> Scalar {
    match (a, b, operator) {
        (Scalar::Time(a), Scalar::Span(b), "+") => Scalar::Time(*a + *b),
        (Scalar::Time(a), Scalar::Span(b), "-") => Scalar::Time(*a - *b),
        (Scalar::Time(a), Scalar::Time(b), "-") => Scalar::Span(*a - *b),
        (Scalar::Span(a), Scalar::Span(b), "+") => Scalar::Span(*a + *b),
        (Scalar::Span(a), Scalar::Span(b), "-") => Scalar::Span(*a - *b),
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
            _ => Scalar::Null,
        },
    }
}
