use std::time::Duration;

use arm_core::{Change, ResourceId};
use azure_core::time::OffsetDateTime;
use defender_alerts::{
    AssessmentId, AssessmentsClient, AssignmentEffect, Exempt, Exemption, ExemptionData, ExemptionReason,
    SecretFindingsClient, StandardAssignmentSpec, StandardAssignmentsClient,
};
use mock_azure::{MockAzure, Seed};
use resource_ops::{ExemptionCategory, PolicyExemptionSpec, PolicyExemptionsClient};
use serde_json::json;
use uuid::Uuid;

use crate::{arm, machine, subscription, vault};

/// A recommendation that a policy stands behind.
const FIREWALL: &str = "52f7826a-ace7-3107-dd0d-4875853c1576";
const DAY: Duration = Duration::from_secs(86_400);

fn until() -> OffsetDateTime {
    OffsetDateTime::now_utc() + Duration::from_secs(400 * 86_400)
}

fn reason() -> ExemptionReason {
    ExemptionReason::builder()
        .category(ExemptionCategory::Waiver)
        .reason("a key of a test, which opens nothing")
        .until(until())
        .owner("dev@contoso.example")
        .ticket("SEC-7")
        .build()
}

fn scanned(seed: Seed) -> Seed {
    let seed = seed.plan(subscription(), "CloudPosture", "Standard");
    seed.plan_extension(subscription(), "CloudPosture", "AgentlessVmScanning", true)
}

/// A machine on which two secrets were found, and the first of the findings.
async fn exposed() -> (MockAzure, AssessmentId) {
    let seed = MockAzure::seed().exposed_secret(machine(), "password").exposed_secret(machine(), "api key");
    let azure = scanned(seed).start().await;
    let found = SecretFindingsClient::new(&arm(&azure)).find(&subscription()).await.unwrap();
    let finding = found.findings[0].id.parse().unwrap();
    azure.clear_requests();
    (azure, finding)
}

fn exempt(azure: &MockAzure, finding: &AssessmentId, reason: ExemptionReason) -> Exempt {
    AssessmentsClient::new(&arm(azure)).exempt(finding, reason)
}

fn writes(azure: &MockAzure) -> Vec<mock_azure::Recorded> {
    assert!(azure.unknown_requests().is_empty(), "{:?}", azure.unknown_requests());
    azure.requests().into_iter().filter(|request| request.method == "PUT").collect()
}

#[tokio::test]
async fn a_finding_is_exempt_with_its_reason_once_and_defender_shows_it_within_a_day() {
    let (azure, finding) = exposed().await;
    let reason = reason();
    let would = exempt(&azure, &finding, reason.clone()).dry_run().await.unwrap();
    assert!(writes(&azure).is_empty() && would.dry_run);
    assert!(
        would.to_string().starts_with("to be created: Waiver, a key of a test, which opens nothing (owner:")
    );

    let done = exempt(&azure, &finding, reason.clone()).await.unwrap();
    let [Change::Created(Exemption::Standard(made))] = done.exemptions.as_slice() else { panic!("{done:?}") };
    let [write] = writes(&azure).try_into().unwrap();
    let at = format!("{}/providers/Microsoft.Security/standardAssignments/", machine());
    assert!(write.path.starts_with(&at), "{}", write.path);
    let end = made.spec.expires_on.unwrap();
    assert_eq!((end.nanosecond(), end.unix_timestamp()), (0, reason.until.unix_timestamp()));
    let sent = &write.body["properties"];
    assert_eq!(sent["effect"], "Exempt");
    assert_eq!(
        sent["description"],
        "a key of a test, which opens nothing (owner: dev@contoso.example; ticket: SEC-7)"
    );
    let data = json!({ "exemptionCategory": "Waiver", "assignedAssessment": { "assessmentKey": finding.key().as_str() } });
    assert_eq!(sent["exemptionData"], data);
    assert!(sent["displayName"].as_str().unwrap().starts_with("Exposed "));
    assert!(!done.is_seen() && done.to_string().ends_with("this may take 24 hours"), "{done}");

    azure.clear_requests();
    azure.advance(DAY);
    let again = exempt(&azure, &finding, reason).await.unwrap();
    assert!(writes(&azure).is_empty() && !again.exemptions[0].is_change());
    assert!(again.is_seen(), "{again}");
    let found = SecretFindingsClient::new(&arm(&azure)).find(&subscription()).await.unwrap();
    assert_eq!((found.findings.len(), found.exempt.len()), (1, 1), "it is still there, and no finding");
    assert!(found.exempt[0].is_exempt && found.exempt[0].id.eq_ignore_ascii_case(&finding.to_string()));
}

