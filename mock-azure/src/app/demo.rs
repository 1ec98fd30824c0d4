//! A small tenant to explore.

use crate::{
    services::virtual_machines::{Files, Script, ScriptOutput},
    state::Seed,
};

impl Seed {
    /// Adds the contents of a small security lab to a subscription: plans, a vault with secrets, alerts and
    /// recommendations about the vault, and a machine with a secret in its environment. The machine supports two
    /// scripts: `cat FILE` and `sed -i '/^NAME=/d' FILE`.
    pub fn demo(self, subscription: &str) -> Self {
        let group = format!("/subscriptions/{subscription}/resourceGroups/rg-lab");
        let machine = format!("{group}/providers/Microsoft.Compute/virtualMachines/vm-lab");
        let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kv-lab");
        let workspace = format!("{group}/providers/Microsoft.OperationalInsights/workspaces/law-lab");
        let environment =
            "PATH=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\nDB_PASSWORD=REDACTED\n";
        self.resource_group(subscription, "rg-lab", "westeurope")
            .plan(subscription, "KeyVaults", "Standard")
            .plan(subscription, "VirtualMachines", "Standard")
            .plan(subscription, "CloudPosture", "Standard")
            .vault(subscription, "rg-lab", "kv-lab")
            .vault_role("kv-lab", "Key Vault Administrator")
            .secret("kv-lab", "db-password", "REDACTED")
            .secret_versions("kv-lab", "api-key", 3)
            .alert(&vault, "KV_ListGetAnomaly")
            .alert(&vault, "KV_UserAnomaly")
            .key_vault_assessments(&vault)
            .virtual_machine(subscription, "rg-lab", "vm-lab")
            .vm_file(&machine, "/etc/environment", environment)
            .on_run_command(run)
            .exposed_secret(&machine, "database password")
            .on_premises_assessment(&workspace, "srv-lab", "1195afff-c881-495e-9bc5-1486211ae03f", "Healthy")
            .attack_path(&machine, &vault, "A machine with a secret in plain text can read a key vault")
    }
}

/// Prints a file, or removes a variable from it.
fn run(script: &Script<'_>, files: &mut Files) -> Option<ScriptOutput> {
    if let Some(path) = script.text.strip_prefix("cat ") {
        return Some(ScriptOutput::printed(files.get(path)?));
    }
    let (name, path) = script.text.strip_prefix("sed -i '/^")?.split_once("=/d' ")?;
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let file = files.get_mut(path).filter(|_| plain)?;
    let is_named = |line: &&str| line.split_once('=').is_some_and(|(found, _)| found == name);
    *file = file.split_inclusive('\n').filter(|line| !is_named(line)).collect();
    Some(ScriptOutput::default())
}
