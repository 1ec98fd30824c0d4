//! Tables, and which missing ones are known not to exist.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Kind, Scalar};

/// A column's name and type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind }
    }
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Scalar>>,
    /// Whether the real table may have more columns than this one. A missing column is then unsupported, not an error.
    pub(crate) open: bool,
}

impl Table {
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Appends the rows of another table, matching columns by name.
    pub(crate) fn append(&mut self, other: Self) {
        self.open |= other.open;
        let mut places = Vec::with_capacity(other.columns.len());
        for column in other.columns {
            let place = self.position(&column.name).unwrap_or_else(|| {
                self.columns.push(column);
                self.columns.len() - 1
            });
            places.push(place);
        }
        let width = self.columns.len();
        for row in &mut self.rows {
            row.resize(width, Scalar::Null);
        }
        for row in other.rows {
            let mut wide = vec![Scalar::Null; width];
            for (place, cell) in places.iter().zip(row) {
                wide[*place] = cell;
            }
            self.rows.push(wide);
        }
    }

    /// The table in the format of the query API.
    pub(crate) fn to_json(&self) -> Value {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|column| json!({ "name": column.name, "type": column.kind.name() }))
            .collect();
        let rows: Vec<Vec<Value>> =
            self.rows.iter().map(|row| row.iter().map(Scalar::to_json).collect()).collect();
        json!({ "name": "PrimaryResult", "columns": columns, "rows": rows })
    }
}

/// The tables that a query can name.
#[derive(Debug)]
pub(crate) struct Tables {
    held: HashMap<String, Table>,
    absent: fn(&str) -> bool,
}

impl Tables {
    /// Creates an empty set. `absent` tells which names are known not to exist unless they are added; any other name
    /// may be a table that is not known here.
    pub(crate) fn new(absent: fn(&str) -> bool) -> Self {
        Self { held: HashMap::new(), absent }
    }

    pub(crate) fn insert(&mut self, name: impl Into<String>, table: Table) {
        self.held.insert(name.into(), table);
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Table> {
        self.held.get(name)
    }

    pub(crate) fn is_absent(&self, name: &str) -> bool {
        !self.held.contains_key(name) && (self.absent)(name)
    }

    /// The names of the tables in this set, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.held.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}
