use arm_core::{ArmClient, ArmPath, Pager, Poller, ResourceGroupId, ResourceName, SubscriptionId};
use azure_core::Result;

use crate::{
    InstanceView, RunCommandInput, RunCommandResult, VirtualMachine, VirtualMachineId,
    VirtualMachineRunCommand, VirtualMachineRunCommandSpec, VirtualMachineRunCommandUpdate,
    VirtualMachineUpdate,
};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/compute/virtual-machines).
const API_VERSION: &str = "2024-03-01";

/// A client for virtual machines: their identities and status, and scripts to run in them.
#[derive(Debug, Clone)]
pub struct VirtualMachinesClient {
    arm: ArmClient,
}

impl VirtualMachinesClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Reads a machine: `VirtualMachines_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machines/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Compute/virtualMachines/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, machine: &VirtualMachineId) -> Result<VirtualMachine> {
        self.arm.get(machine, API_VERSION).json().await
    }

    /// Reads a machine; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, machine: &VirtualMachineId) -> Result<Option<VirtualMachine>> {
        self.arm.get(machine, API_VERSION).json_opt().await
    }

    /// Reads a machine with its status: `VirtualMachines_Get` with `$expand=instanceView`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get_with_status(&self, machine: &VirtualMachineId) -> Result<VirtualMachine> {
        self.arm.get(machine, API_VERSION).query("$expand", "instanceView").json().await
    }

    /// Streams the machines of a group: `VirtualMachines_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machines/list)
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<VirtualMachine> {
        self.arm.get(machines(group), API_VERSION).pager()
    }

    /// Streams the machines of a subscription: `VirtualMachines_ListAll`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machines/list-all)
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<VirtualMachine> {
        self.arm.get(machines(subscription), API_VERSION).pager()
    }

    /// Streams the machines of a subscription with their status: `VirtualMachines_ListAll` with
    /// `statusOnly=true`.
    #[inline]
    pub fn list_with_status(&self, subscription: &SubscriptionId) -> Pager<VirtualMachine> {
        self.arm.get(machines(subscription), API_VERSION).query("statusOnly", "true").pager()
    }

    /// Reads the status of a machine: `VirtualMachines_InstanceView`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machines/instance-view)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn instance_view(&self, machine: &VirtualMachineId) -> Result<InstanceView> {
        self.arm.get(ArmPath::from(machine).literal("instanceView"), API_VERSION).json().await
    }

    /// Changes parts of a machine: `VirtualMachines_Update`, a long-running operation.
    ///
    /// No request is sent before the poller is awaited or polled.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machines/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Compute/virtualMachines/write`.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    #[inline]
    pub fn update(
        &self,
        machine: &VirtualMachineId,
        update: &VirtualMachineUpdate,
    ) -> Poller<VirtualMachine> {
        self.update_if_match(machine, update, None)
    }

    /// Changes parts of a machine if it still has this ETag: `VirtualMachines_Update` with `If-Match`. `None` sets no
    /// condition.
    ///
    /// # Errors
    ///
    /// `is_precondition_failed()`: the machine has changed since it was read.
    #[inline]
    pub fn update_if_match(
        &self,
        machine: &VirtualMachineId,
        update: &VirtualMachineUpdate,
        etag: Option<&str>,
    ) -> Poller<VirtualMachine> {
        self.arm.patch(machine, API_VERSION).if_match(etag).body(update).repeatable().poller()
    }

    /// Runs a script in a machine and waits for its output: `VirtualMachines_RunCommand`, a long-running operation. A
    /// machine runs only one script at a time.
    ///
    /// ```
    /// # use resource_ops::{RunCommandInput, VirtualMachineId, VirtualMachinesClient};
    /// # async fn f(arm: &arm_core::ArmClient, machine: &VirtualMachineId) -> azure_core::Result<()> {
    /// let script = RunCommandInput::shell("grep -c \"^$1=\" /etc/environment").parameter("name", "DB_PASSWORD");
    /// let result = VirtualMachinesClient::new(arm).run_command(machine, &script).await?;
    /// println!("{}", result.stdout());
    /// # Ok(()) }
    /// ```
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machines/run-command)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Compute/virtualMachines/runCommand/action`.
    ///
    /// # Errors
    ///
    /// `is_conflict()`: another script is running, or the machine is off.
    ///
    /// # Retries
    ///
    /// This client never starts a script a second time. If the connection is lost, the script may have run, so write
    /// scripts that can safely run twice.
    #[inline]
    pub fn run_command(
        &self,
        machine: &VirtualMachineId,
        input: &RunCommandInput,
    ) -> Poller<RunCommandResult> {
        self.arm.post(ArmPath::from(machine).literal("runCommand"), API_VERSION).body(input).poller()
    }

    /// Streams the managed run commands of a machine: `VirtualMachineRunCommands_ListByVirtualMachine`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/list-by-virtual-machine)
    #[inline]
    pub fn list_run_commands(&self, machine: &VirtualMachineId) -> Pager<VirtualMachineRunCommand> {
        self.arm.get(commands(machine), API_VERSION).pager()
    }

    /// Reads a managed run command: `VirtualMachineRunCommands_GetByVirtualMachine`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/get-by-virtual-machine)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get_run_command(
        &self,
        machine: &VirtualMachineId,
        name: &ResourceName,
    ) -> Result<VirtualMachineRunCommand> {
        self.arm.get(commands(machine).segment(name), API_VERSION).json().await
    }

    /// Reads a managed run command with its output: `VirtualMachineRunCommands_GetByVirtualMachine` with
    /// `$expand=instanceView`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get_run_command_with_output(
        &self,
        machine: &VirtualMachineId,
        name: &ResourceName,
    ) -> Result<VirtualMachineRunCommand> {
        let request = self.arm.get(commands(machine).segment(name), API_VERSION);
        request.query("$expand", "instanceView").json().await
    }

    /// Creates or replaces a managed run command, which runs the script: `VirtualMachineRunCommands_CreateOrUpdate`, a
    /// long-running operation. By default, it succeeds once the script has run, even if the script failed: see
    /// [`get_run_command_with_output`](Self::get_run_command_with_output).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Compute/virtualMachines/runCommands/write`.
    ///
    /// # Retries
    ///
    /// Each request may run the script again, so it is not retried if it may have been carried out.
    /// [`may_have_been_applied`](arm_core::ArmErrorExt::may_have_been_applied) is then `true`; read the run command to
    /// find out.
    #[inline]
    pub fn create_or_update_run_command(
        &self,
        machine: &VirtualMachineId,
        name: &ResourceName,
        spec: &VirtualMachineRunCommandSpec,
    ) -> Poller<VirtualMachineRunCommand> {
        self.arm.put(commands(machine).segment(name), API_VERSION).body(spec).not_repeatable().poller()
    }

    /// Changes parts of a managed run command, which runs the script again: `VirtualMachineRunCommands_Update`, a
    /// long-running operation.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/update)
    #[inline]
    pub fn update_run_command(
        &self,
        machine: &VirtualMachineId,
        name: &ResourceName,
        update: &VirtualMachineRunCommandUpdate,
    ) -> Poller<VirtualMachineRunCommand> {
        self.arm.patch(commands(machine).segment(name), API_VERSION).body(update).poller()
    }

    /// Deletes a managed run command and its output: `VirtualMachineRunCommands_Delete`, a long-running operation. If
    /// the script is running, it is stopped.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/compute/virtual-machine-run-commands/delete)
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    #[inline]
    pub fn delete_run_command(&self, machine: &VirtualMachineId, name: &ResourceName) -> Poller<()> {
        self.arm.delete(commands(machine).segment(name), API_VERSION).poller()
    }
}

fn machines<'a, S>(scope: &'a S) -> ArmPath
where
    ArmPath: From<&'a S>,
{
    ArmPath::from(scope).provider("Microsoft.Compute").literal("virtualMachines")
}

fn commands(machine: &VirtualMachineId) -> ArmPath {
    ArmPath::from(machine).literal("runCommands")
}
