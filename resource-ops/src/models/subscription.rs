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
    /// Whether it can be used.
    pub state: SubscriptionState,
    /// The tenant that it trusts.
    pub tenant_id: Option<String>,
    /// What the offer allows.
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
        /// It can be used.
        Enabled = "Enabled",
        /// It can be used for now; check its billing.
        Warned = "Warned",
        /// It can be used for now; a payment is overdue.
        PastDue = "PastDue",
        /// It is read-only.
        Disabled = "Disabled",
        /// It is deleted.
        Deleted = "Deleted",
    }
}

/// What a subscription's offer allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SubscriptionPolicies {
    /// The regions that can be used.
    pub location_placement_id: Option<String>,
    /// The offer, such as `PayAsYouGo_2014-09-01`.
    pub quota_id: Option<String>,
    /// `On`, `Off` or `CurrentPeriodOff`.
    pub spending_limit: Option<String>,
}
