//! Row 12: ids, types and words come in the service's spelling, whatever a request spells.

use mock_azure::MockAzure;
use serde_json::{Value, json};

use crate::{a_rule, get, group, put, support, support::SUB, workspace};

fn shouted(path: &str) -> String {
    path.replace("resourceGroups", "RESOURCEGROUPS").replace("providers/Microsoft", "providers/MICROSOFT")
}

/// Each kind: how it is asked, and how its id and type are answered.
#[tokio::test]
async fn ids_and_types_are_normalised_and_not_echoed() {
    let azure = MockAzure::seed()
        .workspace(SUB, "rg", "law-a")
        .sentinel(&workspace())
        .vault(SUB, "rg", "kv-a")
        .start()
        .await;
    let rg = group();
    let law = workspace();
    let mail = json!({ "location": "Global", "properties": { "groupShortName": "soc" } });
    let incident = json!({ "properties": { "title": "t", "severity": "High", "status": "New" } });
    let logs = json!({ "properties": { "workspaceId": law, "logs": [{ "category": "AuditEvent", "enabled": true }] } });
    let activity = json!({ "properties": { "workspaceId": law, "logs": [{ "category": "Security", "enabled": true }] } });
    let place = json!({ "location": "westeurope" });
    let cases: [(String, &str, Value, String, &str); 7] = [
        (
            format!("{rg}/providers/Microsoft.Insights/scheduledQueryRules/r"),
            "2023-12-01",
            a_rule(),
            format!("{rg}/providers/microsoft.insights/scheduledqueryrules/r"),
            "Microsoft.Insights/scheduledQueryRules",
        ),
        (
            format!("{rg}/providers/Microsoft.Insights/actionGroups/soc"),
            "2022-06-01",
            mail,
            format!("{rg}/providers/microsoft.insights/actionGroups/soc"),
            "Microsoft.Insights/ActionGroups",
        ),
        (
            format!("{law}/providers/Microsoft.SecurityInsights/incidents/i"),
            "2025-09-01",
            incident,
            format!("{law}/providers/Microsoft.SecurityInsights/Incidents/i"),
            "Microsoft.SecurityInsights/Incidents",
        ),
        (
            law.replace("law-a", "law-b"),
            "2023-09-01",
            place,
            law.replace("law-a", "law-b"),
            "Microsoft.OperationalInsights/workspaces",
        ),
        (
            format!("{}/providers/Microsoft.Insights/diagnosticSettings/d", crate::vault()),
            "2021-05-01-preview",
            logs,
            format!("{}/providers/microsoft.insights/diagnosticSettings/d", crate::vault().to_lowercase()),
            "Microsoft.Insights/diagnosticSettings",
        ),
        (
            format!("/subscriptions/{SUB}/providers/Microsoft.Insights/diagnosticSettings/d"),
            "2021-05-01-preview",
            activity,
            format!("subscriptions/{SUB}/providers/microsoft.insights/diagnosticSettings/d"),
            "Microsoft.Insights/diagnosticSettings",
        ),
        (
            format!("/subscriptions/{SUB}/providers/Microsoft.Security/securityContacts/default"),
            "2023-12-01-preview",
            json!({ "properties": { "emails": "a@contoso.example" } }),
            format!("/subscriptions/{SUB}/providers/Microsoft.Security/securityContacts/default"),
            "Microsoft.Security/securityContacts",
        ),
    ];
    for (path, version, body, id, kind) in cases {
        let asked = shouted(&path);
        let made = put(&azure, &asked, version, body).await;
        assert!(made.status < 300, "{asked}: {} {}", made.status, made.body);
        assert_eq!((&made.body["id"], &made.body["type"]), (&json!(id), &json!(kind)), "{asked}");
        let read = get(&azure, &path, version).await;
        assert_eq!((&read.body["id"], &read.body["type"]), (&json!(id), &json!(kind)), "{path}");
        let (list, _) = asked.rsplit_once('/').unwrap();
        let listed = get(&azure, list, version).await.body["value"].clone();
        assert!(listed.as_array().unwrap().iter().any(|one| one["id"] == json!(id)), "{list}: {listed}");
    }
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn a_name_keeps_the_spelling_that_it_was_made_with() {
    let azure = MockAzure::seed().resource_group(SUB, "Mixed", "westeurope").start().await;
    let path = |group: &str, name: &str| {
        format!(
            "/subscriptions/{SUB}/resourcegroups/{group}/providers/microsoft.operationalinsights/workspaces/{name}"
        )
    };
    let place = json!({ "location": "westeurope" });
    put(&azure, &path("MIXED", "Law-A"), "2023-09-01", place.clone()).await;
    let again = put(&azure, &path("mixed", "LAW-A"), "2023-09-01", place).await;
    let id = format!(
        "/subscriptions/{SUB}/resourceGroups/Mixed/providers/Microsoft.OperationalInsights/workspaces/Law-A"
    );
    assert_eq!((again.status, &again.body["id"], &again.body["name"]), (200, &json!(id), &json!("Law-A")));
    let list = format!("/subscriptions/{SUB}/providers/Microsoft.OperationalInsights/workspaces");
    let listed = support::send(
        &azure,
        azure_core::http::Method::Get,
        &format!("https://management.azure.com{list}?api-version=2023-09-01"),
        Value::Null,
    )
    .await;
    assert_eq!(listed.body["value"].as_array().unwrap().len(), 1);
}
