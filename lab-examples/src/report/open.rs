//! Determines what is still open and what is unknown, from the page alone.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    report::page::{ReportPage, Section},
    screen::plural,
};

/// The status of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// Known to be fine.
    Well,
    /// Something needs to be done.
    Open,
    /// Unknown: neither fine nor open.
    NotKnown,
}

impl Standing {
    /// Returns the CSS class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Open => "open",
            Self::NotKnown => "unknown",
        }
    }
}

/// Something that is open or unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenItem {
    /// Whether it is open or unknown.
    pub standing: Standing,
    /// The description.
    pub text: String,
    /// The section of the page to which it belongs.
    pub section: &'static str,
    /// The severity as given by the service; empty if there is none.
    pub severity: String,
}

impl OpenItem {
    /// The position in the list: by severity, the worst first, then unrated items, then unknown ones.
    fn rank(&self) -> usize {
        match self.standing {
            Standing::NotKnown => usize::MAX,
            _ => rank_of(&self.severity),
        }
    }
}

/// The rank of a severity: the worst first, unrated last.
pub(crate) fn rank_of(severity: &str) -> usize {
    let worst_first = ["critical", "high", "medium", "low", "", "informational"];
    // A severity that this version does not know may be the worst.
    worst_first.iter().position(|word| word.eq_ignore_ascii_case(severity)).unwrap_or(0)
}

/// Returns the open items by severity, the worst first, then the unknown ones.
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
    found.0.sort_by_key(OpenItem::rank);
    found.0
}

struct Found(Vec<OpenItem>);

impl Found {
    fn open(&mut self, section: &'static str, text: String) {
        self.graded(section, "", text);
    }

    fn graded(&mut self, section: &'static str, severity: &str, text: String) {
        self.0.push(OpenItem { standing: Standing::Open, text, section, severity: severity.to_owned() });
    }

    fn not_known(&mut self, section: &'static str, text: String) {
        self.0.push(OpenItem { standing: Standing::NotKnown, text, section, severity: String::new() });
    }

    /// Returns the content of a section; if it was not read, adds an unknown item.
    fn read<'a, T>(&mut self, name: &'static str, what: &str, section: &'a Section<T>) -> Option<&'a T> {
        if let Section::NotRead(reason) = section {
            self.not_known(name, format!("{what} could not be read: {reason}"));
        }
        section.read()
    }
}

/// The lab's plans and their titles.
pub(crate) const LAB_PLANS: [(&str, &str); 2] =
    [("KeyVaults", "Defender for Key Vault"), ("CloudPosture", "Defender CSPM")];

fn plans(page: &ReportPage, found: &mut Found) {
    let Some(plans) = found.read("plans", "the plans", &page.plans) else { return };
    for (name, title) in LAB_PLANS {
        match plans.iter().find(|plan| plan.plan == name) {
            None => found.not_known("plans", format!("the service did not list the plan {name} ({title})")),
            Some(plan) if !plan.on => {
                found.graded("plans", "High", format!("{title} is off: turn on the plan {name}"));
            }
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
    let open = alerts.newest.iter().filter(|alert| alert.open && !alert.sample);
    let mut shown = 0;
    for (severity, count) in by_severity(open.map(|alert| alert.severity.as_str())) {
        shown += count;
        found.graded("alerts", severity, format!("{} neither resolved nor dismissed", alerts_are(count, "")));
    }
    if alerts.open > shown {
        let older = alerts_are(alerts.open - shown, "older ");
        found.open("alerts", format!("{older} neither resolved nor dismissed"));
    }
    if alerts.open_samples > 0 {
        let samples = alerts_are(alerts.open_samples, "sample ");
        found.graded("alerts", "Informational", format!("{samples} neither resolved nor dismissed"));
    }
    let blind = alerts.newest.iter().filter(|alert| alert.open && alert.log.contains("not known")).count();
    if blind > 0 {
        found.not_known(
            "alerts",
            format!("for {}, the logs do not show which secrets were accessed", plural(blind, "open alert")),
        );
    }
}

fn exposure(page: &ReportPage, found: &mut Found) {
    if let Some(paths) = found.read("paths", "the attack paths", &page.attack_paths) {
        for path in &paths.paths {
            found.graded(
                "paths",
                path.risk.as_deref().unwrap_or_default(),
                format!("attack path: {}", path.title),
            );
        }
        for blind in &paths.blind {
            found.not_known("paths", format!("attack paths: {blind}"));
        }
    }
    if let Some(secrets) = found.read("secrets", "the exposed secrets", &page.secrets) {
        for finding in &secrets.findings {
            let text = format!("secret in plain text on {}: {}", finding.resource, finding.title);
            found.graded("secrets", finding.severity.as_deref().unwrap_or_default(), text);
        }
        for blind in &secrets.blind {
            found.not_known("secrets", format!("exposed secrets: {blind}"));
        }
        if secrets.findings.is_empty() && !secrets.clean && secrets.blind.is_empty() {
            found.not_known("secrets", "exposed secrets: no source confirmed that there are none".to_owned());
        }
    }
    if let Some(recommendations) = found.read("recommendations", "the recommendations", &page.recommendations)
    {
        for (severity, count) in by_severity(recommendations.iter().map(|it| it.severity.as_str())) {
            let are = if count == 1 { "is" } else { "are" };
            let text = format!("{} {are} unmet", plural(count, "recommendation"));
            found.graded("recommendations", severity, text);
        }
    }
}

/// Counts the items of each severity.
fn by_severity<'a>(severities: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    severities.for_each(|severity| *counts.entry(severity).or_default() += 1);
    counts
}

fn alerts_are(count: usize, kind: &str) -> String {
    format!("{} {}", plural(count, &format!("{kind}alert")), if count == 1 { "is" } else { "are" })
}

/// Descriptions of everything that could hide a finding: what was not read, and what is not covered. An inconclusive
/// log of an alert hides no finding.
pub(crate) fn items_that_hide(page: &ReportPage) -> Vec<String> {
    let mut found = Found(Vec::new());
    plans(page, &mut found);
    exposure(page, &mut found);
    found.read("vaults", "the vaults", &page.vaults);
    if found.read("alerts", "the alerts", &page.alerts).is_some_and(|alerts| alerts.total == 0)
        && let Some(plan) = page.plans.read().and_then(|plans| plans.iter().find(|it| it.plan == "KeyVaults"))
        && !plan.on
    {
        found.not_known("alerts", "alerts: Defender for Key Vault is off".to_owned());
    }
    for vault in page.vaults.read().into_iter().flatten().filter(|vault| vault.logged.is_none()) {
        found.not_known("vaults", format!("{}: could not determine whether it is logged", vault.name));
    }
    let hides = found.0.into_iter().filter(|item| item.standing == Standing::NotKnown);
    hides.map(|item| item.text).collect()
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
