//! One request: building it, sending it, checking and decoding the response.

use std::{collections::HashMap, sync::Mutex};

use azure_core::{
    Bytes, Error, Result,
    error::ErrorKind,
    http::{
        Context, Method, PipelineStreamOptions, RawResponse, Request, Url,
        headers::{ACCEPT, CLIENT_REQUEST_ID, CONTENT_TYPE, HeaderName, HeaderValue, Headers, IF_MATCH},
    },
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    ArmClient, ArmErrorExt as _, ArmPath, error,
    error::{Tried, changes},
    path::Query,
    policies::{Repetition, is_repeatable, whole},
    wire,
};

/// The `api-version` query parameter of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiVersion(Option<&'static str>);

impl ApiVersion {
    /// No `api-version` parameter, for services that have their version in the path: Microsoft Graph, Log Analytics.
    pub const IN_PATH: Self = Self(None);
}

impl From<&'static str> for ApiVersion {
    fn from(version: &'static str) -> Self {
        Self(Some(version))
    }
}

/// A request of an [`ArmClient`], built with [`ArmClient::get`] and its siblings.
///
/// Use it also for operations that no crate offers yet: it has the same token, origin pin, retry, errors and decoding
/// as every other request.
///
/// ```no_run
/// # async fn f(arm: arm_core::ArmClient, vault: arm_core::ResourceId) -> azure_core::Result<()> {
/// use arm_core::ArmPath;
///
/// let path = ArmPath::from(&vault).literal("privateEndpointConnections");
/// let connections: serde_json::Value = arm.get(path, "2026-02-01").json().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until it is sent"]
pub struct ArmRequest {
    arm: ArmClient,
    method: Method,
    target: Target,
    query: Query,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<std::result::Result<Bytes, String>>,
    accepted: &'static [u16],
    repeatable: bool,
    reads: bool,
}

#[derive(Debug, Clone)]
enum Target {
    Path(ArmPath),
    /// A link from a response; the origin pin decides whether it is followed.
    Link(Url),
}

impl ArmClient {
    /// Starts a GET request.
    pub fn get(&self, path: impl Into<ArmPath>, version: impl Into<ApiVersion>) -> ArmRequest {
        self.request(Method::Get, path, version)
    }

    /// Starts a HEAD request.
    pub fn head(&self, path: impl Into<ArmPath>, version: impl Into<ApiVersion>) -> ArmRequest {
        self.request(Method::Head, path, version)
    }

    /// Starts a PUT request, which writes a whole resource.
    pub fn put(&self, path: impl Into<ArmPath>, version: impl Into<ApiVersion>) -> ArmRequest {
        self.request(Method::Put, path, version)
    }

    /// Starts a PATCH request, which changes parts of a resource.
    pub fn patch(&self, path: impl Into<ArmPath>, version: impl Into<ApiVersion>) -> ArmRequest {
        self.request(Method::Patch, path, version)
    }

    /// Starts a POST request, for an action.
    pub fn post(&self, path: impl Into<ArmPath>, version: impl Into<ApiVersion>) -> ArmRequest {
        self.request(Method::Post, path, version)
    }

    /// Starts a DELETE request.
    pub fn delete(&self, path: impl Into<ArmPath>, version: impl Into<ApiVersion>) -> ArmRequest {
        self.request(Method::Delete, path, version)
    }

    fn request(
        &self,
        method: Method,
        path: impl Into<ArmPath>,
        version: impl Into<ApiVersion>,
    ) -> ArmRequest {
        ArmRequest::new(self.clone(), method, path.into(), version.into())
    }
}

impl ArmRequest {
    pub(crate) fn new(arm: ArmClient, method: Method, path: ArmPath, version: ApiVersion) -> Self {
        let request = Self::to(arm, method, Target::Path(path));
        request.query_opt("api-version", version.0)
    }

    pub(crate) fn follow(arm: ArmClient, link: Url) -> Self {
        Self::to(arm, Method::Get, Target::Link(link))
    }

