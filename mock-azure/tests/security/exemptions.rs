use std::time::Duration;

use mock_azure::MockAzure;
use serde_json::{Value, json};

use crate::caller::{Caller, MACHINE, SECURITY, SUB, VAULT};

const NEW: &str = "api-version=2025-05-04";
const STANDARD: &str = "api-version=2024-08-01";
const EXEMPTION: &str = "api-version=2022-07-01-preview";
const NAME: &str = "00000000-0000-0000-0000-0000000000e1";
/// A recommendation that a policy stands behind.
const FIREWALL: &str = "52f7826a-ace7-3107-dd0d-4875853c1576";
const DAY: Duration = Duration::from_secs(86_400);

fn exempt(key: &str, category: &str) -> Value {
    json!({ "effect": "Exempt", "description": "a test", "exemptionData": {
        "exemptionCategory": category, "assignedAssessment": { "assessmentKey": key } } })
}

async fn status(caller: &Caller, resource: &str, key: &str) -> Value {
    let found = caller.get(&format!("{resource}{SECURITY}/assessments/{key}?{NEW}")).await.body;
    json!([found["properties"]["status"]["code"], found["properties"]["status"]["cause"]])
}

#[tokio::test]
async fn a_standard_assignment_exempts_a_finding_after_a_day_and_until_it_expires() {
    let azure = MockAzure::seed().assessment(VAULT, FIREWALL, "Unhealthy").start().await;
    let caller = Caller::new(azure.clone()).await;
    let path = format!("{VAULT}{SECURITY}/standardAssignments/{NAME}?{STANDARD}");
    assert_eq!(caller.get(&path).await.status, 404);
    let mut body = exempt(FIREWALL, "waiver");
    let end = azure.now() + 3 * DAY;
    body["expiresOn"] = json!(end.format(&time::format_description::well_known::Rfc3339).unwrap());

    let made = caller.put(&path, body.clone()).await;
    assert_eq!(
        (made.status, made.body["type"].as_str()),
        (201, Some("Microsoft.Security/standardAssignments"))
    );
    assert_eq!(made.body["id"], format!("{VAULT}{SECURITY}/standardAssignments/{NAME}"));
    assert!(made.body["properties"]["metadata"]["createdOn"].is_string());
    let again = caller.put(&path, body).await;
    assert_eq!(again.status, 200);
    assert_eq!(
        again.body["properties"]["metadata"]["createdOn"],
        made.body["properties"]["metadata"]["createdOn"]
    );
    assert_eq!(status(&caller, VAULT, FIREWALL).await, json!(["Unhealthy", null]), "it is not seen yet");

    azure.advance(DAY);
    let caller = Caller::new(azure.clone()).await;
    assert_eq!(status(&caller, VAULT, FIREWALL).await, json!(["NotApplicable", "Exempt"]));
    let (listed, _) = caller.list(&format!("{SUB}{SECURITY}/assessments?{NEW}")).await;
    assert_eq!(listed[0]["properties"]["status"]["cause"], "Exempt");
    let (all, _) = caller.list(&format!("{SUB}{SECURITY}/standardAssignments?{STANDARD}")).await;
    assert_eq!(all.len(), 1, "those of resources are listed too");

    azure.advance(3 * DAY);
    let caller = Caller::new(azure).await;
    assert_eq!(status(&caller, VAULT, FIREWALL).await, json!(["Unhealthy", null]), "it has expired");
    assert_eq!(caller.delete(&path).await.status, 200);
    assert_eq!(caller.delete(&path).await.status, 204);
}

