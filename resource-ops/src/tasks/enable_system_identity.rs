//! Giving a machine a system-assigned identity.

use arm_core::{Change, Mode};
use azure_core::{Error, Result, error::ErrorKind};

use crate::{
    IdentityUpdate, MachineIdentity, VirtualMachine, VirtualMachineId, VirtualMachineUpdate,
    VirtualMachinesClient,
};

/// Gives a virtual machine a system-assigned identity, and keeps its user-assigned ones, which a careless update
/// would remove.
///
/// Reads the machine, enables the identity if it has none, waits, and reads it back: `identity` then contains the
/// principal to assign roles to. The directory may take a while to know it, so assign roles with its principal type.
///
/// **If it stops halfway**, the machine has the identity or will have it soon; running it again waits for it. A
/// second run writes nothing. If somebody else changes the machine in the meantime, it reads and decides again, so that
/// no identity that was just added is lost.
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
/// `Microsoft.Compute/virtualMachines/read` and `/write`, and for user-assigned identities
/// `Microsoft.ManagedIdentity/userAssignedIdentities/assign/action`.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnableSystemIdentity {
    client: VirtualMachinesClient,
    machine: VirtualMachineId,
}

impl VirtualMachinesClient {
    /// Gives a machine a system-assigned identity and keeps those it has. See [`EnableSystemIdentity`].
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
            after.etag = None; // the service gives another
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
                "the service accepted the identity of {}, but shows the machine without one",
                self.machine
            );
            return Err(Error::with_message(ErrorKind::Other, message));
        }
        Ok(Change::Updated { before, after })
    }
}

arm_core::task!(deciding EnableSystemIdentity => Change<VirtualMachine>);