    fn to(arm: ArmClient, method: Method, target: Target) -> Self {
        let accepted: &[u16] = match method {
            Method::Put => &[200, 201],
            Method::Delete => &[200, 204],
            Method::Head => &[200, 204],
            _ => &[200],
        };
        Self {
            arm,
            method,
            target,
            query: Query::default(),
            headers: Vec::new(),
            body: None,
            accepted,
            repeatable: is_repeatable(method),
            reads: !changes(method),
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        self.query.push(name, value.as_ref());
        self
    }

    /// Adds a query parameter if `value` is not `None`.
    pub fn query_opt(self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((HeaderName::from_static(name), HeaderValue::from(value.into())));
        self
    }

    /// Writes only if the resource still has this ETag; otherwise, the service refuses the write: see
    /// [`is_precondition_failed`](crate::ArmErrorExt::is_precondition_failed). `None` sets no condition.
    pub fn if_match(mut self, etag: Option<&str>) -> Self {
        self.headers.extend(etag.map(|etag| (IF_MATCH, HeaderValue::from(etag.to_owned()))));
        self
    }

    /// Sets the JSON body.
    pub fn body(mut self, body: &impl Serialize) -> Self {
        let encoded = serde_json::to_vec(body).map(Bytes::from).map_err(|error| error.to_string());
        self.body = Some(encoded);
        self
    }

    /// Sets the statuses that mean success. Default: 200; for PUT, 200 and 201; for DELETE and HEAD, 200 and 204.
    pub fn expect_status(mut self, accepted: &'static [u16]) -> Self {
        self.accepted = accepted;
        self
    }

    /// Marks a POST that changes nothing, such as a query. It is retried like a GET, and its errors do not warn of
    /// possible changes.
    pub fn reads_only(mut self) -> Self {
        self.reads = true;
        self.repeatable()
    }

    /// Marks a POST or PATCH that is harmless to repeat, so that it is retried like a PUT.
    pub fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// Marks a PUT or DELETE that is not safe to repeat, such as one that runs a script, so that it is retried like a
    /// POST.
    pub fn not_repeatable(mut self) -> Self {
        self.repeatable = false;
        self
    }

    pub(crate) fn method(&self) -> Method {
        self.method
    }

    pub(crate) fn arm(&self) -> &ArmClient {
        &self.arm
    }

    pub(crate) fn url(&self) -> Result<Url> {
        match &self.target {
            Target::Path(path) => path.to_url(self.arm.endpoint(), &self.query),
            Target::Link(link) => Ok(link.clone()),
        }
    }

    /// Builds the URL now, for requests that need it more than once. An error waits until the request is sent.
    pub(crate) fn with_url(self) -> Self {
        match self.url() {
            Ok(url) => Self { target: Target::Link(url), query: Query::default(), ..self },
            Err(_) => self,
        }
    }

    /// Sends the request, and returns the raw response if its status is accepted.
    ///
    /// # Errors
    ///
    /// The service returned any other status (see [`ArmErrorExt`](crate::ArmErrorExt)), or there was no response; or
    /// nothing was sent, because there was no token, or because the path, the link or the body is invalid.
    pub async fn send(mut self) -> Result<RawResponse> {
        Ok(self.sent().await?.0)
    }

    /// Sends the request, and returns the response with how it was tried. Takes headers and body out of the request, so
    /// it must not be called twice.
    pub(crate) async fn sent(&mut self) -> Result<(RawResponse, Tried)> {
        self.exchange().await.map_err(|error| {
            let message = format!("{self}: {}", error::with_causes(&error));
            error.reworded(message)
        })
    }

    /// Returns the request as it is sent.
    fn prepared(&mut self) -> Result<Request> {
        let mut request = Request::new(self.url()?, self.method);
        // Room for the headers that policies add, so that this map and the copy for an attempt need not grow.
        *request.headers_mut() = Headers::from(HashMap::with_capacity(7));
        request.insert_header(ACCEPT, "application/json");
        // Without this header, the pipeline would create an error, perhaps with a backtrace, when it looks for it.
        request.insert_header(CLIENT_REQUEST_ID, String::from(uuid::Uuid::new_v4()));
        for (name, value) in std::mem::take(&mut self.headers) {
            request.insert_header(name, value);
        }
        if let Some(body) = self.body.take() {
            let body = body.map_err(|reason| {
                Error::with_message(
                    ErrorKind::DataConversion,
                    format!("the request body cannot be written: {reason}"),
                )
            })?;
            request.insert_header(CONTENT_TYPE, "application/json");
            request.set_body(body);
        }
        Ok(request)
    }

    async fn exchange(&mut self) -> Result<(RawResponse, Tried)> {
        let mut request = self.prepared().map_err(|error| Tried::default().attach(error))?;
        let mut ctx = Context::new();
        let (method, repeatable, writes) = (self.method, self.repeatable, !self.reads);
        ctx.insert(Repetition { method, repeatable, writes, tried: Mutex::default() });
        let unchecked = PipelineStreamOptions { skip_checks: true, ..Default::default() };
        let response = self.arm.pipeline().stream(&ctx, &mut request, Some(unchecked)).await?;
        // The transport has already read the whole body; `Pipeline::send` would copy it twice more.
        let (status, headers, body) = response.deconstruct();
        let response = RawResponse::from_bytes(status, headers, whole(body, 0, usize::MAX).await?);
        let tried = ctx.value::<Repetition>().map(|told| *told.tried()).unwrap_or_default();
        if self.accepted.contains(&u16::from(response.status())) {
            return Ok((response, tried));
        }
        Err(tried.attach(error::of_response(response)))
    }

    /// Sends the request and decodes the response.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send); or the response cannot be decoded.
    pub async fn json<T: DeserializeOwned>(mut self) -> Result<T> {
        let (response, tried) = self.sent().await?;
        wire::decode(&response).map_err(|error| {
            let message = format!("{self}: {error}");
            Tried { may_be_applied: !self.reads, ..tried }.attach(error.reworded(message))
        })
    }

    /// Sends the request and decodes the response. `None` only if the resource does not exist: see
    /// [`is_resource_not_found`](crate::ArmErrorExt::is_resource_not_found).
    ///
    /// # Errors
    ///
    /// As for [`json`](Self::json), except that a missing resource is `None`.
    pub async fn json_opt<T: DeserializeOwned>(self) -> Result<Option<T>> {
        match self.json().await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is_resource_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends the request and ignores the body of the response.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn send_empty(self) -> Result<()> {
        self.send().await.map(drop)
    }
}

/// `GET /subscriptions/..`, without the query, for use in messages.
impl std::fmt::Display for ArmRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.target {
            Target::Path(path) => write!(f, "{} {path}", self.method),
            Target::Link(link) => write!(f, "{} {}", self.method, link.path()),
        }
    }
}

/// Shows only method and path: query, headers and body may contain secrets.
impl std::fmt::Debug for ArmRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ArmRequest({self})")
    }
}
