//! Break & Fix 2: a secret in a machine's environment.

use azure_core::{Error, Result};
use defender_alerts::{SecretFinding, SecretFindingsClient};
use futures::TryStreamExt as _;
use keyvault_ops::SecretsClient;
use resource_ops::{
    PrincipalType, RoleAssignmentsClient, RoleId, RunCommandInput, VirtualMachine, VirtualMachineId,
    VirtualMachinesClient,
};

use crate::{
    Lab,
    scripts::{COUNT, REMOVE},
    tasks::task4,
    tenant::VARIABLE,
};

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    let Some(finding) = finding(lab).await? else {
        lab.screen.step("a secret on a machine", "skipped", "none was found");
        return Ok(());
    };
    let Some(machine) = machine(&finding)? else {
        lab.screen.step(&finding.title, "skipped", "it is not on an Azure machine");
        return Ok(());
    };
    // The machine can read the vault before the rotation disables the value that it uses.
    let machines = VirtualMachinesClient::new(&lab.azure.arm);
    let now = identity(lab, &machines, &machine).await?;
    role(lab, &now).await?;
    rotate(lab).await?;
    variable(lab, &machines, &machine).await?;
    wait_for_scan(lab, &finding).await
}

async fn finding(lab: &Lab) -> Result<Option<SecretFinding>> {
    let found = SecretFindingsClient::new(&lab.azure.arm).find(lab.subscription()).await?;
    let on_machine = found.findings.into_iter().find(|finding| {
        finding.resource_id.as_ref().is_some_and(|id| id.is(&arm_core::ResourceType::VIRTUAL_MACHINE))
    });
    if let Some(finding) = &on_machine {
        let place = finding.file_path.clone().unwrap_or_default();
        lab.screen.about(&finding.id).step("finding", "read", format!("{} {place}", finding.title));
    }
    Ok(on_machine)
}

fn machine(finding: &SecretFinding) -> Result<Option<VirtualMachineId>> {
    let Some(id) = &finding.resource_id else { return Ok(None) };
    Ok(id.as_str().parse().ok())
}

async fn rotate(lab: &Lab) -> Result<()> {
    if lab.vault_is_to_come().await? {
        lab.screen.step("the exposed secret", "would change", "rotated, once the vault exists");
        return Ok(());
    }
    let secrets = SecretsClient::new(&lab.azure.arm, &lab.vault()?.name().parse()?)?;
    let name = format!("{}-2", task4::PREFIX).parse()?;
    let rotation = secrets.rotate(&name).reason("found on a machine").ledger(&lab.ledger()?);
    let rotation = if lab.dry_run() { rotation.dry_run() } else { rotation };
    let rotation = rotation.await?;
    if rotation.dry_run {
        lab.screen.step(format!("secret {name}"), "would change", "rotated");
        return Ok(());
    }
    let single = secrets.verify_single_active(&name).await?.is_single();
    // For a finding on a real machine, only the owner knows which vault's secret it is about.
    let what = match lab.options.live {
        true => "instead of the one that leaked: rotate that one too, where it is stored",
        false => "the leaked value is no longer current",
    };
    lab.screen.step(format!("secret {name}"), "rotated", what);
    lab.screen.step(
        format!("only one active version of {name}"),
        if single { "verified" } else { "failed" },
        "",
    );
    Ok(())
}

async fn identity(
    lab: &Lab,
    machines: &VirtualMachinesClient,
    machine: &VirtualMachineId,
) -> Result<VirtualMachine> {
    let enable = machines.enable_system_identity(machine);
    let enable = enable.in_mode(lab.mode());
    let change = lab.screen.wait("identity", enable.into_future()).await?;
    if change.is_change() && !lab.dry_run() {
        lab.changed(&machine.to_string(), "its system-assigned identity was turned on")?;
    }
    lab.screen.about(machine).step(
        format!("managed identity of {}", machine.name()),
        lab.verb(&change),
        "others it has stay",
    );
    Ok(change.into_current())
}

async fn role(lab: &Lab, machine: &VirtualMachine) -> Result<()> {
    let Some(principal) = machine.identity.as_ref().and_then(|identity| identity.principal_id) else {
        lab.screen.step("Key Vault Secrets User for the machine", "would change", "once it has an identity");
        return Ok(());
    };
    if lab.vault_is_to_come().await? {
        lab.screen.step("Key Vault Secrets User for the machine", "would change", "once the vault exists");
        return Ok(());
    }
    let vault = lab.vault()?;
    let ensure = RoleAssignmentsClient::new(&lab.azure.arm)
        .ensure(vault.resource_id(), RoleId::KEY_VAULT_SECRETS_USER, principal)
        .principal_type(PrincipalType::ServicePrincipal);
    let change = if lab.dry_run() { ensure.dry_run().await? } else { ensure.await? };
    super::assigned(lab, &change)?;
    lab.screen.about(&change.current().id).step(
        "Key Vault Secrets User for the machine",
        lab.verb(&change),
        "may read secrets, nothing else",
    );
    let held: Vec<_> =
        RoleAssignmentsClient::new(&lab.azure.arm).list(vault.resource_id()).try_collect().await?;
    let found = held.iter().any(|held| held.principal == principal);
    if !lab.dry_run() {
        lab.screen.step("the role read back", if found { "verified" } else { "failed" }, "");
    }
    Ok(())
}

async fn variable(lab: &Lab, machines: &VirtualMachinesClient, machine: &VirtualMachineId) -> Result<()> {
    lab.screen.difference(
        "unset in a run command removes it",
        "runs that in its own shell, which then ends",
        "remove it from /etc/environment",
    );
    if lab.dry_run() {
        lab.screen.step(format!("variable {VARIABLE}"), "would change", "removed from /etc/environment");
        return Ok(());
    }
    let count = |script: &'static str| {
        let input = RunCommandInput::shell(script).parameter("name", VARIABLE);
        let poller = machines.run_command(machine, &input);
        async move {
            let result = poller.await?;
            Ok::<_, Error>(result.stdout().trim().to_owned())
        }
    };
    let before = lab.screen.wait("run command", count(COUNT)).await?;
    if before == "0" {
        lab.screen.step(format!("variable {VARIABLE}"), "unchanged", "not in /etc/environment");
    } else {
        lab.changed(
            &machine.to_string(),
            format!("the variable {VARIABLE} was taken out of /etc/environment"),
        )?;
        let left = lab.screen.wait("run command", count(REMOVE)).await?;
        let outcome = if left == "0" { "removed" } else { "failed" };
        lab.screen.about(machine).step(
            format!("variable {VARIABLE}"),
            outcome,
            format!("{left} lines left in /etc/environment"),
        );
    }
    lab.screen.note("running processes keep the old value until they are restarted");
    Ok(())
}

/// Reports that the finding stays open until the next scan.
async fn wait_for_scan(lab: &Lab, finding: &SecretFinding) -> Result<()> {
    let found = SecretFindingsClient::new(&lab.azure.arm).find(lab.subscription()).await?;
    let still = found.findings.iter().any(|other| other.id == finding.id);
    match still {
        true => lab.screen.step(
            "the finding",
            "waiting",
            "for the next scan of the disk, within a day; not fixed before that",
        ),
        false => lab.screen.step("the finding", "verified", "the scan no longer reports it"),
    }
    Ok(())
}
