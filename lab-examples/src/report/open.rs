//! What is still open, and what is not known: read off the page alone.

use serde::Serialize;

use crate::report::page::{ReportPage, Section};

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Known to be well.
    Well,
    /// Something is to be done.
    Open,
    /// Nothing is known: neither well nor open.
    NotKnown,
}

impl Standing {
    /// The class of what shows it.
    pub fn class(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Open => "open",
            Self::NotKnown => "unknown",
        }
    }
}

/// Something that is open or not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenItem {
    /// Which of the two.
    pub standing: Standing,
    /// What it is.
    pub text: String,
    /// The part of the page that it is about.
    pub section: &'static str,
}

/// What is open first, then what is not known.
pub fn items(page: &ReportPage) -> Vec<OpenItem> {
    let mut found = Found(Vec::new());
    plans(page, &mut found);
    vaults(page, &mut found);
    alerts(page, &mut found);
    exposure(page, &mut found);
    rotations(page, &mut found);
    for part in page.run.iter().flat_map(|run| &run.parts).filter(|part| !part.ok) {
        let reason = part.error.as_deref().unwrap_or("a step failed");
        found.open("run", format!("{}: {reason}", part.title));
    }
    for step in page.run.iter().flat_map(|run| &run.parts).flat_map(|part| &part.steps) {
        if step.outcome == "waiting" {
            found.not_known("run", format!("{}: waiting. {}", step.what, step.detail));
        }
    }
    found.0.sort_by_key(|item| item.standing == Standing::NotKnown);
    found.0
}

struct Found(Vec<OpenItem>);

impl Found {
    fn open(&mut self, section: &'static str, text: String) {
        self.0.push(OpenItem { standing: Standing::Open, text, section });
    }

    fn not_known(&mut self, section: &'static str, text: String) {
        self.0.push(OpenItem { standing: Standing::NotKnown, text, section });
    }

    /// What was read; where it was not, that is noted.
    fn read<'a, T>(&mut self, name: &'static str, what: &str, section: &'a Section<T>) -> Option<&'a T> {
        if let Section::NotRead(reason) = section {
            self.not_known(name, format!("{what} could not be read: {reason}"));
        }
        section.read()
    }
}

/// The plans that the lab is about, and their titles.
pub(crate) const LAB_PLANS: [(&str, &str); 2] =
    [("KeyVaults", "Defender for Key Vault"), ("CloudPosture", "Defender CSPM")];

fn plans(page: &ReportPage, found: &mut Found) {
    let Some(plans) = found.read("plans", "the plans", &page.plans) else { return };
    for (name, title) in LAB_PLANS {
        match plans.iter().find(|plan| plan.plan == name) {
            None => found.not_known("plans", format!("the service did not list the plan {name} ({title})")),
            Some(plan) if !plan.on => found.open("plans", format!("{title} is off: turn the plan {name} on")),
            Some(_) => {}
        }
    }
    for plan in plans.iter().filter(|plan| !plan.extensions_failed.is_empty()) {
        let failed = plan.extensions_failed.join(", ");
        found.open("plans", format!("extensions of {} failed and are not on: {failed}", plan.plan));
    }
}

fn vaults(page: &ReportPage, found: &mut Found) {
    let Some(vaults) = found.read("vaults", "the vaults", &page.vaults) else { return };
    for vault in vaults {
        for (gap, fix) in &vault.gaps {
            found.open("vaults", format!("{}: {gap}. To do: {fix}", vault.name));
        }
    }
}

fn alerts(page: &ReportPage, found: &mut Found) {
    let Some(alerts) = found.read("alerts", "the alerts", &page.alerts) else { return };
    if alerts.open > 0 {
        found.open("alerts", format!("{} alerts are neither resolved nor dismissed", alerts.open));
    }
    if alerts.open_samples > 0 {
        let count = alerts.open_samples;
        found.open("alerts", format!("{count} sample alerts are neither resolved nor dismissed"));
    }
    let blind = alerts.newest.iter().filter(|alert| alert.open && alert.log.contains("not known")).count();
    if blind > 0 {
        found.not_known(
            "alerts",
            format!("of {blind} open alerts, the logs do not tell which secrets were touched"),
        );
    }
}

fn exposure(page: &ReportPage, found: &mut Found) {
    if let Some(paths) = found.read("paths", "the attack paths", &page.attack_paths) {
        for path in &paths.paths {
            found.open("paths", format!("attack path: {}", path.title));
        }
        for blind in &paths.blind {
            found.not_known("paths", format!("attack paths: {blind}"));
        }
    }
    if let Some(secrets) = found.read("secrets", "the exposed secrets", &page.secrets) {
        for finding in &secrets.findings {
            found.open("secrets", format!("secret in plain text on {}: {}", finding.resource, finding.title));
        }
        for blind in &secrets.blind {
            found.not_known("secrets", format!("exposed secrets: {blind}"));
        }
        if secrets.findings.is_empty() && !secrets.clean && secrets.blind.is_empty() {
            found.not_known("secrets", "exposed secrets: no source answered that there are none".to_owned());
        }
    }
    if let Some(recommendations) = found.read("recommendations", "the recommendations", &page.recommendations)
        && !recommendations.is_empty()
    {
        found.open("recommendations", format!("{} recommendations are not followed", recommendations.len()));
    }
}

fn rotations(page: &ReportPage, found: &mut Found) {
    let Some(ledger) = found.read("ledger", "the rotation ledger", &page.ledger) else { return };
    for rotation in ledger.rotations.iter().filter(|rotation| !rotation.finished) {
        found.open(
            "ledger",
            format!("the rotation of {} in {} is not finished", rotation.secret, rotation.vault),
        );
    }
    if ledger.unreadable > 0 {
        found.not_known("ledger", format!("{} lines of the ledger could not be read", ledger.unreadable));
    }
}
