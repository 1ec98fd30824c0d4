//! What a client can be told to do differently.

use std::time::Duration;

use azure_core::http::ClientOptions;

use crate::Cloud;

/// Options of an [`ArmClient`](crate::ArmClient). The default is right for the public cloud.
///
/// `client.retry` is not used: [`retry`](Self::retry) is the one retry loop.
#[derive(Debug, Clone)]
pub struct ArmOptions {
    /// Which Azure to talk to. Default: the public cloud.
    pub cloud: Cloud,
    /// Transport, policies, user agent, logging and tracing, as for every official client. A transport of
    /// your own must not follow redirects: what it sends by itself passes no origin pin.
    pub client: ClientOptions,
    /// How often and how long a request is tried.
    pub retry: RetryBudget,
    /// How long a long-running operation is waited for. Default: 1 hour.
    pub operation_budget: Duration,
    /// How long to wait between two polls when the service does not say, from 1 second to 2 minutes;
    /// 5 seconds otherwise.
    pub poll_interval: Duration,
    /// The largest response body, decompressed, in bytes. Default: 64 MiB. A larger one is an error.
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

/// How often and how long one request is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// Attempts in all, the first included. Default: 5.
    pub attempts: u32,
    /// All attempts and waits together. Default: 5 minutes.
    pub total: Duration,
    /// One attempt, from sending to the last byte of the answer. Default: 100 seconds.
    pub attempt: Duration,
    /// The wait before the second attempt, doubled before each further one, less a little by chance. Default: 500 ms.
    pub first_wait: Duration,
    /// The longest single wait, whatever `Retry-After` says. Default: 2 minutes.
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
    /// One attempt, no repeats but the one with a fresh token after 401.
    pub fn none() -> Self {
        Self { attempts: 1, ..Self::default() }
    }
}
