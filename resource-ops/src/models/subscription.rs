use std::collections::BTreeMap;

use arm_core::{
    SubscriptionId, open_enum,
    wire::{self, SentText},
};
use serde::Deserialize;

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct Subscription {
    /// The subscription's GUID.
    #[serde(rename = "subscriptionId")]
    pub id: SubscriptionId,
    /// The display name.
    pub display_name: String,
    /// Whether the subscription can be used.
    pub state: SubscriptionState,
    /// The tenant to which the subscription belongs.
    pub tenant_id: Option<String>,
    /// The offer and its limits.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub subscription_policies: SubscriptionPolicies,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tags: BTreeMap<String, String>,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived Subscription);

open_enum! {
    /// Whether a subscription can be used.
    pub enum SubscriptionState {
        /// The subscription can be used.
        Enabled = "Enabled",
        /// The subscription can still be used; check its billing.
        Warned = "Warned",
        /// The subscription can still be used; a payment is overdue.
        PastDue = "PastDue",
        /// The subscription is read-only.
        Disabled = "Disabled",
        /// The subscription is deleted.
        Deleted = "Deleted",
    }
}

/// The offer of a subscription and its limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SubscriptionPolicies {
    /// The id of the set of regions that can be used, such as `Public_2014-09-01`.
    pub location_placement_id: Option<String>,
    /// The offer, such as `PayAsYouGo_2014-09-01`.
    pub quota_id: Option<String>,
    /// The state of the spending limit: `On`, `Off` or `CurrentPeriodOff`.
    pub spending_limit: Option<String>,
}