#[tokio::test]
async fn ones_own_exemption_is_changed_and_somebody_elses_is_left() {
    let (azure, finding) = exposed().await;
    exempt(&azure, &finding, reason()).await.unwrap();
    let mut other = reason();
    (other.category, other.reason) = (ExemptionCategory::Mitigated, "moved to a vault".to_owned());
    let done = exempt(&azure, &finding, other.clone()).await.unwrap();
    let [Change::Updated { before, after }] = done.exemptions.as_slice() else { panic!("{done:?}") };
    assert_eq!(
        (before.category(), after.category()),
        (Some(&ExemptionCategory::Waiver), Some(&other.category))
    );
    assert_eq!(before.id(), after.id());
    assert!(after.description().unwrap().starts_with("moved to a vault"));

    let (azure, finding) = exposed().await;
    let spec = StandardAssignmentSpec::builder()
        .effect(AssignmentEffect::Exempt)
        .exemption_data(ExemptionData::new(ExemptionCategory::Waiver, finding.key()))
        .description("all of the lab")
        .build();
    let theirs = StandardAssignmentsClient::new(&arm(&azure))
        .create_or_update(&subscription(), Uuid::from_u128(7), &spec)
        .await
        .unwrap();
    azure.clear_requests();
    let done = exempt(&azure, &finding, reason()).await.unwrap();
    assert!(writes(&azure).is_empty());
    assert_eq!(
        (done.exemptions[0].is_change(), done.exemptions[0].current().id()),
        (false, theirs.id.as_str())
    );
    assert!(done.to_string().starts_with("already exists: Waiver, all of the lab, no expiry"), "{done}");
}

#[tokio::test]
async fn what_exempts_something_else_does_not_count() {
    let (azure, finding) = exposed().await;
    let client = StandardAssignmentsClient::new(&arm(&azure));
    let about = |key| {
        StandardAssignmentSpec::builder()
            .effect(AssignmentEffect::Exempt)
            .exemption_data(ExemptionData::new(ExemptionCategory::Waiver, key))
    };
    let firewall = FIREWALL.parse().unwrap();
    let other = about(&firewall).build();
    let expired = about(finding.key()).expires_on(OffsetDateTime::UNIX_EPOCH).build();
    let excluded = about(finding.key()).excluded_scopes(vec![machine().to_string()]).build();
    for (number, spec) in [(1, other), (2, expired), (3, excluded)] {
        client.create_or_update(&subscription(), Uuid::from_u128(number), &spec).await.unwrap();
    }
    // For some findings only, by a rule.
    let rule = json!({ "id": format!("{}/providers/Microsoft.Security/standardAssignments/{}", subscription().to_path(), Uuid::from_u128(4)),
        "name": Uuid::from_u128(4).to_string(), "properties": { "effect": "Exempt", "exemptionData": { "exemptionCategory": "Waiver",
        "assignedAssessment": { "assessmentKey": finding.key().as_str() }, "subAssessmentExemptionRule": { "if": {} } } } });
    azure.inject(
        mock_azure::Fault::body(200, json!({ "value": [rule] }).to_string())
            .on("GET", "/standardAssignments?"),
    );
    assert!(exempt(&azure, &finding, reason()).dry_run().await.unwrap().exemptions[0].is_change());
    assert!(exempt(&azure, &finding, reason()).await.unwrap().exemptions[0].is_change());
}