#[tokio::test]
async fn an_exemption_above_holds_below_but_for_what_it_excludes_and_counts_in_the_score_by_its_category() {
    for (category, healthy) in [("Mitigated", 1), ("Waiver", 0)] {
        let azure = MockAzure::seed()
            .assessment(VAULT, FIREWALL, "Unhealthy")
            .assessment(MACHINE, FIREWALL, "Unhealthy")
            .start()
            .await;
        let caller = Caller::new(azure.clone()).await;
        let mut body = exempt(&FIREWALL.to_uppercase(), category);
        body["excludedScopes"] = json!([MACHINE]);
        caller.put(&format!("{SUB}{SECURITY}/standardAssignments/{NAME}?{STANDARD}"), body).await;
        azure.advance(DAY);
        let caller = Caller::new(azure).await;
        assert_eq!(status(&caller, VAULT, FIREWALL).await, json!(["NotApplicable", "Exempt"]));
        assert_eq!(status(&caller, MACHINE, FIREWALL).await, json!(["Unhealthy", null]));
        let path = format!("{SUB}{SECURITY}/secureScoreControls?api-version=2020-01-01");
        let (controls, _) = caller.list(&path).await;
        let count = |name: &str| {
            controls.iter().map(|control| control["properties"][name].as_u64().unwrap()).sum::<u64>()
        };
        assert_eq!((count("healthyResourceCount"), count("unhealthyResourceCount")), (healthy, 1));
    }
}

#[tokio::test]
async fn an_invalid_standard_assignment_is_refused() {
    let caller = Caller::new(MockAzure::seed().assessment(VAULT, FIREWALL, "Unhealthy").start().await).await;
    let at = |name: &str| format!("{VAULT}{SECURITY}/standardAssignments/{name}?{STANDARD}");
    for (name, body, word) in [
        ("not-a-guid", exempt(FIREWALL, "waiver"), "GUID"),
        (NAME, json!({ "effect": "Ignore" }), "effect"),
        (NAME, exempt(FIREWALL, "Boredom"), "category"),
    ] {
        let refused = caller.put(&at(name), body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.body["error"]["message"].as_str().unwrap().contains(word), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_policy_exemption_exempts_the_findings_of_its_policy() {
    let azure = MockAzure::seed().assessment(VAULT, FIREWALL, "Unhealthy").start().await;
    let caller = Caller::new(azure.clone()).await;
    let metadata = caller.get(&format!("{SECURITY}/assessmentMetadata/{FIREWALL}?{NEW}")).await.body;
    let policy = metadata["properties"]["policyDefinitionId"].as_str().unwrap().to_owned();
    let assignment = format!("{SUB}/providers/Microsoft.Authorization/policyAssignments/audit");
    caller
        .put(&format!("{assignment}?api-version=2023-04-01"), json!({ "policyDefinitionId": policy }))
        .await;
    let exemptions = |scope: &str| format!("{scope}/providers/Microsoft.Authorization/policyExemptions");
    let path = format!("{}/test?{EXEMPTION}", exemptions(VAULT));
    let body = json!({ "policyAssignmentId": assignment, "exemptionCategory": "Waiver" });

    assert_eq!(caller.get(&path).await.code(), "PolicyExemptionNotFound");
    let made = caller.put(&path, body.clone()).await;
    assert_eq!((made.status, made.body["name"].as_str()), (201, Some("test")));
    assert!(made.body["systemData"]["createdAt"].is_string());
    assert_eq!(caller.put(&path, body).await.status, 200);
    for refused in [
        json!({ "exemptionCategory": "Waiver" }),
        json!({ "policyAssignmentId": assignment }),
        json!({ "policyAssignmentId": assignment, "exemptionCategory": "Boredom" }),
    ] {
        assert_eq!(caller.put(&path, refused).await.status, 400);
    }
    let count = async |scope: &str, filter: &str| {
        let filter = if filter.is_empty() { String::new() } else { format!("&$filter={filter}") };
        caller.list(&format!("{}?{EXEMPTION}{filter}", exemptions(scope))).await.0.len()
    };
    let by = format!("policyAssignmentId eq '{assignment}'").replace(' ', "%20");
    assert_eq!([count(SUB, "").await, count(SUB, "atScope()").await, count(VAULT, "").await], [1, 0, 1]);
    assert_eq!(count(VAULT, "atExactScope()").await, 1);
    assert_eq!([count(SUB, &by).await, count(SUB, "policyAssignmentId%20eq%20'x'").await], [1, 0]);
    assert_eq!(count(SUB, "excludeExpired()").await, 1);

    azure.advance(DAY);
    let caller = Caller::new(azure).await;
    assert_eq!(status(&caller, VAULT, FIREWALL).await, json!(["NotApplicable", "Exempt"]));
    assert_eq!(caller.delete(&path).await.status, 200);
    assert_eq!(status(&caller, VAULT, FIREWALL).await, json!(["Unhealthy", null]));
}
