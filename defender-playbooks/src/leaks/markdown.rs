use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _};

use arm_core::Outcome;
use keyvault_ops::{EndError, EndedVersions, RotateError, Rotation, SecretId, SecretName};

use super::{Closing, Leak, LeakPlan, LeakStep, PlannedSecret, Tested};

/// Returns a Markdown report for people: what was found, what was done about it and what is left to do. It contains no
/// secret value.
///
/// `rotations` and `retirements` are the outcomes of the plan's [`rotations`](LeakPlan::rotations) and
/// [`retirements`](LeakPlan::retirements), and `closed` is the result of [`close`](super::close). What is left to do
/// comes first. Only verified results count as done: a secret that was not rotated, an incomplete rotation, and a leak
/// whose place was not scanned again are all left to do.
pub fn to_markdown(
    plan: &LeakPlan,
    rotations: &[Outcome<SecretId, Rotation, RotateError>],
    retirements: &[Result<EndedVersions, EndError>],
    closed: &[(&Leak, Closing)],
) -> String {
    let mut text = "# Leaked secrets\n".to_owned();
    let done = Done { rotations, retirements };
    let left = left(plan, &done, closed);
    text.push_str(if left.is_empty() { "\nNothing is left to do.\n" } else { "\n## Left to do\n\n" });
    for line in left {
        text.push_str(&format!("- {line}\n"));
    }
    if !plan.secrets.is_empty() {
        text.push_str(
            "\n## Secrets\n\n| secret | step | issuer | read by | outcome |\n|---|---|---|---|---|\n",
        );
    }
    for planned in &plan.secrets {
        let (readers, issuer) = (readers(planned), if planned.issuer_known { "known" } else { "not known" });
        let cells = [
            name(&planned.secret),
            cell(step(planned.step)).into_owned(),
            issuer.to_owned(),
            readers,
            cell(&done.outcome(planned).0).into_owned(),
        ];
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    if !closed.is_empty() {
        text.push_str("\n## Second scan\n\n");
    }
    for (leak, closing) in closed {
        let _ =
            writeln!(text, "- {}: {} in {}", said(*closing), cell(&leak.rule), cell(&leak.place.to_string()));
    }
    text
}

/// What is left for people to do, most urgent first.
fn left(plan: &LeakPlan, done: &Done<'_>, closed: &[(&Leak, Closing)]) -> Vec<String> {
    let mut left = Vec::new();
    for planned in &plan.secrets {
        let (what, is_done) = done.outcome(planned);
        if !is_done {
            left.push(format!("{}: {}", name(&planned.secret), cell(&what)));
        }
    }
    let mut by_owner: BTreeMap<&str, Vec<&Leak>> = BTreeMap::new();
    for leak in &plan.for_people {
        by_owner
            .entry(leak.owner.as_deref().unwrap_or("the owner, whom the report does not name"))
            .or_default()
            .push(leak);
    }
    for (owner, leaks) in by_owner {
        for leak in leaks {
            let works = if leak.tested == Tested::Works { ", still valid" } else { "" };
            let (rule, place) = (cell(&leak.rule), cell(&leak.place.to_string()).into_owned());
            left.push(format!(
                "Ask {}: {rule}{works}, not found in any vault that was searched, in {place}",
                cell(owner)
            ));
        }
    }
    let count = |closing| closed.iter().filter(|(_, found)| *found == closing).count();
    match count(Closing::StillThere) {
        0 => {}
        1 => left.push("1 leak is still there: see below".to_owned()),
        still => left.push(format!("{still} leaks are still there: see below")),
    }
    match count(Closing::WaitingForScan) {
        0 => {}
        1 => left.push("1 leak waits for a scan, which does not mean it is fixed: see below".to_owned()),
        waiting => left
            .push(format!("{waiting} leaks wait for a scan, which does not mean they are fixed: see below")),
    }
    left
}

/// What was done about the secrets of a plan.
struct Done<'a> {
    rotations: &'a [Outcome<SecretId, Rotation, RotateError>],
    retirements: &'a [Result<EndedVersions, EndError>],
}

impl Done<'_> {
    /// What was done about a secret, and whether nothing is left to do.
    fn outcome(&self, planned: &PlannedSecret) -> (String, bool) {
        let is_it = |host: &str, name: &SecretName| {
            *name == planned.secret.name && host.eq_ignore_ascii_case(&planned.secret.vault_host)
        };
        let rotation = self.rotations.iter().find(|it| is_it(&it.target.vault_host, &it.target.name));
        if let Some(rotation) = rotation {
            return match &rotation.result {
                Ok(rotation) if rotation.is_complete() && rotation.issuer.configured => {
                    let readers = if rotation.consumers_moved { ", after its readers moved" } else { "" };
                    (format!("rotated, and the old credential revoked{readers}"), true)
                }
                // Without an issuer, the old credential was not revoked and is still valid.
                Ok(rotation) => (rotation.to_string(), false),
                Err(error) => (format!("NOT ROTATED: {error}"), false),
            };
        }
        let ended = |it: &&Result<EndedVersions, EndError>| match it {
            Ok(ended) => is_it(&ended.vault, &ended.secret),
            Err(error) => is_it(&error.completed.vault, &error.completed.secret),
        };
        match self.retirements.iter().find(ended) {
            Some(Ok(ended)) if ended.is_complete() => {
                ("the old versions that leaked are disabled, and their credentials revoked".to_owned(), true)
            }
            Some(Ok(ended)) => (ended.to_string(), false),
            Some(Err(error)) => (format!("NOT DISABLED AND REVOKED: {error}"), false),
            None => (step(planned.step).to_owned(), false),
        }
    }
}

fn step(step: LeakStep) -> &'static str {
    match step {
        LeakStep::RevokeFirst => "rotate, and revoke the old credential immediately: it is being misused",
        LeakStep::Rotate => "rotate",
        LeakStep::RetireOld => "disable the old versions that leaked, and revoke their credentials",
        LeakStep::LookAt => "check it: it only resembles a leaked one",
    }
}

fn said(closing: Closing) -> &'static str {
    match closing {
        Closing::Gone => "gone",
        Closing::StillThere => "**still there**",
        Closing::Dismissed => "dismissed, and still there",
        Closing::WaitingForScan => "waiting for a scan",
    }
}

fn readers(planned: &PlannedSecret) -> String {
    let named = planned.readers.iter().map(|reader| cell(reader)).collect::<Vec<_>>().join(", ");
    match (planned.readers_unknown.is_empty(), named.is_empty()) {
        (true, false) => named,
        (true, true) => "nobody known".to_owned(),
        (false, true) => "**not known**".to_owned(),
        (false, false) => format!("{named}; **possibly more**"),
    }
}

fn name(secret: &SecretId) -> String {
    cell(&format!("{} of {}", secret.name, secret.vault_host)).into_owned()
}

/// Escapes untrusted text: no control characters, and nothing that Markdown or HTML would interpret.
fn cell(text: &str) -> Cow<'_, str> {
    let special = |one: char| "\\`*_[]<>|#~&!".contains(one);
    let shown = arm_core::printable(text);
    if !shown.contains(special) {
        return shown;
    }
    let mut escaped = String::with_capacity(shown.len() + 8);
    for one in shown.chars() {
        if special(one) {
            escaped.push('\\');
        }
        escaped.push(one);
    }
    Cow::Owned(escaped)
}
