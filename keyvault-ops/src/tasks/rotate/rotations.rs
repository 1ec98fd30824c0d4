//! The report of many rotations, as text, JSON and HTML.

use std::{fmt, fmt::Write as _};

use arm_core::{Outcome, printable};
use serde::Serialize;
use serde_json::{Value, json};

use super::{RotateError, RotateFailure, Rotation};
use crate::{SecretId, SecretVersion};

/// The report of [`rotate_many`](crate::rotate_many): the outcome for each secret, the worst first. It contains no
/// secret value.
///
/// Collect the outcomes of `rotate_many` into it. [`Display`](fmt::Display) formats it as text;
/// [`to_json`](Self::to_json) and [`to_html`](Self::to_html) are for programs and browsers.
///
/// ```
/// # async fn f(rotations: Vec<keyvault_ops::Rotate>) -> std::io::Result<()> {
/// use futures::StreamExt as _;
/// use keyvault_ops::{Rotations, rotate_many};
///
/// let report: Rotations = rotate_many(rotations, 4).collect().await;
/// println!("{report}");
/// std::fs::write("rotations.html", report.to_html())?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotations {
    /// One outcome for each secret; those that need attention come first.
    pub all: Vec<ReportedRotation>,
}

/// The outcome for one secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReportedRotation {
    /// How it ended.
    pub state: RotationState,
    /// The secret, as a URL without a version.
    pub secret: String,
    /// The rotation's id, with which it can be resumed.
    pub id: String,
    /// The full report as text, including what is left to do.
    pub said: String,
    /// The version that was current before, if known.
    pub previous: Option<String>,
    /// The version that was set.
    pub current: Option<String>,
    /// The old credentials that were revoked.
    pub revoked: Vec<String>,
    /// The versions whose credential was not revoked and may still be valid.
    pub unrevoked: Vec<String>,
    /// The credentials that may be left over at the issuer.
    pub orphans: Vec<String>,
    /// The versions that somebody else set or enabled in the meantime.
    pub later: Vec<String>,
}

/// How a rotation ended, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum RotationState {
    /// The current value does not work at its issuer: a working one must be set now.
    Dead,
    /// It stopped; [`said`](ReportedRotation::said) says why, and whether running it again resumes it.
    Stopped,
    /// The new value is current, but something is left to do.
    Incomplete,
    /// A dry run: nothing was done.
    Planned,
    /// Everything is done.
    Complete,
}

impl RotationState {
    const ALL: [Self; 5] = [Self::Dead, Self::Stopped, Self::Incomplete, Self::Planned, Self::Complete];

    fn of(result: &Result<Rotation, RotateError>) -> Self {
        match result {
            Err(error) if matches!(*error.source, RotateFailure::CurrentCredentialDead { .. }) => Self::Dead,
            Err(_) => Self::Stopped,
            Ok(rotation) if rotation.dry_run => Self::Planned,
            Ok(rotation) if rotation.is_complete() => Self::Complete,
            Ok(_) => Self::Incomplete,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Stopped => "stopped",
            Self::Incomplete => "incomplete",
            Self::Planned => "planned",
            Self::Complete => "complete",
        }
    }
}

impl fmt::Display for RotationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl ReportedRotation {
    fn of(Outcome { target, result }: Outcome<SecretId, Rotation, RotateError>) -> Self {
        let texts = |versions: &[SecretVersion]| versions.iter().map(ToString::to_string).collect();
        let (done, said) = match &result {
            Ok(rotation) => (rotation, rotation.to_string()),
            Err(error) => (&*error.completed, error.to_string()),
        };
        Self {
            state: RotationState::of(&result),
            secret: target.to_string(),
            id: done.id.clone(),
            said: printable(&said).into_owned(),
            previous: done.previous.as_ref().map(ToString::to_string),
            current: done.current.as_ref().map(ToString::to_string),
            revoked: done.issuer.revoked.clone(),
            unrevoked: texts(&done.issuer.unrevoked),
            orphans: done.issuer.orphans.clone(),
            later: texts(&done.later),
        }
    }
}

impl Rotations {
    /// Returns how many ended in this state.
    pub fn count(&self, state: RotationState) -> usize {
        self.all.iter().filter(|rotation| rotation.state == state).count()
    }

    /// Whether there is at least one rotation, and all are complete.
    pub fn is_complete(&self) -> bool {
        !self.all.is_empty() && self.count(RotationState::Complete) == self.all.len()
    }

    /// The counts, such as `3 rotations: 1 stopped, 2 complete`.
    fn summary(&self) -> String {
        let counts = RotationState::ALL.map(|state| (state, self.count(state)));
        let counts = counts.iter().filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {state}")).collect();
        match (self.all.len(), counts.join(", ")) {
            (0, _) => "no rotations".to_owned(),
            (1, counts) => format!("1 rotation: {counts}"),
            (all, counts) => format!("{all} rotations: {counts}"),
        }
    }

    /// Returns the report for programs: `{"counts": {"complete": 2, ..}, "rotations": [..]}`.
    pub fn to_json(&self) -> Value {
        let counts = RotationState::ALL.map(|state| (state.word().to_owned(), json!(self.count(state))));
        json!({ "counts": serde_json::Map::from_iter(counts), "rotations": self.all })
    }

    /// Returns the report as a standalone HTML page, without scripts or external resources.
    pub fn to_html(&self) -> String {
        let mut page = String::from(HEAD);
        // Writing to a `String` does not fail.
        let _ = write!(
            page,
            "<h1>{}</h1>\n<table>\n<tr><th>State<th>Secret<th>What was done<th>Id</tr>\n",
            Text(&self.summary())
        );
        for ReportedRotation { state, secret, said, id, .. } in &self.all {
            let (secret, said, id) = (Text(secret), Text(said), Text(id));
            let _ = writeln!(page, "<tr class=\"{state}\"><td>{state}<td>{secret}<td>{said}<td>{id}</tr>");
        }
        page.push_str("</table>\n");
        page
    }
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\">
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<title>Rotations</title>
<style>
body { font: 1rem/1.4 system-ui, sans-serif; margin: 2rem; }
table { border-collapse: collapse; }
th, td { border: 1px solid #888; padding: .3rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
.dead td, .stopped td { background: #fdd; color: #000; }
.incomplete td { background: #ffd; color: #000; }
</style>
";

/// A text, escaped for HTML.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            char => f.write_char(char),
        })
    }
}

impl fmt::Display for Rotations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())?;
        self.all.iter().try_for_each(|ReportedRotation { state, secret, said, .. }| {
            write!(f, "\n{state:<10}  {secret}: {said}")
        })
    }
}

impl Extend<Outcome<SecretId, Rotation, RotateError>> for Rotations {
    fn extend<T: IntoIterator<Item = Outcome<SecretId, Rotation, RotateError>>>(&mut self, outcomes: T) {
        for rotation in outcomes.into_iter().map(ReportedRotation::of) {
            let place = self.all.partition_point(|before| *before <= rotation);
            self.all.insert(place, rotation);
        }
    }
}

impl FromIterator<Outcome<SecretId, Rotation, RotateError>> for Rotations {
    fn from_iter<T: IntoIterator<Item = Outcome<SecretId, Rotation, RotateError>>>(outcomes: T) -> Self {
        let mut all = Self::default();
        all.extend(outcomes);
        all
    }
}
