use mock_azure::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, MockAzure};
use serde_json::{Value, json};

use crate::caller::{Caller, MACHINE, SECURITY, SUB, VAULT};

const FIREWALL: &str = "52f7826a-ace7-3107-dd0d-4875853c1576";
const CUSTOM: &str = "00000000-0000-0000-0000-0000000000c1";
const NEW: &str = "api-version=2025-05-04";
const OLD: &str = "api-version=2021-06-01";

fn assessment(resource: &str, key: &str, version: &str) -> String {
    format!("{resource}{SECURITY}/assessments/{key}?{version}")
}

#[tokio::test]
async fn metadata_and_links_are_answered_only_when_they_are_asked_for() {
    let azure = MockAzure::seed().assessment(VAULT, FIREWALL, "Unhealthy").start().await;
    let caller = Caller::new(azure).await;
    let path = assessment(VAULT, FIREWALL, NEW);

    let plain = caller.get(&path).await.body;
    let full = caller.get(&format!("{path}&$expand=metadata,links")).await.body;
    let (list, _) = caller.list(&format!("{SUB}{SECURITY}/assessments?{NEW}&%24expand=metadata")).await;

    assert!(plain["properties"]["metadata"].is_null() && plain["properties"]["links"].is_null());
    assert_eq!(full["properties"]["metadata"]["severity"], "Medium");
    assert!(full["properties"]["links"]["azurePortalUri"].is_string());
    assert_eq!(list[0]["properties"]["metadata"], full["properties"]["metadata"]);
    assert!(list[0]["properties"]["links"].is_null());
}

#[tokio::test]
async fn assessments_are_listed_below_a_resource_a_subscription_and_the_root_group() {
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";
    let azure = MockAzure::seed()
        .subscription(DEFAULT_SUBSCRIPTION)
        .subscription(OTHER)
        .key_vault_assessments(VAULT)
        .assessment(MACHINE, "1195afff-c881-495e-9bc5-1486211ae03f", "Healthy")
        .assessment(VAULT.replace(DEFAULT_SUBSCRIPTION, OTHER), FIREWALL, "Healthy")
        .page_size(4)
        .start()
        .await;
    let caller = Caller::new(azure).await;
    let root = format!("/providers/Microsoft.Management/managementGroups/{DEFAULT_TENANT}");

    let count =
        async |scope: &str| caller.list(&format!("{scope}{SECURITY}/assessments?{OLD}")).await.0.len();

    assert_eq!(count(VAULT).await, 9);
    assert_eq!(count(SUB).await, 10);
    assert_eq!(count(&root).await, 11);
    let unknown = "/providers/Microsoft.Management/managementGroups/none";
    assert_eq!(caller.get(&format!("{unknown}{SECURITY}/assessments?{OLD}")).await.status, 404);
}

#[tokio::test]
async fn a_custom_assessment_needs_metadata_and_never_answers_the_partners_secret() {
    let azure = MockAzure::seed().resource_group(DEFAULT_SUBSCRIPTION, "rg-app", "westeurope").start().await;
    let caller = Caller::new(azure).await;
    let path = assessment(VAULT, CUSTOM, NEW);
    let result = |code: &str| {
        json!({
            "resourceDetails": { "source": "Azure" },
            "status": { "code": code, "cause": "Script" },
            "additionalData": { "owner": "app" },
            "partnersData": { "partnerName": "Contoso", "secret": "REDACTED" },
        })
    };
    let metadata = format!("{SUB}{SECURITY}/assessmentMetadata/{CUSTOM}?{NEW}");
    let described = json!({ "displayName": "Vaults should have an owner", "severity": "Low", "assessmentType": "CustomerManaged" });

    assert_eq!(caller.put(&path, result("Unhealthy")).await.status, 400);
    assert_eq!(caller.put(&metadata, described.clone()).await.status, 200);
    let created = caller.put(&path, result("Unhealthy")).await;
    let again = caller.put(&path, result("Unhealthy")).await;
    let changed = caller.put(&path, result("Healthy")).await;

    assert_eq!((created.status, again.status, changed.status), (201, 200, 200));
    assert_eq!(created.body["properties"]["displayName"], described["displayName"]);
    assert_eq!(created.body["properties"]["resourceDetails"], json!({ "source": "Azure", "id": VAULT }));
    assert_eq!(created.body["properties"]["status"], again.body["properties"]["status"]);
    assert_ne!(created.body["properties"]["status"], changed.body["properties"]["status"]);
    assert!(!created.body.to_string().contains("REDACTED"));
    assert_eq!(caller.delete(&path).await.status, 200);
    assert_eq!(caller.delete(&path).await.status, 204);
}

