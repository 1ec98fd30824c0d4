//! Task 6: rotate what was exposed, retire the old versions, verify it.

use std::{sync::Arc, time::Duration};

use arm_core::{ArmErrorExt as _, ArmPath, ResourceId, ResourceType, Task, refuse};
use azure_core::Result;
use defender_alerts::{
    Alert, AlertAction, AlertStatus, AlertsClient, AssessmentCode, AssessmentFilter, AssessmentsClient,
    AttackPathsClient,
};
use defender_playbooks::{
    CoverageClient, VaultCoverage,
    plan::{PlannedAlert, PlannedSecret, Step},
};
use defender_pricing::{PlanName, PricingClient};
use futures::TryStreamExt as _;
use keyvault_issuers::{KeyedResourcesClient, ResourceKeyIssuer, ResourceKeys};
use keyvault_ops::{Ledger, Rotation, SecretsClient};
use monitor_ops::Sink;
use serde_json::Value;

use crate::{
    Lab,
    screen::{Cell, Kind, plural},
    tasks::{
        exposed::{self, Rotated},
        show, task4,
    },
};

const ROTATE_STEP: &str = "task6: the rotation";

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    attack_paths(lab).await?;
    let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).resource_type(ResourceType::VAULT);
    let found: Vec<_> =
        AssessmentsClient::new(&lab.azure.arm).find(lab.subscription(), filter).try_collect().await?;
    show::recommendations(lab, "Open recommendations on vaults", &found);
    let is_to_come = lab.vault_is_to_come().await?;
    if is_to_come && lab.is_planning() && !lab.plans(task4::SECRETS_STEP) {
        return refuse("there is no exposed secret yet: plan task4 with it");
    }
    if is_to_come && !lab.is_planning() {
        lab.screen.step(
            "the exposed secret",
            "would change",
            "rotated, old versions disabled, once the vault exists",
        );
        return resolve(lab).await;
    }
    let secrets = SecretsClient::new(&lab.azure.arm, &lab.vault()?.name().parse()?)?;
    rotate(lab, &secrets).await?;
    resolve(lab).await?;
    match lab.is_planning() {
        true => Ok(()),
        false => checklist(lab, &secrets).await,
    }
}

async fn attack_paths(lab: &Lab) -> Result<()> {
    let client = AttackPathsClient::new(&lab.azure.arm);
    let route = ArmPath::from(lab.subscription()).provider("Microsoft.Security").literal("attackPaths");
    let told = match lab.azure.arm.get(route, "2024-01-01").json::<Value>().await {
        Ok(listed) => listed.to_string(),
        Err(error) if error.is_code("InvalidResourceType") => {
            error.arm_error().map(|error| error.message).unwrap_or_default()
        }
        Err(error) => return Err(error),
    };
    lab.screen.step("attack paths by the sheet's REST route", "read", told);
    lab.screen.difference(
        "GET Microsoft.Security/attackPaths",
        "has no such operation",
        "ask Resource Graph",
    );
    let found = lab.screen.wait("attack paths", client.find(lab.subscription())).await?;
    let rows = found.concerning_secrets().map(|path| {
        let place = |node: &Option<defender_alerts::AttackPathNode>| {
            let id = node.as_ref().and_then(|node| node.resource_id.as_ref());
            let name = node.as_ref().and_then(|node| node.name.clone()).unwrap_or_default();
            id.map_or(Cell::none(Kind::Id), Cell::id).shown(name)
        };
        [
            Cell::from(path.display_name.clone()),
            path.risk_level.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            place(&path.entry),
            place(&path.target),
        ]
    });
    lab.screen.table("Attack paths on secrets", ["path", "risk", "from", "to"], rows);
    for blind in found.not_covered() {
        lab.screen.step(
            format!("subscription {}", blind.subscription),
            "missing",
            "Defender CSPM is off, so an empty result proves nothing",
        );
    }
    Ok(())
}

