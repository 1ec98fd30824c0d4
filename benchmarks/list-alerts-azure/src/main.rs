//! `list-alerts` on `azure_core` and `azure_identity` alone: one page, and two borrowed fields.
//!
//! `list-alerts-azure SUBSCRIPTION` signs in with the tools of a developer; `list-alerts-azure SUBSCRIPTION ENDPOINT`
//! connects to a double at an `https` endpoint.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // as little as can be

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{
        ClientOptions, Context, Method, Pipeline, Request, Transport,
        policies::{Policy, auth::BearerTokenAuthorizationPolicy},
    },
    time::{Duration, OffsetDateTime},
};
use azure_identity::DeveloperToolsCredential;
use list_alerts_bare::BarePage;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (subscription, endpoint) = (arguments.next().unwrap(), arguments.next());
    let credential: Arc<dyn TokenCredential> = match endpoint {
        Some(_) => Arc::new(AnyToken),
        None => DeveloperToolsCredential::new(None).unwrap(),
    };
    let endpoint = endpoint.unwrap_or_else(|| "https://management.azure.com".to_owned());
    let transport = Some(Transport::new(Arc::new(list_alerts_bare::bare())));
    let options = ClientOptions { transport, ..ClientOptions::default() };
    let scope = "https://management.azure.com/.default";
    let per_try: Vec<Arc<dyn Policy>> =
        vec![Arc::new(BearerTokenAuthorizationPolicy::new(credential, [scope]))];
    let pipeline = Pipeline::new(None, None, options, Vec::new(), per_try, None);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = list_alerts_bare::first_page(&endpoint, &subscription).parse().unwrap();
        let answer = pipeline.send(&Context::new(), &mut Request::new(url, Method::Get), None).await.unwrap();
        let page: BarePage<'_> = serde_json::from_slice(answer.body()).unwrap();
        for alert in page.value {
            println!("{:12} {}", alert.properties.severity, alert.id);
        }
    });
}

/// A credential for servers that accept any token.
#[derive(Debug)]
struct AnyToken;

#[async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        Ok(AccessToken::new("any", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}
