//! What users of other tools ran into.

use azure_core::http::Method::{Delete, Get, Patch, Post};
use mock_azure::MockAzure;
use serde_json::{Value, json};

use crate::{
    TENANT, a_rule, get, group, members, put, send, support, support::SUB, vault, without, workspace,
};

/// azure-rest-api-specs#21258, azure-cli#26581, azure-powershell#22583, azure-resource-manager-schemas#1753.
#[tokio::test]
async fn schedules_mutes_and_failing_periods_that_the_service_never_takes_are_refused_with_what_it_takes() {
    let azure = MockAzure::seed().workspace(SUB, "rg", "law-a").start().await;
    let path = format!("{}/providers/Microsoft.Insights/scheduledQueryRules/r", group());
    let granularities =
        "Supported granularities are: 1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440";
    let silent = |mute: &str, every: &str| json!({ "autoMitigate": false, "muteActionsDuration": mute, "evaluationFrequency": every, "windowSize": every });
    let periods = |all: u32, failing: u32| json!({ "numberOfEvaluationPeriods": all, "minFailingPeriodsToAlert": failing });
    let cases = [
        (json!({ "windowSize": "PT7M" }), granularities),
        (json!({ "windowSize": "PT12H" }), granularities),
        (json!({ "windowSize": "P3D" }), granularities),
        (json!({ "windowSize": "P2D", "evaluationFrequency": "P2D" }), granularities),
        (json!({ "windowSize": "PT5M", "evaluationFrequency": "PT10M" }), "must not be shorter"),
        (json!({ "autoMitigate": true, "muteActionsDuration": "PT1H" }), "Auto mitigation must be disabled"),
        (silent("PT5M", "PT1H"), "EvaluationFrequency cannot be greater than MuteActionsDuration"),
        (silent("PT12H", "PT5M"), granularities),
    ];
    let mut refused = 0;
    for (change, says) in cases {
        let mut rule = a_rule();
        for (name, value) in change.as_object().unwrap() {
            rule["properties"][name] = value.clone();
        }
        let answer = put(&azure, &path, "2023-12-01", rule).await;
        assert_eq!((answer.status, answer.code()), (400, "BadRequest"), "{change}");
        assert!(answer.message().contains(says), "{change}: {}", answer.message());
        refused += 1;
    }
    for (all, failing) in [(0, 0), (1, 0), (2, 3), (7, 1)] {
        let mut rule = a_rule();
        rule["properties"]["criteria"]["allOf"][0]["failingPeriods"] = periods(all, failing);
        let answer = put(&azure, &path, "2023-12-01", rule).await;
        assert_eq!((answer.status, answer.code()), (400, "BadRequest"), "{failing} of {all}");
        assert!(answer.message().contains("from 1 to 6"), "{}", answer.message());
        refused += 1;
    }
    assert_eq!(refused, 12);
    assert_eq!(get(&azure, &path, "2023-12-01").await.status, 404, "nothing was stored");
    let mut good = a_rule();
    for (name, value) in silent("PT1H", "PT5M").as_object().unwrap() {
        good["properties"][name] = value.clone();
    }
    good["properties"]["criteria"]["allOf"][0]["failingPeriods"] = periods(6, 6);
    assert_eq!(put(&azure, &path, "2023-12-01", good).await.status, 201);
}

/// azure-powershell#15115, azure-cli#14396.
#[tokio::test]
async fn a_vault_name_that_is_taken_or_soft_deleted_elsewhere_is_a_conflict_of_its_own() {
    let azure = MockAzure::seed()
        .resource_group(SUB, "rg", "westeurope")
        .deleted_vault(SUB, "other", "kv-a")
        .vault_name_taken("kv-b")
        .start()
        .await;
    let body = json!({ "location": "westeurope", "properties": {
        "tenantId": TENANT, "sku": { "family": "A", "name": "standard" }, "accessPolicies": [],
    } });
    for (name, code) in [("kv-a", "ConflictError"), ("kv-b", "VaultAlreadyExists")] {
        let path = vault().replace("kv-a", name);
        let refused = put(&azure, &path, "2023-07-01", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (409, code));
        let check = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/checkNameAvailability");
        let asked = json!({ "name": name, "type": "Microsoft.KeyVault/vaults" });
        let answer = send(&azure, Post, &check, "2023-07-01", asked).await.body;
        assert_eq!((&answer["nameAvailable"], &answer["reason"]), (&json!(false), &json!("AlreadyExists")));
    }
}

/// azure-docs#113525: forbidden, and not for want of a role.
#[tokio::test]
async fn a_workspace_of_another_tenant_is_refused_as_a_linked_scope() {
    let azure = MockAzure::seed().vault(SUB, "rg", "kv-a").start().await;
    let foreign = workspace().replace(SUB, "00000000-0000-0000-0000-000000000009");
    let path = format!("{}/providers/Microsoft.Insights/diagnosticSettings/d", vault());
    let body = json!({ "properties": {
        "workspaceId": foreign, "logs": [{ "category": "AuditEvent", "enabled": true }],
    } });
    let refused = put(&azure, &path, "2021-05-01-preview", body).await;
    assert_eq!((refused.status, &refused.body["code"]), (403, &json!("LinkedAuthorizationFailed")));
}

