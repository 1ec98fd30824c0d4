//! Streams the rows of a query across pages and batches of subscriptions.

use std::sync::Arc;

use arm_core::{ListPage, ManagementGroupId, Pager, SubscriptionId, pages, wire};
use azure_core::{Error, Result, error::ErrorKind, http::headers::HeaderName};
use futures::TryStreamExt as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::ResourceGraphClient;
use crate::{
    QueryOptions, QueryRequest,
    query::{GraphQuery, Table},
};

/// The maximum number of subscriptions in one batch, as the service recommends.
const BATCH: usize = 300;
/// The maximum number of subscriptions in a query that cannot be split into batches.
const MOST: usize = 1000;

/// The scope of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphScope {
    /// Everything in the tenant that the caller can read.
    Tenant,
    /// These subscriptions. An empty list is an error, since the service would search the whole tenant.
    Subscriptions(Vec<SubscriptionId>),
    /// These management groups, with everything below them. An empty list is an error.
    ManagementGroups(Vec<ManagementGroupId>),
}

impl From<&SubscriptionId> for GraphScope {
    fn from(id: &SubscriptionId) -> Self {
        Self::Subscriptions(vec![id.clone()])
    }
}

impl From<Vec<SubscriptionId>> for GraphScope {
    fn from(ids: Vec<SubscriptionId>) -> Self {
        Self::Subscriptions(ids)
    }
}

impl From<&ManagementGroupId> for GraphScope {
    fn from(id: &ManagementGroupId) -> Self {
        Self::ManagementGroups(vec![id.clone()])
    }
}

impl GraphScope {
    /// Returns the scopes of the queries to send, one after the other.
    fn batches(self, query: &GraphQuery) -> std::result::Result<Vec<Self>, String> {
        match self {
            Self::Subscriptions(ids) if ids.is_empty() => {
                Err("no subscription was given, which the service treats as the whole tenant; \
                     to query the whole tenant, use GraphScope::Tenant"
                    .to_owned())
            }
            Self::ManagementGroups(ids) if ids.is_empty() => {
                Err("no management group was given, which the service treats as the whole tenant; \
                     to query the whole tenant, use GraphScope::Tenant"
                    .to_owned())
            }
            Self::Subscriptions(ids) if ids.len() > BATCH && query.is_batchable() => {
                Ok(ids.chunks(BATCH).map(|batch| Self::Subscriptions(batch.to_vec())).collect())
            }
            Self::Subscriptions(ids) if ids.len() > MOST => Err(format!(
                "a query that counts, sorts or limits rows cannot be split, and {} subscriptions are too many for \
                 one query (at most {MOST}): use GraphScope::Tenant or management groups",
                ids.len()
            )),
            scope => Ok(vec![scope]),
        }
    }
}

impl ResourceGraphClient {
    /// Streams all rows of a query, each decoded as a `T`: `Resources`.
    ///
    /// More than 300 subscriptions are queried in batches if the query [is batchable](GraphQuery::is_batchable). Other
    /// queries accept at most 1000 subscriptions; for more, use [`GraphScope::Tenant`] or management groups. If the
    /// service truncates the result, or searches only some of the subscriptions, the stream ends with an error.
    ///
    /// ```
    /// # use arm_core::ArmClient;
    /// # use futures::TryStreamExt as _;
    /// # use resource_ops::{GraphScope, ResourceGraphClient, query::{GraphQuery, Table}};
    /// # async fn f(arm: &ArmClient) -> azure_core::Result<()> {
    /// #[derive(serde::Deserialize)]
    /// struct Vault { id: arm_core::ResourceId, location: String }
    ///
    /// let query = GraphQuery::table(Table::Resources)
    ///     .of_type("microsoft.keyvault/vaults")
    ///     .project(["location"]);
    /// let mut vaults = ResourceGraphClient::new(arm).rows::<Vault>(&query, GraphScope::Tenant);
    /// while let Some(vault) = vaults.try_next().await? {
    ///     println!("{} {}", vault.location, vault.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn rows<T>(&self, query: &GraphQuery, scope: impl Into<GraphScope>) -> Pager<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        stream(self.clone(), query, scope.into())
    }

    /// Resumes the rows of a query at a [`Pager::continuation`]. The query and the scope must be the same as before.
    pub fn resume_rows<T>(
        &self,
        query: &GraphQuery,
        scope: impl Into<GraphScope>,
        continuation: impl Into<String>,
    ) -> Pager<T>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(query, scope).continue_at(continuation)
    }

    /// Returns the subscriptions in a scope that Resource Graph shows: `Resources`. It omits those that the caller may not
    /// read.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn subscriptions(&self, scope: impl Into<GraphScope>) -> Result<Vec<SubscriptionId>> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Row {
            subscription_id: SubscriptionId,
        }
        let query = GraphQuery::table(Table::ResourceContainers)
            .of_type("microsoft.resources/subscriptions")
            .project(["subscriptionId"]);
        self.rows(&query, scope).map_ok(|Row { subscription_id }| subscription_id).try_collect().await
    }
}

