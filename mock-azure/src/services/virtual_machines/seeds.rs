//! What a test can say about machines beforehand, and see of them afterwards.

use serde_json::json;

use super::{Files, Script, ScriptOutput, TYPE, VirtualMachines, user_assigned};
use crate::{
    services::resource_groups,
    state::{MockAzure, Seed, stable_id},
};

impl Seed {
    /// Adds a running Linux machine to a resource group, which is added if it is not there.
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

    /// Puts a file into a machine, such as `/etc/environment` with a secret in it. `machine` is the
    /// machine's id.
    pub fn vm_file(self, machine: impl ToString, path: &str, content: &str) -> Self {
        let (machine, path, content) = (machine.to_string(), path.to_owned(), content.to_owned());
        self.step(move |world| {
            world.states.get_mut::<VirtualMachines>().guest(&machine).files.insert(path, content);
        })
    }

    /// Says what scripts do that are run in a machine: to Azure they are opaque, and the double reads no
    /// shell. `run` gets the script and the machine's files, which it may change, and answers what the
    /// script printed and ended with; `None` for a script that it does not know, which is then 501. Without
    /// this, every script is. It is called when the request is accepted; the output comes with the end of
    /// the operation.
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

    /// A machine is stopped and deallocated: nothing can run in it.
    pub fn vm_deallocated(self, machine: impl ToString) -> Self {
        let machine = machine.to_string();
        self.step(move |world| {
            world.states.get_mut::<VirtualMachines>().guest(&machine).power = "deallocated"
        })
    }

    /// Gives a machine a user-assigned identity.
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
    /// A file inside a machine, as it is now.
    pub fn vm_file(&self, machine: &str, path: &str) -> Option<String> {
        self.shared.lock().world.states.get::<VirtualMachines>().file(machine, path).map(str::to_owned)
    }
}
