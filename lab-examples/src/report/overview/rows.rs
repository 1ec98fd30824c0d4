//! Converts what was read to the rows of the page.

use std::collections::BTreeMap;

use defender_playbooks::{
    findings::{Finding, FindingKind, Findings},
    overview::{Overview, SubscriptionOverview},
};

use super::page::{FindingRow, NotKnownRow, OverviewPage, SubscriptionRow, VERSION};
use crate::{
    advice,
    report::{
        gather::{plan_rows, vault_row},
        open::rank_of,
        page::Section,
    },
};

pub(super) fn page(
    overview: &Overview,
    findings: &Findings,
    scope: Vec<String>,
    signed_in_with: &str,
) -> OverviewPage {
    let mut rows: Vec<FindingRow> = findings.findings.iter().map(finding).collect();
    rows.sort_by_key(|row| (!row.open || row.sample, rank_of(row.severity.as_deref().unwrap_or_default())));
    let not_known = findings.not_known.iter().map(|unknown| NotKnownRow {
        subscription: unknown.subscription.as_ref().map(ToString::to_string),
        what: unknown.what.clone(),
    });
    OverviewPage {
        version: VERSION,
        scope,
        tenant: overview.tenant.clone().unwrap_or_default(),
        signed_in_with: signed_in_with.to_owned(),
        read_at: overview.read_at,
        subscriptions: overview.subscriptions.iter().map(|it| subscription(it, findings)).collect(),
        findings: rows,
        not_known: not_known.collect(),
    }
}

fn subscription(read: &SubscriptionOverview, findings: &Findings) -> SubscriptionRow {
    let own = || findings.findings.iter().filter(|it| it.subscription.as_ref() == Some(&read.id));
    let mut open = BTreeMap::new();
    for finding in own().filter(|it| it.is_open() && !it.is_sample) {
        let severity = finding.severity.as_ref().map_or("notKnown".to_owned(), ToString::to_string);
        *open.entry(severity).or_default() += 1;
    }
    let is_answered = |it: &&Finding| it.kind == FindingKind::Alert && !it.is_open() && !it.is_sample;
    let seen = read.seen.as_ref();
    let not_read = seen.err().map(advice::explain);
    let hidden = || not_read.clone().unwrap_or_default();
    SubscriptionRow {
        id: read.id.to_string(),
        name: seen.ok().map(|seen| seen.name.clone()),
        state: seen.ok().map(|seen| seen.state.to_string()),
        open,
        answered: own().filter(is_answered).count(),
        plans: seen.map_or_else(
            |_| Section::NotRead(hidden()),
            |seen| section(&seen.plans, |plans| plan_rows(plans)),
        ),
        vaults: seen.map_or_else(
            |_| Section::NotRead(hidden()),
            |seen| section(&seen.vaults, |vaults| vaults.iter().map(vault_row).collect()),
        ),
        not_read,
    }
}

fn section<A, B>(read: &azure_core::Result<A>, rows: impl Fn(&A) -> B) -> Section<B> {
    match read {
        Ok(read) => Section::Read(rows(read)),
        Err(error) => Section::NotRead(advice::explain(error)),
    }
}

fn finding(finding: &Finding) -> FindingRow {
    FindingRow {
        kind: finding.kind.as_str().to_owned(),
        severity: finding.severity.as_ref().map(ToString::to_string),
        status: finding.status.as_str().to_owned(),
        open: finding.is_open(),
        sample: finding.is_sample,
        title: finding.title.clone(),
        subscription: finding.subscription.as_ref().map(ToString::to_string),
        resources: finding.resources.clone(),
        first: finding.first,
        remediation: finding.remediation.clone(),
        id: finding.id.clone(),
    }
}
