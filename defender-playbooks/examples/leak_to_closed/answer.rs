//! The response, exactly as it would run on real Azure: nothing here depends on the double.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use defender_playbooks::{
    InvestigationsClient, VaultReaders,
    arm_core::{ArmClient, Outcome},
    containment::{ContainmentReport, ContainmentsClient},
    defender_alerts::{AlertAction, AlertId, AlertsClient},
    keyvault_ops::{
        Consumers, EndedVersions, Issuer, RotateError, Rotation, SecretId, SecretName, VaultId, rotate_many,
    },
    leaks::{self, LeakPlan, LeakReport, LeaksClient, SecretFacts},
};
use futures::StreamExt as _;

use super::Done;

/// What is known when the alert arrives.
pub(crate) struct Case {
    pub(crate) arm: ArmClient,
    pub(crate) alert: AlertId,
    pub(crate) vault: VaultId,
    /// The addresses that may still reach the vault: our own first, then those of the applications.
    pub(crate) keep: Vec<String>,
    /// What the scanner found, and what it finds after the file was removed.
    pub(crate) first: LeakReport,
    pub(crate) second: LeakReport,
    /// The issuer of each secret's credential.
    pub(crate) issuers: BTreeMap<SecretName, Arc<dyn Issuer>>,
    pub(crate) readers: VaultReaders,
    pub(crate) consumers: Arc<dyn Consumers>,
}

/// The findings and actions.
pub(crate) struct Answer {
    /// The secrets that the attacker has read.
    pub(crate) taken: BTreeSet<String>,
    pub(crate) contained: ContainmentReport,
    pub(crate) plan: LeakPlan,
    pub(crate) rotations: Vec<Outcome<SecretId, Rotation, RotateError>>,
    pub(crate) is_resolved: bool,
    pub(crate) report: String,
}

pub(crate) async fn answer(case: &Case) -> Done<Answer> {
    let arm = &case.arm;
    // Evidence: who the attacker is, and which secrets they read.
    let alerts = AlertsClient::new(arm);
    let found = InvestigationsClient::new(arm).investigate(&alerts.get(&case.alert).await?).await;
    let taken = found.secrets_read().ok_or("the logs are incomplete: rotate everything in the vault")?;
    let stranger = found.finding.caller.object_id.as_deref().ok_or("the alert names nobody")?;

    // Containment: plan, review, carry out. The plan is the record for the undo, so store it first. Steps that cannot
    // be undone must be requested explicitly, and `record.irreversible()` lists them.
    let containments = ContainmentsClient::new(arm);
    let mut plan = containments.plan(&case.vault).principal(stranger.parse()?);
    plan = plan.disable_sign_in().revoke_sessions().lock(format!("alert {}", case.alert));
    if let [own, others @ ..] = case.keep.as_slice() {
        plan = plan.narrow_network(others.to_vec()).own_address(own);
    }
    let record = plan.await?;
    let contained = containments.contain(&record).await?;

    // Which secrets have leaked, who reads each, and what comes first?
    let leaks = LeaksClient::new(arm);
    let vaults = [case.vault.name().parse()?];
    let would = leaks.find_secrets(case.first.clone(), vaults.clone()).dry_run().await?;
    let matches = leaks.find_secrets(case.first.clone(), vaults).reads_at_most(would.reads).await?;
    let plan = LeakPlan::with_readers(&matches, std::slice::from_ref(&case.readers), |secret| {
        let mut facts = SecretFacts::default().followed_by(case.consumers.clone());
        if let Some(issuer) = case.issuers.get(&secret.name) {
            facts = facts.issued_by(issuer.clone());
        }
        if taken.contains(secret.name.as_str()) { facts.misused() } else { facts }
    })
    .await;

    // Rotation, four secrets at a time: sets new credentials, waits for the readers to move, and revokes the old ones.
    let rotations: Vec<_> = rotate_many(plan.rotations(arm)?, 4).collect().await;
    // After the rotations, the secrets of which only old versions leaked.
    let mut ended = Vec::new();
    for end in plan.retirements(arm)? {
        ended.push(end.await);
    }
    let is_done = contained.is_complete()
        && matches.is_complete()
        && rotations.iter().all(|it| it.result.as_ref().is_ok_and(Rotation::is_complete))
        && ended.iter().all(|it| it.as_ref().is_ok_and(EndedVersions::is_complete));
    let is_resolved =
        is_done && alerts.set_status([case.alert.clone()], AlertAction::Resolve).await?.is_complete();

    // The result of a second scan for each leak.
    let closed = leaks::close(&matches.report, &case.second, &["shop/web".to_owned()].into());
    let report = leaks::to_markdown(&plan, &rotations, &ended, &closed);
    Ok(Answer { taken, contained, plan, rotations, is_resolved, report })
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the attacker has read: {}", self.taken.iter().cloned().collect::<Vec<_>>().join(", "))?;
        write!(f, "{}", self.contained)?;
        writeln!(f)?;
        writeln!(f, "{}", self.report)?;
        f.write_str(if self.is_resolved { "the alert is resolved" } else { "the alert stays open" })
    }
}