/// azure-docs, "Enforce job execution on Hybrid Runbook Worker", shows the whole answer.
#[tokio::test]
async fn what_a_policy_forbids_is_refused_with_the_names_of_the_policy_until_its_assignment_goes() {
    let azure = MockAzure::seed()
        .resource_group(SUB, "rg", "westeurope")
        .resource_type_not_allowed(group(), "no-vaults", "microsoft.keyvault/VAULTS")
        .start()
        .await;
    let body = json!({ "location": "westeurope", "properties": {
        "tenantId": TENANT, "sku": { "family": "A", "name": "standard" }, "accessPolicies": [],
    } });
    let refused = put(&azure, &vault(), "2023-07-01", body.clone()).await;
    assert_eq!((refused.status, refused.code()), (403, "RequestDisallowedByPolicy"));
    let (error, scope) = (&refused.body["error"], group());
    let assignment = format!("{scope}/providers/Microsoft.Authorization/policyAssignments/no-vaults");
    let definition =
        "/providers/Microsoft.Authorization/policyDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749";
    assert_eq!(members(error), ["additionalInfo", "code", "message", "target"]);
    assert_eq!(error["target"], "kv-a");
    let identifiers =
        refused.message().strip_prefix("Resource 'kv-a' was disallowed by policy. Policy identifiers: '");
    let identifiers: Value = serde_json::from_str(identifiers.unwrap().strip_suffix("'.").unwrap()).unwrap();
    assert_eq!(
        identifiers,
        json!([{
            "policyAssignment": { "name": "no-vaults", "id": assignment },
            "policyDefinition": { "name": "Not allowed resource types", "id": definition },
        }])
    );
    let info = &error["additionalInfo"][0];
    assert_eq!(info["type"], "PolicyViolation");
    assert_eq!(
        without(&info["info"], "", &["evaluationDetails", "policyAssignmentParameters"]),
        json!({
            "policyDefinitionDisplayName": "Not allowed resource types",
            "policyDefinitionId": definition,
            "policyDefinitionName": "6c112d4e-5bc7-47ae-a041-ea2d9dccd749",
            "policyDefinitionEffect": "Deny",
            "policyAssignmentId": assignment,
            "policyAssignmentName": "no-vaults",
            "policyAssignmentDisplayName": "no-vaults",
            "policyAssignmentScope": scope,
        })
    );
    assert_eq!(get(&azure, &vault(), "2023-07-01").await.status, 404, "nothing was made");
    let law = json!({ "location": "westeurope" });
    assert_eq!(put(&azure, &workspace(), "2023-09-01", law).await.status, 201, "another type");
    assert_eq!(send(&azure, Delete, &assignment, "2022-06-01", Value::Null).await.status, 200);
    assert_eq!(put(&azure, &vault(), "2023-07-01", body).await.status, 200);
}

/// The same policy, assigned by a request: with what its assignment leaves out, and when it does not enforce.
#[tokio::test]
async fn an_assigned_policy_refuses_where_it_is_enforced_and_its_scope_is_not_excluded() {
    let azure = MockAzure::seed().workspace(SUB, "rg", "law-a").start().await;
    let assignment = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/policyAssignments/none");
    let definition =
        "/providers/Microsoft.Authorization/policyDefinitions/6c112d4e-5bc7-47ae-a041-ea2d9dccd749";
    let denied = json!({ "value": ["Microsoft.OperationalInsights/workspaces"] });
    let cases = [
        (json!({}), 403),
        (json!({ "enforcementMode": "DoNotEnforce" }), 200),
        (json!({ "notScopes": [group()] }), 200),
        (json!({ "notScopes": [format!("{}-other", group())] }), 403),
        (
            json!({ "parameters": { "listOfResourceTypesNotAllowed": denied, "effect": { "value": "Audit" } } }),
            200,
        ),
    ];
    let tags = json!({ "tags": { "team": "sec" } });
    for (change, status) in cases {
        let mut properties = json!({
            "policyDefinitionId": definition, "parameters": { "listOfResourceTypesNotAllowed": denied },
        });
        for (name, value) in change.as_object().unwrap() {
            properties[name] = value.clone();
        }
        let assigned = put(&azure, &assignment, "2022-06-01", json!({ "properties": properties })).await;
        assert_eq!(assigned.status, 201);
        let patched = send(&azure, Patch, &workspace(), "2023-09-01", tags.clone()).await;
        assert_eq!(patched.status, status, "{change}");
    }
    assert_eq!(get(&azure, &workspace(), "2023-09-01").await.status, 200, "to read is never forbidden");
}

