//! Code shared by the programs of this package: a client for a double, and the costs of the process.
#![allow(clippy::missing_errors_doc, reason = "for this repository alone")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // a failed measurement panics

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions, Cloud, CloudEndpoints};
use async_trait::async_trait;
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::{Duration, OffsetDateTime},
};

/// Creates a client for a double at an `https` endpoint that accepts any token.
pub fn of_double(endpoint: &str) -> Result<ArmClient> {
    let options = ArmOptions { cloud: cloud_at(endpoint)?, ..ArmOptions::default() };
    ArmClient::new(Arc::new(AnyToken), options)
}

/// The public cloud, but with its management plane at another endpoint.
pub fn cloud_at(endpoint: &str) -> Result<Cloud> {
    let endpoints = CloudEndpoints { management: endpoint.parse()?, ..Cloud::Public.endpoints()? };
    Ok(Cloud::Custom(Box::new(endpoints)))
}

/// A credential for servers that accept any token.
#[derive(Debug)]
pub struct AnyToken;

#[async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        Ok(AccessToken::new("any", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// The processor time of this process, in milliseconds, over all its threads.
pub fn cpu() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux: /proc tells the CPU time");
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default()
    };
    threads.map(|thread| of(thread.unwrap())).sum::<f64>() / 1e6
}

/// The peak memory of this process, in MiB.
pub fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}
