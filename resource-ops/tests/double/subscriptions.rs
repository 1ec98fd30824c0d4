//! Subscriptions and resource providers against the double.

use std::time::Duration;

use crate::support::{arm, seed, subscription};
use arm_core::{ArmErrorExt as _, Change};
use futures::TryStreamExt as _;
use resource_ops::{
    ProviderNamespace, ProvidersClient, RegistrationState, SubscriptionState, SubscriptionsClient,
};

fn security() -> ProviderNamespace {
    "Microsoft.Security".parse().unwrap()
}

#[tokio::test]
async fn subscriptions_are_listed_and_read() {
    let other = "00000000-0000-0000-0000-000000000002";
    let azure = seed().subscription(subscription()).subscription(other).page_size(1).start().await;
    let subscriptions = SubscriptionsClient::new(&arm(&azure));
    let all: Vec<_> = subscriptions.list().try_collect().await.unwrap();
    assert_eq!(
        all.iter().map(|found| found.id.as_str()).collect::<Vec<_>>(),
        [subscription().as_str(), other]
    );
    let one = subscriptions.get(&subscription()).await.unwrap();
    assert_eq!(
        (one.state.clone(), one.tenant_id.as_deref()),
        (SubscriptionState::Enabled, Some(azure.tenant()))
    );
    assert_eq!(one, all[0]);
    assert_eq!(subscriptions.get_opt(&subscription()).await.unwrap().as_ref(), Some(&one));
    assert_eq!(azure.requests()[0].query("api-version"), Some("2022-12-01"));
}

#[tokio::test]
async fn a_missing_subscription_is_none_or_an_error_as_requested() {
    let azure = seed().start().await;
    let subscriptions = SubscriptionsClient::new(&arm(&azure));
    let gone = "00000000-0000-0000-0000-0000000000ff".parse().unwrap();
    assert_eq!(subscriptions.get_opt(&gone).await.unwrap(), None);
    assert!(subscriptions.get(&gone).await.unwrap_err().is_code("SubscriptionNotFound"));
}

#[tokio::test]
async fn a_provider_is_read_and_registered_step_by_step() {
    let azure = seed().unregistered(subscription(), "Microsoft.Security").start().await;
    let providers = ProvidersClient::new(&arm(&azure));
    let read = providers.get(&subscription(), &security()).await.unwrap();
    assert_eq!(read.registration_state, RegistrationState::NotRegistered);
    assert!(read.resource_types.iter().any(|kind| kind.resource_type == "pricings"));
    // The double has no aliases.
    assert_eq!(
        providers.get_with_aliases(&subscription(), &security()).await.unwrap_err().status(),
        Some(501)
    );
    assert_eq!(azure.requests()[1].query("$expand"), Some("resourceTypes/aliases"));
    let begun = providers.register(&subscription(), &security()).await.unwrap();
    assert_eq!(begun.registration_state, RegistrationState::Registering);
    let unknown: ProviderNamespace = "Contoso.Nothing".parse().unwrap();
    azure.inject(mock_azure::Fault::status(404).code("InvalidResourceNamespace"));
    let error = providers.get(&subscription(), &unknown).await.unwrap_err();
    assert!(error.is_code("InvalidResourceNamespace"), "{error}");
}

#[tokio::test]
async fn ensuring_registers_once_and_waits() {
    let azure = seed().unregistered(subscription(), "Microsoft.Security").operation_polls(4).start().await;
    let providers = ProvidersClient::new(&arm(&azure));
    let ensure = || providers.ensure_registered(&subscription(), &security());
    assert!(ensure().dry_run().await.unwrap().is_change());
    assert!(azure.writes().is_empty());
    let done = ensure().await.unwrap();
    assert!(matches!(done, Change::Updated { after, .. }
        if after.registration_state == RegistrationState::Registered));
    assert!(!ensure().await.unwrap().is_change());
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn a_registration_that_takes_too_long_is_an_error_and_the_next_run_waits_for_it() {
    let azure = seed().unregistered(subscription(), "Microsoft.Security").operation_polls(6).start().await;
    let providers = ProvidersClient::new(&arm(&azure));
    let ensure = || providers.ensure_registered(&subscription(), &security());
    let error = ensure().wait_at_most(Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("still Registering"), "{error}");
    assert!(ensure().await.unwrap().is_change());
    assert_eq!(azure.writes().len(), 1, "registered once");
}
