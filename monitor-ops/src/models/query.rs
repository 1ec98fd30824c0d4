use std::time::Duration;

use arm_core::wire;
use azure_core::{Error, Result, error::ErrorKind};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use time::OffsetDateTime;

use super::cells::{LogColumn, Row};
use crate::CustomerId;

/// The time span of a query, in addition to any limits in its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timespan {
    /// This long, up to now.
    Last(Duration),
    /// From one instant to another.
    Between(OffsetDateTime, OffsetDateTime),
}

impl std::fmt::Display for Timespan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Last(span) => f.write_str(&wire::iso_duration::format(*span)),
            Self::Between(from, to) => {
                write!(f, "{}/{}", arm_core::kql::precise(*from), arm_core::kql::precise(*to))
            }
        }
    }
}

impl Serialize for Timespan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A query over logs, in the Kusto language.
///
/// Insert untrusted values with [`kql::quoted`](crate::kql::quoted), never by concatenation.
#[derive(Debug, Clone, Serialize)]
#[must_use = "a query does nothing until it is sent"]
pub struct LogQuery {
    pub(crate) query: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timespan: Option<Timespan>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) workspaces: Vec<CustomerId>,
    #[serde(skip)]
    prefer: Prefer,
}

#[derive(Debug, Clone, Default)]
struct Prefer {
    wait: Option<Duration>,
    statistics: bool,
    render: bool,
}

impl LogQuery {
    /// Creates a query with this text.
    pub fn new(query: impl Into<String>) -> Self {
        Self { query: query.into(), timespan: None, workspaces: Vec::new(), prefer: Prefer::default() }
    }

    /// Limits the query to this time span, in addition to any limits in its text.
    pub fn timespan(mut self, span: Timespan) -> Self {
        self.timespan = Some(span);
        self
    }

    /// Also queries these workspaces. [`query_get`](crate::LogsClient::query_get) and
    /// [`query_resource_get`](crate::LogsClient::query_resource_get) refuse such a query.
    pub fn additional_workspaces(mut self, workspaces: impl IntoIterator<Item = CustomerId>) -> Self {
        self.workspaces.extend(workspaces);
        self
    }

    /// Sets how long the service may take: whole seconds, up to 10 minutes. The service's default is 3 minutes.
    pub fn server_timeout(mut self, limit: Duration) -> Self {
        self.prefer.wait = Some(limit);
        self
    }

    /// Requests statistics about the execution.
    pub fn with_statistics(mut self) -> Self {
        self.prefer.statistics = true;
        self
    }

    /// Requests the visualization described by the query's `render`.
    pub fn with_render(mut self) -> Self {
        self.prefer.render = true;
        self
    }

    /// The `Prefer` header.
    pub(crate) fn preferences(&self) -> Option<String> {
        let mut parts = Vec::new();
        parts.extend(self.prefer.wait.map(|wait| format!("wait={}", wait.as_secs().clamp(1, 600))));
        parts.extend(self.prefer.statistics.then(|| "include-statistics=true".to_owned()));
        parts.extend(self.prefer.render.then(|| "include-render=true".to_owned()));
        (!parts.is_empty()).then(|| parts.join(","))
    }
}

impl From<&str> for LogQuery {
    fn from(query: &str) -> Self {
        Self::new(query)
    }
}

/// The result of a query.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct QueryResults {
    /// The tables; the first one is the result itself.
    pub tables: Vec<LogTable>,
    /// Why rows are missing although the query succeeded; `None` if the result is complete.
    pub error: Option<QueryError>,
    /// Statistics about the execution, if requested, as the service writes them.
    pub statistics: Option<Value>,
    /// The visualization described by the query's `render`, if requested, as the service writes it.
    pub render: Option<Value>,
}

impl QueryResults {
    /// Whether rows are missing.
    pub fn is_partial(&self) -> bool {
        self.error.is_some()
    }

