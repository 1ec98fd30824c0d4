use arm_core::{Change, ResourceId};
use defender_playbooks::{Advice, CoverageClient, Gap, VaultCoverage};
use defender_pricing::SubPlan;
use mock_azure::{Fault, MockAzure, Seed};
use monitor_ops::{DiagnosticSpec, DiagnosticsClient, Sink};
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
async fn the_report_says_for_each_vault_what_is_missing_and_how_to_fix_it() {
    let azure = three_vaults().start().await;
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    assert!(!report.plan.is_standard());
    let gaps = |name: &str| {
        report
            .vaults
            .iter()
            .find(|vault| vault.vault.id.name() == name)
            .map(|vault| vault.gaps().to_vec())
            .unwrap()
    };
    assert_eq!(gaps("kv-prod"), [Gap::PlanOff]);
    assert_eq!(gaps("kv-elsewhere"), [Gap::PlanOff, Gap::LoggedElsewhere(vec!["x".to_owned()])]);
    assert_eq!(gaps("kv-silent"), [Gap::PlanOff, Gap::NotLogged]);
    assert!(Gap::PlanOff.remedy().contains("PerKeyVault") && Gap::PlanOff.is_fixable());
    let silent = report.vaults.iter().find(|vault| vault.vault.id.name() == "kv-silent").unwrap();
    assert!(silent.advice.is_empty() && !silent.is_covered());
    let elsewhere = report.vaults.iter().find(|vault| vault.vault.id.name() == "kv-elsewhere").unwrap();
    assert_eq!(
        elsewhere.advice,
        [Advice::OpenToAllNetworks, Advice::AccessPolicies, Advice::NoPurgeProtection]
    );
    assert_eq!((elsewhere.is_logged(), silent.is_logged()), (Some(false), Some(false)));
    assert!(writes(&azure).is_empty());
}

#[tokio::test]
async fn the_fix_is_shown_then_done_then_there_is_nothing_left() {
    let azure = three_vaults().start().await;
    let fix = || client(&azure).fix(&subscription(), &spec());
    let preview = fix().dry_run().await.unwrap();
    assert!(preview.is_change() && writes(&azure).is_empty());
    assert_eq!(
        preview
            .vaults
            .as_ref()
            .unwrap()
            .iter()
            .filter(|vault| vault.result.as_ref().unwrap().is_change())
            .count(),
        2
    );
    let done = fix().await.unwrap();
    assert!(matches!(&done.plan.change, Change::Updated { after, .. }
        if after.is_standard() && after.sub_plan == Some(SubPlan::PerKeyVault)));
    assert!(done.is_complete());
    assert_eq!(done.failures().count(), 0);
    azure.clear_requests();
    assert!(!fix().await.unwrap().is_change());
    assert!(writes(&azure).is_empty());
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    assert!(report.vaults.iter().all(|vault| vault.is_covered() && vault.gaps().is_empty()), "{report:?}");
}

