//! Task 6: rotate what was exposed, retire the old versions, verify it.

use std::{sync::Arc, time::Duration};

use arm_core::{ArmErrorExt as _, ArmPath, ResourceId, ResourceType};
use azure_core::Result;
use defender_alerts::{
    Alert, AlertAction, AlertStatus, AlertsClient, AssessmentCode, AssessmentFilter, AssessmentsClient,
    AttackPathsClient,
};
use defender_playbooks::{CoverageClient, VaultCoverage, plan::PlannedSecret};
use defender_pricing::{PlanName, PricingClient};
use futures::TryStreamExt as _;
use keyvault_issuers::{KeyedResourcesClient, ResourceKeyIssuer, ResourceKeys};
use keyvault_ops::{Ledger, Rotation, SecretName, SecretsClient};
use monitor_ops::Sink;
use serde_json::Value;

use crate::{
    Lab,
    screen::plural,
    tasks::{show, task4},
    tenant,
};

/// The secret with the key of a storage account, in the offline tenant.
const STORAGE_SECRET: &str = "storage-connection";
/// The key that it holds at first.
const EXPOSED_KEY: &str = "key1";

/// The account whose key is exposed. On real Azure the lab makes none, and takes nobody's.
fn account(lab: &Lab) -> Result<Option<ResourceId>> {
    if lab.azure.double.is_none() {
        return Ok(None);
    }
    let group = lab.subscription().resource_group(tenant::PRODUCTION)?;
    let account = group.resource(&"Microsoft.Storage/storageAccounts".parse()?, tenant::STORAGE)?;
    Ok(Some(account))
}

/// The secret that this task rotates.
fn exposed(account: Option<&ResourceId>) -> Result<SecretName> {
    let first = format!("{}-1", task4::PREFIX);
    Ok(account.map_or(first.as_str(), |_| STORAGE_SECRET).parse()?)
}

/// Puts the account's key into the vault, as an application stores it, if it is not there.
pub(crate) async fn expose(lab: &Lab) -> Result<()> {
    let Some(account) = account(lab)? else { return Ok(()) };
    let name = exposed(Some(&account))?;
    let what = format!("secret {name}");
    let detail =
        format!("a connection string with {EXPOSED_KEY} of {}, as an application stores it", account.name());
    if lab.dry_run() {
        lab.screen.step(what, "would change", detail);
        return Ok(());
    }
    let secrets = task4::secrets(lab)?;
    let listed: Vec<_> = secrets.list().try_collect().await?;
    if listed.iter().any(|secret| secret.id.name == name) {
        lab.screen.step(what, "unchanged", "");
        return Ok(());
    }
    let keys = KeyedResourcesClient::new(&lab.azure.arm).list_keys(&account).await?;
    let key = keys.find(EXPOSED_KEY).map(arm_core::Secret::expose).unwrap_or_default();
    let connection = format!(
        "DefaultEndpointsProtocol=https;AccountName={};AccountKey={key};EndpointSuffix=core.windows.net",
        account.name()
    );
    secrets.set(&name, connection.into()).await?;
    lab.screen.about(PlannedSecret::id_in(secrets.host(), &name)).step(what, "set", detail);
    Ok(())
}

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    attack_paths(lab).await?;
    let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).resource_type(ResourceType::VAULT);
    let found: Vec<_> =
        AssessmentsClient::new(&lab.azure.arm).find(lab.subscription(), filter).try_collect().await?;
    show::recommendations(lab, "Open recommendations on vaults", &found);
    if lab.vault_is_to_come().await? {
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
    checklist(lab, &secrets).await
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
        let name = |node: &Option<defender_alerts::AttackPathNode>| {
            node.as_ref().and_then(|node| node.name.clone()).unwrap_or_default()
        };
        [
            path.display_name.clone(),
            path.risk_level.as_ref().map(ToString::to_string).unwrap_or_default(),
            name(&path.entry),
            name(&path.target),
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
    let account = account(lab)?;
    let name = exposed(account.as_ref())?;
    lab.screen.difference(
        "to disable all versions but the last of the list",
        "lists versions in no particular order, so this can disable the current one",
        "disable by id, and re-read before each",
    );
    let ledger = lab.ledger()?;
    let rotation = secrets
        .rotate(&name)
        .reason("exposed in the lab")
        .expires_in(Duration::from_secs(90 * 86_400))
        .ledger(&ledger);
    let rotation = match &account {
        Some(account) => rotation.issuer(Arc::new(ResourceKeyIssuer::new(&lab.azure.arm, account.clone())?)),
        None => rotation,
    };
    let rotation = if lab.dry_run() { rotation.dry_run() } else { rotation };
    // Read before, to be tried at the account when it should be dead.
    let old = match &account {
        Some(account) if !lab.dry_run() => {
            KeyedResourcesClient::new(&lab.azure.arm).list_keys(account).await?
        }
        _ => Default::default(),
    };
    match lab.screen.wait("rotation", rotation.into_future()).await {
        Ok(rotation) if rotation.dry_run => {
            lab.screen.step(
                format!("secret {name}"),
                "would change",
                "new value, old versions disabled by id",
            );
            return Ok(());
        }
        Ok(rotation) => {
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
        Err(error) => {
            let message = error.to_string();
            return Err(azure_core::Error::with_error(azure_core::error::ErrorKind::Other, error, message));
        }
    }
    lab.screen.difference(
        "a new value in the vault is a rotation",
        "only stores values; the credential stays valid until its issuer revokes it",
        "say in each report whether an issuer was used",
    );
    retire(lab, secrets, &name, &ledger).await
}

/// What became of the exposed key at the account itself.
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
    let retired = secrets.retire_old_versions(name).ledger(ledger).await.map_err(|error| {
        let message = error.to_string();
        azure_core::Error::with_error(azure_core::error::ErrorKind::Other, error, message)
    })?;
    lab.screen.step(
        "old versions once more",
        if retired.disabled == 0 { "unchanged" } else { "disabled" },
        "",
    );
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
    if own.is_empty() {
        lab.screen.step("sample alerts", "unchanged", "none of this lab's are open");
        return Ok(());
    }
    // Whoever has taken one up since keeps it.
    let set = alerts.set_status(own, AlertAction::Resolve).only_if(AlertStatus::Active);
    let report = set.in_mode(lab.mode()).await?;
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

/// The sheet's checklist, filled from what is, not from what was meant.
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
    let name = exposed(account(lab)?.as_ref())?;
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
        [
            what.to_owned(),
            if holds { "yes" } else { "no" }.to_owned(),
            if holds { String::new() } else { more },
        ]
    });
    lab.screen.table("Checklist, read just now", ["what", "holds", ""], shown);
    Ok(())
}
