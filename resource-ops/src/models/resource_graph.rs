use std::time::Duration;

use arm_core::{ManagementGroupId, SubscriptionId, open_enum};
use azure_core::http::headers::{HeaderName, Headers};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use typed_builder::TypedBuilder;

/// A query in the service's format, the body of a request.
#[derive(Debug, Clone, PartialEq, Serialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
pub struct QueryRequest {
    /// The query in Kusto.
    #[builder(setter(into))]
    pub query: String,
    /// The subscriptions to query. If this and `management_groups` are empty, the whole tenant is queried.
    #[builder(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<SubscriptionId>,
    /// The management groups to query, instead of subscriptions.
    #[builder(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub management_groups: Vec<ManagementGroupId>,
    /// Paging and format of the result.
    #[builder(default)]
    pub options: QueryOptions,
    /// Statistics to return in addition to the rows.
    #[builder(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<FacetRequest>,
}

/// Paging and format of the result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryOptions {
    /// The token from the previous page.
    #[serde(rename = "$skipToken", skip_serializing_if = "Option::is_none")]
    pub skip_token: Option<String>,
    /// The number of rows on each page, 1 to 1000. Default: 1000.
    #[serde(rename = "$top", skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
    /// The number of rows to skip at the beginning.
    #[serde(rename = "$skip", skip_serializing_if = "Option::is_none")]
    pub skip: Option<u32>,
    /// The format of the rows. Default: objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_format: Option<ResultFormat>,
    /// Whether the service may search only a part of a scope of more than 10,000 subscriptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_partial_scopes: Option<bool>,
    /// Which authorization resources are included, relative to the scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_scope_filter: Option<AuthorizationScopeFilter>,
}

open_enum! {
    /// The format of the rows.
    pub enum ResultFormat {
        /// One object for each row.
        ObjectArray = "objectArray",
        /// A list of columns, and a list of cells for each row.
        Table = "table",
    }
}

open_enum! {
    /// Which authorization resources a query includes, relative to its scope.
    pub enum AuthorizationScopeFilter {
        /// At the scope and below.
        AtScopeAndBelow = "AtScopeAndBelow",
        /// At the scope and above.
        AtScopeAndAbove = "AtScopeAndAbove",
        /// Only at the scope.
        AtScopeExact = "AtScopeExact",
        /// Above, at and below the scope.
        AtScopeAboveAndBelow = "AtScopeAboveAndBelow",
    }
}

/// A request for statistics on a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FacetRequest {
    /// The column.
    pub expression: String,
    /// How the statistics are computed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<FacetRequestOptions>,
}

/// Options for computing statistics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FacetRequestOptions {
    /// The column to sort by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<String>,
    /// `asc` or `desc`. Default: `desc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<String>,
    /// A condition on the rows, in Kusto.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The maximum number of rows: 1 to 1000.
    #[serde(rename = "$top", skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
}

/// One page of a result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QueryResponse {
    /// The number of rows in the whole result.
    pub total_records: u64,
    /// The number of rows on this page.
    pub count: u64,
    /// Whether rows are missing that no further page returns.
    #[serde(with = "arm_core::wire::bool_text")]
    pub result_truncated: bool,
    /// The token of the next page; `None` on the last page.
    #[serde(rename = "$skipToken", default)]
    pub skip_token: Option<String>,
    /// The rows, as objects or as a table.
    pub data: Value,
    /// The requested statistics.
    #[serde(default, deserialize_with = "arm_core::wire::without_nulls")]
    pub facets: Vec<Facet>,
    /// The caller's remaining quota.
    #[serde(skip)]
    pub quota: Quota,
}

/// Statistics on a column, or the reason why there are none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Facet {
    /// The column.
    pub expression: String,
    /// `FacetResult` or `FacetError`.
    pub result_type: String,
    /// The total number of rows.
    pub total_records: Option<u64>,
    /// The number of rows in `data`.
    pub count: Option<u64>,
    /// The rows.
    #[serde(default)]
    pub data: Value,
    /// The errors, if the statistics could not be computed.
    #[serde(default, deserialize_with = "arm_core::wire::null_as_default")]
    pub errors: Vec<Value>,
}

/// A caller's remaining quota, which is about 15 queries in 5 seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quota {
    /// The remaining number of queries.
    pub remaining: Option<u32>,
    /// The time until the quota is full again.
    pub resets_after: Option<Duration>,
}

impl Quota {
    pub(crate) fn read(headers: &Headers) -> Self {
        let header = |name| headers.get_optional_string(&HeaderName::from_static(name));
        Self {
            remaining: header("x-ms-user-quota-remaining").and_then(|text| text.trim().parse().ok()),
            resets_after: header("x-ms-user-quota-resets-after").as_deref().and_then(clock),
        }
    }

    /// Returns how long to wait before the next query; `None` if queries remain.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.resets_after.filter(|_| self.remaining == Some(0))
    }
}

/// Parses `hh:mm:ss`.
fn clock(text: &str) -> Option<Duration> {
    let mut parts = text.trim().split(':');
    let (hours, minutes): (u64, u64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let seconds = parts.next()?.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())?;
    let whole = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    parts.next().is_none().then_some(Duration::from_secs(whole).saturating_add(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quotas_clock_is_read() {
        assert_eq!(clock("00:00:05"), Some(Duration::from_secs(5)));
        assert_eq!(clock("01:02:03.5"), Some(Duration::from_millis(3_723_500)));
        for bad in ["", "5", "00:05", "a:b:c", "00:00:-1", "1:2:3:4", "99999999999999999999:0:0"] {
            assert_eq!(clock(bad), None, "{bad}");
        }
    }
}
