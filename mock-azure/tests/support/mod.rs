//! A plain HTTP client on the double, with a token of its credential.
#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a helper of tests")]

use azure_core::http::{
    ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, RetryOptions, Url,
};
use mock_azure::MockAzure;
use serde_json::Value;

pub(crate) const SUB: &str = mock_azure::DEFAULT_SUBSCRIPTION;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(String, String)>,
}

impl Answer {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn inner_code(&self) -> &str {
        self.body["error"]["innererror"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Sends a request with a token for the host's audience.
pub(crate) async fn send(azure: &MockAzure, method: Method, url: &str, body: Value) -> Answer {
    try_send(azure, method, url, body).await.unwrap()
}

/// The same, and an error where the host has no address.
pub(crate) async fn try_send(
    azure: &MockAzure,
    method: Method,
    url: &str,
    body: Value,
) -> azure_core::Result<Answer> {
    let scope = if url.contains(".vault.azure.net") {
        "https://vault.azure.net/.default"
    } else if url.contains("api.loganalytics") {
        "https://api.loganalytics.io/.default"
    } else if url.contains("graph.microsoft.com") {
        "https://graph.microsoft.com/.default"
    } else {
        "https://management.azure.com/.default"
    };
    let token = azure.credential().get_token(&[scope], None).await.unwrap();
    try_send_with(azure, method, url, body, Some(token.token.secret())).await
}

pub(crate) async fn send_with(
    azure: &MockAzure,
    method: Method,
    url: &str,
    body: Value,
    token: Option<&str>,
) -> Answer {
    try_send_with(azure, method, url, body, token).await.unwrap()
}

async fn try_send_with(
    azure: &MockAzure,
    method: Method,
    url: &str,
    body: Value,
    token: Option<&str>,
) -> azure_core::Result<Answer> {
    let bearer = token.map(|token| ("authorization", format!("Bearer {token}")));
    try_send_as(azure, method, url, body, bearer.as_slice()).await
}

/// Sends a request with these headers, and no token.
pub(crate) async fn try_send_as(
    azure: &MockAzure,
    method: Method,
    url: &str,
    body: Value,
    headers: &[(&'static str, String)],
) -> azure_core::Result<Answer> {
    let options = ClientOptions { retry: RetryOptions::none(), ..azure.client_options() };
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    let mut request = Request::new(Url::parse(url).unwrap(), method);
    for (name, value) in headers {
        request.insert_header(*name, value.clone());
    }
    if !body.is_null() {
        request.insert_header("content-type", "application/json");
        request.set_body(body.to_string());
    }
    let options = PipelineSendOptions { skip_checks: true, ..Default::default() };
    let response = pipeline.send(&Context::default(), &mut request, Some(options)).await?;
    let (status, headers, body) = response.deconstruct();
    Ok(Answer {
        status: status.into(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
            .collect(),
    })
}
