//! One clear line for each failure: what happened, and what to do.

use arm_core::ArmErrorExt as _;
use azure_core::{Error, error::ErrorKind};

/// The error on one line, with advice where there is some.
pub fn explain(error: &Error) -> String {
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    match advice(error, &text) {
        // A message that already says what to do says it once.
        Some(advice) if !text.contains("az login") => format!("{text}. {advice}"),
        _ => text,
    }
}

const NETWORK: &str = "Check the network, the proxy and the name of the host; nothing was sent";

fn advice(error: &Error, text: &str) -> Option<&'static str> {
    let code = |code: &str| error.is_code(code);
    Some(match error.kind() {
        ErrorKind::Credential if text.contains("error sending request") => NETWORK,
        ErrorKind::Credential => {
            "Sign in with 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
        }
        ErrorKind::Connection => NETWORK,
        _ if code("InvalidAuthenticationTokenTenant") => {
            "The subscription is in another tenant: sign in there with 'az login --tenant'"
        }
        _ if code("SubscriptionNotFound") => {
            "Check the subscription's id and the tenant that you are signed in to"
        }
        _ if code("SubscriptionNotRegistered") || code("MissingSubscriptionRegistration") => {
            "Register the resource provider first, for example 'az provider register --namespace Microsoft.Security'"
        }
        _ if error.is_unauthorized() => "The token was not accepted: sign in again with 'az login'",
        _ if error.is_forbidden() => {
            "Ask an owner of the subscription for the role that the README names for this task"
        }
        _ if code("VaultAlreadyExists") => {
            "The name is taken, perhaps by a deleted vault: choose another --vault-prefix"
        }
        _ if error.is_throttled() => "Wait a minute and run it again: what is done stays done",
        _ => return None,
    })
}
