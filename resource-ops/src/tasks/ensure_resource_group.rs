//! Ensures that a resource group exists.

use arm_core::{Change, Mode, ResourceGroupId, Wish};
use azure_core::{Error, Result, error::ErrorKind};
use serde_json::json;

use crate::{ResourceGroup, ResourceGroupSpec, ResourceGroupsClient};

/// Creates a resource group unless it exists. An existing group is left unchanged, even if its region or tags differ.
///
/// **If it stops halfway**, the group may or may not exist; running the task again finishes it. After that, another run
/// writes nothing.
///
/// If the group is being deleted, the task fails, since anything put into the group would be deleted too.
///
/// ```
/// # use arm_core::{ArmClient, ResourceGroupId};
/// # use resource_ops::{ResourceGroupSpec, ResourceGroupsClient};
/// # async fn f(arm: &ArmClient, group: &ResourceGroupId) -> azure_core::Result<()> {
/// let spec = ResourceGroupSpec::new("westeurope").tag("purpose", "lab");
/// let change = ResourceGroupsClient::new(arm).ensure(group, spec).await?;
/// println!("{} {}", change.verb(), change.current().name);
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// `Microsoft.Resources/subscriptions/resourceGroups/read` and `/write`.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureResourceGroup {
    client: ResourceGroupsClient,
    group: ResourceGroupId,
    spec: ResourceGroupSpec,
}

impl ResourceGroupsClient {
    /// Creates a resource group unless it exists. See [`EnsureResourceGroup`].
    pub fn ensure(&self, group: &ResourceGroupId, spec: ResourceGroupSpec) -> EnsureResourceGroup {
        EnsureResourceGroup::new(self.clone(), group.clone(), spec)
    }
}

impl EnsureResourceGroup {
    pub(crate) fn new(client: ResourceGroupsClient, group: ResourceGroupId, spec: ResourceGroupSpec) -> Self {
        Self { client, group, spec }
    }

    async fn run(self, mode: Mode) -> Result<Change<ResourceGroup>> {
        if let Some(found) = self.client.get_opt(&self.group).await? {
            if found.is_deleting() {
                let message =
                    format!("the resource group {} is being deleted: wait until it is gone", self.group);
                return Err(Error::with_message(ErrorKind::Other, message));
            }
            return Ok(Change::Unchanged(found));
        }
        if mode.is_dry_run() {
            return Ok(Change::Created(ResourceGroup::planned(&self.group, &self.spec)));
        }
        self.client.create_or_update(&self.group, &self.spec).await?;
        let made = self.client.get(&self.group).await?;
        let what = format_args!("the resource group {}", self.group);
        // Members that this crate does not model may be the service's own.
        let members = |spec: &ResourceGroupSpec| json!({ "location": spec.location, "tags": spec.tags, "managedBy": spec.managed_by });
        Wish::new().verify(what, &members(&self.spec), &members(&ResourceGroupSpec::from(&made)))?;
        Ok(Change::Created(made))
    }
}

arm_core::task!(EnsureResourceGroup => Change<ResourceGroup>);
