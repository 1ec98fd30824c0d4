//! All that stands in the way is told at once, and nothing is written.

use arm_core::{ArmClient, SubscriptionId};
use defender_playbooks::{Needs, preflight};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, Fault, MockAzure, Seed};

fn needs() -> Needs {
    let texts = ["Microsoft.Authorization/roleAssignments/write", "Microsoft.KeyVault/vaults/write"];
    Needs {
        actions: texts.map(str::to_owned).to_vec(),
        providers: vec!["Microsoft.KeyVault".parse().unwrap(), "Microsoft.Security".parse().unwrap()],
        new_vaults: vec!["kv-taken".parse().unwrap(), "kv-free-1234".parse().unwrap()],
    }
}

async fn started(seed: Seed) -> (MockAzure, ArmClient, SubscriptionId) {
    let azure = seed.start().await;
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
    (azure, arm, SUB.parse().unwrap())
}

#[tokio::test]
async fn all_that_stands_in_the_way_is_told_at_once() {
    let seed = MockAzure::seed().signed_in_role("Contributor").vault(SUB, "rg-app", "kv-taken");
    let (azure, arm, subscription) = started(seed.unregistered(SUB, "Microsoft.Security")).await;
    let problems = preflight(&arm, &subscription, &needs()).await;
    assert_eq!(problems.len(), 3, "{problems:#?}");
    assert!(problems[0].contains("not allowed") && problems[0].contains("roleAssignments/write"));
    assert!(!problems[0].contains("vaults/write"), "{}", problems[0]);
    assert!(problems[1].contains("Microsoft.Security is NotRegistered"), "{}", problems[1]);
    assert!(problems[2].starts_with("the vault name 'kv-taken' is not free"), "{}", problems[2]);
    let writes = |method: &str| ["PUT", "PATCH", "DELETE"].contains(&method);
    assert!(!azure.requests().iter().any(|request| writes(&request.method)));
}

#[tokio::test]
async fn nothing_in_the_way_is_no_line_and_what_cannot_be_asked_is_one() {
    let (azure, arm, subscription) = started(MockAzure::seed()).await;
    let mut needs = needs();
    needs.new_vaults.remove(0);
    assert_eq!(preflight(&arm, &subscription, &needs).await, [""; 0]);
    for part in ["/permissions", "/providers/microsoft.security", "/checknameavailability"] {
        azure.inject(Fault::status(403).on("*", part).always());
    }
    let problems = preflight(&arm, &subscription, &needs).await;
    assert!(
        !problems.is_empty() && problems.iter().all(|problem| problem.contains("is not known")),
        "{problems:#?}"
    );
    assert_eq!(preflight(&arm, &subscription, &Needs::default()).await, [""; 0]);
}
