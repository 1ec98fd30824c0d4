//! Clients that send their requests to a local server.

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions};
use async_trait::async_trait;
use azure_core::{
    Result,
    http::{
        AsyncRawResponse, ClientOptions, HttpClient, Pipeline, Request, Transport, Url,
        policies::{Policy, auth::BearerTokenAuthorizationPolicy},
    },
};
use list_alerts::AnyToken;

/// Sends requests for Azure to a local server instead.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) client: reqwest::Client,
    /// Scheme, host and port.
    pub(crate) server: Url,
}

#[async_trait]
impl HttpClient for Local {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let mut local = request.clone();
        let url = local.url_mut();
        url.set_scheme(self.server.scheme()).unwrap();
        url.set_host(self.server.host_str()).unwrap();
        url.set_port(self.server.port()).unwrap();
        self.client.execute_request(&local).await
    }
}

fn options(transport: impl HttpClient + 'static) -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(Arc::new(transport))), ..ClientOptions::default() }
}

pub(crate) fn arm(transport: impl HttpClient + 'static) -> ArmClient {
    ArmClient::new(Arc::new(AnyToken), ArmOptions::from(options(transport))).unwrap()
}

/// `azure_core`'s own pipeline, with a token.
pub(crate) fn pipeline(transport: impl HttpClient + 'static) -> Pipeline {
    let per_try: Vec<Arc<dyn Policy>> =
        vec![Arc::new(BearerTokenAuthorizationPolicy::new(Arc::new(AnyToken), ["s"]))];
    Pipeline::new(None, None, options(transport), Vec::new(), per_try, None)
}
