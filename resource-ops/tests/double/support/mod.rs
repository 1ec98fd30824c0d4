//! The double, and a connection to it.
#![allow(dead_code, reason = "every test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper of tests")]

use arm_core::{ArmClient, ResourceGroupId, SubscriptionId};
use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure, Seed};

pub(crate) fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
}

pub(crate) fn arm(azure: &MockAzure) -> ArmClient {
    ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap()
}

pub(crate) fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

pub(crate) fn group(name: &str) -> ResourceGroupId {
    ResourceGroupId::new(subscription(), name.parse().unwrap())
}
