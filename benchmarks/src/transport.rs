//! Clients with a given transport: ours, and `azure_core`'s own pipeline.

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions, Cloud};
use azure_core::http::{
    ClientOptions, HttpClient, Pipeline, Transport,
    policies::{Policy, auth::BearerTokenAuthorizationPolicy},
};
use list_alerts::AnyToken;

fn options(transport: impl HttpClient + 'static) -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(Arc::new(transport))), ..ClientOptions::default() }
}

pub(crate) fn arm(transport: impl HttpClient + 'static, cloud: Cloud) -> ArmClient {
    let options = ArmOptions { cloud, ..ArmOptions::from(options(transport)) };
    ArmClient::new(Arc::new(AnyToken), options).unwrap()
}

/// `azure_core`'s own pipeline, with a token.
pub(crate) fn pipeline(transport: impl HttpClient + 'static) -> Pipeline {
    let per_try: Vec<Arc<dyn Policy>> =
        vec![Arc::new(BearerTokenAuthorizationPolicy::new(Arc::new(AnyToken), ["s"]))];
    Pipeline::new(None, None, options(transport), Vec::new(), per_try, None)
}
