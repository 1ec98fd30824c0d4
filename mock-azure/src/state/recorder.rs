//! Records requests, in order.

use std::{collections::VecDeque, fmt};

use serde_json::Value;

use crate::{http::Call, state::redaction::redact};

/// A request that the double received.
#[derive(Clone)]
#[non_exhaustive]
pub struct Recorded {
    /// `GET`, `PUT`, ..
    pub method: String,
    /// The production host, such as `management.azure.com`.
    pub host: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// The query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The headers, with lower-case names.
    pub headers: Vec<(String, String)>,
    /// The JSON body; a string if the body is not JSON; `null` if there is none.
    pub body: Value,
    /// The status of the response; `None` if the connection was lost or refused instead.
    pub status: Option<u16>,
}

impl Recorded {
    pub(crate) fn of(call: &Call, status: Option<u16>) -> Self {
        let body = match call.json() {
            Value::Null if !call.text().is_empty() => Value::String(call.text().to_owned()),
            json => json.clone(),
        };
        Self {
            method: call.verb.clone(),
            host: call.authority.clone(),
            path: call.raw_path().to_owned(),
            query: call.query_pairs().to_vec(),
            headers: call.headers().to_vec(),
            body,
            status,
        }
    }

    /// Returns whether the request only reads: a GET or HEAD, or a POST that changes nothing, such as a query, a name
    /// check, a listing of account keys, or a request for a token.
    pub fn is_read(&self) -> bool {
        let action = self.path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        match self.method.as_str() {
            "GET" | "HEAD" => true,
            "POST" => action.starts_with("list") || READS.contains(&action.as_str()),
            _ => false,
        }
    }

    /// Returns a query parameter by name, ignoring case.
    pub fn query(&self, name: &str) -> Option<&str> {
        find(&self.query, name)
    }

    /// Returns a header by name, ignoring case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// The last path segments of POSTs that change nothing, besides `list..`.
const READS: &[&str] =
    &["$batch", "checknameavailability", "metadata", "query", "resources", "token", "validate"];

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// One line without headers and body, so that neither tokens nor secrets get into a test's output.
impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} https://{}{}", self.method, self.host, self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            write!(f, "{}{name}={value}", if index == 0 { '?' } else { '&' })?;
        }
        match self.status {
            Some(status) => write!(f, " -> {status}"),
            None => f.write_str(" -> connection lost"),
        }
    }
}

/// The recorded requests: all, unknown ones, and those for hosts that do not belong to Azure.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) requests: VecDeque<Recorded>,
    pub(crate) unknown: Vec<Recorded>,
    pub(crate) foreign: Vec<Recorded>,
    bounded: bool,
}

/// How many requests, and how many unknown ones, a server keeps.
const KEPT: usize = 1000;

impl Recorder {
    /// Keeps only the last requests and the first unknown ones from now on, without tokens and secrets, because a
    /// server that runs for days must not grow, and its output may be stored in files.
    #[cfg(feature = "server")]
    pub(crate) fn bound(&mut self) {
        self.bounded = true;
    }

    pub(crate) fn record(&mut self, call: &Call, status: Option<u16>) {
        let mut recorded = Recorded::of(call, status);
        if self.bounded {
            let Recorded { host, query, headers, body, .. } = &mut recorded;
            redact(host, query, headers, body);
            if self.requests.len() == KEPT {
                self.requests.pop_front();
            }
        }
        if status == Some(501) && !(self.bounded && self.unknown.len() == KEPT) {
            self.unknown.push(recorded.clone());
        }
        self.requests.push_back(recorded);
    }

    /// Records a proxy request for a host that does not belong to Azure.
    #[cfg(feature = "server")]
    pub(crate) fn refuse_to_lead_to(&mut self, host: &str) {
        if self.foreign.len() < KEPT {
            self.foreign.push(Recorded {
                method: "CONNECT".to_owned(),
                host: host.to_owned(),
                path: String::new(),
                query: Vec::new(),
                headers: Vec::new(),
                body: Value::Null,
                status: Some(403),
            });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.requests.clear();
        self.unknown.clear();
        self.foreign.clear();
    }
}
