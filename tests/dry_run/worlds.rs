//! Worlds that others have changed in every way.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use arm_core::{ArmClient, ArmOptions};
use contract_tests::tasks::{
    PERSON, automation, exposed, furnish, furnished, group, judged, resource, rule, secrets, subscription,
    vault, vault_spec, workspace,
};
use defender_alerts::{AlertAction, AlertsClient};
use defender_automation::AutomationsClient;
use defender_pricing::{PlanName, PricingClient};
use futures::{TryStreamExt as _, future::BoxFuture};
use keyvault_ops::VaultsClient;
use mock_azure::{MockAzure, Seed};
use monitor_ops::{
    ActionGroupsClient, DiagnosticSpec, DiagnosticsClient, QueryRulesClient, SentinelClient, WorkspaceSpec,
    WorkspacesClient,
};
use resource_ops::{
    ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleId, VirtualMachinesClient,
};

/// Whether something happened in a world.
fn chance(world: u64, what: &str) -> bool {
    random(world, what).is_multiple_of(2)
}

pub(crate) fn random(world: u64, what: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (world, what).hash(&mut hasher);
    hasher.finish()
}

/// A world in which nobody has done anything yet.
pub(crate) async fn untouched(happened: impl Fn(&str) -> bool) -> (MockAzure, ArmClient) {
    let azure = seed(happened).start().await;
    furnish(&azure).await;
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    (azure, arm)
}

/// What stands in the world from the beginning.
fn seed(happened: impl Fn(&str) -> bool) -> Seed {
    mock_azure::fast_forward();
    let sub = subscription();
    let base = MockAzure::seed()
        .workspace(&sub, "rg-sec", "law-sec")
        .vault(&sub, "rg-sec", "kv-prod")
        .vault(&sub, "rg-sec", "kv-other")
        .virtual_machine(&sub, "rg-sec", "vm-app")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .secret_versions("kv-prod", "db", 3)
        .secret_versions("kv-prod", "api-key", 4)
        .deleted_secret("kv-prod", "gone", "value");
    let base = furnished(base);
    BESIDES.iter().filter(|(what, _)| happened(what)).fold(base, |seed, (_, add)| add(seed))
}

type Add = fn(Seed) -> Seed;

/// What may stand there besides.
const BESIDES: &[(&str, Add)] = &[
    ("kv-old", |seed| seed.vault(subscription(), "rg-sec", "kv-old")),
    ("kv-old is protected", |seed| seed.vault_property("kv-old", "enablePurgeProtection", true)),
    ("kv-new is deleted", |seed| seed.deleted_vault(subscription(), "rg-sec", "kv-new")),
    ("the plan for machines", |seed| seed.plan(subscription(), "VirtualMachines", "Standard")),
    ("the plan for vaults", |seed| seed.plan(subscription(), "KeyVaults", "Standard")),
    ("an extension", |seed| {
        seed.plan_extension(subscription(), "VirtualMachines", "AgentlessVmScanning", true)
    }),
    ("a provider is missing", |seed| seed.unregistered(subscription(), "Microsoft.EventGrid")),
    ("alerts", |seed| seed.key_vault_alerts(resource("Microsoft.KeyVault/vaults/kv-prod"))),
    ("an identity of the user", |seed| {
        seed.vm_user_identity(&resource("Microsoft.Compute/virtualMachines/vm-app"), "id-app")
    }),
    ("Sentinel", |seed| seed.sentinel(&workspace("law-sec").to_string())),
    ("the connector of the tenant", |seed| {
        let workspace = workspace("law-sec").to_string();
        seed.sentinel(&workspace).defender_tenant_connector(&workspace)
    }),
    ("a deleted secret", |seed| seed.deleted_secret("kv-prod", "lab-2", "value")),
    ("a disabled secret", |seed| seed.disabled_secret("kv-prod", "lab-3", "value")),
    ("a managed secret", |seed| seed.managed_secret("kv-prod", "cert")),
    ("a secret on the machine", exposed),
    ("a vault without firewall", judged),
];

type Act = fn(ArmClient) -> BoxFuture<'static, azure_core::Result<()>>;