/// azure-cli#23867, TF #16869: what is not ready is not absent; a write in between is taken, and does harm.
#[tokio::test]
async fn a_workspace_that_somebody_is_at_says_so_until_it_is_ready_or_gone() {
    for (state, status, then) in [
        ("Updating", 200, json!("Succeeded")),
        ("LinkingAccount", 200, json!("Succeeded")),
        ("Deleting", 404, json!(null)),
    ] {
        let azure = MockAzure::seed().workspace_in_state(SUB, "rg", "law-a", state).start().await;
        let found = get(&azure, &workspace(), "2023-09-01").await;
        assert_eq!((found.status, &found.body["properties"]["provisioningState"]), (200, &json!(state)));
        let after = get(&azure, &workspace(), "2023-09-01").await;
        assert_eq!(
            (after.status, &after.body["properties"]["provisioningState"]),
            (status, &then),
            "{state}"
        );
        let list = format!("{}/providers/Microsoft.OperationalInsights/deletedWorkspaces", group());
        let deleted = get(&azure, &list, "2023-09-01").await.body["value"].as_array().unwrap().len();
        assert_eq!(deleted, usize::from(state == "Deleting"));
    }
}

/// msrestazure-for-python#157: 200 at a `Location`, and a failure in its body.
#[tokio::test]
async fn a_purge_that_fails_says_so_in_the_body_of_a_200() {
    let azure = MockAzure::seed()
        .deleted_vault(SUB, "rg", "kv-a")
        .operation_fails("deletedVaults/kv-a", "PurgeFailed", "The vault is in use.")
        .operation_polls(0)
        .start()
        .await;
    let deleted =
        format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-a");
    let accepted = send(&azure, Post, &format!("{deleted}/purge"), "2023-07-01", Value::Null).await;
    assert_eq!(accepted.status, 202);
    let told = support::send(&azure, Get, accepted.header("location"), Value::Null).await;
    assert_eq!((told.status, &told.body["status"]), (200, &json!("Failed")));
    assert_eq!(told.body["error"], json!({ "code": "PurgeFailed", "message": "The vault is in use." }));
    assert_eq!(get(&azure, &deleted, "2023-07-01").await.status, 200, "it is there still");
}

/// TF #24045.
#[tokio::test]
async fn the_condition_of_an_assignment_is_kept_and_shown_wherever_the_assignment_is() {
    const CONDITION: &str = "@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {x}";
    let azure = MockAzure::seed().resource_group(SUB, "rg", "westeurope").start().await;
    let list = format!("{}/providers/Microsoft.Authorization/roleAssignments", group());
    let owner = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    );
    let properties = json!({
        "roleDefinitionId": owner, "principalId": azure.signed_in(), "principalType": "User",
        "condition": CONDITION, "conditionVersion": "2.0",
    });
    let path = format!("{list}/88888888-0000-0000-0000-000000000001");
    let made = put(&azure, &path, "2022-04-01", json!({ "properties": properties })).await;
    let listed = get(&azure, &list, "2022-04-01").await.body["value"].clone();
    let listed = listed.as_array().unwrap().iter().find(|one| one["id"] == made.body["id"]).unwrap().clone();
    for shown in [&made.body, &get(&azure, &path, "2022-04-01").await.body, &listed] {
        let shown = [&shown["properties"]["condition"], &shown["properties"]["conditionVersion"]];
        assert_eq!(shown, [&json!(CONDITION), &json!("2.0")]);
    }
}

/// azure-sdk-for-net#24975.
#[tokio::test]
async fn a_number_that_json_has_none_for_comes_as_a_text_in_a_column_of_its_type() {
    let azure = MockAzure::seed().workspace(SUB, "rg", "law-a").start().await;
    let law = get(&azure, &workspace(), "2023-09-01").await.body["properties"]["customerId"].clone();
    let url = format!("https://api.loganalytics.azure.com/v1/workspaces/{}/query", law.as_str().unwrap());
    let query = json!({ "query": "print a = real(nan), b = real(+inf), c = real(-inf), d = 0.5" });
    let answer = support::send(&azure, Post, &url, query).await;
    let table = &answer.body["tables"][0];
    assert_eq!((answer.status, &table["columns"][0]["type"]), (200, &json!("real")), "{}", answer.body);
    assert_eq!(table["rows"], json!([["NaN", "Infinity", "-Infinity", 0.5]]));
}

/// A rule that reads logs of machines is taken, since a workspace has their tables from the start; one that reads the
/// vaults' table is not before its first row.
#[tokio::test]
async fn the_tables_of_machines_are_there_from_the_start_and_those_of_vaults_are_not() {
    let azure = MockAzure::seed().workspace(SUB, "rg", "law-a").start().await;
    let path = format!("{}/providers/Microsoft.Insights/scheduledQueryRules/r", group());
    assert_eq!(put(&azure, &path, "2023-12-01", a_rule()).await.status, 201);
    let mut early = a_rule();
    early["properties"]["criteria"]["allOf"][0]["query"] =
        json!("AZKVAuditLogs | where HttpStatusCode == 403");
    let refused = put(&azure, &format!("{path}-early"), "2023-12-01", early).await;
    assert_eq!((refused.status, refused.code()), (400, "BadRequest"));
    assert_eq!(send(&azure, Delete, &path, "2023-12-01", Value::Null).await.status, 200);
}