async fn rotate(lab: &Lab, secrets: &SecretsClient) -> Result<()> {
    let account = exposed::account(lab)?;
    let name = exposed::secret(account.as_ref())?;
    lab.screen.difference(
        "to disable all versions but the last of the list",
        "lists versions in no particular order, so this can disable the current one",
        "disable by id, and re-read before each",
    );
    let ledger = lab.ledger()?;
    let issuer = match &account {
        Some(account) => Some(Arc::new(ResourceKeyIssuer::new(&lab.azure.arm, account.clone())?)),
        None => None,
    };
    let rotation = |mode| {
        let rotation = secrets
            .rotate(&name)
            .reason("exposed in the lab")
            .expires_in(Duration::from_secs(90 * 86_400))
            .ledger(&ledger);
        let rotation = match &issuer {
            Some(issuer) => rotation.issuer(issuer.clone()),
            None => rotation,
        };
        let (task, account) = (Task::from(rotation).in_mode(mode), account.clone());
        async move { Ok(Rotated { rotation: task.await?, account }) }
    };
    // Read beforehand, to verify later that the account no longer accepts it.
    let old = match &account {
        Some(account) if !lab.dry_run() => {
            KeyedResourcesClient::new(&lab.azure.arm).list_keys(account).await?
        }
        _ => Default::default(),
    };
    let mut declared: Vec<_> = PlannedSecret::rotation_in(secrets.host(), &name).into();
    declared.extend(account.as_ref().map(exposed::keys_regenerated));
    let set_by = if account.is_some() { exposed::STEP } else { task4::SECRETS_STEP };
    let step = Step::new(ROTATE_STEP).after(set_by, declared);
    let Some(Rotated { rotation, .. }) = lab.screen.wait("rotation", lab.work(step, rotation)).await? else {
        return Ok(());
    };
    if rotation.dry_run {
        lab.screen.step(format!("secret {name}"), "would change", "new value, old versions disabled by id");
        if !lab.is_planning() {
            return Ok(());
        }
    } else {
        let disabled = rotation.retirement.as_ref().map_or(0, |retirement| retirement.disabled);
        let detail = format!(
            "tags rotated, reason and date; {} disabled by id",
            plural(disabled as usize, "old version")
        );
        let about = lab.screen.about(PlannedSecret::id_in(&rotation.vault, &name));
        let about = about.figures([("versionsDisabled", disabled as usize)]);
        about.step(format!("secret {name}"), "rotated", detail);
        if let Some(account) = &account {
            ended(lab, account, &old, &rotation);
        } else {
            lab.screen.note("no issuer was given: the old credential stays valid where it was issued");
        }
    }
    lab.screen.difference(
        "a new value in the vault is a rotation",
        "only stores values; the credential stays valid until its issuer revokes it",
        "say in each report whether an issuer was used",
    );
    retire(lab, secrets, &name, &ledger).await
}

/// Verifies at the account itself that the exposed key is revoked.
fn ended(lab: &Lab, account: &ResourceId, old: &ResourceKeys, rotation: &Rotation) {
    let (created, what) = (rotation.issuer.created.as_deref(), account.name());
    if rotation.issuer.verified {
        lab.screen.step(
            format!("{} of {what}", created.unwrap_or("the other key")),
            "verified",
            "regenerated, and used in a signed request before it was set",
        );
    }
    for key in &old.keys {
        let was_revoked = rotation.issuer.revoked.iter().any(|id| id.eq_ignore_ascii_case(&key.name));
        let double = lab.azure.double.as_ref().filter(|_| was_revoked);
        let Some(double) = double else { continue };
        let what = format!("the exposed key, {} of {what}", key.name);
        match double.takes_key(account.as_str(), key.value.expose()) {
            false => lab.screen.step(
                what,
                "dead",
                "regenerated; the account refuses requests signed with the old one",
            ),
            true => lab.screen.step(what, "failed", "the account still accepts it"),
        }
    }
    if rotation.issuer.revoked.is_empty() {
        lab.screen.step(format!("the exposed key of {what}"), "failed", "it was not revoked");
    }
}

async fn retire(
    lab: &Lab,
    secrets: &SecretsClient,
    name: &keyvault_ops::SecretName,
    ledger: &Ledger,
) -> Result<()> {
    let retire = |mode| {
        let task = Task::from(secrets.retire_old_versions(name).ledger(ledger)).in_mode(mode);
        async move { Ok(task.await?) }
    };
    // The rotation already disables them, so none is left.
    let step = Step::new("task6: the old versions").after(ROTATE_STEP, []);
    let Some(retired) = lab.work(step, retire).await? else { return Ok(()) };
    lab.screen.step(
        "old versions once more",
        if retired.disabled == 0 { "unchanged" } else { "disabled" },
        "",
    );
    if lab.is_planning() {
        return Ok(());
    }
    let active = secrets.verify_single_active(name).await?;
    let detail = format!("{} versions, 1 of them enabled and current", active.versions);
    let about = lab.screen.about(PlannedSecret::id_in(secrets.host(), name));
    let about = about.figures([("versions", usize::try_from(active.versions).unwrap_or(usize::MAX))]);
    match active.is_single() {
        true => about.step(format!("only one active version of {name}"), "verified", detail),
        false => about.step(format!("only one active version of {name}"), "failed", format!("{active:?}")),
    }
    Ok(())
}

