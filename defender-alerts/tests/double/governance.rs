use azure_core::time::OffsetDateTime;
use defender_alerts::{AssessmentId, AssessmentKey, GovernanceAssignmentSpec, GovernanceAssignmentsClient};
use mock_azure::{Fault, MockAzure};
use serde_json::json;
use time::macros::datetime;

use arm_core::Change;

use crate::{arm, calls, vault};

const OWNER: &str = "owner@contoso.example";
const DUE: OffsetDateTime = datetime!(2026-12-01 00:00 UTC);

fn finding() -> AssessmentId {
    AssessmentId::new(vault(), AssessmentKey::KV_FIREWALL)
}

async fn azure() -> MockAzure {
    let key = AssessmentKey::KV_FIREWALL;
    MockAzure::seed().assessment(vault(), key.as_str(), "Unhealthy").start().await
}

#[tokio::test]
async fn an_owner_and_a_date_are_assigned_once_and_whoever_it_is_stays() {
    let azure = azure().await;
    let client = GovernanceAssignmentsClient::new(&arm(&azure));

    let planned = client.ensure(&finding(), OWNER, DUE).dry_run().await.unwrap();
    assert!(azure.writes().is_empty());
    let made = client.ensure(&finding(), OWNER, DUE).await.unwrap();
    let again = client.ensure(&finding(), "somebody-else@contoso.example", DUE).await.unwrap();

    let (Change::Created(planned), Change::Created(made)) = (planned, made) else { panic!() };
    assert_eq!((&made.name, &made.spec), (&planned.name, &planned.spec));
    assert!(made.id.eq_ignore_ascii_case(&planned.id), "{} {}", made.id, planned.id);
    assert_eq!((made.spec.owner.as_deref(), made.spec.remediation_due_date), (Some(OWNER), Some(DUE)));
    assert_eq!(again, Change::Unchanged(made.clone()));
    let bodies: Vec<_> = azure.writes().into_iter().map(|write| write.body).collect();
    let properties =
        json!({ "owner": OWNER, "remediationDueDate": "2026-12-01T00:00:00Z", "isGracePeriod": false });
    assert_eq!(bodies, [json!({ "properties": properties })]);
    let path = format!("{}/governanceAssignments", AssessmentKey::KV_FIREWALL);
    assert!(calls(&azure)[0].contains(&format!("{path}?api-version=2022-01-01-preview")));
}

#[tokio::test]
async fn an_assignment_is_read_changed_and_deleted() {
    let azure = azure().await;
    let client = GovernanceAssignmentsClient::new(&arm(&azure));
    let made = client.ensure(&finding(), OWNER, DUE).await.unwrap().into_current();
    let name = made.name.parse().unwrap();

    assert_eq!(client.get_opt(&finding(), name).await.unwrap(), Some(made.clone()));
    let mut spec = made.spec;
    spec.is_grace_period = Some(true);
    client.create_or_update(&finding(), name, &spec).await.unwrap();
    assert_eq!(client.get(&finding(), name).await.unwrap().spec, spec);
    client.delete(&finding(), name).await.unwrap();
    client.delete(&finding(), name).await.unwrap();
    assert_eq!(client.get_opt(&finding(), name).await.unwrap(), None);
}

#[tokio::test]
async fn an_assignment_that_is_answered_and_not_made_is_an_error() {
    let shown = |owner: &str, due: OffsetDateTime| {
        let spec = GovernanceAssignmentSpec::builder().owner(owner).remediation_due_date(due).build();
        json!({ "id": "i", "name": "n", "properties": spec }).to_string()
    };
    for read_back in
        [shown("somebody-else@contoso.example", DUE), shown(OWNER, DUE + time::Duration::days(365))]
    {
        let azure = azure().await;
        azure.inject(Fault::body(200, read_back).on("GET", "governanceAssignments/"));
        let ensure = GovernanceAssignmentsClient::new(&arm(&azure)).ensure(&finding(), OWNER, DUE);
        assert!(ensure.await.is_err());
        assert_eq!(azure.writes().len(), 1);
    }
}
