//! The client that all service clients are built on.

use std::sync::Arc;

use azure_core::{
    Result,
    credentials::TokenCredential,
    http::{
        ClientOptions, Pipeline, RetryOptions, Url,
        policies::{Policy, auth::BearerTokenAuthorizationPolicy},
    },
};

use crate::{ArmOptions, Audience, CloudEndpoints, MaxResponseBody, OriginPin, Retry, transport};

/// A client for Azure Resource Manager, with one pipeline for each [`Audience`].
///
/// Clones are cheap and share pipelines, tokens and connections. Every service client is created from a reference to
/// it.
///
/// ```no_run
/// use arm_core::{ArmClient, ArmOptions, credential_from_environment};
///
/// # async fn f() -> azure_core::Result<()> {
/// let options = ArmOptions::default();
/// let chosen = credential_from_environment(None, &options)?;
/// let arm = ArmClient::new(chosen.credential, options)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ArmClient {
    shared: Arc<Shared>,
    audience: Audience,
}

struct Shared {
    credential: Arc<dyn TokenCredential>,
    endpoints: CloudEndpoints,
    options: ArmOptions,
    management: Pipeline,
    graph: Pipeline,
    log_analytics: Pipeline,
}

impl std::fmt::Debug for ArmClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArmClient").field("endpoint", &self.endpoint().as_str()).finish_non_exhaustive()
    }
}

impl ArmClient {
    /// Creates a client for the cloud in the options; `None` or `Default::default()` means the public cloud.
    ///
    /// No request is sent and no token is fetched before the first call.
    ///
    /// # Errors
    ///
    /// The transport cannot be created, or an endpoint of the cloud is not `https`.
    pub fn new(credential: Arc<dyn TokenCredential>, options: impl Into<Option<ArmOptions>>) -> Result<Self> {
        let mut options = options.into().unwrap_or_default();
        let endpoints = options.cloud.endpoints()?;
        let transport = transport::or_default(options.client.transport.take())?;
        options.client.transport = Some(MaxResponseBody::around(transport, options.max_response_body));
        let pipeline = |audience| {
            let (endpoint, scope) = (endpoints.endpoint(audience), endpoints.scope(audience));
            let per_try: Vec<Arc<dyn Policy>> = vec![
                Arc::new(OriginPin::new(endpoint)?),
                Arc::new(BearerTokenAuthorizationPolicy::new(credential.clone(), [scope])),
            ];
            let mut client = options.client.clone();
            client.per_call_policies.push(Arc::new(Retry::new(options.retry).with_fresh_token()));
            client.retry = RetryOptions::none();
            let (name, version) = (option_env!("CARGO_PKG_NAME"), option_env!("CARGO_PKG_VERSION"));
            Ok::<_, azure_core::Error>(Pipeline::new(name, version, client, Vec::new(), per_try, None))
        };
        let (management, graph) = (pipeline(Audience::Management)?, pipeline(Audience::Graph)?);
        let log_analytics = pipeline(Audience::LogAnalytics)?;
        let shared = Shared { credential, endpoints, options, management, graph, log_analytics };
        Ok(Self { shared: Arc::new(shared), audience: Audience::Management })
    }

    /// Returns this client for another service, with that service's endpoint, token and origin pin.
    pub fn with_audience(&self, audience: Audience) -> Self {
        Self { shared: self.shared.clone(), audience }
    }

    /// Returns options for an official client of another endpoint, such as a vault: this client's transport and retry,
    /// and an origin pin for that endpoint. Use them with [`credential`](Self::credential).
    ///
    /// # Errors
    ///
    /// The endpoint is not `https`.
    pub fn client_options_for(&self, endpoint: &Url) -> Result<ClientOptions> {
        let mut options = self.shared.options.client.clone();
        options.per_call_policies.push(Arc::new(Retry::new(self.shared.options.retry)));
        options.per_try_policies.push(Arc::new(OriginPin::new(endpoint)?));
        options.retry = RetryOptions::none();
        options.cloud = Some(Arc::new(self.shared.options.cloud.configuration()?));
        Ok(options)
    }

    /// Returns the credential, for use with official clients.
    pub fn credential(&self) -> Arc<dyn TokenCredential> {
        self.shared.credential.clone()
    }

    /// Returns the endpoints of the client's cloud.
    pub fn endpoints(&self) -> &CloudEndpoints {
        &self.shared.endpoints
    }

    /// Returns the OAuth scope of this client's tokens.
    pub fn token_scope(&self) -> String {
        self.shared.endpoints.scope(self.audience)
    }

    pub(crate) fn endpoint(&self) -> &Url {
        self.shared.endpoints.endpoint(self.audience)
    }

    pub(crate) fn options(&self) -> &ArmOptions {
        &self.shared.options
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        match self.audience {
            Audience::Management => &self.shared.management,
            Audience::Graph => &self.shared.graph,
            Audience::LogAnalytics => &self.shared.log_analytics,
        }
    }
}
