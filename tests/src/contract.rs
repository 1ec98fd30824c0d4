//! What a declaration of an operation says.

use std::{
    fmt::Debug,
    future::{Future, IntoFuture as _},
    sync::Arc,
};

use arm_core::{ArmClient, Poller};
use azure_core::Result;
use futures::{FutureExt as _, Stream, TryStreamExt as _, future::BoxFuture};
use serde_json::Value;
use url::Url;

use crate::{Sent, fixture};

/// What a call returned: each item as its `Debug` shows it.
pub type Decoded = Result<Vec<String>>;
/// Calls the operation.
pub type Call = Arc<dyn Fn(ArmClient) -> BoxFuture<'static, Decoded> + Send + Sync>;

/// What a call answers, each item as Rust shows it.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// This.
    Text(&'static str),
    /// What the snapshot of this name says.
    Snapshot(String),
}

/// One REST operation, and the client method for it.
#[derive(Clone)]
pub struct Contract {
    /// The name in the service's specification.
    pub operation: &'static str,
    /// What distinguishes it from other contracts of the same operation; usually empty.
    pub variant: &'static str,
    /// The whole request.
    pub request: Sent,
    /// The URL.
    pub url: Url,
    /// The statuses that mean success.
    pub statuses: &'static [u16],
    /// The service's response.
    pub answer: Option<Value>,
    pub(crate) decoded: Expected,
    /// Whether the response is a page of a list.
    pub paged: bool,
    /// Whether it may continue after its first response.
    pub long_running: bool,
    /// Whether the service requests a token first.
    pub challenged: bool,
    /// The name of the response's model in `payload-check`.
    pub model: Option<&'static str>,
    pub(crate) fixed_words: &'static [&'static str],
    /// The client method for it.
    pub call: Option<Call>,
}

impl Debug for Contract {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contract").field("operation", &self.operation).finish_non_exhaustive()
    }
}

fn contract(
    operation: &'static str,
    method: &str,
    path: &str,
    version: &str,
    statuses: &'static [u16],
) -> Contract {
    let origin = if path.starts_with("https://") { "" } else { "https://management.azure.com" };
    let mut url: Url = format!("{origin}{path}").parse().unwrap();
    if !version.is_empty() {
        url.query_pairs_mut().append_pair("api-version", version);
    }
    Contract {
        operation,
        variant: "",
        request: Sent::new(method, &url, None),
        url,
        statuses,
        answer: None,
        decoded: Expected::Text("()"),
        paged: false,
        long_running: false,
        challenged: false,
        model: None,
        fixed_words: &[],
        call: None,
    }
}

/// A GET. `path` may start with `https://host`, and have a query; an empty version adds none.
pub fn get(operation: &'static str, path: impl AsRef<str>, version: &str) -> Contract {
    contract(operation, "GET", path.as_ref(), version, &[200])
}

/// A HEAD.
pub fn head(operation: &'static str, path: impl AsRef<str>, version: &str) -> Contract {
    contract(operation, "HEAD", path.as_ref(), version, &[204])
}

/// A PUT.
pub fn put(operation: &'static str, path: impl AsRef<str>, version: &str) -> Contract {
    contract(operation, "PUT", path.as_ref(), version, &[200, 201])
}

/// A PATCH.
pub fn patch(operation: &'static str, path: impl AsRef<str>, version: &str) -> Contract {
    contract(operation, "PATCH", path.as_ref(), version, &[200])
}

/// A POST.
pub fn post(operation: &'static str, path: impl AsRef<str>, version: &str) -> Contract {
    contract(operation, "POST", path.as_ref(), version, &[200])
}

/// A DELETE.
pub fn delete(operation: &'static str, path: impl AsRef<str>, version: &str) -> Contract {
    contract(operation, "DELETE", path.as_ref(), version, &[200, 204])
}

impl Contract {
    /// Distinguishes this contract from another of the same operation.
    pub fn variant(mut self, variant: &'static str) -> Self {
        self.variant = variant;
        self
    }

    /// The exact JSON body.
    pub fn sends(mut self, body: Value) -> Self {
        self.request.body = Some(body);
        self.request.headers.insert("content-type".to_owned(), "application/json".to_owned());
        self
    }

    /// A header in addition to those of every request.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The service's response, a file of the fixtures. Its decoded form is in the snapshot of the same name.
    pub fn answers(mut self, name: &str) -> Self {
        self.answer = Some(fixture(name));
        self.decoded_as(name.trim_end_matches(".json"))
    }

    /// The decoded form of the response is in this snapshot, because another method decodes the same response
    /// differently.
    pub fn decoded_as(mut self, snapshot: impl Into<String>) -> Self {
        self.decoded = Expected::Snapshot(snapshot.into());
        self
    }

