//! Gives a machine a system-assigned identity.

use arm_core::{Change, Mode};
use azure_core::{Error, Result, error::ErrorKind};

use crate::{
    IdentityUpdate, MachineIdentity, VirtualMachine, VirtualMachineId, VirtualMachineUpdate,
    VirtualMachinesClient,
};

/// Gives a virtual machine a system-assigned identity, and keeps its user-assigned identities, which an update that
/// does not name them would remove.
///
/// Reads the machine, enables the identity if there is none, waits, and reads the machine back: `identity` then
/// contains the principal to which you can assign roles. The principal may not be in the directory yet, so set its
/// principal type when you assign roles.
///
/// **If it stops halfway**, the machine has the identity or will have it soon; running the task again finishes it.
/// After that, another run writes nothing. If somebody else changes the machine in the meantime, the task reads and
/// decides again, up to three times, so that no identity added by others is lost.
///
/// ```
/// # use resource_ops::{VirtualMachineId, VirtualMachinesClient};
/// # async fn f(arm: &arm_core::ArmClient, machine: &VirtualMachineId) -> azure_core::Result<()> {
/// let change = VirtualMachinesClient::new(arm).enable_system_identity(machine).await?;
/// let principal = change.current().identity.as_ref().and_then(|identity| identity.principal_id);
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// `Microsoft.Compute/virtualMachines/read` and `/write`, and
/// `Microsoft.ManagedIdentity/userAssignedIdentities/assign/action` if the machine has user-assigned identities.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnableSystemIdentity {
    client: VirtualMachinesClient,
    machine: VirtualMachineId,
}

impl VirtualMachinesClient {
    /// Gives a machine a system-assigned identity, and keeps its user-assigned identities. See
    /// [`EnableSystemIdentity`].
    pub fn enable_system_identity(&self, machine: &VirtualMachineId) -> EnableSystemIdentity {
        EnableSystemIdentity::new(self.clone(), machine.clone())
    }
}

impl EnableSystemIdentity {
    pub(crate) fn new(client: VirtualMachinesClient, machine: VirtualMachineId) -> Self {
        Self { client, machine }
    }

    async fn run(&self, mode: Mode) -> Result<Change<VirtualMachine>> {
        let before = self.client.get(&self.machine).await?;
        if before.identity.as_ref().is_some_and(MachineIdentity::is_system_assigned) {
            return Ok(Change::Unchanged(before));
        }
        let identity = IdentityUpdate::with_system_identity(before.identity.as_ref());
        if mode.is_dry_run() {
            let mut after = before.clone();
            after.etag = None; // the service assigns a new one
            after.identity = Some(MachineIdentity {
                identity_type: identity.identity_type,
                principal_id: None,
                tenant_id: None,
                user_assigned_identities: before
                    .identity
                    .as_ref()
                    .map(|identity| identity.user_assigned_identities.clone())
                    .unwrap_or_default(),
            });
            return Ok(Change::Updated { before, after });
        }
        let update = VirtualMachineUpdate { identity: Some(identity), ..VirtualMachineUpdate::default() };
        self.client.update_if_match(&self.machine, &update, before.etag.as_deref()).await?;
        let after = self.client.get(&self.machine).await?;
        let identity = after.identity.as_ref();
        if identity.is_none_or(|identity| !identity.is_system_assigned() || identity.principal_id.is_none()) {
            let message = format!(
                "the service accepted the system-assigned identity of {}, but returns the machine without it",
                self.machine
            );
            return Err(Error::with_message(ErrorKind::Other, message));
        }
        Ok(Change::Updated { before, after })
    }
}

arm_core::task!(deciding EnableSystemIdentity => Change<VirtualMachine>);
