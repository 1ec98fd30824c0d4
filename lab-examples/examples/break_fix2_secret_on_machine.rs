//! Break & Fix 2: a secret in a machine's environment. Assigns an identity and a role, removes the variable, and checks
//! for the next scan.
//!
//! `cargo run -p lab-examples --example break_fix2_secret_on_machine` (offline; `-- --help` explains real Azure)

use arm_core::ResourceType;
use defender_alerts::SecretFindingsClient;
use defender_pricing::{PlanName, PricingClient};
use lab_examples::{scripts::REMOVE, tenant::VARIABLE};
use resource_ops::{
    PrincipalType, RoleAssignmentsClient, RoleId, RunCommandInput, VirtualMachineId, VirtualMachinesClient,
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);
    let plan = PricingClient::new(arm).enable(subscription, &PlanName::CloudPosture).await?;
    println!("Defender CSPM: {}", plan.change.current().tier);

    // 1. The finding and its machine.
    let secrets = SecretFindingsClient::new(arm);
    let found = secrets.find(subscription).await?;
    let finding = found
        .findings
        .iter()
        .find(|finding| finding.resource_id.as_ref().is_some_and(|id| id.is(&ResourceType::VIRTUAL_MACHINE)));
    let Some((finding, machine)) = finding.zip(finding.and_then(|it| it.resource_id.as_ref())) else {
        println!("no secret on a machine; clean: {}", found.is_clean());
        return Ok(());
    };
    println!("{} ({})", finding.title, finding.file_path.as_deref().unwrap_or("no path"));

    // 2. An identity for the machine, so that it needs no secret to read secrets.
    let machine: VirtualMachineId = machine.as_str().parse()?;
    let machines = VirtualMachinesClient::new(arm);
    let change = machines.enable_system_identity(&machine).await?;
    let identity = change.current().identity.as_ref().and_then(|identity| identity.principal_id);
    println!("identity of {}: {}", machine.name(), change.verb());

    // 3. Permission to read secrets, and nothing else.
    let vault = subscription.resource_group(&azure.group)?.resource(&ResourceType::VAULT, &azure.vault)?;
    if let Some(principal) = identity {
        let change = RoleAssignmentsClient::new(arm)
            .ensure(&vault, RoleId::KEY_VAULT_SECRETS_USER, principal)
            .principal_type(PrincipalType::ServicePrincipal)
            .await?;
        println!("Key Vault Secrets User: {}", change.verb());
    }

    // 4. Remove the variable from the file. Running processes keep it until they are restarted.
    let input = RunCommandInput::shell(REMOVE).parameter("name", VARIABLE);
    let left = machines.run_command(&machine, &input).await?;
    println!("lines with {VARIABLE} left: {}", left.stdout().trim());

    // 5. Only the next scan closes the finding.
    let again = secrets.find(subscription).await?;
    let still = again.findings.iter().any(|other| other.id == finding.id);
    println!("{}", if still { "waiting for the next scan" } else { "the scan no longer reports it" });
    Ok(())
}