#[tokio::test]
async fn bad_input_is_one_clear_error_and_nothing_is_written() {
    let (azure, finding) = exposed().await;
    let mut blank = reason();
    blank.reason = " ".to_owned();
    let mut over = reason();
    over.until = OffsetDateTime::UNIX_EPOCH;
    let mut odd = reason();
    odd.category = ExemptionCategory::from("FalsePositive");
    for (wrong, word) in
        [(blank, "needs a reason"), (over, "give a future date"), (odd, "'FalsePositive' is not")]
    {
        let refused = exempt(&azure, &finding, wrong).await.unwrap_err().to_string();
        assert!(refused.contains(word), "{refused}");
    }
    let assignment: ResourceId =
        format!("{}/providers/Microsoft.Authorization/policyAssignments/audit", subscription().to_path())
            .parse()
            .unwrap();
    let refused = exempt(&azure, &finding, reason()).policy(assignment).await.unwrap_err().to_string();
    assert!(refused.contains("does not come from a policy"), "{refused}");

    let azure = MockAzure::seed().assessment(vault(), FIREWALL, "Healthy").start().await;
    let healthy = AssessmentId::new(vault(), FIREWALL.parse().unwrap());
    let refused = exempt(&azure, &healthy, reason()).await.unwrap_err().to_string();
    assert!(refused.contains("is healthy"), "{refused}");
    assert!(writes(&azure).is_empty());
}

/// A vault without firewall, which a policy judges: by itself, and in an initiative.
async fn judged() -> (MockAzure, AssessmentId, ResourceId, ResourceId) {
    let azure = MockAzure::seed().assessment(vault(), FIREWALL, "Unhealthy").start().await;
    let client = arm(&azure);
    let metadata =
        defender_alerts::AssessmentMetadataClient::new(&client).get(&FIREWALL.parse().unwrap()).await;
    let policy = metadata.unwrap().properties.policy_definition_id.unwrap();
    let initiative =
        "/providers/Microsoft.Authorization/policySetDefinitions/00000000-0000-0000-0000-0000000000ad";
    let mut assignments = Vec::new();
    for (name, definition) in
        [("audit", policy.as_str()), ("benchmark", initiative), ("other", "/providers/x")]
    {
        let id: ResourceId = format!(
            "{}/providers/Microsoft.Authorization/policyAssignments/{name}",
            subscription().to_path()
        )
        .parse()
        .unwrap();
        let body = json!({ "properties": { "policyDefinitionId": definition } });
        client.put(&id, "2023-04-01").body(&body).send_empty().await.unwrap();
        assignments.push(id);
    }
    azure.clear_requests();
    let finding = AssessmentId::new(vault(), FIREWALL.parse().unwrap());
    (azure, finding, assignments[0].clone(), assignments[1].clone())
}

#[tokio::test]
async fn a_finding_of_a_policy_is_exempt_from_each_assignment_that_is_named() {
    let (azure, finding, audit, benchmark) = judged().await;
    let refused = exempt(&azure, &finding, reason()).await.unwrap_err().to_string();
    assert!(refused.contains("name each assignment"), "{refused}");
    let refused = exempt(&azure, &finding, reason()).policy(benchmark.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("assigns an initiative"), "{refused}");
    let refused =
        exempt(&azure, &finding, reason()).initiative(audit.clone(), "x").await.unwrap_err().to_string();
    assert!(refused.contains("not an initiative"), "{refused}");
    let other: ResourceId = audit.as_str().replace("/audit", "/other").parse().unwrap();
    let refused = exempt(&azure, &finding, reason()).policy(other).await.unwrap_err().to_string();
    assert!(refused.contains(", not /providers/"), "{refused}");
    assert!(writes(&azure).is_empty());

    let reason = reason();
    let task = || {
        exempt(&azure, &finding, reason.clone())
            .policy(audit.clone())
            .initiative(benchmark.clone(), "vaultFirewall")
    };
    let would = task().dry_run().await.unwrap();
    assert!(writes(&azure).is_empty());
    let done = task().await.unwrap();
    let ids = |done: &defender_alerts::Exempted| -> Vec<String> {
        done.exemptions.iter().map(|change| change.current().id().to_lowercase()).collect()
    };
    assert_eq!(ids(&would), ids(&done));
    let [first, second] = writes(&azure).try_into().unwrap();
    let at = format!("{}/providers/Microsoft.Authorization/policyExemptions/", vault());
    assert!(first.path.starts_with(&at) && second.path.starts_with(&at) && first.path != second.path);
    let sent = |write: &mock_azure::Recorded, name: &str| write.body["properties"][name].clone();
    assert_eq!(sent(&first, "policyAssignmentId"), audit.as_str());
    assert!(sent(&first, "policyDefinitionReferenceIds").is_null());
    assert_eq!(sent(&second, "policyDefinitionReferenceIds"), json!(["vaultFirewall"]));
    assert_eq!(sent(&second, "exemptionCategory"), "Waiver");
    assert!(sent(&second, "expiresOn").as_str().unwrap().ends_with('Z'));

    azure.clear_requests();
    assert!(task().await.unwrap().exemptions.iter().all(|change| !change.is_change()));
    assert!(writes(&azure).is_empty());
    azure.advance(DAY);
    assert!(task().await.unwrap().is_seen());

    // One's own is changed, and keeps what this version does not model; somebody else's is left.
    let mut other = reason.clone();
    other.reason = "decided again".to_owned();
    let changed = exempt(&azure, &finding, other).policy(audit.clone()).await.unwrap();
    assert!(matches!(changed.exemptions.as_slice(), [Change::Updated { .. }]), "{changed}");
    let (azure, finding, audit, _) = judged().await;
    let spec = PolicyExemptionSpec::builder()
        .policy_assignment_id(audit.as_str())
        .exemption_category(ExemptionCategory::Mitigated)
        .build();
    let client = PolicyExemptionsClient::new(&arm(&azure));
    let theirs = client.create_or_update(&subscription(), "all", &spec).await.unwrap();
    let done = exempt(&azure, &finding, reason.clone()).policy(audit).await.unwrap();
    assert_eq!(
        (done.exemptions[0].is_change(), done.exemptions[0].current().id()),
        (false, theirs.id.as_str())
    );
}

