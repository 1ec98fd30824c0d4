//! Limits the size of response bodies.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    Bytes, Error, Result,
    error::ErrorKind,
    http::{
        AsyncRawResponse, AsyncResponseBody, Context, Request, Transport,
        headers::CONTENT_LENGTH,
        policies::{Policy, PolicyResult},
    },
};
use futures::TryStreamExt as _;

use crate::wire::header;

/// A transport that reads whole responses, and fails if one is larger than a limit.
#[derive(Debug, Clone)]
pub struct MaxResponseBody {
    transport: Transport,
    limit: usize,
}

impl MaxResponseBody {
    /// Wraps a transport and limits response bodies to `limit` bytes after decompression.
    pub fn around(transport: Transport, limit: usize) -> Transport {
        Transport::with_policy(Arc::new(Self { transport, limit }))
    }
}

#[async_trait]
impl Policy for MaxResponseBody {
    async fn send(&self, ctx: &Context, request: &mut Request, _next: &[Arc<dyn Policy>]) -> PolicyResult {
        let (status, headers, body) = self.transport.send(ctx, request).await?.deconstruct();
        let announced =
            header(&headers, &CONTENT_LENGTH).and_then(|size| size.parse().ok()).unwrap_or_default();
        let body = whole(body, announced, self.limit).await?;
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

/// Collects a body of about the announced size. A body that arrives in one piece is not copied.
pub(crate) async fn whole(mut body: AsyncResponseBody, announced: usize, limit: usize) -> Result<Bytes> {
    let check = |size: usize| {
        if size <= limit {
            return Ok(());
        }
        Err(Error::with_message(
            ErrorKind::DataConversion,
            format!(
                "the response is larger than {limit} bytes; raise ArmOptions::max_response_body to read it"
            ),
        ))
    };
    let Some(first) = body.try_next().await? else { return Ok(Bytes::new()) };
    check(first.len())?;
    let Some(mut next) = body.try_next().await? else { return Ok(first) };
    // A server may announce more than it sends.
    let mut all = Vec::with_capacity(announced.min(limit).min(1 << 20));
    all.extend_from_slice(&first);
    loop {
        check(all.len().saturating_add(next.len()))?;
        all.extend_from_slice(&next);
        match body.try_next().await? {
            Some(more) => next = more,
            None => return Ok(all.into()),
        }
    }
}
