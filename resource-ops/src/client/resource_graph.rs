use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use arm_core::{ArmClient, ArmPath, wire};
use azure_core::{Result, http::RawResponse};

use crate::{QueryRequest, QueryResponse, Quota};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources).
const API_VERSION: &str = "2022-10-01";

/// The longest wait for quota that a response can impose.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// A client for Resource Graph: queries over everything that the caller can read.
///
/// A caller can make about 15 queries in 5 seconds. Clones share the state of this quota: once it is used up, the next
/// query waits as long as the service says, up to 60 seconds.
#[derive(Debug, Clone)]
pub struct ResourceGraphClient {
    arm: ArmClient,
    not_before: Arc<Mutex<Option<Instant>>>,
}

impl ResourceGraphClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), not_before: Arc::default() }
    }

    /// Fetches one page of a query: `Resources`. [`rows`](Self::rows) fetches all pages.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources)
    ///
    /// # Permissions
    ///
    /// The service silently omits everything that the caller may not read.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_code("ParserFailure")`: the query is not valid.
    ///
    /// # Retries
    ///
    /// Safe to repeat: a query changes nothing.
    pub async fn resources(&self, request: &QueryRequest) -> Result<QueryResponse> {
        let response = self.send(request).await?;
        let mut page: QueryResponse = wire::decode(&response)?;
        page.quota = Quota::read(response.headers());
        Ok(page)
    }

    /// Sends a query as soon as there is quota for it.
    pub(crate) async fn send(&self, request: &QueryRequest) -> Result<RawResponse> {
        let until = *self.lock();
        let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            tracing::info!(?wait, "the quota of Resource Graph is used up; waiting");
            azure_core::sleep(wait.try_into().unwrap_or_default()).await;
        }
        let path = ArmPath::root().provider("Microsoft.ResourceGraph").literal("resources");
        let response = self.arm.post(path, API_VERSION).body(request).reads_only().send().await?;
        if let Some(wait) = Quota::read(response.headers()).wait() {
            *self.lock() = Some(Instant::now() + wait.min(LONGEST_WAIT));
        }
        Ok(response)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