#[tokio::test]
async fn settings_that_may_not_be_read_are_a_gap_of_their_vault_only() {
    let azure = three_vaults().start().await;
    azure.inject(Fault::status(403).on("GET", "kv-silent/providers/Microsoft.Insights").always());
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    let unknown =
        |vault: &&VaultCoverage| vault.gaps().iter().any(|gap| matches!(gap, Gap::LoggingUnknown(_)));
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
async fn a_workspace_that_is_gone_is_a_gap_and_no_coverage() {
    let gone = workspace().to_string().replace("law-sec", "law-gone");
    let azure = seed()
        .plan(subscription(), "KeyVaults", "Standard")
        .diagnostic_setting(vault().as_str(), "x", &gone, &["AuditEvent"])
        .start()
        .await;
    for wanted in [None, Some(&sink())] {
        let report = client(&azure).report(&subscription(), wanted).await.unwrap();
        let gap = Gap::SinkGone { setting: "x".to_owned(), sink: gone.parse().unwrap() };
        assert_eq!(report.vaults[0].gaps(), [gap]);
        assert!(report.vaults[0].is_covered());
        assert_eq!(report.vaults[0].is_logged(), Some(false));
    }
}

#[tokio::test]
async fn a_workspace_that_may_not_be_read_is_not_known_and_not_gone() {
    let azure = three_vaults().start().await;
    azure.inject(Fault::status(403).on("GET", "workspaces/law-sec").always());
    let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
    let logged = report.vaults.iter().find(|vault| vault.vault.id.name() == "kv-prod").unwrap();
    assert_eq!(logged.is_logged(), None);
}

#[tokio::test]
async fn with_no_sink_wanted_any_that_exists_is_good() {
    let azure = three_vaults().start().await;
    let report = client(&azure).report(&subscription(), None).await.unwrap();
    let logged: Vec<_> =
        report.vaults.iter().map(|vault| (vault.vault.id.name(), vault.is_logged().unwrap())).collect();
    assert_eq!(logged, [("kv-elsewhere", true), ("kv-prod", true), ("kv-silent", false)]);
}

#[tokio::test]
async fn cut_at_any_request_the_fix_ends_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        three_vaults,
        |arm| async move {
            let fix = CoverageClient::new(&arm).fix(&subscription(), &spec()).await?;
            fix.vaults?.into_iter().try_for_each(|vault| vault.result.map(drop))
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

#[tokio::test]
async fn a_plan_that_is_on_and_does_not_cover_everything_is_a_gap_of_each_vault() {
    for (status, covered) in [("PartiallyCovered", false), ("NotCovered", false), ("FullyCovered", true)] {
        let azure = seed()
            .plan(subscription(), "KeyVaults", "Standard")
            .diagnostic_setting(vault().as_str(), "x", &workspace().to_string(), &["AuditEvent"])
            .start()
            .await;
        let shown = json!({
            "id": format!("/subscriptions/{}/providers/Microsoft.Security/pricings/KeyVaults", subscription()),
            "name": "KeyVaults",
            "type": "Microsoft.Security/pricings",
            "properties": { "pricingTier": "Standard", "resourcesCoverageStatus": status },
        });
        azure.inject(Fault::body(200, shown.to_string()).on("GET", "/pricings/KeyVaults").always());
        let report = client(&azure).report(&subscription(), &sink()).await.unwrap();
        let [found] = &*report.vaults else { panic!("{report:?}") };
        assert_eq!((found.is_covered(), found.is_logged()), (covered, Some(true)), "{status}");
        assert_eq!(report.with_gaps().count(), usize::from(!covered), "{status}");
        if !covered {
            assert!(matches!(found.gaps(), [Gap::NotFullyCovered(_)]), "{:?}", found.gaps());
        }
    }
}

#[tokio::test]
async fn a_fix_is_complete_only_if_every_vault_was_listed_and_logged() {
    let azure = three_vaults().start().await;
    let on = |method: &str, path: &str| Fault::status(403).on(method, path).always();
    azure.inject(on("PUT", "kv-silent/providers/Microsoft.Insights/diagnosticSettings"));
    let fix = client(&azure).fix(&subscription(), &spec()).await.unwrap();
    let failed: Vec<&str> = fix.failures().map(|(vault, _)| vault.name()).collect();
    assert_eq!((failed, fix.is_complete(), fix.is_change()), (vec!["kv-silent"], false, true));

    azure.clear_faults();
    azure.inject(on("GET", "/providers/Microsoft.KeyVault/vaults?"));
    let fix = client(&azure).fix(&subscription(), &spec()).await.unwrap();
    assert!(fix.vaults.is_err() && fix.failures().next().is_none() && !fix.is_complete());

    azure.clear_faults();
    assert!(client(&azure).fix(&subscription(), &spec()).await.unwrap().is_complete());
}
