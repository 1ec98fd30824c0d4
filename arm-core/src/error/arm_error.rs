//! Reads the body of an error response, in any form that services use.

use azure_core::{
    base64,
    http::{RawResponse, headers::HeaderName},
};
use serde_json::Value;

use super::words::without_queries;
use crate::{
    text::excerpt,
    wire::{Node, Tape, header, lossy_text},
};

/// An error returned by the service, with everything that could be read from its body.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ArmError {
    /// The HTTP status.
    pub status: u16,
    /// The service's code, such as `SubscriptionNotRegistered`; empty if it sent none.
    pub code: String,
    /// The service's message; if the body is not JSON, its beginning.
    pub message: String,
    /// The target of the error.
    pub target: Option<String>,
    /// The code of the innermost cause that has one. In Key Vault, it distinguishes `ForbiddenByRbac` from
    /// `ForbiddenByFirewall`.
    pub inner_code: Option<String>,
    /// The message of the innermost cause that has one. For log queries, only this message says what is wrong.
    pub inner_message: Option<String>,
    /// All nested details in the service's order, each followed by its own details.
    pub details: Vec<ErrorDetail>,
    /// The `additionalInfo` entries, such as policy violations, as the service sent them.
    pub additional_info: Vec<Value>,
    /// `x-ms-request-id` or, if that is absent, `request-id`: the first thing that Azure support asks for.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    pub correlation_id: Option<String>,
    /// The claims that the token lacks, with which to sign in again.
    pub claims_challenge: Option<ClaimsChallenge>,
}

/// The claims that a token must have for the request to be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimsChallenge {
    /// The claims as JSON.
    pub claims: String,
    /// The claims as received, for `az login --claims-challenge`.
    pub encoded: String,
}

impl ClaimsChallenge {
    /// Reads `WWW-Authenticate: Bearer .., error="insufficient_claims", claims="eyJ.."`.
    fn of(response: &RawResponse) -> Option<Self> {
        let name = HeaderName::from_static("www-authenticate");
        let header = header(response.headers(), &name)?;
        let start = header.to_ascii_lowercase().find("claims=\"")? + "claims=\"".len();
        let encoded = header.get(start..)?.split('"').next()?.to_owned();
        let decoded = base64::decode(&encoded).or_else(|_| base64::decode_url_safe(&encoded)).ok()?;
        Some(Self { claims: String::from_utf8(decoded).ok()?, encoded })
    }
}

/// One detail of an [`ArmError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The detail's code.
    pub code: String,
    /// The detail's message.
    pub message: String,
    /// The target of the detail.
    pub target: Option<String>,
}

impl ArmError {
    /// Reads an error response. Never fails: fields that cannot be read stay empty.
    pub fn of(response: &RawResponse) -> Self {
        let text = lossy_text(response.body());
        let header = |name| header(response.headers(), &HeaderName::from_static(name)).map(str::to_owned);
        let mut read = Self::read(&text, u16::from(response.status()));
        let says_nothing = || serde_json::from_str(&text).unwrap_or(Value::Null).is_null();
        if read.message.is_empty() && says_nothing() {
            read.message = excerpt(&text);
        }
        read.request_id = header("x-ms-request-id").or_else(|| header("request-id"));
        read.correlation_id = header("x-ms-correlation-request-id");
        read.claims_challenge = ClaimsChallenge::of(response);
        if read.code.is_empty() {
            read.code = header("x-ms-error-code").unwrap_or_default();
        }
        read
    }

    /// Reads an error body: `{"error":{..}}`, the same without the wrapper, the sign-in service's form, or
    /// `{"HttpStatusCode":404,"ErrorCode":"Not Found","Message":".."}`, as returned for suppression rules.
    pub fn read(body: &str, status: u16) -> Self {
        let tape = Tape::of(body).unwrap_or_default();
        let whole = tape.root();
        let wrapped = whole.get("error");
        let error = wrapped.filter(|error| error.is_object()).unwrap_or(whole);
        let inside = inside_message(error).map(|inside| Self::read(&inside, status));
        if let Some(inside) = inside.filter(|inside| !(inside.code.is_empty() && inside.message.is_empty())) {
            return inside;
        }
        let (code, message) = match wrapped.and_then(Node::text) {
            Some(sign_in) => (sign_in.into_owned(), text(whole, "error_description")),
            None => {
                let code = optional(error, "code").unwrap_or_else(|| text(error, "errorCode"));
                let message = match error.get("message").filter(|message| message.is_object()) {
                    // Graph and OData wrap the message together with its language.
                    Some(message) => text(message, "value"),
                    None => text(error, "message"),
                };
                (code, message)
            }
        };
        let (inner_code, inner_message) = innermost(error);
        let mut details = Vec::new();
        details_of(error, &mut details, 0);
        Self {
            status,
            code,
            message,
            target: optional(error, "target"),
            inner_code,
            inner_message,
            details,
            additional_info: list(error, "additionalInfo")
                .filter_map(|info| serde_json::from_str(info.as_str()).ok())
                .collect(),
            request_id: None,
            correlation_id: None,
            claims_challenge: None,
        }
    }

