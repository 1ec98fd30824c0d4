//! Who has to follow a recommendation, and until when; and what is exempt from it.

use arm_core::Scope;
use defender_alerts::{
    AssessmentId, AssignmentEffect, ExemptionData, GovernanceAssignmentSpec, GovernanceAssignmentsClient,
    StandardAssignmentSpec, StandardAssignmentsClient,
};
use resource_ops::{ExemptionCategory, PolicyAssignmentsClient, PolicyExemptionSpec, PolicyExemptionsClient};
use serde_json::json;

use super::common::{GROUP, MACHINE, SUBSCRIPTION, group, resource, subscription};
use crate::{Contract, all, delete, get, one, put};

const VERSION: &str = "2022-01-01-preview";
const KEY: &str = "00000000-0000-0000-0000-0000000000a6";
const NAME: &str = "00000000-0000-0000-0000-0000000000a7";

fn assessment() -> AssessmentId {
    format!("{MACHINE}/providers/Microsoft.Security/assessments/{KEY}").parse().unwrap()
}

pub(super) fn contracts() -> Vec<Contract> {
    [owners(), standards(), policies()].concat()
}

fn owners() -> Vec<Contract> {
    let assignments =
        format!("{MACHINE}/providers/Microsoft.Security/assessments/{KEY}/governanceAssignments");
    let the_one = format!("{assignments}/{NAME}");
    let single = |contract: Contract| {
        contract.answers("governance_assignments/get.json").model("GovernanceAssignment")
    };
    vec![
        get("GovernanceAssignments_List", &assignments, VERSION)
            .answers("governance_assignments/list.json")
            .pages()
            .model("GovernanceAssignment")
            .call(|arm| all(GovernanceAssignmentsClient::new(&arm).list(&assessment()))),
        single(get("GovernanceAssignments_Get", &the_one, VERSION)).call(|arm| {
            one(async move {
                GovernanceAssignmentsClient::new(&arm).get(&assessment(), NAME.parse().unwrap()).await
            })
        }),
        single(put("GovernanceAssignments_CreateOrUpdate", &the_one, VERSION))
            .statuses(&[200, 201])
            .sends(json!({ "properties": {
                "owner": "owner@contoso.example",
                "remediationDueDate": "2026-12-01T00:00:00Z",
                "isGracePeriod": false,
            }}))
            .call(|arm| {
                let spec = GovernanceAssignmentSpec::builder()
                    .owner("owner@contoso.example")
                    .remediation_due_date(time::macros::datetime!(2026-12-01 00:00 UTC))
                    .is_grace_period(false)
                    .build();
                one(async move {
                    GovernanceAssignmentsClient::new(&arm)
                        .create_or_update(&assessment(), NAME.parse().unwrap(), &spec)
                        .await
                })
            }),
        delete("GovernanceAssignments_Delete", &the_one, VERSION).statuses(&[200, 204]).call(|arm| {
            one(async move {
                GovernanceAssignmentsClient::new(&arm).delete(&assessment(), NAME.parse().unwrap()).await
            })
        }),
    ]
}

const EXEMPTION: &str = "00000000-0000-0000-0000-0000000000a9";

fn standards() -> Vec<Contract> {
    const VERSION: &str = "2024-08-01";
    let provider = "/providers/Microsoft.Security/standardAssignments";
    let the_one = format!("{MACHINE}{provider}/{EXEMPTION}");
    let single =
        |contract: Contract| contract.answers("standard_assignments/get.json").model("StandardAssignment");
    vec![
        get("StandardAssignments_List", format!("{SUBSCRIPTION}{provider}"), VERSION)
            .answers("standard_assignments/list.json")
            .pages()
            .model("StandardAssignment")
            .call(|arm| all(StandardAssignmentsClient::new(&arm).list(subscription()))),
        single(get("StandardAssignments_Get", &the_one, VERSION)).call(|arm| {
            one(async move {
                StandardAssignmentsClient::new(&arm).get(resource(MACHINE), EXEMPTION.parse().unwrap()).await
            })
        }),
        single(put("StandardAssignments_Create", &the_one, VERSION))
            .statuses(&[200, 201])
            .sends(json!({ "properties": {
                "effect": "Exempt",
                "displayName": "Exposed test key should be removed",
                "description": "a key of a test, which opens nothing",
                "assignedStandard": { "id": "/providers/Microsoft.Security/securityStandards/00000000-0000-0000-0000-0000000000aa" },
                "expiresOn": "2026-12-01T00:00:00Z",
                "exemptionData": { "exemptionCategory": "Waiver", "assignedAssessment": { "assessmentKey": KEY } },
            }}))
            .call(|arm| {
                let standard = "/providers/Microsoft.Security/securityStandards/00000000-0000-0000-0000-0000000000aa";
                let data = ExemptionData::new(ExemptionCategory::Waiver, &KEY.parse().unwrap());
                let spec = StandardAssignmentSpec::builder()
                    .effect(AssignmentEffect::Exempt)
                    .display_name("Exposed test key should be removed")
                    .description("a key of a test, which opens nothing")
                    .assigned_standard(standard)
                    .expires_on(time::macros::datetime!(2026-12-01 00:00 UTC))
                    .exemption_data(data)
                    .build();
                one(async move {
                    StandardAssignmentsClient::new(&arm)
                        .create_or_update(resource(MACHINE), EXEMPTION.parse().unwrap(), &spec)
                        .await
                })
            }),
        delete("StandardAssignments_Delete", &the_one, VERSION).statuses(&[200, 204]).call(|arm| {
            one(async move {
                StandardAssignmentsClient::new(&arm).delete(resource(MACHINE), EXEMPTION.parse().unwrap()).await
            })
        }),
    ]
}

