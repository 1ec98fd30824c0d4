//! A response, before it is sent over HTTP.

use std::time::Duration;

use azure_core::Bytes;
use serde_json::{Value, json};

/// The body of a response.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    Raw { bytes: Vec<u8>, mime: String },
}

/// One response.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) delay: Duration,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, body: Body::Empty, headers: Vec::new(), delay: Duration::ZERO }
    }

    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::empty(status) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn raw(status: u16, bytes: impl Into<Vec<u8>>, mime: &str) -> Self {
        Self { body: Body::Raw { bytes: bytes.into(), mime: mime.to_owned() }, ..Self::empty(status) }
    }

    /// A refusal in Resource Manager's format.
    pub(crate) fn arm_error(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self::json(status, json!({ "error": { "code": code, "message": message.into() } }))
    }

    /// `501 MockNotImplemented`: the double does not know this, so it does not know Azure's response either. `what`
    /// names the unknown part and, where that helps, the known ones.
    pub(crate) fn not_implemented(what: impl AsRef<str>) -> Self {
        Self::arm_error(501, "MockNotImplemented", format!("mock-azure does not know {}", what.as_ref()))
    }

    /// `501 MockNotImplemented` for a value that is not among the known ones.
    pub(crate) fn unknown(kind: &str, given: &str, known: &[impl AsRef<str>]) -> Self {
        let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Self::not_implemented(format!("the {kind} '{given}'; it knows: {known}"))
    }

    /// `400 BadRequest`, the code that many resource providers use for a bad body.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::arm_error(400, "BadRequest", message)
    }

    /// `404 ResourceNotFound` in Resource Manager's format. `kind_and_name` is `Namespace/type/name`.
    pub(crate) fn resource_not_found(kind_and_name: &str, group: &str) -> Self {
        Self::arm_error(
            404,
            "ResourceNotFound",
            format!(
                "The Resource '{kind_and_name}' under resource group '{group}' was not found. \
                 For more details please go to https://aka.ms/ARMResourceNotFoundFix"
            ),
        )
    }

    pub(crate) fn with_body(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set_header(name, value);
        self
    }

    pub(crate) fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(crate) fn delayed(mut self, delay: Duration) -> Self {
        self.delay += delay;
        self
    }

    /// The error code in the body, if it is a refusal.
    pub(crate) fn error_code(&self) -> Option<&str> {
        match &self.body {
            Body::Json(value) => value["error"]["code"].as_str(),
            _ => None,
        }
    }

    /// The body as it is sent, and its content type.
    pub(crate) fn into_wire(self) -> Wire {
        let (body, mime) = match self.body {
            Body::Empty => (Bytes::new(), None),
            Body::Json(value) => (value.to_string().into(), Some(JSON.to_owned())),
            Body::Raw { bytes, mime } => (bytes.into(), Some(mime)),
        };
        let mut headers = self.headers;
        headers.extend(mime.map(|mime| ("content-type".to_owned(), mime)));
        Wire { status: self.status, headers, body, delay: self.delay }
    }
}

const JSON: &str = "application/json; charset=utf-8";

/// A response, ready to be sent.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    /// How long the response is held back.
    pub(crate) delay: Duration,
}
