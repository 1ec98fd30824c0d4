//! The state that all connections share: the double, the world to which it can be reset, and the journal.

use std::{
    fs::File,
    io::{self, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use azure_core::Bytes;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::control;
use crate::{
    app::{self, Disposition},
    http::Request,
    state::{MockAzure, Seed, clock},
};

/// A double that is served.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) azure: MockAzure,
    world: Mutex<Option<String>>,
    journal: Mutex<Option<File>>,
}

/// The first line of a journal: the initial state.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Beginning {
    /// The version of the format: 1.
    journal: u32,
    world: String,
    at: String,
    running: bool,
}

/// Every other line: a request and its time.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    at: String,
    method: String,
    authority: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The content of a journal.
#[derive(Debug)]
pub(super) struct Saved {
    beginning: Beginning,
    entries: Vec<Entry>,
}

impl Saved {
    /// Reads a journal. Its last line may be incomplete: that request was not answered.
    pub(super) fn read(text: &str) -> io::Result<Self> {
        let mut lines = text.lines();
        let wrong = |line: usize, error: serde_json::Error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {line} of the saved file: {error}"))
        };
        let first = lines.next().unwrap_or_default();
        let beginning: Beginning = serde_json::from_str(first).map_err(|error| wrong(1, error))?;
        let mut entries = Vec::new();
        let mut lines = lines.enumerate().peekable();
        while let Some((at, line)) = lines.next() {
            match serde_json::from_str(line) {
                Ok(entry) => entries.push(entry),
                Err(_) if lines.peek().is_none() && !text.ends_with('\n') => {}
                Err(error) => return Err(wrong(at + 2, error)),
            }
        }
        Ok(Self { beginning, entries })
    }

    /// The seed of the initial world.
    pub(super) fn seed(&self) -> io::Result<Seed> {
        let seed = Seed::from_text(&self.beginning.world).map_err(invalid)?;
        Ok(seed.starts_at(time(&self.beginning.at)?))
    }

    pub(super) fn world(&self) -> String {
        self.beginning.world.clone()
    }
}

impl Program {
    pub(super) fn new(azure: MockAzure, world: Option<String>) -> Self {
        Self { azure, world: Mutex::new(world), journal: Mutex::new(None) }
    }

    /// The world to which `reset` returns.
    pub(super) fn world(&self) -> Option<String> {
        locked(&self.world).clone()
    }

    pub(super) fn remember(&self, world: String) {
        *locked(&self.world) = Some(world);
    }

    /// Replays all requests. A clock that was running then shows the real time.
    pub(super) fn replay(&self, saved: &Saved) -> io::Result<()> {
        if saved.beginning.running {
            self.azure.run_freely();
        }
        for entry in &saved.entries {
            let body = BASE64_STANDARD.decode(&entry.body).map_err(invalid)?;
            self.azure.clock.show(time(&entry.at)?);
            self.act(Request {
                method: entry.method.clone(),
                authority: entry.authority.clone(),
                path: entry.path.clone(),
                query: entry.query.clone(),
                headers: entry.headers.clone(),
                body: Bytes::from(body),
            });
        }
        if self.azure.is_running_freely() {
            self.azure.clock.show(clock::of_this_machine().max(self.azure.now()));
        }
        Ok(())
    }

    /// Records all requests from now on, after those in `saved`.
    pub(super) fn save_to(&self, mut file: File, saved: Option<&Saved>) -> io::Result<()> {
        let text = |value: serde_json::Result<String>| value.map_err(io::Error::other);
        match saved {
            Some(Saved { beginning, entries }) => {
                writeln!(file, "{}", text(serde_json::to_string(beginning))?)?;
                for entry in entries {
                    writeln!(file, "{}", text(serde_json::to_string(entry))?)?;
                }
            }
            None => {
                let beginning = Beginning {
                    journal: 1,
                    world: self.world().unwrap_or_else(|| "{}".to_owned()),
                    at: rfc3339(self.azure.now())?,
                    running: self.azure.is_running_freely(),
                };
                writeln!(file, "{}", text(serde_json::to_string(&beginning))?)?;
            }
        }
        *locked(&self.journal) = Some(file);
        Ok(())
    }

    /// Handles one request. If there is a journal, the request is written to it before it is answered.
    pub(super) fn handle(&self, request: Request) -> io::Result<Disposition> {
        let mut journal = locked(&self.journal);
        if let Some(file) = journal.as_mut() {
            let now = self.azure.now();
            self.azure.clock.show(now);
            let line = serde_json::to_string(&Entry::of(&request, now)?).map_err(io::Error::other)?;
            writeln!(file, "{line}").and_then(|()| file.flush())?;
        }
        Ok(self.act(request))
    }

    /// Stops the clock while a request is answered, so that a replay gives the same response.
    fn act(&self, request: Request) -> Disposition {
        if let Some(reply) = control::answer(self, &request) {
            return Disposition::Answered(reply);
        }
        let mut state = self.azure.shared.lock();
        let was_running = self.azure.is_running_freely();
        self.azure.freeze();
        let disposition = app::handle(&mut state, request);
        if was_running {
            self.azure.run_freely();
        }
        disposition
    }
}

impl Entry {
    fn of(request: &Request, now: OffsetDateTime) -> io::Result<Self> {
        Ok(Self {
            at: rfc3339(now)?,
            method: request.method.clone(),
            authority: request.authority.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: BASE64_STANDARD.encode(&request.body),
        })
    }
}

fn rfc3339(time: OffsetDateTime) -> io::Result<String> {
    time.format(&Rfc3339).map_err(io::Error::other)
}

fn time(text: &str) -> io::Result<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(invalid)
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
