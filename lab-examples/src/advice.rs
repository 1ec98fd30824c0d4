//! Turns each failure into one clear line: what happened, and what to do.

use arm_core::ArmErrorExt as _;
use azure_core::{Error, error::ErrorKind};

/// Formats an error on one line, with advice if there is any.
pub fn explain(error: &Error) -> String {
    let text = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    match advice(error, &text) {
        // Do not repeat advice that the message already gives.
        Some(advice) if !text.contains("az login") => format!("{text}. {advice}"),
        _ => text,
    }
}

const NETWORK: &str = "Check the network, the proxy and the name of the host; nothing was sent";

fn advice(error: &Error, text: &str) -> Option<String> {
    let code = |code: &str| error.is_code(code);
    let advice = match error.kind() {
        ErrorKind::Credential if text.contains("error sending request") => NETWORK,
        ErrorKind::Credential => {
            "Sign in with 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
        }
        ErrorKind::Connection => NETWORK,
        _ if code("InvalidAuthenticationTokenTenant") => {
            "The subscription is in another tenant: sign in there with 'az login --tenant'"
        }
        _ if code("SubscriptionNotFound") => {
            "Check the subscription id and the tenant that you are signed in to"
        }
        _ if error.is_registration_missing() => {
            "Register the resource provider first, for example 'az provider register --namespace Microsoft.Security'"
        }
        _ if error.policy_refusal().is_some() => {
            "Azure Policy forbids it: change the request, or ask the policy's owner for an exemption"
        }
        _ if error.is_linked_authorization_failed() => {
            "Ask an owner of the other resource, named in the message, for the missing permission"
        }
        _ if error.is_scope_locked() => "Remove the lock first: 'az lock list' shows it",
        _ if let_in_after_sign_in(error).is_some() => return let_in_after_sign_in(error),
        _ if error.is_unauthorized() => "The token was not accepted: sign in again with 'az login'",
        _ if error.is_role_missing() => {
            "Ask an owner of the subscription for the role that the guide names for this task"
        }
        _ if code("VaultAlreadyExists") => {
            "The name is taken, possibly by a deleted vault: choose another --vault-prefix"
        }
        _ if error.is_throttled() => "Wait a minute and run it again: completed steps are kept",
        _ if error.is_in_progress() => {
            "Another operation is still in progress: wait a minute and run it again"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

fn let_in_after_sign_in(error: &Error) -> Option<String> {
    let challenge = error.claims_challenge()?;
    Some(format!("Sign in again with 'az login --claims-challenge {}'", challenge.encoded))
}

#[cfg(test)]
mod tests {
    use azure_core::http::{RawResponse, headers::Headers};

    use super::*;

    fn refused(status: u16, code: &str) -> String {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        let response = RawResponse::from_bytes(status.into(), Headers::new(), body);
        let kind = ErrorKind::HttpResponse {
            status: status.into(),
            error_code: None,
            raw_response: Some(Box::new(response)),
        };
        explain(&Error::with_message(kind, "refused"))
    }

    #[test]
    fn a_role_is_advised_only_where_a_role_helps() {
        assert!(refused(403, "AuthorizationFailed").contains("for the role"));
        assert!(refused(403, "RequestDisallowedByPolicy").contains("Azure Policy forbids it"));
        assert!(refused(403, "LinkedAuthorizationFailed").contains("the other resource"));
        assert_eq!(refused(403, "SomethingElse"), "refused");
    }

    #[test]
    fn advice_follows_what_the_service_said_however_it_spells_it() {
        assert!(refused(404, "Subscription Not Registered").contains("Register the resource provider"));
        assert!(refused(409, "MissingSubscriptionRegistration").contains("Register the resource provider"));
        assert!(refused(409, "ScopeLocked").contains("Remove the lock"));
        assert_eq!(refused(409, "Conflict"), "refused", "not every conflict passes by itself");
        assert_eq!(refused(404, "NotFound"), "refused");
    }
}
