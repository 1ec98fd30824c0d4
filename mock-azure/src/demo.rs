//! A small tenant to look around in.

use crate::seed::Seed;

impl Seed {
    /// Fills a subscription with what a security lab has: plans, a vault, and a machine with a secret
    /// in its environment.
    pub fn demo(self, subscription: &str) -> Self {
        let machine = format!(
            "/subscriptions/{subscription}/resourceGroups/rg-lab/providers/Microsoft.Compute/virtualMachines/vm-lab"
        );
        let environment =
            "PATH=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\nDB_PASSWORD=REDACTED\n";
        self.resource_group(subscription, "rg-lab", "westeurope")
            .plan(subscription, "VirtualMachines", "Standard")
            .plan(subscription, "CloudPosture", "Standard")
            .vault(subscription, "rg-lab", "kv-lab")
            .virtual_machine(subscription, "rg-lab", "vm-lab")
            .vm_file(&machine, "/etc/environment", environment)
    }
}