async fn resolve(lab: &Lab) -> Result<()> {
    let alerts = AlertsClient::new(&lab.azure.arm);
    let open: Vec<Alert> = alerts.list_key_vault(lab.subscription()).try_collect().await?;
    let samples = open.into_iter().filter(|alert| alert.is_sample() && alert.status == AlertStatus::Active);
    let (own, others): (Vec<_>, Vec<_>) = {
        let state = lab.state();
        samples.map(|alert| alert.id).partition(|id| state.samples.contains(&id.to_string()))
    };
    if !others.is_empty() {
        lab.screen
            .note(&format!("{} open sample alerts do not belong to this lab: left unchanged", others.len()));
    }
    // An alert that somebody has started to work on keeps its status.
    let set = || alerts.set_status(own.clone(), AlertAction::Resolve).only_if(AlertStatus::Active);
    let made = task4::samples_in(lab.subscription());
    let declared = PlannedAlert::status_below(made, &AlertStatus::Active, &AlertStatus::Resolved);
    let step = Step::new("task6: the sample alerts").after(task4::SAMPLES_STEP, [declared]);
    let Some(report) = lab.step(step, set).await? else { return Ok(()) };
    if own.is_empty() {
        lab.screen.step("sample alerts", "unchanged", "none of this lab's are open");
        return Ok(());
    }
    for failed in report.failed() {
        lab.screen.about(&failed.target).step(
            format!("alert {}", failed.target),
            "failed",
            format!("{:?}", failed.result),
        );
    }
    let outcome = if lab.dry_run() { "would change" } else { "resolved" };
    let count = report.changed().count();
    lab.screen.counted(format!("{count} sample alerts"), outcome, count, "each read back");
    Ok(())
}

/// The sheet's checklist, based on the actual state rather than on what was attempted.
async fn checklist(lab: &Lab, secrets: &SecretsClient) -> Result<()> {
    let arm = &lab.azure.arm;
    let pricing = PricingClient::new(arm);
    let plans = pricing.coverage(lab.subscription()).await?;
    let on = |plan: &PlanName| {
        plans.iter().any(|row| row.plan == *plan && row.tier == defender_pricing::Tier::Standard)
    };
    let scanning = pricing.secret_scanning(lab.subscription()).await?;
    let sink = Sink::Workspace(lab.workspace()?.as_resource().clone());
    let coverage = CoverageClient::new(arm).report(lab.subscription(), &sink).await?;
    let vault = lab.vault()?;
    let own = coverage.vaults.iter().find(|found| found.vault.id == vault);
    let name = exposed::secret(exposed::account(lab)?.as_ref())?;
    let single = secrets.verify_single_active(&name).await?.is_single();
    let alerts: Vec<Alert> = AlertsClient::new(arm).list_key_vault(lab.subscription()).try_collect().await?;
    let open = alerts.iter().filter(|alert| alert.status == AlertStatus::Active).count();
    let rows = [
        ("plan KeyVaults is Standard", on(&PlanName::KeyVaults), String::new()),
        ("plan CloudPosture is Standard", on(&PlanName::CloudPosture), String::new()),
        ("machines are scanned for secrets", scanning.machines.is_on(), String::new()),
        ("the lab's vault is covered", own.is_some_and(VaultCoverage::is_covered), String::new()),
        (
            "the lab's vault sends its audit log",
            own.and_then(VaultCoverage::is_logged) == Some(true),
            String::new(),
        ),
        ("one active version of the exposed secret", single, name.to_string()),
        (
            "no Key Vault alert is open",
            open == 0,
            format!("{open} open: those from before the lab are for you to judge"),
        ),
    ];
    let shown = rows.into_iter().map(|(what, holds, more)| {
        [Cell::from(what), Cell::flag(holds), if holds { String::new() } else { more }.into()]
    });
    lab.screen.table("Checklist, read just now", ["what", "holds", ""], shown);
    Ok(())
}