/// The position of a stream: its batch and page, or the end of a truncated result.
enum Place {
    Page { batch: usize, token: Option<String> },
    Cut,
}

const CUT: &str = "cut";

impl Place {
    fn read(continuation: Option<&str>) -> Option<Self> {
        let Some(text) = continuation else { return Some(Self::Page { batch: 0, token: None }) };
        if text == CUT {
            return Some(Self::Cut);
        }
        let (batch, token) = text.split_once(':')?;
        let token = Some(token.to_owned()).filter(|token| !token.is_empty());
        Some(Self::Page { batch: batch.parse().ok()?, token })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    data: Vec<Box<RawValue>>,
    #[serde(with = "wire::bool_text")]
    result_truncated: bool,
    #[serde(rename = "$skipToken", default)]
    skip_token: Option<String>,
}

fn stream<T: DeserializeOwned + Send + 'static>(
    client: ResourceGraphClient,
    query: &GraphQuery,
    scope: GraphScope,
) -> Pager<T> {
    let text: Arc<str> = query.to_string().into();
    let batches = Arc::new(scope.batches(query));
    pages(move |continuation| {
        let (client, text, batches) = (client.clone(), text.clone(), batches.clone());
        async move {
            let batches = batches.as_ref().as_ref().map_err(|reason| invalid(reason.clone()))?;
            match Place::read(continuation.as_deref()) {
                Some(Place::Page { batch, token }) if batch < batches.len() => {
                    page(&client, &text, batches, batch, token).await
                }
                Some(Place::Cut) => Err(invalid(
                    "rows are missing: the service truncated the result without a next page. Keep the column 'id' \
                     in the result, or narrow the query or its scope"
                        .to_owned(),
                )),
                _ => Err(invalid("the continuation does not belong to this query".to_owned())),
            }
        }
    })
}

fn invalid(message: String) -> Error {
    Error::with_message(ErrorKind::DataConversion, message)
}

async fn page<T: DeserializeOwned>(
    client: &ResourceGraphClient,
    text: &str,
    batches: &[GraphScope],
    batch: usize,
    token: Option<String>,
) -> Result<ListPage<T>> {
    let mut request = QueryRequest::builder()
        .query(text)
        .options(QueryOptions { skip_token: token, ..QueryOptions::default() })
        .build();
    match &batches[batch] {
        GraphScope::Tenant => {}
        GraphScope::Subscriptions(ids) => request.subscriptions = ids.clone(),
        GraphScope::ManagementGroups(ids) => request.management_groups = ids.clone(),
    }
    let response = client.send(&request).await?;
    let page: Wire = wire::decode(&response)?;
    let hit = HeaderName::from_static("x-ms-tenant-subscription-limit-hit");
    let scope_cut =
        response.headers().get_optional_string(&hit).is_some_and(|hit| hit.eq_ignore_ascii_case("true"));
    let next = match page.skip_token.filter(|token| !token.is_empty()) {
        Some(token) => Some(format!("{batch}:{token}")),
        None if page.result_truncated || scope_cut => Some(CUT.to_owned()),
        None if batch + 1 < batches.len() => Some(format!("{}:", batch + 1)),
        None => None,
    };
    Ok(ListPage::of_raw(&page.data, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Table;

    /// Returns the subscriptions in each query.
    fn sizes(subscriptions: u32, query: &GraphQuery) -> Option<Vec<usize>> {
        let id = |n: u32| format!("00000000-0000-0000-0000-{n:012}").parse().unwrap();
        let scope = GraphScope::Subscriptions((1..=subscriptions).map(id).collect());
        let size = |scope: GraphScope| match scope {
            GraphScope::Subscriptions(ids) => ids.len(),
            _ => 0,
        };
        scope.batches(query).ok().map(|batches| batches.into_iter().map(size).collect())
    }

    #[test]
    fn many_subscriptions_are_split_if_the_query_can_be_and_refused_above_what_the_service_takes() {
        let rows = GraphQuery::table(Table::Resources);
        let count = rows.clone().count_by(["type"]);
        assert_eq!(sizes(0, &rows), None);
        assert_eq!(sizes(300, &rows), Some(vec![300]));
        assert_eq!(sizes(301, &rows), Some(vec![300, 1]));
        assert_eq!(sizes(1001, &rows), Some(vec![300, 300, 300, 101]));
        assert_eq!(sizes(301, &count), Some(vec![301]));
        assert_eq!(sizes(1000, &count), Some(vec![1000]));
        assert_eq!(sizes(1001, &count), None);
    }
}
