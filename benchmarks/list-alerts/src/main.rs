//! Lists the alerts of a subscription, one line each.
//!
//! `list-alerts SUBSCRIPTION`, signed in as `az login` or the environment says; `list-alerts SUBSCRIPTION ENDPOINT`
//! asks a double at an `https` endpoint, which takes any token.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::{process::ExitCode, sync::Arc};

use arm_core::{ArmClient, ArmOptions, Cloud, CloudEndpoints, SubscriptionId, credential_from_environment};
use async_trait::async_trait;
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::{Error, ErrorKind},
    time::{Duration, OffsetDateTime},
};
use defender_alerts::AlertsClient;
use futures::TryStreamExt as _;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let usage = || Error::with_message(ErrorKind::Other, "usage: list-alerts SUBSCRIPTION [ENDPOINT]");
    let mut arguments = std::env::args().skip(1);
    let subscription = arguments.next().ok_or_else(usage)?.parse::<SubscriptionId>()?;
    let endpoint = arguments.next();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let alerts = AlertsClient::new(&client(endpoint.as_deref())?);
        let mut list = alerts.list(&subscription);
        while let Some(alert) = list.try_next().await? {
            println!("{:12} {:10} {} {}", alert.severity, alert.status, alert.id.name(), alert.display_name);
        }
        Ok(())
    })
}

fn client(endpoint: Option<&str>) -> Result<ArmClient> {
    let Some(endpoint) = endpoint else {
        let options = ArmOptions::default();
        return ArmClient::new(credential_from_environment(None, &options)?.credential, options);
    };
    let double = CloudEndpoints { management: endpoint.parse()?, ..Cloud::Public.endpoints()? };
    let options = ArmOptions { cloud: Cloud::Custom(Box::new(double)), ..ArmOptions::default() };
    ArmClient::new(Arc::new(AnyToken), options)
}

#[derive(Debug)]
struct AnyToken;

#[async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        Ok(AccessToken::new("any", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}