    /// Returns the rows of the first table as values of a type, see [`LogTable::rows`].
    ///
    /// To use an incomplete result, read [`tables`](Self::tables) and [`error`](Self::error) instead.
    ///
    /// # Errors
    ///
    /// Rows are missing, the response has no table, or a row is not a `T`: the message gives its number and column.
    pub fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        self.answer()?.rows()
    }

    /// Returns the rows of the first table that can be read, and an error for each row that cannot.
    ///
    /// # Errors
    ///
    /// Rows are missing, or the response has no table.
    pub fn readable_rows<T: DeserializeOwned>(&self) -> Result<(Vec<T>, Vec<Error>)> {
        Ok(self.answer()?.readable_rows())
    }

    fn answer(&self) -> Result<&LogTable> {
        if let Some(error) = &self.error {
            let message = format!("the query's result is incomplete: {error}");
            return Err(Error::with_message(ErrorKind::Other, message));
        }
        self.tables
            .first()
            .ok_or_else(|| Error::with_message(ErrorKind::DataConversion, "the query's result has no table"))
    }
}

/// A table of a result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct LogTable {
    /// The name; the result itself is `PrimaryResult`.
    pub name: String,
    /// The columns, in the order of the cells.
    pub columns: Vec<LogColumn>,
    /// The cells, row by row. Values of type `dynamic` are JSON strings.
    #[serde(rename = "rows")]
    pub cells: Vec<Vec<Value>>,
}

impl LogTable {
    /// Returns the rows as values of a type whose fields are named after the columns.
    ///
    /// ```
    /// # let table: monitor_ops::LogTable = serde_json::from_str(r#"{"name":"PrimaryResult",
    /// #   "columns":[{"name":"Count","type":"long"}],"rows":[[3]]}"#)?;
    /// #[derive(serde::Deserialize)]
    /// struct Row {
    ///     #[serde(rename = "Count")]
    ///     count: u64,
    /// }
    /// let rows: Vec<Row> = table.rows()?;
    /// assert_eq!(rows[0].count, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A row is not a `T`: the message gives its number and column.
    pub fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        (0..self.cells.len()).map(|index| self.row(index)).collect()
    }

    /// Returns the rows that can be read, and an error for each row that cannot.
    pub fn readable_rows<T: DeserializeOwned>(&self) -> (Vec<T>, Vec<Error>) {
        let (mut rows, mut errors) = (Vec::new(), Vec::new());
        for index in 0..self.cells.len() {
            match self.row(index) {
                Ok(row) => rows.push(row),
                Err(error) => errors.push(error),
            }
        }
        (rows, errors)
    }

    /// Reads one row. Strings such as `NaN` are read as numbers if the field is a number. The error names the column,
    /// never its content.
    fn row<T: DeserializeOwned>(&self, index: usize) -> Result<T> {
        let row = Row { columns: &self.columns, cells: &self.cells[index] };
        serde_path_to_error::deserialize(row).map_err(|error| {
            let at = error.path().iter().next().map(ToString::to_string);
            let column = at.and_then(|at| self.columns.iter().find(|column| column.name == at));
            let reason = wire::without_values(error.inner());
            let message = match column {
                Some(LogColumn { name, kind }) => format!(
                    "row {} of the query's result cannot be read: its column {name} of the type {kind}: {reason}",
                    index + 1
                ),
                None => {
                    let columns: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
                    format!(
                        "row {} of the query's result does not match the requested type: {reason}; its columns are {}",
                        index + 1,
                        columns.join(", ")
                    )
                }
            };
            Error::with_message(ErrorKind::DataConversion, message)
        })
    }
}

/// An error of the query service.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct QueryError {
    /// The code, such as `PartialError`.
    pub code: String,
    /// The message.
    #[serde(default)]
    pub message: String,
    /// The name of the severity, such as `Error`.
    #[serde(default, rename = "severityName", with = "wire::text::option")]
    pub severity_name: Option<String>,
    /// The number of the severity.
    #[serde(default, with = "wire::text::option")]
    pub severity: Option<String>,
    /// The individual errors.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub details: Vec<QueryError>,
    /// The cause.
    #[serde(default, rename = "innererror")]
    pub inner: Option<Box<QueryError>>,
}

