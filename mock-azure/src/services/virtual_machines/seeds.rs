//! Machines in the initial state, and what tests look up in them.

use serde_json::json;

use super::{Files, Script, ScriptOutput, TYPE, VirtualMachines, user_assigned};
use crate::{
    services::resource_groups,
    state::{MockAzure, Seed, stable_id},
};

impl Seed {
    /// Adds a running Linux machine to a resource group, which is created if it does not exist.
    pub fn virtual_machine(self, subscription: impl ToString, group: &str, name: &str) -> Self {
        let (subscription, group, name) = (subscription.to_string(), group.to_owned(), name.to_owned());
        self.step(move |world| {
            let group = resource_groups::ensure(world, &subscription, &group, "westeurope");
            let id = format!("{group}/providers/{TYPE}/{name}");
            world.resources.put(json!({
                "id": id,
                "name": name,
                "type": TYPE,
                "location": "westeurope",
                "etag": "\"1\"",
                "tags": {},
                "properties": {
                    "vmId": stable_id(&id),
                    "provisioningState": "Succeeded",
                    "timeCreated": "2026-03-01T12:42:42.1921106Z",
                    "hardwareProfile": { "vmSize": "Standard_B2s" },
                    "storageProfile": {
                        "imageReference": {
                            "publisher": "Canonical",
                            "offer": "0001-com-ubuntu-server-jammy",
                            "sku": "22_04-lts-gen2",
                            "version": "latest",
                        },
                        "osDisk": { "osType": "Linux", "name": format!("{name}_OsDisk"), "createOption": "FromImage" },
                        "dataDisks": [],
                    },
                    "osProfile": {
                        "computerName": name,
                        "adminUsername": "azureuser",
                        "linuxConfiguration": { "disablePasswordAuthentication": true, "provisionVMAgent": true },
                    },
                    "networkProfile": { "networkInterfaces": [] },
                },
            }));
        })
    }

    /// Adds a file to a machine, such as `/etc/environment` with a secret in it. `machine` is the machine's id.
    pub fn vm_file(self, machine: impl ToString, path: &str, content: &str) -> Self {
        let (machine, path, content) = (machine.to_string(), path.to_owned(), content.to_owned());
        self.step(move |world| {
            world.states.get_mut::<VirtualMachines>().guest(&machine).files.insert(path, content);
        })
    }

    /// Defines what scripts do when they run on a machine, since the double does not interpret them. `run` gets the
    /// script and the machine's files, which it may change, and returns the output and exit code, or `None` if it does
    /// not know the script; the request then gets a 501. Without this method, every script gets a 501. `run` is called
    /// when the request is accepted; the output is available when the operation completes.
    ///
    /// ```
    /// use mock_azure::{MockAzure, ScriptOutput};
    ///
    /// let seed = MockAzure::seed().on_run_command(|script, files| match script.text {
    ///     "cat /etc/environment" => Some(ScriptOutput::printed(files.get("/etc/environment")?)),
    ///     _ => None,
    /// });
    /// ```
    pub fn on_run_command(
        self,
        run: impl FnMut(&Script<'_>, &mut Files) -> Option<ScriptOutput> + Send + 'static,
    ) -> Self {
        self.setting(move |world| world.states.get_mut::<VirtualMachines>().runner = Some(Box::new(run)))
    }

    /// Stops and deallocates a machine, so that nothing can run on it.
    pub fn vm_deallocated(self, machine: impl ToString) -> Self {
        let machine = machine.to_string();
        self.step(move |world| {
            world.states.get_mut::<VirtualMachines>().guest(&machine).power = "deallocated"
        })
    }

    /// Assigns a user-assigned identity to a machine. `identity` is the id of the identity.
    pub fn vm_user_identity(self, machine: impl ToString, identity: &str) -> Self {
        let (machine, identity) = (machine.to_string(), identity.to_owned());
        self.step(move |world| {
            let Some(there) = world.resources.get_mut(&machine) else { return };
            there["identity"]["userAssignedIdentities"][identity.as_str()] = user_assigned(&identity);
            there["identity"]["type"] = json!("UserAssigned");
        })
    }
}

impl MockAzure {
    /// Returns the current content of a file on a machine. `None` if there is no such file.
    pub fn vm_file(&self, machine: &str, path: &str) -> Option<String> {
        self.shared.lock().world.states.get::<VirtualMachines>().file(machine, path).map(str::to_owned)
    }
}
