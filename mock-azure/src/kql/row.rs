//! Computes values from a row.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    Column, KqlError, Scalar,
    ast::Expr,
    compare::{binary, compare, has_term, same},
    context::Context,
    function,
};

/// A row and the names of its cells.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub(super) columns: &'r [Column],
    pub(super) cells: &'r [Scalar],
}

/// The row for expressions outside of any table.
pub(super) const NO_ROW: Row<'_> = Row { columns: &[], cells: &[] };

impl<'r> Row<'r> {
    fn cell(self, name: &str) -> Option<&'r Scalar> {
        self.columns.iter().position(|column| column.name == name).and_then(|at| self.cells.get(at))
    }
}

impl Context<'_> {
    pub(super) fn values<'e>(
        &'e self,
        exprs: impl Iterator<Item = &'e Expr>,
        row: Row<'e>,
    ) -> Result<Vec<Scalar>, KqlError> {
        let own = |expr| {
            let value = self.value(expr, row)?;
            self.budget.pay(&value)?;
            Ok(value.into_owned())
        };
        exprs.map(own).collect()
    }

    /// The value of an expression. Values in the row or the query are borrowed, not copied.
    pub(super) fn value<'e>(&'e self, expr: &'e Expr, row: Row<'e>) -> Result<Cow<'e, Scalar>, KqlError> {
        self.budget.spend(1)?;
        let made = match expr {
            Expr::Literal(value) => return Ok(Cow::Borrowed(value)),
            Expr::Name(name) => {
                let found = row.cell(name).or_else(|| self.lets.get(name));
                return Ok(found.map_or(Cow::Owned(Scalar::Null), Cow::Borrowed));
            }
            Expr::Star => Scalar::Null,
            Expr::Call(name, arguments) if name == "column_ifexists" => {
                let name = self.value(&arguments[0], row)?;
                return match row.cell(&name.to_text()) {
                    Some(value) => Ok(Cow::Borrowed(value)),
                    None => self.value(&arguments[1], row),
                };
            }
            Expr::Call(name, arguments) => {
                let values = self.values(arguments.iter(), row)?;
                function::apply(name, &values, self.now, &self.patterns)?
            }
            Expr::Path(bag, members) => self.path(bag, members, row)?,
            Expr::Negative(inner) => match self.value(inner, row)?.as_ref() {
                Scalar::Long(number) => number.checked_neg().map_or(Scalar::Null, Scalar::Long),
                Scalar::Real(number) => Scalar::Real(-number),
                Scalar::Span(span) => span.checked_neg().map_or(Scalar::Null, Scalar::Span),
                _ => {
                    return Err(KqlError::unsupported(
                        "'-' before a value that is not a number is not known here",
                    ));
                }
            },
            Expr::Between { value, low, high, negated } => {
                let value = self.value(value, row)?;
                let above = compare(&value, self.value(low, row)?.as_ref()) != Ordering::Less;
                let below = compare(&value, self.value(high, row)?.as_ref()) != Ordering::Greater;
                Scalar::Bool((above && below) != *negated)
            }
            Expr::In { value, list, negated, ignore_case } => {
                let value = self.value(value, row)?;
                let found = self.any(list, row, |item| same(&value, item, *ignore_case))?;
                Scalar::Bool(found != *negated)
            }
            Expr::HasTerms { value, list, all, negated } => {
                let text = self.value(value, row)?.to_text().to_lowercase();
                // All are present if none is missing.
                let found = self.any(list, row, |item| has_term(&text, item) != *all)? != *all;
                Scalar::Bool(found != *negated)
            }
            Expr::Chain(first, rest) => self.chain(first, rest, row)?,
        };
        self.budget.pay(&made)?;
        Ok(Cow::Owned(made))
    }

    fn chain(&self, first: &Expr, rest: &[(&'static str, Expr)], row: Row<'_>) -> Result<Scalar, KqlError> {
        let mut made = self.value(first, row)?.into_owned();
        for (operator, expr) in rest {
            made = match *operator {
                "and" if !made.truth() => return Ok(Scalar::Bool(false)),
                "or" if made.truth() => return Ok(Scalar::Bool(true)),
                "and" | "or" => Scalar::Bool(self.value(expr, row)?.truth()),
                "matches regex" => self.patterns.matches(&made, self.value(expr, row)?.as_ref())?,
                operator => binary(operator, &made, self.value(expr, row)?.as_ref())?,
            };
        }
        Ok(made)
    }

    /// Follows a path of members into an object or list. A missing member is null.
    fn path(&self, bag: &Expr, members: &[Expr], row: Row<'_>) -> Result<Scalar, KqlError> {
        let bag = self.value(bag, row)?;
        let Scalar::Dynamic(whole) = bag.as_ref() else { return Ok(Scalar::Null) };
        let mut found = whole;
        for member in members {
            let next = match self.value(member, row)?.as_ref() {
                Scalar::Text(name) => found.get(name),
                Scalar::Long(index) => usize::try_from(*index).ok().and_then(|index| found.get(index)),
                _ => None,
            };
            let Some(next) = next else { return Ok(Scalar::Null) };
            found = next;
        }
        Ok(Scalar::of_json(found))
    }

    /// Whether an item, or one in a nested list, satisfies the predicate.
    fn any(&self, list: &[Expr], row: Row<'_>, wanted: impl Fn(&Scalar) -> bool) -> Result<bool, KqlError> {
        for item in list {
            let found = match self.value(item, row)?.as_ref() {
                Scalar::Dynamic(serde_json::Value::Array(items)) => {
                    self.budget.spend(items.len())?;
                    items.iter().any(|item| wanted(&Scalar::of_json(item)))
                }
                item => wanted(item),
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