#[tokio::test]
async fn stopped_at_any_request_running_it_again_finishes_it() {
    for by_policy in [false, true] {
        let mut cuts = 0;
        loop {
            let (azure, task) = match by_policy {
                true => {
                    let (azure, finding, audit, benchmark) = judged().await;
                    let task =
                        exempt(&azure, &finding, reason()).policy(audit).initiative(benchmark, "firewall");
                    (azure, task)
                }
                false => {
                    let (azure, finding) = exposed().await;
                    let task = exempt(&azure, &finding, reason());
                    (azure, task)
                }
            };
            azure.interrupt_at(cuts + 1);
            let first = task.clone().await;
            azure.clear_faults();
            if first.is_ok() {
                break;
            }
            cuts += 1;
            let done = task.clone().await.unwrap();
            assert_eq!(done.exemptions.len(), if by_policy { 2 } else { 1 }, "cut {cuts}");
            azure.clear_requests();
            assert!(task.await.unwrap().exemptions.iter().all(|change| !change.is_change()), "cut {cuts}");
            assert!(writes(&azure).is_empty(), "cut {cuts}");
        }
        assert!(cuts > 5, "only {cuts} requests");
    }
}

#[tokio::test]
async fn a_response_that_differs_from_what_was_written_is_not_believed() {
    let (azure, finding) = exposed().await;
    azure.inject(
        mock_azure::Fault::body(200, r#"{"properties":{"effect":"Exempt"}}"#)
            .on("PUT", "/standardAssignments/"),
    );
    let lost = exempt(&azure, &finding, reason()).await.unwrap_err();
    assert!(lost.to_string().contains("not found"), "{lost}");

    // What stands there afterwards is what stood there before.
    let (azure, finding) = exposed().await;
    exempt(&azure, &finding, reason()).await.unwrap();
    let [write] = writes(&azure).try_into().unwrap();
    let (mut stands, name) = (write.body.clone(), write.path.rsplit('/').next().unwrap().to_owned());
    (stands["id"], stands["name"]) = (write.path.clone().into(), name.into());
    azure.inject(mock_azure::Fault::body(200, stands.to_string()).on("GET", "/standardAssignments/").skip(1));
    let mut other = reason();
    other.reason = "moved to a vault".to_owned();
    let ignored = exempt(&azure, &finding, other).await.unwrap_err();
    let [unmet] = arm_core::unmet(&ignored) else { panic!("{ignored}") };
    assert_eq!(unmet.member, "description");
}