    /// Whether the error contains this code: at the top, in a detail, or in the innermost cause. Ignores case and
    /// spaces, since services write `Subscription Not Registered` as well as `SubscriptionNotRegistered`.
    pub fn has_code(&self, code: &str) -> bool {
        let wanted = folded(code);
        self.codes().any(|code| folded(code) == wanted)
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        let details = self.details.iter().map(|detail| detail.code.as_str());
        [self.code.as_str()].into_iter().chain(self.inner_code.as_deref()).chain(details)
    }
}

/// Returns a code in lower case, without spaces.
pub(super) fn folded(code: &str) -> String {
    code.chars().filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect()
}

impl ErrorDetail {
    fn read(detail: Node<'_, '_>) -> Self {
        Self {
            code: text(detail, "code"),
            message: text(detail, "message"),
            target: optional(detail, "target"),
        }
    }
}

impl std::fmt::Display for ArmError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if (300..400).contains(&self.status) {
            return write!(f, "{} redirect, which is not followed", self.status);
        }
        let code = [self.inner_code.as_deref().unwrap_or_default(), &self.code];
        let code = code.into_iter().find(|code| !code.is_empty()).unwrap_or("no error code");
        write!(f, "{} {code}", self.status)?;
        if !self.message.is_empty() {
            write!(f, ": {}", without_queries(self.message.trim()))?;
        }
        if let Some(inner) = self.inner_message.as_deref().filter(|inner| *inner != self.message) {
            write!(f, ": {}", without_queries(inner.trim()))?;
        }
        for detail in
            self.details.iter().filter(|detail| !detail.message.is_empty() && detail.message != self.message)
        {
            write!(f, " [{}: {}]", detail.code, without_queries(detail.message.trim()))?;
        }
        let policies = self.policy_refusal().map(|refusal| refusal.policies).unwrap_or_default();
        if !policies.is_empty() {
            write!(f, " (refused by policy '{}')", policies.join("', '"))?;
        }
        if let Some(challenge) = &self.claims_challenge {
            write!(f, " (sign in again: the service requires more claims: {})", challenge.claims)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

/// Returns a member by name, ignoring case: some services write `Code` and `Message`.
fn text(object: Node<'_, '_>, name: &str) -> String {
    object.get(name).and_then(Node::scalar).unwrap_or_default().into_owned()
}

fn optional(object: Node<'_, '_>, name: &str) -> Option<String> {
    Some(text(object, name)).filter(|text| !text.is_empty())
}

fn list<'t, 'a>(object: Node<'t, 'a>, name: &str) -> impl Iterator<Item = Node<'t, 'a>> + use<'t, 'a> {
    object.get(name).into_iter().flat_map(Node::items)
}

/// The maximum depth to which causes and details are read.
const DEEPEST: usize = 64;

fn details_of(error: Node<'_, '_>, details: &mut Vec<ErrorDetail>, depth: usize) {
    for detail in list(error, "details") {
        details.push(ErrorDetail::read(detail));
        if depth < DEEPEST {
            details_of(detail, details, depth + 1);
        }
    }
}

/// Returns the code and the message of the innermost cause that has one.
fn innermost(error: Node<'_, '_>) -> (Option<String>, Option<String>) {
    let (mut code, mut message) = (None, None);
    let mut inner = error.get("innererror");
    for _ in 0..DEEPEST {
        let Some(cause) = inner.filter(|inner| inner.is_object()) else { break };
        code = optional(cause, "code").or(code);
        message = optional(cause, "message").or(message);
        inner = cause.get("innererror");
    }
    (code, message)
}

/// Returns the error that Sentinel, as a proxy, embeds as a string in its own error message.
fn inside_message(error: Node<'_, '_>) -> Option<String> {
    let message = error.get("message")?.text().filter(|message| message.trim_start().starts_with('{'))?;
    Tape::of(&message).ok()?.root().get("error").is_some_and(Node::is_object).then(|| message.into_owned())
}
