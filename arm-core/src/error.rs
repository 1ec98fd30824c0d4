//! What the service said, read out of `azure_core::Error`.

use std::error::Error as _;

use azure_core::{
    Error,
    error::ErrorKind,
    http::{RawResponse, headers::HeaderName},
};
use serde_json::Value;

use crate::wire::lossy_text;

/// A refusal of the service, as far as its body could be read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ArmError {
    /// The HTTP status.
    pub status: u16,
    /// The service's code, such as `SubscriptionNotRegistered`; empty when it sent none.
    pub code: String,
    /// The service's message; the first part of the body when it is not JSON.
    pub message: String,
    /// What the error is about.
    pub target: Option<String>,
    /// The code of the innermost cause. Key Vault tells `ForbiddenByRbac` from `ForbiddenByFirewall` here.
    pub inner_code: Option<String>,
    /// The message of the innermost cause. Log queries tell only here what is wrong.
    pub inner_message: Option<String>,
    /// Causes and parts in the service's order, each before its own.
    pub details: Vec<ErrorDetail>,
    /// Typed additions, such as policy violations, as the service sent them.
    pub additional_info: Vec<Value>,
    /// `x-ms-request-id`: what support asks for first.
    pub request_id: Option<String>,
    /// `x-ms-correlation-request-id`.
    pub correlation_id: Option<String>,
}

/// One detail of an [`ArmError`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The detail's code.
    pub code: String,
    /// The detail's message.
    pub message: String,
    /// What the detail is about.
    pub target: Option<String>,
}

impl ArmError {
    /// Reads an answer. Never fails: what cannot be read is left empty.
    pub fn of(response: &RawResponse) -> Self {
        let text = lossy_text(response.body());
        let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let header = |name| response.headers().get_optional_string(&HeaderName::from_static(name));
        let mut read = Self::read(&body, u16::from(response.status()));
        if read.message.is_empty() && body.is_null() {
            read.message = excerpt(&text);
        }
        read.request_id = header("x-ms-request-id").or_else(|| header("request-id"));
        read.correlation_id = header("x-ms-correlation-request-id");
        if read.code.is_empty() {
            read.code = header("x-ms-error-code").unwrap_or_default();
        }
        read
    }

    /// Reads an error body: `{"error":{..}}`, the same without the wrapper, the sign-in service's form, or
    /// `{"HttpStatusCode":404,"ErrorCode":"Not Found","Message":".."}`, as for suppression rules.
    pub fn read(body: &Value, status: u16) -> Self {
        let wrapped = &body["error"];
        let error = if wrapped.is_object() { wrapped } else { body };
        if let Some(inside) = inside_message(error) {
            return Self::read(&inside, status);
        }
        let sign_in = wrapped.as_str();
        let code = sign_in.map_or_else(
            || optional(error, "code").unwrap_or_else(|| text(error, "errorCode")),
            str::to_owned,
        );
        let message = match sign_in {
            Some(_) => text(body, "error_description"),
            None => match &error["message"] {
                // Graph and OData wrap the message with its language.
                Value::Object(message) => {
                    message.get("value").and_then(Value::as_str).unwrap_or_default().to_owned()
                }
                _ => text(error, "message"),
            },
        };
        Self {
            status,
            code,
            message,
            target: optional(error, "target"),
            inner_code: innermost(error, "code"),
            inner_message: innermost(error, "message"),
            details: details_of(error),
            additional_info: list(error, "additionalInfo").cloned().collect(),
            request_id: None,
            correlation_id: None,
        }
    }

    /// Whether this code stands anywhere in the error: at the top, in a detail, or innermost. Case and blanks do
    /// not count: services write `Subscription Not Registered` as well as `SubscriptionNotRegistered`.
    pub fn has_code(&self, code: &str) -> bool {
        let wanted = folded(code);
        self.codes().any(|code| folded(code) == wanted)
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        let details = self.details.iter().map(|detail| detail.code.as_str());
        [self.code.as_str()].into_iter().chain(self.inner_code.as_deref()).chain(details)
    }

