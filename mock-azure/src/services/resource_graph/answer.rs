//! Splits the rows of a result into pages.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{MOST_ROWS, Problem};
use crate::{
    http::Reply,
    kql::{Kind, Scalar, Table},
    state::{World, stable_id},
};

/// The requested rows and their format.
pub(super) struct Page {
    top: Option<usize>,
    skip: usize,
    token: Option<String>,
    as_table: bool,
}

impl Page {
    pub(super) fn read(body: &Value) -> Result<Self, Problem> {
        let options = &body["options"];
        for (name, value) in options.as_object().into_iter().flatten() {
            let known = match name.as_str() {
                "$top" | "$skip" | "$skipToken" | "resultFormat" | "allowPartialScopes" => true,
                "authorizationScopeFilter" => value == "AtScopeAndBelow",
                _ => false,
            };
            if !known {
                return Err(Problem::Unknown(format!("the option '{name}: {value}' of a query")));
            }
        }
        let number = |key: &str, least: u64, most: u64| match &options[key] {
            Value::Null => Ok(None),
            value => match value.as_u64().filter(|number| (least..=most).contains(number)) {
                Some(number) => Ok(Some(number as usize)),
                None => {
                    let message = format!("The value '{value}' of '{key}' is not valid.");
                    Err(Problem::new("InvalidQueryRequestOptions", message))
                }
            },
        };
        // Documented: the ranges of both numbers, and the two formats.
        let as_table = match options["resultFormat"].as_str() {
            None | Some("objectArray") => false,
            Some("table") => true,
            Some(other) => {
                let message = format!("The result format '{other}' is not valid.");
                return Err(Problem::new("InvalidQueryRequestOptions", message));
            }
        };
        Ok(Self {
            top: number("$top", 1, MOST_ROWS as u64)?,
            skip: number("$skip", 0, u64::from(u32::MAX))?.unwrap_or_default(),
            token: options["$skipToken"].as_str().filter(|token| !token.is_empty()).map(str::to_owned),
            as_table,
        })
    }

    /// Returns one page of the rows. Only rows with an `id` can be paged; others are truncated.
    pub(super) fn cut(&self, world: &World, query: &str, table: Table) -> Result<Reply, Problem> {
        let size = self.top.or(world.paging.size).unwrap_or(MOST_ROWS).min(MOST_ROWS);
        let place = match &self.token {
            Some(token) => Place::read(token, query).ok_or_else(|| {
                Problem::Unknown(
                    "the skip token of this request: it issued no such token for this query".to_owned(),
                )
            })?,
            None => Place { offset: self.skip, empty: false },
        };
        let total = table.rows.len();
        let pageable = table.columns.iter().any(|column| column.name == "id");
        let take = if place.empty { 0 } else { size };
        let rows: Vec<&Vec<Scalar>> = table.rows.iter().skip(place.offset).take(take).collect();
        let end = place.offset + rows.len();
        let more = end < total;
        let mut body = json!({
            "totalRecords": total,
            "count": rows.len(),
            "resultTruncated": if more && !pageable { "true" } else { "false" },
            "facets": [],
        });
        if more && pageable {
            let empty = world.paging.empty_page && place.offset == 0 && !place.empty;
            body["$skipToken"] = json!(Place { offset: end, empty }.write(query));
        }
        body["data"] = if self.as_table { as_table(&table, &rows) } else { as_objects(&table, &rows) };
        Ok(Reply::ok(body))
    }
}

/// Where the next page begins, and whether an empty one precedes it.
struct Place {
    offset: usize,
    empty: bool,
}

impl Place {
    fn write(&self, query: &str) -> String {
        STANDARD.encode(json!({ "at": self.offset, "empty": self.empty, "of": stable_id(query) }).to_string())
    }

    /// A token is valid only for the query for which it was issued.
    fn read(token: &str, query: &str) -> Option<Self> {
        let token: Value = serde_json::from_slice(&STANDARD.decode(token).ok()?).ok()?;
        let offset = token["at"].as_u64().and_then(|at| usize::try_from(at).ok())?;
        (token["of"] == stable_id(query).as_str())
            .then_some(Self { offset, empty: token["empty"].as_bool().unwrap_or_default() })
    }
}

fn as_objects(table: &Table, rows: &[&Vec<Scalar>]) -> Value {
    let object = |row: &&Vec<Scalar>| -> Value {
        let cells = table.columns.iter().zip(row.iter());
        cells.map(|(column, cell)| (column.name.clone(), show(cell))).collect::<Map<_, _>>().into()
    };
    rows.iter().map(object).collect()
}

fn as_table(table: &Table, rows: &[&Vec<Scalar>]) -> Value {
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "type": type_name(column.kind) }))
        .collect();
    let rows: Vec<Vec<Value>> = rows.iter().map(|row| row.iter().map(show).collect()).collect();
    json!({ "columns": columns, "rows": rows })
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "boolean",
        Kind::Int | Kind::Long => "integer",
        Kind::Real => "number",
        Kind::DateTime => "datetime",
        Kind::Dynamic => "object",
        Kind::String | Kind::Timespan => "string",
    }
}

/// A cell. Unlike the log service, Resource Graph returns objects as they are.
fn show(cell: &Scalar) -> Value {
    match cell {
        Scalar::Dynamic(value) => value.clone(),
        other => other.to_json(),
    }
}
