//! Names that many contracts use.

use arm_core::{ResourceId, SubscriptionId};

pub(crate) const SUBSCRIPTION: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";

pub(crate) fn subscription() -> SubscriptionId {
    "00000000-0000-0000-0000-000000000001".parse().unwrap()
}

pub(crate) fn resource(id: &str) -> ResourceId {
    id.parse().unwrap()
}
