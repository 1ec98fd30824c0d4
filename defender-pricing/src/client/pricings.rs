//! The client for Defender for Cloud plans.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use arm_core::{ArmClient, ArmPath, ArmRequest, Pager, Scope, SubscriptionId};
use azure_core::Result;

use crate::{PlanName, Pricing, PricingSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/pricings?view=rest-defenderforcloud-2024-01-01).
pub const API_VERSION: &str = "2024-01-01";

/// A client for Defender plans of subscriptions and individual machines.
///
/// Since the service allows only one update of a subscription at a time, clones share one lock for each subscription.
/// The tasks that change a plan take the lock; [`update`](Self::update) and [`delete`](Self::delete) do not.
#[derive(Debug, Clone)]
pub struct PricingClient {
    arm: ArmClient,
    updates: Arc<Mutex<HashMap<SubscriptionId, Arc<tokio::sync::Mutex<()>>>>>,
}

impl PricingClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), updates: Arc::default() }
    }

    /// Streams all plans of a scope: `Pricings_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/pricings/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/pricings/read`.
    ///
    /// # Errors
    ///
    /// `is_registration_missing()`: register `Microsoft.Security` first.
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<Pricing> {
        self.arm.get(pricings(&scope.into()), API_VERSION).pager()
    }

    /// Streams the named plans of a scope: `Pricings_List` with `$filter=name in (..)`. With no names, the stream is
    /// empty and no request is sent.
    pub fn list_named<'a>(
        &self,
        scope: impl Into<Scope>,
        plans: impl IntoIterator<Item = &'a PlanName>,
    ) -> Pager<Pricing> {
        let names: Vec<&str> = plans.into_iter().map(PlanName::as_str).collect();
        if names.is_empty() {
            return Pager::empty();
        }
        let filter = format!("name in ({})", names.join(","));
        self.arm.get(pricings(&scope.into()), API_VERSION).query("$filter", filter).pager()
    }

    /// Reads a plan: `Pricings_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/pricings/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/pricings/read`.
    ///
    /// # Errors
    ///
    /// For a plan that does not exist, such as a misspelled one, the service answers 4xx with a message that lists the
    /// existing plans. `is_resource_not_found()`: the resource does not exist.
    pub async fn get(&self, scope: impl Into<Scope>, plan: &PlanName) -> Result<Pricing> {
        self.arm.get(pricing(&scope.into(), plan), API_VERSION).json().await
    }

    /// Replaces a plan: `Pricings_Update`. Prefer [`enable`](Self::enable), which keeps existing settings.
    ///
    /// A successful response can contain failures: check the [`operation_status`](crate::Extension::operation_status)
    /// of every extension.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/pricings/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/pricings/write`; to turn on some of the extensions, Owner.
    ///
    /// # Errors
    ///
    /// `is_in_progress()`: another update of the subscription is in progress.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn update(
        &self,
        scope: impl Into<Scope>,
        plan: &PlanName,
        spec: &PricingSpec,
    ) -> Result<Pricing> {
        self.put(&scope.into(), plan, spec).json().await
    }

    /// Deletes the plan of a single machine, which then inherits that of its subscription: `Pricings_Delete`.
    ///
    /// For a subscription, the service answers 400 `InvalidUrlConfiguration`: use [`disable`](Self::disable) there.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/pricings/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/pricings/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete(&self, scope: impl Into<Scope>, plan: &PlanName) -> Result<()> {
        self.arm.delete(pricing(&scope.into(), plan), API_VERSION).send_empty().await
    }

    pub(crate) fn put(&self, scope: &Scope, plan: &PlanName, spec: &PricingSpec) -> ArmRequest {
        self.arm.put(pricing(scope, plan), API_VERSION).body(spec)
    }

    /// Returns the lock of the subscription to which a scope belongs.
    pub(crate) fn updates_of(&self, scope: &Scope) -> Arc<tokio::sync::Mutex<()>> {
        let Some(subscription) = scope.subscription() else { return Arc::default() };
        self.updates.lock().unwrap_or_else(PoisonError::into_inner).entry(subscription).or_default().clone()
    }
}

fn pricings(scope: &Scope) -> ArmPath {
    ArmPath::from(scope).provider("Microsoft.Security").literal("pricings")
}

fn pricing(scope: &Scope, plan: &PlanName) -> ArmPath {
    pricings(scope).segment(plan.as_str())
}
