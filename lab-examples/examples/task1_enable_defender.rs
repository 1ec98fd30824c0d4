//! Task 1: turn Defender for Key Vault and Defender CSPM on, create a monitored vault, give yourself access.
//!
//! `cargo run -p lab-examples --example task1_enable_defender` (offline; `-- --help` explains real Azure)

use defender_pricing::{PlanName, PricingClient};
use keyvault_ops::{VaultId, VaultName, VaultSpec, VaultsClient};
use resource_ops::{
    DirectoryClient, ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleDefinitionsClient,
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);

    // 1. A resource group.
    let group = subscription.resource_group("rg-kv-defender-lab")?;
    let change = ResourceGroupsClient::new(arm).ensure(&group, ResourceGroupSpec::new("westeurope")).await?;
    println!("resource group {}: {}", group.name(), change.verb());

    // 2. Both plans, each verified; existing extensions stay on.
    let pricing = PricingClient::new(arm);
    for plan in [PlanName::KeyVaults, PlanName::CloudPosture] {
        let done = pricing.enable(subscription, &plan).await?;
        println!("plan {plan}: {}, now {}", done.change.verb(), done.change.current().tier);
        for failed in &done.failed_extensions {
            println!("  extension {} is not on: {}", failed.name, failed.reason);
        }
    }
    for row in pricing.coverage(subscription).await? {
        println!("  {:30} {}", row.plan, row.tier);
    }

    // 3. A vault whose access is controlled by roles. Its name may have at most 24 characters.
    let me = DirectoryClient::new(arm).signed_in().await?;
    let tenant = azure.tenant().await?;
    let id = VaultId::new(&group, &VaultName::unique("kv-defended")?)?;
    let spec = VaultSpec::builder().location("westeurope").tenant_id(tenant).build();
    let vault = VaultsClient::new(arm).create_or_update(&id, &spec).await?;
    println!("vault {}: {}", vault.name, vault.properties.vault_uri.as_deref().unwrap_or("no address yet"));

    // 4. The role, by its name, for the signed-in principal.
    let role = RoleDefinitionsClient::new(arm).get_by_name(&id, "Key Vault Administrator").await?;
    let change = RoleAssignmentsClient::new(arm)
        .ensure(&id, role.role, me.id)
        .principal_type(me.principal_type)
        .await?;
    println!("{} for {}: {}", role.role_name, me.id, change.verb());
    Ok(())
}
