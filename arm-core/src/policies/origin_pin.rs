//! Pins requests to one origin, so that no token leaves it.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        Context, Request, Url,
        policies::{Policy, PolicyResult},
    },
};

/// A policy that sends requests only to one origin (scheme, host and port), so that no other host receives the token.
///
/// A service's response can contain links (`nextLink`, `Location`, `Azure-AsyncOperation`). If a link has another
/// origin, the request fails and is not sent. Place the policy before the one that adds the token. In an official
/// client, add it to `ClientOptions::per_try_policies`: the token has been added by then, but not sent.
#[derive(Debug, Clone)]
pub struct OriginPin {
    origin: Url,
}

impl OriginPin {
    /// Creates a policy that pins requests to the origin of a URL, which must be `https`.
    ///
    /// # Errors
    ///
    /// The URL is not `https`.
    pub fn new(endpoint: &Url) -> Result<Self> {
        if endpoint.scheme() != "https" {
            let what = match endpoint.host() {
                Some(_) => format!("endpoint '{}'", origin_of(endpoint)),
                // `localhost:8080` is a URL too.
                None => format!("scheme '{}'", endpoint.scheme()),
            };
            let message = format!("the {what} is not https: tokens are never sent in the clear");
            return Err(Error::with_message(ErrorKind::Other, message));
        }
        Ok(Self { origin: endpoint.clone() })
    }

    /// Checks that a URL has this origin and no user name or password.
    ///
    /// # Errors
    ///
    /// The URL has another origin, or a user name or password.
    pub fn check(&self, url: &Url) -> Result<()> {
        let foreign = !is_same_origin(url, &self.origin);
        if !foreign && url.username().is_empty() && url.password().is_none() {
            return Ok(());
        }
        let reason = if foreign { "which is not this client's origin" } else { "which carries credentials" };
        let message = format!(
            "refused to follow a link to '{}', {reason} '{}': nothing was sent",
            origin_of(url),
            origin_of(&self.origin)
        );
        Err(Error::with_message(ErrorKind::Other, message))
    }
}

/// Whether two `http` or `https` URLs have the same origin. `Url::origin` copies both hosts for the answer.
fn is_same_origin(one: &Url, other: &Url) -> bool {
    matches!(one.scheme(), "https" | "http")
        && one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

fn origin_of(url: &Url) -> String {
    match url.port() {
        Some(port) => format!("{}://{}:{port}", url.scheme(), url.host_str().unwrap_or_default()),
        None => format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()),
    }
}

#[async_trait]
impl Policy for OriginPin {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        self.check(request.url())?;
        next[0].send(ctx, request, &next[1..]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_https_origin_without_credentials_passes() {
        let pin = OriginPin::new(&"https://management.azure.com".parse().unwrap()).unwrap();
        let passes = |url: &str| pin.check(&url.parse().unwrap()).is_ok();
        assert!(passes("https://management.azure.com/subscriptions?x=1"));
        assert!(passes("https://MANAGEMENT.azure.com:443/"));
        for foreign in [
            "http://management.azure.com/",
            "https://management.azure.com:8443/",
            "https://management.azure.com.evil.example/",
            "https://user@management.azure.com/",
            "https://:secret@management.azure.com/",
            "https://evil.example/?https://management.azure.com",
        ] {
            assert!(!passes(foreign), "{foreign}");
        }
        assert!(OriginPin::new(&"http://management.azure.com".parse().unwrap()).is_err());
    }

    #[test]
    fn a_refusal_names_origins_and_neither_query_nor_credentials() {
        let pin = OriginPin::new(&"https://management.azure.com".parse().unwrap()).unwrap();
        let refusal = |endpoint: &str| OriginPin::new(&endpoint.parse().unwrap()).unwrap_err().to_string();
        for (endpoint, what) in [
            (
                "http://user:hunter2@management.azure.com/?sig=hunter2",
                "endpoint 'http://management.azure.com'",
            ),
            ("management.azure.com:443", "scheme 'management.azure.com'"),
        ] {
            let message = format!("the {what} is not https: tokens are never sent in the clear");
            assert_eq!(refusal(endpoint), message);
        }
        let url = "https://user:hunter2@evil.example:8443/p?sig=hunter2".parse().unwrap();
        let message = pin.check(&url).unwrap_err().to_string();
        assert_eq!(
            message,
            "refused to follow a link to 'https://evil.example:8443', which is not this client's origin \
             'https://management.azure.com': nothing was sent"
        );
    }
}
