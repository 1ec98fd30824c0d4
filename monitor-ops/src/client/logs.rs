use arm_core::{ApiVersion, ArmClient, ArmPath, ArmRequest, Audience, ResourceId, refuse};
use azure_core::Result;
use serde::Deserialize;

use crate::{BatchAnswer, BatchQuery, CustomerId, LogQuery, Metadata, QueryResults};

/// Log queries over a workspace, or over the logs of a resource in all workspaces that have them.
///
/// A query only reads, so it is retried like a GET. A table is created with its first record; until then, a query that
/// names it is refused: see [`missing_table`](crate::missing_table).
///
/// ```
/// # use monitor_ops::{CustomerId, LogQuery, LogsClient, Timespan};
/// # async fn f(arm: &arm_core::ArmClient, workspace: CustomerId) -> azure_core::Result<()> {
/// let query = LogQuery::new("AzureDiagnostics | count").timespan(Timespan::Last(std::time::Duration::from_secs(3600)));
/// let results = LogsClient::new(arm).query(&workspace, query).await?;
/// println!("{:?}", results.tables[0].cells);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct LogsClient {
    arm: ArmClient,
}

impl LogsClient {
    /// The API version of every request, as part of the path, from the
    /// [reference](https://learn.microsoft.com/rest/api/loganalytics/query?view=rest-loganalytics-2022-10-27-preview).
    pub const API_VERSION: &str = "v1";

    /// Creates a client that uses this connection. It requests tokens for the query service.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.with_audience(Audience::LogAnalytics) }
    }

    pub(crate) fn arm(&self) -> &ArmClient {
        &self.arm
    }

    /// Runs a query in a workspace: `Query_Execute`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/query/execute)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/query/read` (Log Analytics Reader).
    ///
    /// # Errors
    ///
    /// 400 if the query is invalid; [`missing_table`](crate::missing_table) recognizes a table that does not exist yet.
    pub async fn query(&self, workspace: &CustomerId, query: impl Into<LogQuery>) -> Result<QueryResults> {
        self.execute(of_workspace(workspace), &query.into()).await
    }

    /// Runs a query over the logs of one resource, in all its workspaces: `Query_ResourceExecute`
    /// (also listed as `Query_ResourceExecuteXms`).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/query/resource-execute)
    ///
    /// # Permissions
    ///
    /// Permission to read the resource's logs (`Microsoft.Insights/logs/read` on the resource).
    ///
    /// # Errors
    ///
    /// As for [`query`](Self::query).
    pub async fn query_resource(
        &self,
        resource: &ResourceId,
        query: impl Into<LogQuery>,
    ) -> Result<QueryResults> {
        self.execute(of_resource(resource), &query.into()).await
    }

    /// Runs a short query in a workspace as a GET: `Query_Get`. The query text is part of the URL, so proxies may log
    /// it.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/query/get)
    ///
    /// # Errors
    ///
    /// The query has [`additional_workspaces`](LogQuery::additional_workspaces), and nothing is sent. Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn query_get(
        &self,
        workspace: &CustomerId,
        query: impl Into<LogQuery>,
    ) -> Result<QueryResults> {
        self.get(of_workspace(workspace), &query.into()).await
    }

    /// Runs a short query over the logs of one resource as a GET: `Query_ResourceGet` (also listed as
    /// `Query_ResourceGetXms`). The query text is part of the URL, so proxies may log it.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/query/resource-get)
    ///
    /// # Errors
    ///
    /// As for [`query_get`](Self::query_get).
    pub async fn query_resource_get(
        &self,
        resource: &ResourceId,
        query: impl Into<LogQuery>,
    ) -> Result<QueryResults> {
        self.get(of_resource(resource), &query.into()).await
    }

    /// Runs several queries in one request: `Query_Batch`. Each has its own status: a failed one does not affect the
    /// others and is not an error of this call.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/query/batch)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn batch(&self, queries: &[BatchQuery]) -> Result<Vec<BatchAnswer>> {
        #[derive(Deserialize)]
        struct Answers {
            responses: Vec<BatchAnswer>,
        }
        let request = self.arm.post(root().literal("$batch"), ApiVersion::IN_PATH);
        let body = serde_json::json!({ "requests": queries });
        request.body(&body).reads_only().json::<Answers>().await.map(|answers| answers.responses)
    }

    /// Reads the metadata of a workspace, such as its tables and functions: `Metadata_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/metadata/get)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn metadata(&self, workspace: &CustomerId) -> Result<Metadata> {
        self.arm.get(of_workspace(workspace).segment("metadata"), ApiVersion::IN_PATH).json().await
    }

    /// Like [`metadata`](Self::metadata), but as a POST, for proxies that cache GET responses:
    /// `Metadata_Post`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/metadata/post)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn metadata_post(&self, workspace: &CustomerId) -> Result<Metadata> {
        let request = self.arm.post(of_workspace(workspace).segment("metadata"), ApiVersion::IN_PATH);
        request.reads_only().json().await
    }

    async fn execute(&self, of: ArmPath, query: &LogQuery) -> Result<QueryResults> {
        let request = self.arm.post(of.segment("query"), ApiVersion::IN_PATH).body(query).reads_only();
        preferring(request, query).json().await
    }

    async fn get(&self, of: ArmPath, query: &LogQuery) -> Result<QueryResults> {
        // Documented: the GET operations have no parameter for them.
        if !query.workspaces.is_empty() {
            return refuse(
                "a query of additional workspaces cannot be sent as a GET: use query() or query_resource()",
            );
        }
        let request = self
            .arm
            .get(of.segment("query"), ApiVersion::IN_PATH)
            .query("query", query.query.as_str())
            .query_opt("timespan", query.timespan.map(|span| span.to_string()));
        preferring(request, query).json().await
    }
}

fn preferring(request: ArmRequest, query: &LogQuery) -> ArmRequest {
    match query.preferences() {
        Some(preferences) => request.header("prefer", preferences),
        None => request,
    }
}

fn root() -> ArmPath {
    ArmPath::root().literal(LogsClient::API_VERSION)
}

fn of_workspace(workspace: &CustomerId) -> ArmPath {
    root().literal("workspaces").segment(workspace.to_string())
}

fn of_resource(resource: &ResourceId) -> ArmPath {
    resource.as_str().split('/').skip(1).fold(root(), ArmPath::segment)
}
