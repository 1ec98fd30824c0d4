//! Faults described in JSON.

use std::time::Duration;

use serde::Deserialize;

use crate::state::faults::Fault;

/// A fault: its effect, and the requests that it affects. Default: the next one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scripted {
    effect: Effect,
    /// The error code of a `status` effect.
    code: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Affects only requests with this method.
    method: Option<String>,
    /// Affects only requests whose URL contains this.
    #[serde(default)]
    url_contains: String,
    /// The number of matching requests to skip first.
    skip: Option<u64>,
    /// The number of requests to affect. Default: one, or all with `always`.
    times: Option<u64>,
    #[serde(default)]
    always: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Effect {
    Status(u16),
    ThrottledSeconds(u64),
    DelaySeconds(f64),
    Reset,
    ResetAfterActing,
    Truncated,
    WrongContentType { mime: String, text: String },
    Body { status: u16, text: String },
    ForeignNextLink(String),
    Header { name: String, value: String },
    Seeded { seed: u64, one_in: u64 },
}

impl Scripted {
    pub(super) fn fault(self) -> Result<Fault, String> {
        let mut fault = match self.effect {
            Effect::Status(status) => Fault::status(status),
            Effect::ThrottledSeconds(after) => Fault::throttled(Duration::from_secs(after)),
            Effect::DelaySeconds(delay) => Fault::delay(
                Duration::try_from_secs_f64(delay).map_err(|error| format!("delay_seconds: {error}"))?,
            ),
            Effect::Reset => Fault::reset(),
            Effect::ResetAfterActing => Fault::reset_after_acting(),
            Effect::Truncated => Fault::truncated(),
            Effect::WrongContentType { mime, text } => Fault::wrong_content_type(&mime, &text),
            Effect::Body { status, text } => Fault::body(status, text),
            Effect::ForeignNextLink(link) => Fault::foreign_next_link(&link),
            Effect::Header { name, value } => Fault::header(&name, &value),
            Effect::Seeded { seed, one_in } => Fault::seeded(seed, one_in),
        };
        if let Some(code) = &self.code {
            fault = fault.code(code);
        }
        for (name, value) in &self.headers {
            fault = fault.with_header(name, value);
        }
        fault = fault.on(self.method.as_deref().unwrap_or("*"), &self.url_contains);
        if let Some(skip) = self.skip {
            fault = fault.skip(skip);
        }
        Ok(match (self.times, self.always) {
            (Some(_), true) => return Err("'times' and 'always' exclude each other".to_owned()),
            (Some(times), false) => fault.times(times),
            (None, true) => fault.always(),
            (None, false) => fault,
        })
    }
}