    /// See [`ArmErrorExt::is_resource_not_found`].
    pub fn is_resource_not_found(&self) -> bool {
        let code = folded(&self.code);
        let absent = ["notfound", "doesnotexist", "notexist"].iter().any(|end| code.ends_with(end));
        let nothing_said = code.is_empty() && self.message.is_empty();
        self.status == 404
            && (absent || nothing_said)
            && !OF_SOMETHING_ELSE.iter().any(|of| code.starts_with(of))
    }
}

/// What codes begin with that end in `NotFound` and yet are not about the resource that was asked for; folded.
const OF_SOMETHING_ELSE: &[&str] = &[
    "subscription",
    "tenant",
    "directory",
    "provider",
    "resourceprovider",
    "resourcetype",
    "parentresource",
    "apiversion",
    "operation",
    "endpoint",
    "host",
    "linked",
];

/// A code without case and blanks.
fn folded(code: &str) -> String {
    code.chars().filter(|character| !character.is_whitespace()).flat_map(char::to_lowercase).collect()
}

impl ErrorDetail {
    fn read(detail: &Value) -> Self {
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
            write!(f, ": {}", self.message.trim())?;
        }
        if let Some(inner) = self.inner_message.as_deref().filter(|inner| *inner != self.message) {
            write!(f, ": {}", inner.trim())?;
        }
        for detail in
            self.details.iter().filter(|detail| !detail.message.is_empty() && detail.message != self.message)
        {
            write!(f, " [{}: {}]", detail.code, detail.message.trim())?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {id})")?;
        }
        Ok(())
    }
}

fn text(value: &Value, key: &str) -> String {
    match field(value, key) {
        Value::String(text) => text.clone(),
        Value::Null | Value::Object(_) | Value::Array(_) => String::new(),
        scalar => scalar.to_string(),
    }
}

/// A field by name; some services write `Code` and `Message`.
fn field<'a>(value: &'a Value, key: &str) -> &'a Value {
    let object = value.as_object();
    let found = object.and_then(|object| object.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)));
    found.map_or(&Value::Null, |(_, value)| value)
}

fn optional(value: &Value, key: &str) -> Option<String> {
    Some(text(value, key)).filter(|text| !text.is_empty())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    field(value, key).as_array().into_iter().flatten()
}

fn details_of(error: &Value) -> Vec<ErrorDetail> {
    let with_its_own = |detail| std::iter::once(ErrorDetail::read(detail)).chain(details_of(detail));
    list(error, "details").flat_map(with_its_own).collect()
}

fn innermost(error: &Value, key: &str) -> Option<String> {
    let mut found = None;
    let mut inner = field(error, "innererror");
    while inner.is_object() {
        found = optional(inner, key).or(found);
        inner = field(inner, "innererror");
    }
    found
}

/// The error that Sentinel, as a proxy, puts as a text into the message of another.
fn inside_message(error: &Value) -> Option<Value> {
    let message = error["message"].as_str().filter(|message| message.trim_start().starts_with('{'))?;
    let inside: Value = serde_json::from_str(message).ok()?;
    inside["error"].is_object().then_some(inside)
}

/// The first part of a body that is not what was expected, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}..", &line[..end]),
        None => line,
    }
}

/// The error of an answer that is not among the accepted ones.
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