#[tokio::test]
async fn deleting_metadata_deletes_what_it_describes_and_built_in_metadata_stays() {
    let azure = MockAzure::seed().assessment(VAULT, CUSTOM, "Unhealthy").start().await;
    let caller = Caller::new(azure).await;
    let list = format!("{SUB}{SECURITY}/assessmentMetadata?{OLD}");
    let one = |key: &str| format!("{SUB}{SECURITY}/assessmentMetadata/{key}?{OLD}");
    let built_in = caller.list(&list).await.0.len();
    let described = json!({ "displayName": "A", "severity": "Low", "assessmentType": "CustomerManaged" });
    caller.put(&one(CUSTOM), described).await;
    assert_eq!(caller.list(&list).await.0.len(), built_in + 1);
    assert_eq!(caller.list(&list.replace(SUB, "")).await.0.len(), built_in);

    assert_eq!(caller.delete(&one(CUSTOM)).await.status, 200);
    assert_eq!(caller.delete(&one(FIREWALL)).await.status, 400);

    assert_eq!(caller.get(&one(CUSTOM)).await.status, 404);
    assert_eq!(caller.get(&assessment(VAULT, CUSTOM, OLD)).await.status, 404);
    assert_eq!(caller.get(&one(FIREWALL).replace(SUB, "")).await.body["name"], FIREWALL);
    assert_eq!(caller.get(&one(FIREWALL)).await.body["name"], FIREWALL);
}

#[tokio::test]
async fn risk_is_there_in_the_new_version_while_defender_cspm_is_on() {
    let seed = || {
        MockAzure::seed().assessment(VAULT, FIREWALL, "Unhealthy").attack_path(
            MACHINE,
            VAULT,
            "Internet exposed VM can read secrets of a key vault",
        )
    };
    let off = Caller::new(seed().start().await).await;
    let on = Caller::new(seed().plan(DEFAULT_SUBSCRIPTION, "CloudPosture", "Standard").start().await).await;
    let risk = async |caller: &Caller, version: &str| {
        caller.get(&assessment(VAULT, FIREWALL, version)).await.body["properties"]["risk"].clone()
    };

    assert_eq!(risk(&off, NEW).await, Value::Null);
    assert_eq!(risk(&on, OLD).await, Value::Null);
    let risk = risk(&on, NEW).await;
    assert_eq!(risk["level"], "Critical");
    assert_eq!(risk["attackPathsReferences"].as_array().unwrap().len(), 1);
    assert_eq!(risk["paths"][0]["nodes"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn secrets_found_one_by_one_are_assessments_while_machines_are_scanned() {
    let seed =
        || MockAzure::seed().exposed_secret(MACHINE, "SSH private key").exposed_secret(MACHINE, "password");
    let list = format!("{SUB}{SECURITY}/assessments?{NEW}&$expand=metadata");
    let off = Caller::new(seed().start().await).await;
    let on = seed().plan(DEFAULT_SUBSCRIPTION, "CloudPosture", "Standard");
    let on = on.plan_extension(DEFAULT_SUBSCRIPTION, "CloudPosture", "AgentlessVmScanning", true);
    let on = Caller::new(on.start().await).await;

    assert_eq!(off.list(&list).await.0.len(), 0);
    let (found, _) = on.list(&list).await;

    assert_eq!(found.len(), 2);
    let is_secret =
        |found: &Value| found["properties"]["metadata"]["recommendationCategory"] == "ExposedSecrets";
    assert!(found.iter().all(is_secret));
    let nested = |found: &Value| found["properties"]["additionalData"]["Data"].is_string();
    assert_eq!(found.iter().filter(|found| nested(found)).count(), 1);
}

#[tokio::test]
async fn sub_assessments_are_retired_unless_they_are_served_still() {
    let seed =
        || MockAzure::seed().vulnerability(MACHINE, "CVE-2026-0001").grouped_secret(MACHINE, "SSH key");
    let version = "api-version=2019-01-01-preview";
    let all = format!("{SUB}{SECURITY}/subAssessments?{version}");
    let retired = Caller::new(seed().start().await).await;
    let served = Caller::new(seed().sub_assessments_served().start().await).await;

    assert_eq!(retired.list(&all).await.0.len(), 0);
    let (findings, _) = served.list(&all).await;
    assert_eq!(findings.len(), 2);
    for finding in &findings {
        let id = finding["id"].as_str().unwrap();
        let (parent, _) = id.rsplit_once('/').unwrap();
        assert_eq!(served.list(&format!("{parent}?{version}")).await.0, std::slice::from_ref(finding));
        assert_eq!(served.get(&format!("{id}?{version}")).await.body, *finding);
        assert_eq!(retired.get(&format!("{id}?{version}")).await.status, 404);
    }
}

#[tokio::test]
async fn metadata_of_a_partner_names_the_partner_and_its_secret() {
    let caller = Caller::new(MockAzure::seed().start().await).await;
    let metadata = format!("{SUB}{SECURITY}/assessmentMetadata/{CUSTOM}?{NEW}");
    let described = |partner: Value| json!({ "displayName": "A", "severity": "Low", "assessmentType": "VerifiedPartner", "partnerData": partner });
    for (partner, status) in [
        (Value::Null, 400),
        (json!({ "partnerName": "Contoso" }), 400),
        (json!({ "secret": "REDACTED" }), 400),
        (json!({ "partnerName": "Contoso", "secret": "REDACTED" }), 200),
    ] {
        let answer = caller.put(&metadata, described(partner.clone())).await;
        assert_eq!(answer.status, status, "{partner}");
        assert!(!answer.body.to_string().contains("REDACTED"));
    }
}
