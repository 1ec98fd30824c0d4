use arm_core::{ArmErrorExt as _, Change, ResourceId};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure};
use monitor_ops::{
    Category, DiagnosticProperties, DiagnosticSetting, DiagnosticSpec, DiagnosticsClient, SettingEntry, Sink,
};
use serde_json::{Value, json};

use crate::lab::*;

fn client(azure: &MockAzure) -> DiagnosticsClient {
    DiagnosticsClient::new(&arm(azure))
}

fn spec() -> DiagnosticSpec {
    DiagnosticSpec::audit_to(&workspace()).unwrap()
}

fn setting() -> DiagnosticSetting {
    let mut properties = DiagnosticProperties::default();
    properties.workspace_id = Some(workspace().to_string());
    properties.logs = vec![SettingEntry::category("AuditEvent")];
    DiagnosticSetting::new(properties)
}

async fn all(azure: &MockAzure) -> Vec<DiagnosticSetting> {
    client(azure).list(&vault()).try_collect().await.unwrap()
}

#[tokio::test]
async fn every_operation_on_a_resource_does_what_it_says() {
    let azure = seed().start().await;
    let client = client(&azure);
    let categories: Vec<_> = client.categories(&vault()).try_collect().await.unwrap();
    assert_eq!(categories.len(), 3);
    let audit = client.category(&vault(), &name("AuditEvent")).await.unwrap();
    assert_eq!(audit.properties.category_groups, ["audit", "allLogs"]);
    let written = client.create_or_update(&vault(), &name("to-law"), &setting()).await.unwrap();
    assert_eq!(written, client.get(&vault(), &name("to-law")).await.unwrap());
    assert_eq!(all(&azure).await, [written]);
    client.delete(&vault(), &name("to-law")).await.unwrap();
    client.delete(&vault(), &name("to-law")).await.unwrap();
    assert!(client.get(&vault(), &name("to-law")).await.unwrap_err().is_not_found());
    for request in azure.requests() {
        assert_eq!(request.query("api-version"), Some("2021-05-01-preview"), "{request:?}");
    }
}

/// Recorded: a network security group takes a setting that sends nothing.
#[tokio::test]
async fn a_setting_that_sends_nothing_is_read_and_goes_back_as_it_came() {
    let nsg = format!("{}/providers/Microsoft.Network/networkSecurityGroups/nsg-a", group());
    let azure = seed()
        .resource(json!({ "id": nsg, "name": "nsg-a", "type": "Microsoft.Network/networkSecurityGroups" }))
        .start()
        .await;
    let (client, nsg) = (client(&azure), nsg.parse().unwrap());
    let mut silent = setting();
    silent.properties.logs = Vec::new();
    let made = client.create_or_update(&nsg, &name("silent"), &silent).await.unwrap();
    assert!(made.properties.logs.is_empty() && made.properties.metrics.is_empty());
    let read = client.get(&nsg, &name("silent")).await.unwrap();
    assert_eq!(client.create_or_update(&nsg, &name("silent"), &read).await.unwrap(), made);
}

