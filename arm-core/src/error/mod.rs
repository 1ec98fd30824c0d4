//! What an `azure_core::Error` says: the response, its meaning, and how often the request was tried.

mod arm_error;
mod meaning;
mod tried;
mod words;

use std::{error::Error as _, time::Duration};

use azure_core::{Error, error::ErrorKind, http::RawResponse};

pub use self::{
    arm_error::{ArmError, ClaimsChallenge, ErrorDetail},
    meaning::PolicyRefusal,
};
pub(crate) use self::{
    tried::{Tried, changes, is_refusal, leaves_doubt},
    words::with_causes,
};
use crate::wire::retry_after;

/// Returns the error of a response whose status is not accepted.
pub(crate) fn of_response(response: RawResponse) -> Error {
    let read = ArmError::of(&response);
    let status = response.status();
    let message = read.to_string();
    let error_code = Some(read.code).filter(|code| !code.is_empty());
    Error::with_message(
        ErrorKind::HttpResponse { status, error_code, raw_response: Some(Box::new(response)) },
        message,
    )
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for azure_core::Error {}
}

/// Methods that answer questions about an `azure_core::Error`, so that no caller has to parse a body.
///
/// ```
/// use arm_core::ArmErrorExt as _;
///
/// fn advice(error: &azure_core::Error) -> &'static str {
///     if error.is_registration_missing() {
///         "register Microsoft.Security first"
///     } else if error.is_role_missing() {
///         "ask for access"
///     } else {
///         "see the message"
///     }
/// }
/// ```
pub trait ArmErrorExt: sealed::Sealed {
    /// Returns the service's error; `None` if the service did not respond.
    fn arm_error(&self) -> Option<ArmError>;
    /// Returns the HTTP status; `None` if the service did not respond.
    fn status(&self) -> Option<u16>;
    /// Whether the requested resource does not exist: 404 with a code that says so, such as `ResourceNotFound`,
    /// `NotFound` or `SecretNotFound`, or without a code and a message.
    ///
    /// `ResourceGroupNotFound` is one of these codes, since nothing exists in a missing group. `false` for a 404 with
    /// another reason, such as a missing subscription, registration, provider, resource type or parent, or a proxy's
    /// error page.
    fn is_resource_not_found(&self) -> bool {
        self.arm_error().is_some_and(|error| error.is_resource_not_found())
    }
    /// Whether this is a temporary conflict, such as another operation in progress on the resource, so that the request
    /// can be repeated soon. Other conflicts usually remain until somebody resolves them.
    fn is_in_progress(&self) -> bool {
        self.arm_error().is_some_and(|error| error.is_in_progress())
    }
    /// Whether the caller lacks a role for the request. A role assigned moments ago may not have propagated yet.
    ///
    /// A 403 can have other causes: see [`policy_refusal`](Self::policy_refusal) and
    /// [`is_linked_authorization_failed`](Self::is_linked_authorization_failed).
    fn is_role_missing(&self) -> bool {
        self.arm_error().is_some_and(|error| error.is_role_missing())
    }
    /// Whether the code is `LinkedAuthorizationFailed`: the caller may write the resource, but not use another one that
    /// it refers to, such as the workspace of a diagnostic setting. The message says which one, and which permission is
    /// missing.
    fn is_linked_authorization_failed(&self) -> bool {
        self.is_code("LinkedAuthorizationFailed")
    }
    /// Whether the code is `ScopeLocked`: a management lock forbids the request until the lock is removed.
    fn is_scope_locked(&self) -> bool {
        self.is_code("ScopeLocked")
    }
    /// Returns the policies that forbid the request (`RequestDisallowedByPolicy`); `None` for any other error. A
    /// role does not help.
    fn policy_refusal(&self) -> Option<PolicyRefusal> {
        self.arm_error()?.policy_refusal()
    }
    /// Whether the resource provider is not registered for the subscription: `SubscriptionNotRegistered`,
    /// `MissingSubscriptionRegistration`. The request can succeed once the provider's registration is complete.
    fn is_registration_missing(&self) -> bool {
        self.arm_error().is_some_and(|error| error.is_registration_missing())
    }
    /// Returns the claims that the token lacks, with which to sign in again; `None` if the service did not ask for any.
    fn claims_challenge(&self) -> Option<ClaimsChallenge> {
        self.arm_error()?.claims_challenge
    }
    /// Whether the status is 404, for any reason. For decisions, use
    /// [`is_resource_not_found`](Self::is_resource_not_found).
    fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
    /// Whether the status is 403, for any reason. For decisions, use [`is_role_missing`](Self::is_role_missing) and its
    /// siblings.
    fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }
    /// Whether the status is 409, for any reason. For decisions, use [`is_in_progress`](Self::is_in_progress) or a
    /// code.
    fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }
    /// Whether the status is 401: there was no token, or it was not accepted. See
    /// [`claims_challenge`](Self::claims_challenge).
    fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }
    /// Whether the resource has changed since it was read: 412, or Sentinel's ETag conflict.
    fn is_precondition_failed(&self) -> bool {
        self.arm_error().is_some_and(|error| error.is_precondition_failed())
    }
    /// Whether the status is 429: too many requests. See [`wait_asked_for`](Self::wait_asked_for).
    fn is_throttled(&self) -> bool {
        self.status() == Some(429)
    }
    /// Whether the request may have changed something despite this error: the response was lost or could not be read,
    /// or the service failed halfway. Read the resource before you repeat the request. `false` for requests that only
    /// read, were refused, or were never sent.
    fn may_have_been_applied(&self) -> bool;
    /// Returns how many times the request was sent; `None` if it was not sent, or if this is unknown.
    fn attempts(&self) -> Option<u32>;
    /// Returns how long all attempts and waits took; `None` if nothing was sent, or if this is unknown.
    fn elapsed(&self) -> Option<Duration>;
    /// Returns the `Retry-After` of the last response: how long the service asks to wait.
    fn wait_asked_for(&self) -> Option<Duration>;
    /// Whether the service's error contains this code: at the top, in a detail or in the innermost cause. Ignores case
    /// and spaces.
    fn is_code(&self, code: &str) -> bool {
        self.arm_error().is_some_and(|error| error.has_code(code))
    }
    /// Returns the `x-ms-request-id` of the response or, if that is absent, its `request-id`.
    fn request_id(&self) -> Option<String> {
        self.arm_error()?.request_id
    }
    /// Returns the `x-ms-correlation-request-id` of the response.
    fn correlation_id(&self) -> Option<String> {
        self.arm_error()?.correlation_id
    }
    /// Replaces the message; the new message should contain everything that the old message says. Sources that repeat
    /// the message or contain a URL are dropped, except a [`NotAsWished`](crate::NotAsWished).
    fn reworded(self, message: impl Into<String>) -> Error;
}

