//! The options of a client.

use std::time::Duration;

use azure_core::http::ClientOptions;

use crate::Cloud;

/// Options of an [`ArmClient`](crate::ArmClient). The defaults suit the public cloud.
///
/// `client.retry` is ignored: [`retry`](Self::retry) controls the only retry loop.
#[derive(Debug, Clone)]
pub struct ArmOptions {
    /// The cloud. Default: the public cloud.
    pub cloud: Cloud,
    /// Transport, policies, user agent, logging and tracing, as in every official client. A custom transport must not
    /// follow redirects, since the origin pin cannot see them.
    pub client: ClientOptions,
    /// The limits on the attempts and the time of each request.
    pub retry: RetryBudget,
    /// The maximum time to wait for a long-running operation. Default: 1 hour.
    pub operation_budget: Duration,
    /// The wait between two polls if the response has no `Retry-After`; at least 1 second and at most 2 minutes.
    /// Default: 5 seconds.
    pub poll_interval: Duration,
    /// The maximum size of a decompressed response body, in bytes; a larger body is an error. Default: 64 MiB.
    pub max_response_body: usize,
}

impl Default for ArmOptions {
    fn default() -> Self {
        Self {
            cloud: Cloud::default(),
            client: ClientOptions::default(),
            retry: RetryBudget::default(),
            operation_budget: Duration::from_secs(3600),
            poll_interval: Duration::from_secs(5),
            max_response_body: 64 << 20,
        }
    }
}

impl From<ClientOptions> for ArmOptions {
    fn from(client: ClientOptions) -> Self {
        Self { client, ..Self::default() }
    }
}

/// Limits on the attempts and the time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// The maximum number of attempts, including the first; one with a fresh token after a 401 is added to them.
    /// Default: 5.
    pub attempts: u32,
    /// The time limit for all attempts and waits together. Default: 5 minutes.
    pub total: Duration,
    /// The time limit for one attempt, from sending to the last byte of the response. Default: 100 seconds.
    pub attempt: Duration,
    /// The wait before the second attempt. It doubles before each further attempt, with random jitter. Default: 500 ms.
    pub first_wait: Duration,
    /// The longest single wait, even if `Retry-After` is longer. Default: 2 minutes.
    pub longest_wait: Duration,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self {
            attempts: 5,
            total: Duration::from_secs(300),
            attempt: Duration::from_secs(100),
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(120),
        }
    }
}

impl RetryBudget {
    /// Returns a budget of a single attempt. An [`ArmClient`](crate::ArmClient) repeats it only after a 401, with a
    /// fresh token.
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }
}
