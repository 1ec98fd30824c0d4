use arm_core::{Change, ResourceId};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure, Seed};
use monitor_ops::{CoverageClient, DiagnosticSpec, DiagnosticsClient, Gap, Sink};
use serde_json::{Value, json};

use crate::lab::*;

fn client(azure: &MockAzure) -> CoverageClient {
    CoverageClient::new(&arm(azure))
}

fn sink() -> Sink {
    Sink::from(&workspace())
}

fn spec() -> DiagnosticSpec {
    DiagnosticSpec::audit_to(&workspace()).unwrap()
}

/// One vault is logged, one elsewhere, one nowhere.
fn three_vaults() -> Seed {
    let other = workspace().to_string().replace("law-sec", "law-two");
    seed()
        .workspace(subscription(), "rg-sec", "law-two")
        .vault(subscription(), "rg-sec", "kv-elsewhere")
        .vault(subscription(), "rg-sec", "kv-silent")
        .vault_property("kv-silent", "publicNetworkAccess", "Disabled")
        .vault_property("kv-silent", "enablePurgeProtection", true)
        .access_policy("kv-elsewhere", &["get"])
        .diagnostic_setting(vault().as_str(), "x", &workspace().to_string(), &["AuditEvent"])
        .diagnostic_setting(vault_named("kv-elsewhere").as_str(), "x", &other, &["AuditEvent"])
}

#[tokio::test]
async fn the_report_says_for_each_vault_what_is_missing_and_how_to_mend_it() {
    let azure = three_vaults().start().await;
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    assert!(!report.plan.is_on());
    let gaps = |name: &str| {
        report
            .vaults
            .iter()
            .find(|vault| vault.facts.id.name() == name)
            .map(|vault| vault.gaps.clone())
            .unwrap()
    };
    assert_eq!(gaps("kv-prod"), [Gap::PlanIsOff]);
    assert_eq!(gaps("kv-elsewhere"), [Gap::PlanIsOff, Gap::LoggedElsewhere(vec!["x".to_owned()])]);
    assert_eq!(gaps("kv-silent"), [Gap::PlanIsOff, Gap::NotLogged]);
    assert!(Gap::PlanIsOff.fix().contains("PerKeyVault") && Gap::PlanIsOff.is_fixable());
    let silent = report.vaults.iter().find(|vault| vault.facts.id.name() == "kv-silent").unwrap();
    assert!(silent.advice.is_empty() && !silent.is_covered());
    let elsewhere = report.vaults.iter().find(|vault| vault.facts.id.name() == "kv-elsewhere").unwrap();
    assert_eq!(elsewhere.advice.len(), 3);
    assert!(writes(&azure).is_empty());
}

#[tokio::test]
async fn the_fix_is_shown_then_done_then_there_is_nothing_left() {
    let azure = three_vaults().start().await;
    let fix = || client(&azure).fix(&subscription(), &spec());
    let preview = fix().dry_run().await.unwrap();
    assert!(preview.is_change() && writes(&azure).is_empty());
    assert_eq!(preview.vaults.iter().filter(|vault| vault.result.as_ref().unwrap().is_change()).count(), 2);
    let done = fix().await.unwrap();
    assert!(matches!(&done.plan, Change::Updated { after, .. }
        if after.is_on() && after.sub_plan.as_deref() == Some("PerKeyVault")));
    assert_eq!(done.failures().count(), 0);
    azure.clear_requests();
    assert!(!fix().await.unwrap().is_change());
    assert!(writes(&azure).is_empty());
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    assert!(report.vaults.iter().all(|vault| vault.is_covered() && vault.gaps.is_empty()), "{report:?}");
}

#[tokio::test]
async fn settings_that_may_not_be_read_are_a_gap_of_their_vault_only() {
    let azure = three_vaults().start().await;
    azure.inject(Fault::status(403).on("GET", "kv-silent/providers/Microsoft.Insights").always());
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    let unknown = |vault: &&monitor_ops::VaultCoverage| {
        vault.gaps.iter().any(|gap| matches!(gap, Gap::LoggingUnknown(_)))
    };
    assert_eq!(report.vaults.iter().filter(unknown).count(), 1);
    let fix = client(&azure).fix(&subscription(), &spec()).await.unwrap();
    assert_eq!(fix.failures().map(|(id, _)| id.name()).collect::<Vec<_>>(), ["kv-silent"]);
}

#[tokio::test]
async fn unknown_fields_of_the_plan_are_kept() {
    let azure = seed()
        .plan_properties(subscription(), "KeyVaults", json!({ "invented": { "kept": true } }))
        .start()
        .await;
    client(&azure).fix(&subscription(), &spec()).await.unwrap();
    assert_eq!(writes(&azure)[0].body["properties"]["invented"], json!({ "kept": true }));
}

#[tokio::test]
async fn the_legacy_list_can_still_be_read() {
    let azure = seed().key_vault_assessments(vault()).start().await;
    let all: Vec<_> = client(&azure).legacy_security_statuses(&subscription()).try_collect().await.unwrap();
    assert_eq!(all[0].name, "kv-prod");
    assert_eq!(azure.requests()[0].query("api-version"), Some("2015-06-01-preview"));
}

#[tokio::test]
async fn cut_at_any_request_the_fix_ends_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        three_vaults,
        |arm| async move {
            let fix = CoverageClient::new(&arm).fix(&subscription(), &spec()).await?;
            fix.vaults.into_iter().try_for_each(|vault| vault.result.map(drop))
        },
        |azure| async move {
            let plan: ResourceId =
                format!("/subscriptions/{}/providers/Microsoft.Security/pricings/KeyVaults", subscription())
                    .parse()
                    .unwrap();
            let mut all = Vec::new();
            for vault in ["kv-prod", "kv-elsewhere", "kv-silent"] {
                let id = format!(
                    "{}/providers/microsoft.insights/diagnosticSettings/audit-to-log-analytics",
                    vault_named(vault)
                );
                all.push(stored(&azure, &id, DiagnosticsClient::API_VERSION).await);
            }
            let mut plan = stored(&azure, plan.as_str(), "2024-01-01").await;
            plan["properties"].as_object_mut().unwrap().remove("enablementTime");
            all.push(plan);
            Value::Array(all)
        },
    )
    .await;
}