impl ArmErrorExt for Error {
    fn arm_error(&self) -> Option<ArmError> {
        response_of(self).map(ArmError::of)
    }

    fn status(&self) -> Option<u16> {
        self.http_status().map(u16::from)
    }

    fn may_have_been_applied(&self) -> bool {
        Tried::of(self).map_or_else(|| leaves_doubt(self.kind()), |tried| tried.may_be_applied)
    }

    fn attempts(&self) -> Option<u32> {
        Tried::sent(self).map(|tried| tried.attempts)
    }

    fn elapsed(&self) -> Option<Duration> {
        Tried::sent(self).map(|tried| tried.elapsed)
    }

    fn wait_asked_for(&self) -> Option<Duration> {
        retry_after(response_of(self)?.headers())
    }

    fn reworded(self, message: impl Into<String>) -> Error {
        words::reworded(self, message.into())
    }
}

/// Returns the response in an error: its own, or that of a source.
fn response_of(error: &Error) -> Option<&RawResponse> {
    if let ErrorKind::HttpResponse { raw_response: Some(response), .. } = error.kind() {
        return Some(response);
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(ErrorKind::HttpResponse { raw_response: Some(response), .. }) =
            cause.downcast_ref::<Error>().map(Error::kind)
        {
            return Some(response);
        }
        source = cause.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use azure_core::http::headers::Headers;

    use super::*;

    fn error(status: u16, body: &str) -> Error {
        let mut headers = Headers::new();
        headers.insert("x-ms-request-id", "r-1");
        headers.insert("x-ms-correlation-request-id", "c-1");
        of_response(RawResponse::from_bytes(status.into(), headers, body.to_owned()))
            .with_context("listing things")
    }

    #[test]
    fn a_full_error_is_read_with_escapes_null_details_and_ids() {
        let body = r#"{"error":{"code":"PolicyViolation","message":"it said \"no\"\nand meant it","target":"kv",
            "details":[{"code":"Inner","message":"why"}],"additionalInfo":[{"type":"PolicyViolation","info":{"x":1}}]}}"#;
        let error = error(403, body);
        let read = error.arm_error().unwrap();
        assert_eq!(
            (read.code.as_str(), read.message.as_str()),
            ("PolicyViolation", "it said \"no\"\nand meant it")
        );
        assert_eq!(read.target.as_deref(), Some("kv"));
        assert_eq!(read.additional_info[0]["info"]["x"], 1);
        assert!(error.is_forbidden() && error.is_code("inner") && !error.is_code("other"));
        assert_eq!(
            (error.request_id().as_deref(), error.correlation_id().as_deref()),
            (Some("r-1"), Some("c-1"))
        );
        let deep = r#"{"error":{"code":"A","details":[{"code":"B","details":[{"code":"C","message":"why"}]},{"code":"D"}]}}"#;
        let read = super::tests::error(400, deep).arm_error().unwrap();
        let codes: Vec<&str> = read.details.iter().map(|detail| detail.code.as_str()).collect();
        assert_eq!(codes, ["B", "C", "D"]);
        assert_eq!(read.to_string(), "400 A [C: why] (request r-1)", "details that say something are shown");
        let again = r#"{"error":{"code":"A","message":"why","details":[{"code":"B","message":"why"}]}}"#;
        assert_eq!(
            super::tests::error(400, again).arm_error().unwrap().to_string(),
            "400 A: why (request r-1)"
        );
        let nothing =
            super::tests::error(409, r#"{"error":{"code":"Busy","message":"later","details":null}}"#);
        assert!(nothing.is_conflict() && nothing.is_code("Busy"));
    }

    #[test]
    fn other_shapes_are_read_too() {
        let read = |body: &str| {
            let read = error(400, body).arm_error().unwrap();
            (read.code, read.message)
        };
        let pair = |code: &str, message: &str| (code.to_owned(), message.to_owned());
        assert_eq!(read(r#"{"code":"Bare","message":"no wrapper"}"#), pair("Bare", "no wrapper"));
        assert_eq!(read(r#"{"Code":"Upper","Message":"case"}"#), pair("Upper", "case"));
        assert_eq!(
            read(r#"{"HttpStatusCode":404,"ErrorCode":"Not Found","Message":"no such rule"}"#),
            pair("Not Found", "no such rule")
        );
        assert_eq!(
            read(r#"{"error":"invalid_client","error_description":"AADSTS7000215"}"#),
            pair("invalid_client", "AADSTS7000215")
        );
        assert_eq!(read("<html>\n <b>Sign in</b></html>"), pair("", "<html> <b>Sign in</b></html>"));
        assert_eq!(read(""), pair("", ""));
        assert_eq!(read("[1]"), pair("", ""));
        assert_eq!(
            read(r#"{"error":{"code":"Request_BadRequest","message":{"lang":"en","value":"no such user"}}}"#),
            pair("Request_BadRequest", "no such user")
        );
        let vault = error(
            403,
            r#"{"error":{"code":"Forbidden","message":"m","innererror":{"code":"ForbiddenByRbac"}}}"#,
        );
        assert!(vault.is_code("ForbiddenByRbac") && vault.is_code("Forbidden"));
        let query = error(
            400,
            r#"{"error":{"code":"BadArgumentError","message":"outer","innererror":{"code":"SemanticError","message":"middle",
                "innererror":{"code":"SEM0100","message":"no such table"}}}}"#,
        );
        let shown = query.arm_error().unwrap().to_string();
        assert!(shown.starts_with("400 SEM0100: outer: no such table"), "{shown}");
        let inside = r#"{"error":{"code":"BadRequest","message":"{\"error\":{\"code\":\"NotOnboarded\",\"message\":\"no\"}}"}}"#;
        assert_eq!(read(inside), pair("NotOnboarded", "no"));
        assert_eq!(read(&inside.replace(r#"{\"error"#, r#"{\"Error"#)), pair("NotOnboarded", "no"));
        let hollow = r#"{"error":{"code":"BadRequest","message":"{\"error\":{}}"}}"#;
        assert_eq!(read(hollow), pair("BadRequest", r#"{"error":{}}"#));
    }

    #[test]
    fn a_code_is_found_in_whatever_case_and_with_whatever_blanks_it_comes() {
        let body = r#"{"error":{"code":"Subscription Not Registered","message":"m"}}"#;
        assert!(error(404, body).is_code("SubscriptionNotRegistered"));
        assert!(error(404, body).is_code("subscription not registered"));
        assert!(!error(404, body).is_code("SubscriptionNotFound"));
    }

    #[test]
    fn a_code_is_passed_to_azure_core_if_there_is_one() {
        let code = |body: &str| match error(400, body).kind() {
            ErrorKind::HttpResponse { error_code, .. } => error_code.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(code(r#"{"error":{"code":"Bad"}}"#).as_deref(), Some("Bad"));
        assert_eq!(code("{}"), None);
    }
}
