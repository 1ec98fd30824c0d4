//! A server that knows which requests must come, in which order, and answers 501 to all others.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use url::Url;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::TOKEN;

/// Headers of the transport and of tracing, which are no part of a contract.
const NOT_COMPARED: &[&str] = &["host", "user-agent", "content-length", "x-ms-client-request-id"];

/// A whole request.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// `GET`, `PUT` ..
    pub method: String,
    /// The production host.
    pub host: String,
    /// As it stands on the wire, percent-encoded.
    pub path: String,
    /// Decoded, sorted.
    pub query: Vec<(String, String)>,
    /// All but those that the transport adds.
    pub headers: BTreeMap<String, String>,
    /// The JSON body.
    pub body: Option<Value>,
}

impl Sent {
    /// A request with the headers that every request has.
    pub fn new(method: &str, url: &Url, body: Option<Value>) -> Self {
        let mut query: Vec<_> = url.query_pairs().into_owned().collect();
        query.sort();
        let mut headers = BTreeMap::from([
            ("accept".to_owned(), "application/json".to_owned()),
            ("authorization".to_owned(), format!("Bearer {TOKEN}")),
        ]);
        if body.is_some() {
            headers.insert("content-type".to_owned(), "application/json".to_owned());
        }
        Self {
            method: method.to_owned(),
            host: url.authority().to_owned(),
            path: url.path().to_owned(),
            query,
            headers,
            body,
        }
    }

    fn read(request: &Request) -> Self {
        let host = request.headers.get("host").map(|host| host.to_str().unwrap().to_owned());
        let mut query: Vec<_> = request.url.query_pairs().into_owned().collect();
        query.sort();
        let headers = request.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let body = (!request.body.is_empty()).then(|| {
            serde_json::from_slice(&request.body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&request.body).into_owned()))
        });
        Self {
            method: request.method.to_string(),
            host: host.unwrap_or_default(),
            path: request.url.path().to_owned(),
            query,
            headers: headers.filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str())).collect(),
            body,
        }
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Option<Value>,
}

impl Reply {
    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A JSON answer.
    pub fn json(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), ..Self::default() }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn template(&self) -> ResponseTemplate {
        let mut template = ResponseTemplate::new(self.status);
        for (name, value) in &self.headers {
            template = template.insert_header(name.as_str(), value.as_str());
        }
        match &self.body {
            Some(body) => template.set_body_json(body),
            None => template,
        }
    }
}

/// Requests that must come, in order, and their answers.
#[derive(Debug, Clone, Default)]
pub struct Script {
    steps: Arc<Mutex<VecDeque<(Sent, Reply)>>>,
    mismatches: Arc<Mutex<String>>,
}

impl Script {
    /// Expects no request yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// This request comes next.
    pub fn then(self, request: &Sent, reply: Reply) -> Self {
        self.steps.lock().unwrap().push_back((request.clone(), reply));
        self
    }

    /// Starts the server.
    pub async fn start(&self) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        server
    }

    /// Fails unless every request came as it must, and no other did.
    pub fn verify(&self) -> Result<(), String> {
        let mut problems = std::mem::take(&mut *self.mismatches.lock().unwrap());
        for (request, _) in self.steps.lock().unwrap().iter() {
            write!(problems, "\nnever came: {request:#?}").unwrap();
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let sent = Sent::read(request);
        let mut steps = self.steps.lock().unwrap();
        match steps.pop_front() {
            Some((expected, reply)) if expected == sent => return reply.template(),
            Some((expected, reply)) => {
                write!(self.mismatches.lock().unwrap(), "\nexpected {expected:#?}\nbut came {sent:#?}")
                    .unwrap();
                steps.push_front((expected, reply));
            }
            None => write!(self.mismatches.lock().unwrap(), "\none too many: {sent:#?}").unwrap(),
        }
        ResponseTemplate::new(501)
    }
}

/// A file of the fixtures, as JSON.
pub fn fixture(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
