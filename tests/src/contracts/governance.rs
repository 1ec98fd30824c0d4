//! Who has to follow a recommendation, and until when.

use defender_alerts::{AssessmentId, GovernanceAssignmentSpec, GovernanceAssignmentsClient};
use serde_json::json;

use super::common::MACHINE;
use crate::{Contract, all, delete, get, one, put};

const VERSION: &str = "2022-01-01-preview";
const KEY: &str = "00000000-0000-0000-0000-0000000000a6";
const NAME: &str = "00000000-0000-0000-0000-0000000000a7";

fn assessment() -> AssessmentId {
    format!("{MACHINE}/providers/Microsoft.Security/assessments/{KEY}").parse().unwrap()
}

pub(super) fn contracts() -> Vec<Contract> {
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
