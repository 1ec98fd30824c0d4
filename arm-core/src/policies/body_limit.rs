//! Answers of bounded size.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Context, Request, Transport,
        policies::{Policy, PolicyResult},
    },
};
use futures::TryStreamExt as _;

/// A transport whose answers are cut off, with an error, once they are larger than a limit.
#[derive(Debug, Clone)]
pub struct MaxResponseBody {
    transport: Transport,
    limit: usize,
}

impl MaxResponseBody {
    /// The same transport, with answers of at most `limit` bytes after decompression.
    pub fn around(transport: Transport, limit: usize) -> Transport {
        Transport::with_policy(Arc::new(Self { transport, limit }))
    }
}

#[async_trait]
impl Policy for MaxResponseBody {
    async fn send(&self, ctx: &Context, request: &mut Request, _next: &[Arc<dyn Policy>]) -> PolicyResult {
        let (status, headers, body) = self.transport.send(ctx, request).await?.deconstruct();
        let (limit, mut seen) = (self.limit, 0_usize);
        let bounded = body.and_then(move |chunk| {
            seen = seen.saturating_add(chunk.len());
            let within = seen <= limit;
            async move {
                if within {
                    return Ok(chunk);
                }
                Err(Error::with_message(
                    ErrorKind::DataConversion,
                    format!("the answer is larger than {limit} bytes; raise ArmOptions::max_response_body to read it"),
                ))
            }
        });
        Ok(AsyncRawResponse::new(status, headers, Box::pin(bounded)))
    }
}