#[tokio::test]
async fn every_operation_on_a_subscription_does_what_it_says() {
    let azure = seed().start().await;
    let (client, sub) = (client(&azure), subscription());
    let mut activity = setting();
    activity.properties.logs = vec![SettingEntry::category("Security"), SettingEntry::category("Policy")];
    let written = client.create_or_update_of_subscription(&sub, &name("activity"), &activity).await.unwrap();
    assert_eq!(client.get_of_subscription(&sub, &name("activity")).await.unwrap(), written);
    let listed: Vec<_> = client.list_by_subscription(&sub).try_collect().await.unwrap();
    assert_eq!(listed.len(), 1);
    client.delete_of_subscription(&sub, &name("activity")).await.unwrap();
    assert!(client.get_of_subscription(&sub, &name("activity")).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_vault_sends_its_audit_log_after_one_run_and_a_second_run_writes_nothing() {
    let azure = seed().start().await;
    let first = client(&azure).ensure(&vault(), &spec()).await.unwrap();
    assert!(matches!(&first, Change::Created(setting) if setting.name == "audit-to-log-analytics"));
    assert_eq!(
        azure.writes()[0].body,
        json!({ "properties": {
            "workspaceId": workspace().to_string(),
            "logs": [{ "categoryGroup": "audit", "enabled": true }],
            "metrics": [],
        } })
    );
    azure.clear_requests();
    let second = client(&azure).ensure(&vault(), &spec()).await.unwrap();
    assert!(matches!(second, Change::Unchanged(_)) && azure.writes().is_empty());
}

#[tokio::test]
async fn what_another_setting_sends_already_is_left_at_that_and_never_runs_into_the_409() {
    for categories in [&["AuditEvent"][..], &["audit"], &["allLogs"]] {
        let azure = seed()
            .diagnostic_setting(vault().as_str(), "by-policy", &workspace().to_string(), categories)
            .start()
            .await;
        let done = client(&azure).ensure(&vault(), &spec()).await.unwrap();
        assert!(matches!(&done, Change::Unchanged(setting) if setting.name == "by-policy"), "{categories:?}");
        assert!(azure.writes().is_empty());
    }
}

#[tokio::test]
async fn only_what_is_missing_is_added_and_the_setting_of_others_stays_as_it_is() {
    let azure = seed()
        .diagnostic_setting(vault().as_str(), "by-policy", &workspace().to_string(), &["AuditEvent"])
        .start()
        .await;
    let before = all(&azure).await;
    let spec = DiagnosticSpec {
        categories: vec![Category::group("allLogs"), Category::named("AllMetrics")],
        ..spec()
    };
    assert!(client(&azure).ensure(&vault(), &spec).await.unwrap().is_change());
    let after = all(&azure).await;
    assert_eq!(after.iter().find(|setting| setting.name == "by-policy"), before.first());
    let own = after.iter().find(|setting| setting.name == "audit-to-log-analytics").unwrap();
    assert_eq!(own.properties.logs[0].category.as_deref(), Some("AzurePolicyEvaluationDetails"));
    assert_eq!(own.properties.metrics[0].category.as_deref(), Some("AllMetrics"));
    assert!(!client(&azure).ensure(&vault(), &spec).await.unwrap().is_change());
}

#[tokio::test]
async fn an_own_setting_keeps_its_unknown_fields_when_it_grows() {
    let azure = seed().start().await;
    let mut wire = serde_json::to_value(setting()).unwrap();
    wire["properties"]["invented"] = json!({ "kept": true });
    wire["properties"]["logs"][0]["alsoInvented"] = json!(1);
    let made: DiagnosticSetting = serde_json::from_value(wire).unwrap();
    client(&azure).create_or_update(&vault(), &name("audit-to-log-analytics"), &made).await.unwrap();
    let spec = DiagnosticSpec { categories: vec![Category::group("allLogs")], ..spec() };
    let done = client(&azure).ensure(&vault(), &spec).await.unwrap();
    assert!(matches!(&done, Change::Updated { before, .. } if before.properties.logs.len() == 1));
    let body = azure.writes().last().unwrap().body["properties"].clone();
    assert_eq!((&body["invented"], &body["logs"][0]["alsoInvented"]), (&json!({ "kept": true }), &json!(1)));
    assert_eq!(body["logs"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_dry_run_shows_the_setting_and_writes_nothing() {
    let azure = seed().start().await;
    let preview = client(&azure).ensure(&vault(), &spec()).dry_run().await.unwrap();
    assert!(matches!(preview, Change::Created(_)));
    assert!(azure.writes().is_empty());
    let preview = client(&azure).ensure_many([vault()], &spec()).dry_run().await.unwrap();
    assert!(preview.len() == 1 && azure.writes().is_empty());
}

#[tokio::test]
async fn refusals_say_in_one_line_what_to_do_and_write_nothing() {
    let mut full = seed();
    for n in 1..=5 {
        let other = format!("{}/providers/Microsoft.OperationalInsights/workspaces/law-{n:03}", group());
        full = full.diagnostic_setting(vault().as_str(), &format!("s{n}"), &other, &["AuditEvent"]);
    }
    let azure = full.start().await;
    let five = client(&azure).ensure(&vault(), &spec()).await.unwrap_err().to_string();
    assert!(five.contains("s1, s2, s3, s4, s5") && five.contains("delete one first"), "{five}");

    let azure = seed().start().await;
    let elsewhere: ResourceId = workspace()
        .to_string()
        .replace(subscription().as_str(), "00000000-0000-0000-0000-000000000009")
        .parse()
        .unwrap();
    let spec = DiagnosticSpec { sink: Sink::Workspace(elsewhere), ..spec() };
    let tenant = client(&azure).ensure(&vault(), &spec).await.unwrap_err();
    assert!(tenant.is_forbidden() && tenant.is_code("LinkedAuthorizationFailed"));
    assert!(tenant.to_string().contains("is not authorized to access linked subscription"), "{tenant}");
    let spec = DiagnosticSpec { categories: vec![Category::named("Sighs")], ..self::spec() };
    let category = client(&azure).ensure(&vault(), &spec).await.unwrap_err().to_string();
    assert!(category.contains("cannot send 'Sighs'; it can send AuditEvent"), "{category}");
    for line in [five, tenant.to_string(), category] {
        assert!(!line.contains('\n'), "{line}");
    }
    assert!(all(&azure).await.is_empty());
}

#[tokio::test]
async fn a_setting_of_the_same_name_to_elsewhere_is_changed_only_when_asked() {
    let other = workspace().to_string().replace("law-sec", "law-two");
    let azure = seed()
        .workspace(subscription(), "rg-sec", "law-two")
        .diagnostic_setting(vault().as_str(), "audit-to-log-analytics", &other, &["AuditEvent"])
        .start()
        .await;
    let refused = client(&azure).ensure(&vault(), &spec()).await.unwrap_err().to_string();
    assert!(refused.contains("choose another name, or set change_existing"), "{refused}");
    assert!(azure.writes().is_empty());
    let spec = DiagnosticSpec { change_existing: true, ..spec() };
    let done = client(&azure).ensure(&vault(), &spec).await.unwrap();
    assert_eq!(done.current().properties.workspace_id, Some(workspace().to_string()));
}

#[tokio::test]
async fn of_many_vaults_each_has_its_outcome_and_one_failure_ends_no_other() {
    let azure = seed()
        .vault(subscription(), "rg-app", "kv-two")
        .vault(subscription(), "rg-app", "kv-three")
        .start()
        .await;
    azure.inject(Fault::status(403).on("PUT", "kv-two").always());
    let in_app =
        |name: &str| vault().as_str().replace("rg-sec", "rg-app").replace("kv-prod", name).parse().unwrap();
    let vaults = [vault(), in_app("kv-two"), in_app("kv-three")];
    let outcomes = client(&azure).ensure_many(vaults.clone(), &spec()).await.unwrap();
    assert_eq!(outcomes.len(), 3);
    for outcome in &outcomes {
        let failed = outcome.target.name() == "kv-two";
        assert_eq!(outcome.result.is_err(), failed, "{}", outcome.target);
    }
    azure.clear_faults();
    let again = client(&azure).ensure_many(vaults, &spec()).await.unwrap();
    assert_eq!(again.iter().filter(|outcome| outcome.result.as_ref().unwrap().is_change()).count(), 1);
}

#[tokio::test]
async fn losing_the_race_for_a_sink_is_a_success_when_the_winner_sends_the_same() {
    let azure = seed().start().await;
    // Our read comes before, our write after the setting of someone else.
    azure.inject(Fault::body(200, r#"{"value":[]}"#).on("GET", "diagnosticSettings?"));
    client(&azure).create_or_update(&vault(), &name("theirs"), &setting()).await.unwrap();
    let done = client(&azure).ensure(&vault(), &spec()).await.unwrap();
    assert!(matches!(&done, Change::Unchanged(setting) if setting.name == "theirs"), "{done:?}");
    assert_eq!(azure.writes().last().unwrap().status, Some(409));
}

#[tokio::test]
async fn cut_at_any_request_the_task_ends_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        || seed().vault(subscription(), "rg-sec", "kv-two"),
        |arm| async move {
            let vaults = ["kv-prod", "kv-two"].map(vault_named);
            let outcomes = DiagnosticsClient::new(&arm).ensure_many(vaults, &spec()).await?;
            outcomes.into_iter().try_for_each(|outcome| outcome.result.map(drop))
        },
        |azure| async move {
            let mut all = Vec::new();
            for vault in ["kv-prod", "kv-two"] {
                let id = format!(
                    "{}/providers/microsoft.insights/diagnosticSettings/audit-to-log-analytics",
                    vault_named(vault)
                );
                all.push(stored(&azure, &id, DiagnosticsClient::API_VERSION).await);
            }
            Value::Array(all)
        },
    )
    .await;
}

#[tokio::test]
async fn a_setting_that_the_service_answers_and_does_not_keep_is_an_error() {
    let shown = |properties: Value| {
        let id =
            format!("{}/providers/Microsoft.Insights/diagnosticSettings/audit-to-log-analytics", vault());
        let kind = "Microsoft.Insights/diagnosticSettings";
        json!({ "id": id, "name": "audit-to-log-analytics", "type": kind, "properties": properties })
            .to_string()
            .into_bytes()
    };
    let on = |method: &str, answer: Vec<u8>| {
        Fault::body(200, answer).on(method, "diagnosticSettings/audit-to-log-analytics")
    };
    let logs = json!([{ "categoryGroup": "audit", "enabled": true }]);
    let asked = json!({ "workspaceId": workspace().to_string(), "logs": logs, "metrics": [] });
    let azure = seed().start().await;
    azure.inject(on("PUT", shown(asked.clone())));
    let error = client(&azure).ensure(&vault(), &spec()).await.unwrap_err();
    assert!(error.is_resource_not_found(), "{error}");
    assert_eq!(all(&azure).await, []);

    let elsewhere = workspace().to_string().replace(workspace().name(), "law-other");
    let less = json!([{ "categoryGroup": "audit", "enabled": false }]);
    for (member, other) in [("workspaceId", json!(elsewhere)), ("logs", less)] {
        let mut kept = asked.clone();
        kept[member] = other;
        let azure = seed().start().await;
        azure.inject(on("GET", shown(kept)));
        let error = client(&azure).ensure(&vault(), &spec()).await.unwrap_err();
        assert!(error.to_string().contains("shows another sink or fewer logs in it"), "{member}: {error}");
    }
}

/// Whose write it was that is there now, nobody knows.
#[tokio::test]
async fn a_write_that_may_have_been_carried_out_is_not_called_unchanged() {
    let azure = seed().start().await;
    azure.inject(Fault::reset_after_acting().on("PUT", "diagnosticSettings/").always());
    let error = client(&azure).ensure(&vault(), &spec()).await.unwrap_err();
    assert!(error.may_have_been_applied(), "{error}");
    assert!(!client(&azure).ensure(&vault(), &spec()).await.unwrap().is_change());
}