    /// What the method returns for a response without a body, as its `Debug` shows it. Default: `()`.
    pub fn gives(mut self, decoded: &'static str) -> Self {
        self.decoded = Expected::Text(decoded);
        self
    }

    /// The statuses that mean success. Default: 200; for PUT also 201; for DELETE also 204.
    pub fn statuses(mut self, statuses: &'static [u16]) -> Self {
        self.statuses = statuses;
        self
    }

    /// The response is one page of a list.
    pub fn pages(mut self) -> Self {
        self.paged = true;
        self
    }

    /// The operation may continue after its first response.
    pub fn long_running(mut self) -> Self {
        self.long_running = true;
        self
    }

    /// The service requests a token first: a vault.
    pub fn challenged(mut self) -> Self {
        self.challenged = true;
        self
    }

    /// The response (or each item of its page) has this model in `payload-check`.
    pub fn model(mut self, model: &'static str) -> Self {
        self.model = Some(model);
        self
    }

    /// Fields whose text is not an extensible enum: the service would not replace it with an unknown value.
    pub fn fixed_words(mut self, fields: &'static [&'static str]) -> Self {
        self.fixed_words = fields;
        self
    }

    /// The client method for the operation.
    pub fn call<F>(mut self, call: F) -> Self
    where
        F: Fn(ArmClient) -> BoxFuture<'static, Decoded> + Send + Sync + 'static,
    {
        self.call = Some(Arc::new(call));
        self
    }

    /// Operation and variant.
    pub fn name(&self) -> String {
        match self.variant {
            "" => self.operation.to_owned(),
            variant => format!("{}_{variant}", self.operation),
        }
    }
}

/// Calls a method that returns one thing.
pub fn one<T: Debug>(call: impl Future<Output = Result<T>> + Send + 'static) -> BoxFuture<'static, Decoded> {
    call.map(|answer| Ok(vec![shown(&answer?)])).boxed()
}

/// Calls a method that returns one thing, or `None`.
pub fn one_or_none<T: Debug>(
    call: impl Future<Output = Result<Option<T>>> + Send + 'static,
) -> BoxFuture<'static, Decoded> {
    call.map(|answer| Ok(answer?.iter().map(shown).collect())).boxed()
}

/// Reads a list to its end.
pub fn all<T: Debug>(list: impl Stream<Item = Result<T>> + Send + 'static) -> BoxFuture<'static, Decoded> {
    list.map_ok(|item| shown(&item)).try_collect().boxed()
}

/// Waits for a long-running operation.
pub fn done<T: Debug + Send + 'static>(operation: Poller<T>) -> BoxFuture<'static, Decoded> {
    one(operation.into_future())
}

/// A value as Rust shows it, with what fits on a line on one line.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:#?}");
    folded(&text.lines().collect::<Vec<_>>()).join("\n")
}

const WIDTH: usize = 120;

/// A bracket at the end of a line is closed by the next line that begins in the same column.
fn folded(mut lines: &[&str]) -> Vec<String> {
    let column = |line: &str| line.len() - line.trim_start().len();
    let mut done = Vec::new();
    while let [first, inside @ ..] = lines {
        let closing = inside.iter().position(|line| column(line) == column(first));
        let Some(closing) = closing.filter(|_| first.ends_with(['(', '[', '{'])) else {
            done.push((*first).to_owned());
            lines = inside;
            continue;
        };
        let within = folded(&inside[..closing]);
        let parts: Vec<&str> = within.iter().map(|line| line.trim_start()).collect();
        let pad = if first.ends_with('{') { " " } else { "" };
        let close = inside[closing].trim_start();
        let line = format!("{first}{pad}{}{pad}{close}", parts.join(" ").trim_end_matches(','));
        if line.len() <= WIDTH && !parts.iter().any(|part| part.ends_with(['(', '[', '{'])) {
            done.push(line);
        } else {
            done.push((*first).to_owned());
            done.extend(within);
            done.push(inside[closing].to_owned());
        }
        lines = &inside[closing + 1..];
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_on_a_line_is_shown_on_one() {
        #[derive(Debug)]
        #[allow(dead_code, reason = "shown")]
        struct Thing {
            name: Option<&'static str>,
            parts: Vec<Thing>,
            of: (),
        }
        let thing = |name, parts| Thing { name, parts, of: () };
        assert_eq!(
            shown(&thing(Some("a, { \n"), vec![])),
            r#"Thing { name: Some("a, { \n"), parts: [], of: () }"#
        );
        let long: &str = "x".repeat(90).leak();
        assert_eq!(
            shown(&thing(None, vec![thing(Some(long), vec![]), thing(None, vec![])])).replace(long, "x"),
            "Thing {\n    name: None,\n    parts: [\n        Thing {\n            name: Some(\"x\"),\n            \
             parts: [],\n            of: (),\n        },\n        Thing { name: None, parts: [], of: () },\n    \
             ],\n    of: (),\n}"
        );
    }
}