/// What others did before.
const OTHERS: &[(&str, Act)] = &[
    ("a vault of other settings", |arm| {
        Box::pin(async move {
            let mut spec = vault_spec();
            spec.tags.insert("team".to_owned(), "soc".to_owned());
            spec.network_acls = None;
            VaultsClient::new(&arm).ensure(&vault("kv-new"), spec).await.map(drop)
        })
    }),
    ("a vault removed", |arm| {
        Box::pin(async move { VaultsClient::new(&arm).remove(&vault("kv-old")).await.map(drop) })
    }),
    ("a workspace", |arm| {
        Box::pin(async move {
            let spec = WorkspaceSpec::builder().location("westeurope").retention_in_days(30).build();
            WorkspacesClient::new(&arm).ensure(&workspace("law-new"), &spec).await.map(drop)
        })
    }),
    ("a workspace deleted", |arm| {
        Box::pin(async move { WorkspacesClient::new(&arm).delete(&workspace("law-new")).await.map(drop) })
    }),
    ("a plan turned off", |arm| {
        Box::pin(async move {
            PricingClient::new(&arm).disable(subscription(), &PlanName::VirtualMachines).await.map(drop)
        })
    }),
    ("another mail group", |arm| {
        Box::pin(async move {
            let address = ["OnCall@contoso.example".parse()?, "other@contoso.example".parse()?];
            ActionGroupsClient::new(&arm)
                .ensure_mail(&group(), &"ag-soc".parse()?, "other", &address)
                .await
                .map(drop)
        })
    }),
    ("another rule", |arm| {
        Box::pin(async move {
            let mut rule = rule();
            rule.properties.enabled = Some(false);
            rule.properties.severity = Some(4);
            QueryRulesClient::new(&arm).ensure(&group(), &"mass".parse()?, &rule).await.map(drop)
        })
    }),
    ("another automation", |arm| {
        Box::pin(async move {
            let mut other = automation();
            other.description = Some("another".to_owned());
            other.tags.insert("team".to_owned(), "soc".to_owned());
            AutomationsClient::new(&arm).ensure(&group(), &"kv".parse()?, &other).await.map(drop)
        })
    }),
    ("a role", |arm| {
        Box::pin(async move {
            let roles = RoleAssignmentsClient::new(&arm);
            roles.ensure(group(), RoleId::KEY_VAULT_SECRETS_USER, PERSON.parse()?).await.map(drop)
        })
    }),
    ("a role at the vault", |arm| {
        Box::pin(async move {
            let roles = RoleAssignmentsClient::new(&arm);
            let at = roles.ensure(&vault("kv-prod"), RoleId::KEY_VAULT_SECRETS_USER, PERSON.parse()?);
            at.await.map(drop)
        })
    }),
    ("an identity", |arm| {
        Box::pin(async move {
            let machine = resource("Microsoft.Compute/virtualMachines/vm-app").to_string().parse()?;
            VirtualMachinesClient::new(&arm).enable_system_identity(&machine).await.map(drop)
        })
    }),
    ("a group", |arm| {
        Box::pin(async move {
            let spec = ResourceGroupSpec::new("westeurope").tag("team", "soc");
            ResourceGroupsClient::new(&arm)
                .ensure(&subscription().resource_group("rg-new")?, spec)
                .await
                .map(drop)
        })
    }),
    ("a diagnostic setting", |arm| {
        Box::pin(async move {
            let spec = DiagnosticSpec::audit_to(&workspace("law-sec"))?;
            DiagnosticsClient::new(&arm)
                .ensure(&resource("Microsoft.KeyVault/vaults/kv-other"), &spec)
                .await
                .map(drop)
        })
    }),
    ("an alert taken up", |arm| {
        Box::pin(async move {
            let alerts = AlertsClient::new(&arm);
            let first = alerts.list(&subscription()).try_next().await?;
            alerts.set_status(first.map(|alert| alert.id), AlertAction::Dismiss).await.map(drop)
        })
    }),
    ("a connector", |arm| {
        Box::pin(async move {
            SentinelClient::new(&arm).connect_defender(&workspace("law-sec"), &subscription()).await.map(drop)
        })
    }),
    ("a secret seeded", |arm| Box::pin(async move { secrets(&arm).seed("lab", 1).await.map(drop) })),
    ("a version disabled", |arm| {
        Box::pin(async move {
            let name = "db".parse()?;
            let current = secrets(&arm).get(&name).await?.properties.id.version;
            let versions: Vec<_> = secrets(&arm).list_versions(&name).try_collect().await?;
            let mut others =
                versions.iter().map(|version| version.version()).filter(|it| *it != current.as_ref());
            let Some(version) = others.next().flatten() else { return Ok(()) };
            secrets(&arm).update(&name, version).disable().await.map(drop)
        })
    }),
];

/// A world of its own for each number.
pub(crate) async fn world(number: u64) -> (MockAzure, ArmClient) {
    let (azure, arm) = untouched(|what| chance(number, what)).await;
    for (what, act) in OTHERS {
        if chance(number, what) {
            // In some worlds it is refused: then it did not happen.
            let _ = act(arm.clone()).await;
        }
    }
    azure.clear_requests();
    (azure, arm)
}