/// Questions to an `azure_core::Error`, so that no caller parses a body.
///
/// ```
/// use arm_core::ArmErrorExt as _;
///
/// fn advice(error: &azure_core::Error) -> &'static str {
///     if error.is_code("SubscriptionNotRegistered") {
///         "register Microsoft.Security first"
///     } else if error.is_forbidden() {
///         "ask for access"
///     } else {
///         "see the message"
///     }
/// }
/// ```
pub trait ArmErrorExt: sealed::Sealed {
    /// The service's own error, when a service answered.
    fn arm_error(&self) -> Option<ArmError>;
    /// The HTTP status, when a service answered.
    fn status(&self) -> Option<u16>;
    /// 404.
    fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
    /// The resource that was asked for does not exist: 404 with a code that says so, such as `ResourceNotFound`,
    /// `NotFound` or `SecretNotFound`, or with no body at all.
    ///
    /// `ResourceGroupNotFound` is one of them, since without its group nothing in it exists. A 404 that says that
    /// something else is missing is not: the subscription or its registration, the provider, the resource's type
    /// or parent, or a page of something on the way that is not Azure.
    fn is_resource_not_found(&self) -> bool {
        self.arm_error().is_some_and(|error| error.is_resource_not_found())
    }
    /// 403.
    fn is_forbidden(&self) -> bool {
        self.status() == Some(403)
    }
    /// 401: no token, or one that is not accepted.
    fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }
    /// 409.
    fn is_conflict(&self) -> bool {
        self.status() == Some(409)
    }
    /// 412: the resource changed since it was read.
    fn is_precondition_failed(&self) -> bool {
        self.status() == Some(412)
    }
    /// 429.
    fn is_throttled(&self) -> bool {
        self.status() == Some(429)
    }
    /// Whether the service's error holds this code, at the top, in a detail or innermost; without regard to case.
    fn is_code(&self, code: &str) -> bool {
        self.arm_error().is_some_and(|error| error.has_code(code))
    }
    /// `x-ms-request-id` of the answer.
    fn request_id(&self) -> Option<String> {
        self.arm_error()?.request_id
    }
    /// `x-ms-correlation-request-id` of the answer.
    fn correlation_id(&self) -> Option<String> {
        self.arm_error()?.correlation_id
    }
}

impl ArmErrorExt for Error {
    fn arm_error(&self) -> Option<ArmError> {
        response_of(self).map(ArmError::of)
    }

    fn status(&self) -> Option<u16> {
        self.http_status().map(u16::from)
    }
}

/// The answer inside an error: at the top, or below a context that lost it.
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
    }

    #[test]
    fn each_question_is_answered_with_yes_for_its_own_status_only() {
        type Question = fn(&Error) -> bool;
        let questions: [(u16, Question); 6] = [
            (401, |error| error.is_unauthorized()),
            (403, |error| error.is_forbidden()),
            (404, |error| error.is_not_found()),
            (409, |error| error.is_conflict()),
            (412, |error| error.is_precondition_failed()),
            (429, |error| error.is_throttled()),
        ];
        for (status, _) in questions {
            let refusal = error(status, "{}");
            assert_eq!(refusal.status(), Some(status));
            for (asked, question) in questions {
                assert_eq!(question(&refusal), asked == status, "{asked} of {status}");
            }
        }
    }

    #[test]
    fn a_resource_is_absent_only_when_its_own_404_says_so() {
        let absent = |status: u16, body: &str| error(status, body).is_resource_not_found();
        let coded = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
        let bare = r#"{"HttpStatusCode":404,"ErrorCode":"Not Found","Message":"m"}"#;
        for code in [
            "ResourceNotFound",
            "NotFound",
            "resource not found",
            "SecretNotFound",
            "RoleDefinitionDoesNotExist",
        ] {
            assert!(absent(404, &coded(code)), "{code}");
            assert!(!absent(400, &coded(code)), "{code}");
        }
        assert!(absent(404, bare) && absent(404, ""));
        assert!(absent(404, &coded("ResourceGroupNotFound")), "what its group took along is gone");
        for code in [
            "Subscription Not Registered",
            "SubscriptionNotFound",
            "InvalidResourceNamespace",
            "InvalidResourceType",
            "ParentResourceNotFound",
            "MissingSubscription",
            "",
        ] {
            assert!(!absent(404, &coded(code)), "{code}");
        }
        assert!(!absent(404, "<html>not here</html>"), "a proxy's page");
    }

    #[test]
    fn a_code_is_found_in_whatever_case_and_with_whatever_blanks_it_comes() {
        let body = r#"{"error":{"code":"Subscription Not Registered","message":"m"}}"#;
        assert!(error(404, body).is_code("SubscriptionNotRegistered"));
        assert!(error(404, body).is_code("subscription not registered"));
        assert!(!error(404, body).is_code("SubscriptionNotFound"));
    }

    #[test]
    fn a_code_is_told_to_azure_core_when_there_is_one() {
        let code = |body: &str| match error(400, body).kind() {
            ErrorKind::HttpResponse { error_code, .. } => error_code.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(code(r#"{"error":{"code":"Bad"}}"#).as_deref(), Some("Bad"));
        assert_eq!(code("{}"), None);
    }
}
