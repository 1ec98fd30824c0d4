//! Which subscriptions a scope contains, and whether the list is complete.

use arm_core::{ArmClient, ManagementGroupId, SubscriptionId};
use azure_core::Result;
use futures::TryStreamExt as _;
use resource_ops::{GraphScope, ManagementGroupsClient, ResourceGraphClient, SubscriptionsClient};

/// The subscriptions of a scope.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) ids: Vec<SubscriptionId>,
    /// Why there may be others; `None` if the list is complete.
    pub(super) not_listed: Option<String>,
}

impl Members {
    pub(super) async fn of(arm: &ArmClient, scope: &GraphScope) -> Result<Self> {
        let mut members = Self::default();
        match scope {
            GraphScope::Subscriptions(named) => named.iter().for_each(|id| members.add(id.clone())),
            GraphScope::ManagementGroups(groups) => {
                let seen = ResourceGraphClient::new(arm).subscriptions(scope.clone()).await;
                members.below(arm, groups, seen.as_ref().is_ok_and(|seen| !seen.is_empty())).await?;
                members.extend(seen.unwrap_or_default());
            }
            _ => {
                let seen: Vec<_> = SubscriptionsClient::new(arm).list().try_collect().await?;
                // The root group has the tenant's id as its name.
                let tenants = seen.iter().filter_map(|it| it.tenant_id.as_ref()?.parse().ok());
                let mut roots: Vec<ManagementGroupId> = tenants.collect();
                roots.sort_by_key(ToString::to_string);
                roots.dedup();
                members.below(arm, &roots, true).await?;
                members.extend(seen.into_iter().map(|it| it.id));
            }
        }
        Ok(members)
    }

    fn add(&mut self, id: SubscriptionId) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
    }

    fn extend(&mut self, ids: impl IntoIterator<Item = SubscriptionId>) {
        ids.into_iter().for_each(|id| self.add(id));
    }

    /// Adds the subscriptions below these groups, including those that the caller may not read. If the caller may not
    /// list them, that is recorded, provided that something else is known; otherwise it is an error.
    async fn below(
        &mut self,
        arm: &ArmClient,
        groups: &[ManagementGroupId],
        something_is_known: bool,
    ) -> Result<()> {
        let client = ManagementGroupsClient::new(arm);
        for group in groups {
            let below: Result<Vec<_>> = client.list_descendants(group).try_collect().await;
            match below {
                Ok(below) => self.extend(below.iter().filter_map(|it| it.subscription())),
                Err(error) if something_is_known => {
                    let why = format!(
                        "what lies below the management group '{group}' could not be read, so subscriptions that the \
                         sign-in does not see may be missing: {error}"
                    );
                    self.not_listed = Some(match self.not_listed.take() {
                        Some(before) => format!("{before}; {why}"),
                        None => why,
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
