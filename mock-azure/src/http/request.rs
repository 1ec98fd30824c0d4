//! A request, parsed once.

use azure_core::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use url::form_urlencoded;

use crate::http::{
    host::{self, Host, Service},
    identity::Caller,
};

/// The HTTP method, as an enum to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Put,
    Patch,
    Post,
    Delete,
    Other,
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The host that the client called, from the `Host` header.
    pub(crate) authority: String,
    /// The path, as in the request line.
    pub(crate) path: String,
    pub(crate) query: String,
    /// The headers, with lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// A parsed request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) verb: String,
    pub(crate) host: Host,
    /// Host and port as the client wrote them, for absolute links.
    pub(crate) authority: String,
    /// The sender. Set when the request has been admitted.
    pub(crate) caller: Caller,
    spelled: Vec<String>,
    lower: Vec<String>,
    raw_path: String,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    text: String,
    json: Value,
}

impl Call {
    pub(crate) fn read(request: Request, host: Host) -> Self {
        let Request { method: verb, authority, path: raw_path, query, headers, body } = request;
        // Recorded: Resource Manager accepts a scope with encoded slashes.
        let is_slashed = host.service == Service::Management && raw_path.contains("%2");
        let path =
            if is_slashed { raw_path.replace("%2F", "/").replace("%2f", "/") } else { raw_path.clone() };
        let spelled: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        Self {
            method: match verb.as_str() {
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "PUT" => Method::Put,
                "PATCH" => Method::Patch,
                "POST" => Method::Post,
                "DELETE" => Method::Delete,
                _ => Method::Other,
            },
            verb,
            host,
            authority,
            caller: Caller::default(),
            lower: spelled.iter().map(|segment| segment.to_ascii_lowercase()).collect(),
            spelled,
            raw_path,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            json: if body.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&body).unwrap_or_default()
            },
        }
    }

    /// The decoded segments of the path in lower case, to match on.
    pub(crate) fn path(&self) -> Vec<&str> {
        self.lower.iter().map(String::as_str).collect()
    }

    /// The segment at `index` as the client spelled it.
    pub(crate) fn spelled(&self, index: usize) -> &str {
        self.spelled.get(index).map_or("", String::as_str)
    }

    /// The last segment as the client spelled it: the name of the requested resource.
    pub(crate) fn name(&self) -> &str {
        self.spelled.last().map_or("", String::as_str)
    }

    /// The id that the first `count` segments form, as the client spelled it. Recorded: Resource Manager normalizes its
    /// own keywords.
    pub(crate) fn id(&self, count: usize) -> String {
        let count = count.min(self.spelled.len());
        let segments = self.spelled.iter().zip(&self.lower).take(count).enumerate();
        segments.fold(String::new(), |id, (index, (spelled, lower))| {
            let segment = match (index, lower.as_str()) {
                (0, "subscriptions") => "subscriptions",
                (2, "resourcegroups") => "resourceGroups",
                (2 | 4, "providers") => "providers",
                _ => spelled,
            };
            id + "/" + segment
        })
    }

    /// The whole path as an id, in lower case.
    pub(crate) fn key(&self) -> String {
        self.lower.iter().fold(String::new(), |id, segment| id + "/" + segment)
    }

    /// The number of segments of the path.
    pub(crate) fn len(&self) -> usize {
        self.lower.len()
    }

    /// A query parameter by name, ignoring case.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All query parameters.
    pub(crate) fn query_pairs(&self) -> &[(String, String)] {
        &self.query
    }

    /// The requested `api-version`; empty if there is none.
    pub(crate) fn api_version(&self) -> &str {
        self.query("api-version").unwrap_or_default()
    }

    /// A header by name, ignoring case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// All headers.
    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The body; `null` if there is none or it is not JSON.
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    /// A value in the body's `properties`; `null` if it is missing.
    pub(crate) fn property(&self, name: &str) -> &Value {
        &self.json["properties"][name]
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The path as in the request line.
    pub(crate) fn raw_path(&self) -> &str {
        &self.raw_path
    }

    /// An absolute link to the host that the client called: `https` for Azure's hosts; `http` for a local address,
    /// unless a proxy in between says otherwise.
    pub(crate) fn link(&self, path_and_query: &str) -> String {
        let forwarded = self.header("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
        let scheme = if host::is_local(&self.authority) && !forwarded { "http" } else { "https" };
        format!("{scheme}://{}{path_and_query}", self.authority)
    }

    /// `https://host/path?query`, for messages and fault filters.
    pub(crate) fn url(&self) -> String {
        let mut url = self.link(&self.raw_path);
        for (index, (name, value)) in self.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
        url
    }

    /// The subscription in the path, in lower case.
    pub(crate) fn subscription(&self) -> Option<&str> {
        match self.lower.as_slice() {
            [first, id, ..] if first == "subscriptions" => Some(id),
            _ => None,
        }
    }

    /// Splits the path of an extension resource, `{scope}/providers/{namespace}/{type}/..`, at its last `providers`.
    /// Returns the number of segments of the scope, and the segments after the type. Namespaces and types are compared
    /// ignoring case.
    pub(crate) fn extension(&self, namespace: &str, kind: &str) -> Option<(usize, Vec<&str>)> {
        let at = self.lower.iter().rposition(|segment| segment == "providers")?;
        let is = |index: usize, text: &str| {
            self.lower.get(index).is_some_and(|segment| segment.eq_ignore_ascii_case(text))
        };
        let matches = is(at + 1, namespace) && is(at + 2, kind);
        matches.then(|| (at, self.lower[at + 3..].iter().map(String::as_str).collect()))
    }

    /// If the path addresses resources of a type, `{namespace}/{type}` or `{namespace}/{parent}/{type}`, returns the
    /// number of segments before its last `providers`, and whether it names a single resource.
    pub(crate) fn of_type(&self, kind: &str) -> Option<(usize, bool)> {
        let at = self.lower.iter().rposition(|segment| segment == "providers")?;
        let (namespace, below) = self.lower[at + 1..].split_first()?;
        let (own, kinds) = kind.split_once('/')?;
        let same = own.eq_ignore_ascii_case(namespace)
            && below.len().div_ceil(2) == kinds.split('/').count()
            && below
                .iter()
                .step_by(2)
                .zip(kinds.split('/'))
                .all(|(kind, own)| own.eq_ignore_ascii_case(kind));
        same.then_some((at, below.len() % 2 == 0))
    }
}
