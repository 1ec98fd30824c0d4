//! The request signature of storage accounts, which covers every `x-ms-` header that the pipeline has added.

use std::{fmt::Write as _, sync::Arc};

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
    time::to_rfc7231,
};
use time::OffsetDateTime;

use super::sign;

/// Signs a request without a body, as the last policy before the transport.
pub(super) struct SharedKey {
    pub(super) account: String,
    pub(super) key: Secret,
}

impl std::fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedKey").field("account", &self.account).finish_non_exhaustive()
    }
}

#[async_trait]
impl Policy for SharedKey {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        request.insert_header("x-ms-date", to_rfc7231(&OffsetDateTime::now_utc()));
        let signature = sign::with_base64(&self.key, &text_to_sign(&self.account, request))?;
        request.insert_header("authorization", format!("SharedKey {}:{signature}", self.account));
        next[0].send(ctx, request, &next[1..]).await
    }
}

/// Builds the [text to sign](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key). In a
/// request without a body, the headers that it lists without their names are all empty.
fn text_to_sign(account: &str, request: &Request) -> String {
    let mut own: Vec<(String, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_ascii_lowercase(), value.as_str()))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    own.sort();
    let mut text = format!("{}\n\n\n\n\n\n\n\n\n\n\n\n", request.method());
    for (name, value) in own {
        let _ = writeln!(text, "{name}:{}", value.trim());
    }
    let _ = write!(text, "/{account}{}", request.url().path());
    let mut query: Vec<(String, String)> = request
        .url()
        .query_pairs()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned()))
        .collect();
    query.sort();
    for (name, value) in query {
        let _ = write!(text, "\n{name}:{value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use azure_core::http::Method;

    use super::*;

    #[test]
    fn the_text_to_sign_holds_every_header_and_parameter_in_order() {
        let url = "https://st.blob.core.windows.net/?restype=account&comp=properties".parse().unwrap();
        let mut request = Request::new(url, Method::Get);
        request.insert_header("x-ms-version", "2023-11-03");
        request.insert_header("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT");
        request.insert_header("x-ms-client-request-id", "1");
        request.insert_header("accept", "application/json");
        assert_eq!(
            text_to_sign("st", &request),
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-client-request-id:1\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n\
             x-ms-version:2023-11-03\n/st/\ncomp:properties\nrestype:account"
        );
    }
}
