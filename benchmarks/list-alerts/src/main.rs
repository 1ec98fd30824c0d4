//! Lists the alerts of a subscription, one line each.
//!
//! `list-alerts SUBSCRIPTION` signs in with the `az login` session or the environment;
//! `list-alerts SUBSCRIPTION ENDPOINT` connects to a double at an `https` endpoint.
#![allow(clippy::print_stdout, clippy::print_stderr)] // that is what it is for

use std::process::ExitCode;

use arm_core::{ArmClient, ArmOptions, SubscriptionId, credential_from_environment};
use azure_core::{
    Result,
    error::{Error, ErrorKind},
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
    let arm = match arguments.next() {
        Some(endpoint) => list_alerts::of_double(&endpoint)?,
        None => {
            let options = ArmOptions::default();
            ArmClient::new(credential_from_environment(None, &options)?.credential, options)?
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut alerts = AlertsClient::new(&arm).list(&subscription);
        while let Some(alert) = alerts.try_next().await? {
            println!("{:12} {:10} {} {}", alert.severity, alert.status, alert.id.name(), alert.display_name);
        }
        Ok(())
    })
}
