use arm_core::SubscriptionId;
use defender_alerts::{AttackPath, AttackPathShape, AttackPathsClient, PlanState, RiskLevel};
use mock_azure::{Fault, MockAzure, Seed};
use resource_ops::GraphScope;
use serde_json::json;

use crate::{arm, machine, subscription, vault};

const TITLE: &str = "Internet exposed VM can read secrets of a key vault";

fn seed() -> Seed {
    MockAzure::seed().attack_path(machine(), vault(), TITLE)
}

fn with_cspm(seed: Seed) -> Seed {
    seed.plan(subscription(), "CloudPosture", "Standard")
}

#[tokio::test]
async fn both_shapes_are_read_into_the_same_path() {
    for (seed, shape) in [
        (with_cspm(seed()), AttackPathShape::Documented),
        (with_cspm(seed()).exposure_management(), AttackPathShape::ExposureManagement),
    ] {
        let azure = seed.start().await;
        let found = AttackPathsClient::new(&arm(&azure)).find(&subscription()).await.unwrap();

        let [path] = &*found.paths else { panic!("{:?}", found.paths) };
        assert_eq!((path.shape, path.display_name.as_str()), (shape, TITLE));
        assert!(path.risk_level.is_some() && path.risk_factors.len() == 2);
        let ends = [&path.entry, &path.target].map(|end| end.as_ref().unwrap().resource_id.clone().unwrap());
        assert_eq!(ends, [machine(), vault()]);
        assert_eq!((path.nodes.len(), path.edges.len()), (3, 2));
        assert_eq!(path.edges[0].source, path.entry.as_ref().unwrap().internal_id);
        assert_eq!(path.edges[1].target, path.target.as_ref().unwrap().internal_id);
        assert_eq!(path.subscription, Some(subscription()));
        assert!(path.contains_node(&vault()) && path.concerns_secrets());
        let newer = shape == AttackPathShape::ExposureManagement;
        assert_eq!((path.steps.len(), path.remediation_steps.len()), if newer { (3, 0) } else { (0, 1) });
        assert!(!found.is_clean() && found.not_covered().next().is_none());
    }
}

#[tokio::test]
async fn no_paths_with_the_plan_off_is_not_clean() {
    let off = seed().start().await;
    let on = with_cspm(MockAzure::seed()).start().await;

    let off = AttackPathsClient::new(&arm(&off)).find(&subscription()).await.unwrap();
    let on = AttackPathsClient::new(&arm(&on)).find(&subscription()).await.unwrap();

    assert!(off.paths.is_empty() && on.paths.is_empty());
    assert_eq!(off.not_covered().map(|it| it.cspm).collect::<Vec<_>>(), [PlanState::Off]);
    assert_eq!((off.is_clean(), on.is_clean()), (false, true));
}

#[tokio::test]
async fn a_tenant_is_queried_as_a_whole_and_each_subscription_is_reported_separately() {
    let other: SubscriptionId = "00000000-0000-0000-0000-000000000002".parse().unwrap();
    let seed = with_cspm(seed().subscription(subscription()).subscription(&other));
    let azure = seed.start().await;

    let found = AttackPathsClient::new(&arm(&azure)).find(GraphScope::Tenant).await.unwrap();

    let states: Vec<PlanState> = found.coverage.iter().map(|coverage| coverage.cspm).collect();
    assert_eq!((found.paths.len(), states), (1, vec![PlanState::On, PlanState::Off]));
    assert_eq!(azure.requests().len(), 3);
}

#[tokio::test]
async fn a_tenant_is_not_clean_while_a_subscription_in_it_shows_no_plans() {
    let other: SubscriptionId = "00000000-0000-0000-0000-000000000002".parse().unwrap();
    let azure = MockAzure::seed().subscription(&other).start().await;
    let plans = json!({ "totalRecords": 1, "count": 1, "resultTruncated": "false", "facets": [], "data": [{
        "id": format!("/subscriptions/{}/providers/Microsoft.Security/pricings/CloudPosture", subscription()),
        "name": "CloudPosture",
        "subscriptionId": subscription().as_str(),
        "properties": { "pricingTier": "Standard", "extensions": [] },
    }] });
    // The query for the plans follows that for the paths.
    azure.inject(Fault::body(200, plans.to_string()).on("POST", "ResourceGraph").skip(1));

    let found = AttackPathsClient::new(&arm(&azure)).find(GraphScope::Tenant).await.unwrap();

    let states: Vec<_> = found.coverage.iter().map(|it| (it.subscription.clone(), it.cspm)).collect();
    assert_eq!(states, [(subscription(), PlanState::On), (other, PlanState::NotKnown)]);
    assert!(found.paths.is_empty() && !found.is_clean());
}

#[tokio::test]
async fn what_may_not_be_read_is_not_known_rather_than_off() {
    let azure = with_cspm(seed()).signed_in_role("Key Vault Secrets Officer");
    let azure = azure.start().await;

    let found = AttackPathsClient::new(&arm(&azure)).find(&subscription()).await.unwrap();

    assert_eq!(found.coverage[0].cspm, PlanState::NotKnown);
    assert!(found.paths.is_empty() && !found.is_clean());
}

#[test]
fn a_row_of_mixed_case_json_in_texts_and_gaps_is_read() {
    let row = json!({ "id": "i", "name": 7, "properties": {
        "DisplayName": "x", "potentialImpact": "Enormous", "RiskCategories": "DataExposure",
        "graphcomponent": "{\"Entities\":[{\"EntityInternalId\":\"a\",\"entityName\":\"n\"},null]}",
        "entryPointEntityInternalId": "a", "targetEntityInternalID": "gone", "manualRemediationSteps": ["1", "2"],
    } });
    let path: AttackPath = serde_json::from_value(row).unwrap();
    assert_eq!(path.risk_level, Some(RiskLevel::Unknown("Enormous".to_owned())));
    assert_eq!((path.name.as_str(), path.display_name.as_str()), ("7", "x"));
    assert_eq!(path.risk_factors, ["DataExposure"]);
    assert_eq!(path.entry.unwrap().name.as_deref(), Some("n"));
    assert_eq!(path.target.unwrap().internal_id, "gone");
    assert_eq!(path.remediation_steps.len(), 2);
    let empty: AttackPath = serde_json::from_value(json!({ "properties": null })).unwrap();
    assert_eq!((empty.risk_level, empty.entry, empty.nodes.len()), (None, None, 0));
}
