//! All that stands in the way is told at once, and nothing is written.

use arm_core::{ArmClient, Scope, SubscriptionId};
use defender_playbooks::{Needs, plan::Planner, preflight};
use keyvault_ops::{VaultId, VaultSpec, VaultsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, DEFAULT_TENANT, Fault, MockAzure, Seed};

fn needs() -> Needs {
    let texts = ["Microsoft.Authorization/roleAssignments/write", "Microsoft.KeyVault/vaults/write"];
    Needs {
        actions: texts.map(str::to_owned).to_vec(),
        providers: vec!["Microsoft.KeyVault".parse().unwrap(), "Microsoft.Security".parse().unwrap()],
        new_vaults: vec!["kv-taken".parse().unwrap(), "kv-free-1234".parse().unwrap()],
        ..Needs::default()
    }
}

async fn started(seed: Seed) -> (MockAzure, ArmClient, SubscriptionId) {
    let azure = seed.start().await;
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
    (azure, arm, SUB.parse().unwrap())
}

#[tokio::test]
async fn all_problems_are_reported_together() {
    let seed = MockAzure::seed().signed_in_role("Contributor").vault(SUB, "rg-app", "kv-taken");
    let (azure, arm, subscription) = started(seed.unregistered(SUB, "Microsoft.Security")).await;
    let problems = preflight(&arm, &subscription, &needs()).await;
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("not allowed") && problems[0].contains("roleAssignments/write"));
    assert!(!problems[0].contains("vaults/write"), "{}", problems[0]);
    assert!(problems[1].contains("Microsoft.Security is NotRegistered"), "{}", problems[1]);
    assert!(problems[2].starts_with("the vault name 'kv-taken' is not available"), "{}", problems[2]);
    let writes = |method: &str| ["PUT", "PATCH", "DELETE"].contains(&method);
    assert!(!azure.requests().iter().any(|request| writes(&request.method)));
}

#[tokio::test]
async fn no_problem_is_no_line_and_a_check_that_cannot_be_made_is_one() {
    let (azure, arm, subscription) = started(MockAzure::seed()).await;
    let mut needs = needs();
    needs.new_vaults.remove(0);
    assert_eq!(preflight(&arm, &subscription, &needs).await, [""; 0]);
    for part in ["/permissions", "/providers/microsoft.security", "/checknameavailability"] {
        azure.inject(Fault::status(403).on("*", part).always());
    }
    let problems = preflight(&arm, &subscription, &needs).await;
    assert!(
        !problems.is_empty() && problems.iter().all(|problem| problem.contains("could not be")),
        "{problems:#?}"
    );
    assert_eq!(preflight(&arm, &subscription, &Needs::default()).await, [""; 0]);
}

#[tokio::test]
async fn what_a_plan_needs_is_asked_where_it_is_done_and_a_role_held_only_there_counts() {
    let me = MockAzure::seed().start().await.signed_in().to_owned();
    let scope = format!("/subscriptions/{SUB}/resourceGroups/rg-app");
    let seed = MockAzure::seed().signed_in_role("Reader").vault(SUB, "rg-app", "kv-app");
    let (_azure, arm, subscription) = started(seed.role_assignment(&me, "Contributor", &scope)).await;
    let (vaults, group) = (VaultsClient::new(&arm), subscription.resource_group("rg-app").unwrap());
    let other = subscription.resource_group("rg-other").unwrap();
    let planned = async |group, name: &str, region: &str| {
        let spec = VaultSpec::builder().location(region).tenant_id(DEFAULT_TENANT).build();
        let id = VaultId::new(group, &name.parse().unwrap()).unwrap();
        let planner = Planner::new();
        planner.run("the vault", || vaults.ensure(&id, spec.clone())).await.unwrap();
        Needs::of(&planner.plan())
    };
    let needs = planned(&group, "kv-new", "westeurope").await;
    assert_eq!(needs.actions_at, [(Scope::from(&group), "Microsoft.KeyVault/vaults/write".to_owned())]);
    assert_eq!(needs.new_vaults, ["kv-new".parse().unwrap()]);
    assert_eq!(needs.providers, ["Microsoft.KeyVault".parse().unwrap()]);
    assert_eq!(needs.regions, ["westeurope"]);
    assert_eq!(preflight(&arm, &subscription, &needs).await, [""; 0]);

    let needs = planned(&other, "kv-new", "atlantis").await;
    let problems = preflight(&arm, &subscription, &needs).await;
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems[0].contains("rg-other: Microsoft.KeyVault/vaults/write"), "{problems:#?}");
    assert!(problems[1].contains("the region 'atlantis' is not available"), "{problems:#?}");
}
