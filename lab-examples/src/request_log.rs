//! The request log of `-v`: one line for each request, without tokens, queries or bodies.

use std::{sync::Arc, time::Instant};

use arm_core::printable;
use async_trait::async_trait;
use azure_core::http::{
    Context, Request,
    headers::HeaderName,
    policies::{Policy, PolicyResult},
};

/// A policy that writes the method, host, path, status, milliseconds and request id of each attempt to standard error.
#[derive(Debug)]
pub struct RequestLog;

#[async_trait]
impl Policy for RequestLog {
    #[expect(clippy::print_stderr, reason = "this is what -v is for")]
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let url = request.url();
        let what =
            format!("{:6} {}{}", request.method().as_ref(), url.host_str().unwrap_or_default(), url.path());
        let begin = Instant::now();
        let outcome = next[0].send(ctx, request, &next[1..]).await;
        let took = begin.elapsed().as_millis();
        match &outcome {
            Ok(response) => {
                let id = response.headers().get_optional_string(&HeaderName::from_static("x-ms-request-id"));
                let id = printable(id.as_deref().unwrap_or_default()).into_owned();
                eprintln!("  {what} {} {took} ms {id}", u16::from(response.status()));
            }
            Err(error) => eprintln!("  {what} failed after {took} ms: {}", error.kind()),
        }
        outcome
    }
}
