use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure};
use serde_json::json;

use crate::caller::{Caller, MACHINE, SECURITY, SUB, VAULT};

#[tokio::test]
async fn attack_paths_are_not_a_resource_type() {
    let caller = Caller::new(MockAzure::seed().start().await).await;

    let answer = caller.get(&format!("{SUB}{SECURITY}/attackPaths?api-version=2024-01-01")).await;

    assert_eq!((answer.status, answer.code()), (404, "InvalidResourceType"));
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("'attackPaths'"));
}

#[tokio::test]
async fn the_secure_score_is_counted_from_the_assessments() {
    let azure = MockAzure::seed()
        .assessment(VAULT, "52f7826a-ace7-3107-dd0d-4875853c1576", "Healthy")
        .assessment(VAULT, "2e96bc2f-1972-e471-9e70-ae58d41e9d2a", "Unhealthy")
        .assessment(MACHINE, "52f7826a-ace7-3107-dd0d-4875853c1576", "NotApplicable")
        .start()
        .await;
    let caller = Caller::new(azure).await;
    let version = "api-version=2020-01-01";
    let of = |rest: &str| format!("{SUB}{SECURITY}/{rest}?{version}");

    let score = caller.get(&of("secureScores/ascScore")).await.body;
    let (controls, _) = caller.list(&format!("{}&$expand=definition", of("secureScoreControls"))).await;
    let (below, _) = caller.list(&of("secureScores/ascScore/secureScoreControls")).await;
    let (definitions, _) = caller.list(&of("secureScoreControlDefinitions")).await;
    let (built_in, _) = caller.list(&of("secureScoreControlDefinitions").replace(SUB, "")).await;

    assert_eq!(caller.list(&of("secureScores")).await.0, std::slice::from_ref(&score));
    assert_eq!(score["properties"]["score"], json!({ "max": 4, "current": 2, "percentage": 0.5 }));
    assert_eq!(score["properties"]["weight"], 2);
    let count = |name: &str| -> u64 {
        controls.iter().map(|control| control["properties"][name].as_u64().unwrap()).sum()
    };
    let counted = ["healthyResourceCount", "unhealthyResourceCount", "notApplicableResourceCount"].map(count);
    assert_eq!(counted, [1, 1, 1]);
    assert_eq!(controls.len(), below.len());
    assert!(controls.iter().all(|control| control["properties"]["definition"]["name"] == control["name"]));
    assert!(below.iter().all(|control| control["properties"]["definition"].is_null()));
    assert_eq!(definitions, built_in);
    assert_eq!(caller.get(&of("secureScores/none")).await.status, 404);
}

#[tokio::test]
async fn there_is_one_security_contact_and_it_is_named_default() {
    let caller = Caller::new(MockAzure::seed().start().await).await;
    let contact =
        |name: &str| format!("{SUB}{SECURITY}/securityContacts/{name}?api-version=2023-12-01-preview");
    let body = json!({
        "emails": "soc@contoso.example;ops@contoso.example",
        "isEnabled": true,
        "notificationsSources": [{ "sourceType": "Alert", "minimalSeverity": "Medium" }],
        "notificationsByRole": { "state": "On", "roles": ["Owner"] },
    });

    assert_eq!(caller.put(&contact("other"), body.clone()).await.status, 400);
    let created = caller.put(&contact("default"), body.clone()).await;
    let again = caller.put(&contact("default"), body.clone()).await;

    assert_eq!((created.status, again.status), (201, 200));
    assert_eq!(again.body["properties"], body);
    assert_eq!(caller.list(&contact("").replace("/?", "?")).await.0, [again.body]);
    assert_eq!(caller.delete(&contact("default")).await.status, 200);
    assert_eq!(caller.delete(&contact("default")).await.status, 204);
    assert_eq!(caller.get(&contact("default")).await.status, 404);
}

#[tokio::test]
async fn old_scripts_still_find_security_statuses() {
    let azure = MockAzure::seed().key_vault_assessments(VAULT).start().await;
    let caller = Caller::new(azure).await;

    let (statuses, _) =
        caller.list(&format!("{SUB}{SECURITY}/securityStatuses?api-version=2015-06-01-preview")).await;

    assert_eq!(statuses.len(), 1);
    assert_eq!(statuses[0]["properties"]["securityState"], "High");
}

#[tokio::test]
async fn nothing_is_answered_while_the_provider_is_not_registered() {
    let azure = MockAzure::seed().unregistered(DEFAULT_SUBSCRIPTION, "Microsoft.Security").start().await;
    let caller = Caller::new(azure).await;

    let answer = caller.get(&format!("{SUB}{SECURITY}/alerts?api-version=2022-01-01")).await;

    assert_eq!((answer.status, answer.code()), (404, "Subscription Not Registered"));
}