impl QueryError {
    /// The innermost error, which contains the actual cause.
    pub fn root(&self) -> &Self {
        let below = self.inner.as_deref().or_else(|| self.details.first());
        below.map_or(self, Self::root)
    }
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let root = self.root();
        write!(f, "{}: {}", root.code, root.message)
    }
}

/// One query of a batch.
#[derive(Debug, Clone, Serialize)]
pub struct BatchQuery {
    id: String,
    workspace: CustomerId,
    path: &'static str,
    method: &'static str,
    headers: std::collections::BTreeMap<&'static str, String>,
    body: LogQuery,
}

impl BatchQuery {
    /// Creates a query on a workspace. Its result has the same id.
    pub fn new(id: impl Into<String>, workspace: CustomerId, query: impl Into<LogQuery>) -> Self {
        let body = query.into();
        let headers = body.preferences().map(|prefer| ("Prefer", prefer)).into_iter().collect();
        Self { id: id.into(), workspace, path: "/query", method: "POST", headers, body }
    }
}

/// The result of one query of a batch.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct BatchAnswer {
    /// The id of the query.
    pub id: String,
    /// The HTTP status of this query.
    pub status: u16,
    /// The body: tables, an error, or both.
    pub body: BatchBody,
}

/// The body of a [`BatchAnswer`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct BatchBody {
    /// The tables; empty if the query failed.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tables: Vec<LogTable>,
    /// Why the query failed, or why rows are missing.
    pub error: Option<QueryError>,
}

/// The metadata of a workspace. Everything except the tables is as the service writes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Metadata {
    /// The tables.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tables: Vec<MetadataTable>,
    /// The workspaces themselves.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub workspaces: Vec<Value>,
    /// The functions.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub functions: Vec<Value>,
    /// The solutions.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub solutions: Vec<Value>,
    /// Resource types that send logs.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub resource_types: Vec<Value>,
    /// The categories that group the other items.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub categories: Vec<Value>,
    /// The example queries.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub queries: Vec<Value>,
    /// The applications.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub applications: Vec<Value>,
    /// The resources.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub resources: Vec<Value>,
    /// The caller's read permissions.
    pub permissions: Option<Value>,
}

/// A table of a workspace.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MetadataTable {
    /// The name.
    pub name: String,
    /// The description.
    pub description: Option<String>,
    /// The column that time spans apply to.
    pub timespan_column: Option<String>,
    /// The columns.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub columns: Vec<LogColumn>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_by_its_column_and_a_bad_one_costs_its_row_and_is_named() {
        let table: LogTable = serde_json::from_value(serde_json::json!({
            "name": "PrimaryResult",
            "columns": [
                { "name": "cpu", "type": "real" }, { "name": "price", "type": "decimal" },
                { "name": "on", "type": "bool" }, { "name": "count", "type": "long" },
            ],
            "rows": [["NaN", "0.1000000000000000055", 1, "12"], [0.5, 2, null, null], ["hunter2", "1", true, 3]],
        }))
        .unwrap();
        #[derive(Debug, Deserialize)]
        struct Cells {
            cpu: f64,
            price: f64,
            on: Option<bool>,
            count: Option<u16>,
        }
        let (rows, errors) = table.readable_rows::<Cells>();
        assert!(rows[0].cpu.is_nan() && rows[0].price == 0.1);
        assert_eq!((rows[0].on, rows[0].count), (Some(true), Some(12)));
        assert_eq!((rows[1].cpu, rows[1].price, rows[1].on, rows[1].count), (0.5, 2.0, None, None));
        let error = errors[0].to_string();
        assert!(
            error.starts_with("row 3 of the query's result") && error.contains("column cpu of the type real"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!((rows.len(), errors.len()), (2, 1));
        assert_eq!(table.rows::<Cells>().unwrap_err().to_string(), error);
    }
}