fn policies() -> Vec<Contract> {
    const VERSION: &str = "2022-07-01-preview";
    let provider = "/providers/Microsoft.Authorization/policyExemptions";
    let the_one = format!("{MACHINE}{provider}/test-machine");
    let assignment = format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyAssignments/benchmark");
    let list = |operation: &'static str, scope: &str| {
        get(operation, format!("{scope}{provider}"), VERSION)
            .answers("policy_exemptions/list.json")
            .pages()
            .model("PolicyExemption")
    };
    let single = |contract: Contract| contract.answers("policy_exemptions/get.json").model("PolicyExemption");
    vec![
        list("PolicyExemptions_List", SUBSCRIPTION)
            .call(|arm| all(PolicyExemptionsClient::new(&arm).list(subscription()))),
        list("PolicyExemptions_ListForResourceGroup", GROUP)
            .call(|arm| all(PolicyExemptionsClient::new(&arm).list(group()))),
        list("PolicyExemptions_ListForResource", MACHINE)
            .call(|arm| all(PolicyExemptionsClient::new(&arm).list(resource(MACHINE)))),
        list("PolicyExemptions_ListForManagementGroup", "/providers/Microsoft.Management/managementGroups/root")
            .call(|arm| {
                let scope: Scope = "/providers/Microsoft.Management/managementGroups/root".parse().unwrap();
                all(PolicyExemptionsClient::new(&arm).list(scope))
            }),
        single(get("PolicyExemptions_Get", &the_one, VERSION)).call(|arm| {
            one(async move { PolicyExemptionsClient::new(&arm).get(resource(MACHINE), "test-machine").await })
        }),
        single(put("PolicyExemptions_CreateOrUpdate", &the_one, VERSION))
            .statuses(&[200, 201])
            .sends(json!({ "properties": {
                "policyAssignmentId": assignment,
                "policyDefinitionReferenceIds": ["diskEncryption"],
                "exemptionCategory": "Waiver",
                "expiresOn": "2026-12-01T00:00:00Z",
                "displayName": "A machine for tests",
                "description": "a machine for tests, which holds nothing",
            }}))
            .call({
                let assignment = assignment.clone();
                move |arm| {
                    let spec = PolicyExemptionSpec::builder()
                        .policy_assignment_id(assignment.clone())
                        .policy_definition_reference_ids(["diskEncryption"])
                        .exemption_category(ExemptionCategory::Waiver)
                        .expires_on(time::macros::datetime!(2026-12-01 00:00 UTC))
                        .display_name("A machine for tests")
                        .description("a machine for tests, which holds nothing")
                        .build();
                    one(async move {
                        let client = PolicyExemptionsClient::new(&arm);
                        client.create_or_update(resource(MACHINE), "test-machine", &spec).await
                    })
                }
            }),
        delete("PolicyExemptions_Delete", &the_one, VERSION).statuses(&[200, 204]).call(|arm| {
            one(async move {
                PolicyExemptionsClient::new(&arm).delete(resource(MACHINE), "test-machine").await
            })
        }),
        get("PolicyAssignments_GetById", &assignment, "2023-04-01")
            .answers("policy_assignments/get.json")
            .model("PolicyAssignment")
            .call({
                let assignment = assignment.clone();
                move |arm| {
                    let id = assignment.parse().unwrap();
                    one(async move { PolicyAssignmentsClient::new(&arm).get(&id).await })
                }
            }),
    ]
}
