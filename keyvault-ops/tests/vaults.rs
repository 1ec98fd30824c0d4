//! Vaults on the double: every operation of the control plane.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use arm_core::{ArmClient, ArmErrorExt as _, Change, ResourceGroupId, SubscriptionId};
use futures::TryStreamExt as _;
use keyvault_ops::{
    API_VERSION, AccessPolicy, AccessPolicyUpdateKind, NetworkRules, Permissions, ProvisioningState,
    SecretPermission, UnavailableReason, Vault, VaultErrorExt as _, VaultId, VaultName, VaultPatch,
    VaultPatchProperties, VaultSpec, VaultsClient,
};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, DEFAULT_TENANT as TENANT, Fault, MockAzure, Seed};
use serde_json::{Value, json};

struct Lab {
    azure: MockAzure,
    vaults: VaultsClient,
    subscription: SubscriptionId,
    group: ResourceGroupId,
}

impl Lab {
    async fn of(seed: Seed) -> Self {
        mock_azure::fast_forward();
        let azure = seed.start().await;
        let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
        let subscription: SubscriptionId = SUB.parse().unwrap();
        let group = subscription.resource_group("rg").unwrap();
        Self { azure, vaults: VaultsClient::new(&arm), subscription, group }
    }

    /// What the service answers to a read.
    async fn azure_vault(&self, name: &str) -> Value {
        serde_json::to_value(self.vaults.get(&self.id(name)).await.unwrap()).unwrap()
    }

    fn id(&self, name: &str) -> VaultId {
        VaultId::new(&self.group, &name.parse().unwrap()).unwrap()
    }
}

fn spec() -> VaultSpec {
    VaultSpec::builder().location("westeurope").tenant_id(TENANT).build()
}

#[tokio::test]
async fn a_new_vault_is_awaited_until_its_name_is_registered() {
    let lab = Lab::of(MockAzure::seed().resource_group(SUB, "rg", "westeurope").operation_polls(3)).await;
    let name = VaultName::unique("kv-contoso-defended").unwrap();
    let id = VaultId::new(&lab.group, &name).unwrap();
    let vault = lab.vaults.create_or_update(&id, &spec()).await.unwrap();
    assert_eq!(vault.properties.provisioning_state, Some(ProvisioningState::Succeeded));
    assert_eq!(
        vault.properties.vault_uri.as_deref(),
        Some(format!("https://{name}.vault.azure.net/").as_str())
    );
    assert!(vault.properties.enable_rbac_authorization);
    let put = &lab.azure.requests()[0];
    assert_eq!((put.method.as_str(), put.query("api-version")), ("PUT", Some(API_VERSION)));
    assert_eq!(
        put.body,
        json!({
            "location": "westeurope",
            "tags": {},
            "properties": {
                "tenantId": TENANT,
                "sku": { "family": "A", "name": "standard" },
                "accessPolicies": [],
                "enableRbacAuthorization": true,
            },
        })
    );
    assert_eq!(lab.vaults.get(&id).await.unwrap(), vault);
    assert!(lab.vaults.get_opt(&lab.id("kv-none")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_spec_made_from_a_vault_loses_nothing() {
    let rules = json!({ "defaultAction": "Deny", "bypass": "AzureServices", "ipRules": [], "virtualNetworkRules": [], "newRule": 1 });
    let seed = MockAzure::seed()
        .vault(SUB, "rg", "kv-a")
        .vault_property("kv-a", "inventedLater", json!({ "kept": true }))
        .vault_property("kv-a", "networkAcls", rules)
        .access_policy("kv-a", &["get", "inventedpermission"]);
    let lab = Lab::of(seed).await;
    let before = lab.vaults.get(&lab.id("kv-a")).await.unwrap();
    let mut spec = VaultSpec::from(&before);
    spec.tags.insert("team".into(), "sec".into());
    let after = lab.vaults.create_or_update(&before.id, &spec).await.unwrap();
    assert_eq!(after.properties, before.properties);
    assert_eq!(after.tags["team"], "sec");
}

#[test]
fn decoding_and_encoding_a_vault_keeps_every_field() {
    let wire: Value = json!({
        "id": format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/1old_name"),
        "name": "1old_name", "type": "Microsoft.KeyVault/vaults", "location": "westus", "tags": {}, "later": [1],
        "properties": {
            "tenantId": TENANT, "sku": { "family": "A", "name": "ultra" }, "accessPolicies": [],
            "enableRbacAuthorization": false, "provisioningState": "Dreaming", "later": null,
            "privateEndpointConnections": [{ "id": "c", "properties": {
                "privateEndpoint": { "id": "e" },
                "privateLinkServiceConnectionState": { "status": "Approved", "actionsRequired": "None" },
                "provisioningState": "Succeeded" } }],
        },
    });
    let vault: Vault = serde_json::from_value(wire.clone()).unwrap();
    assert_eq!(serde_json::to_value(&vault).unwrap(), wire);
}

#[tokio::test]
async fn a_patch_sends_only_what_it_changes() {
    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", "kv-a")).await;
    let firewall = NetworkRules::only(["198.51.100.0/24"]);
    let patch = VaultPatch::builder()
        .properties(VaultPatchProperties::builder().network_acls(firewall.clone()).build())
        .build();
    let vault = lab.vaults.update(&lab.id("kv-a"), &patch).await.unwrap();
    assert_eq!(vault.properties.network_acls, Some(firewall));
    let sent = &lab.azure.requests()[0].body;
    assert_eq!(sent.as_object().unwrap().keys().collect::<Vec<_>>(), ["properties"]);
    assert_eq!(sent["properties"].as_object().unwrap().len(), 1);
}

#[tokio::test]
async fn a_taken_name_is_distinguished_from_other_conflicts() {
    let seed = MockAzure::seed()
        .vault_name_taken("kv-theirs")
        .deleted_vault(SUB, "rg", "kv-gone")
        .vault(SUB, "rg", "kv-a");
    let lab = Lab::of(seed).await;
    for name in ["kv-theirs", "kv-gone"] {
        let error = lab.vaults.create_or_update(&lab.id(name), &spec()).await.unwrap_err();
        assert!(error.is_vault_name_taken(), "{error}");
        let free =
            lab.vaults.check_name_availability(&lab.subscription, &name.parse().unwrap()).await.unwrap();
        assert_eq!((free.name_available, free.reason), (false, Some(UnavailableReason::AlreadyExists)));
    }
    let elsewhere = VaultSpec::builder().location("eastus").tenant_id(TENANT).build();
    let error = lab.vaults.create_or_update(&lab.id("kv-a"), &elsewhere).await.unwrap_err();
    assert!(error.is_code("InvalidResourceLocation") && !error.is_vault_name_taken(), "{error}");
    let free =
        lab.vaults.check_name_availability(&lab.subscription, &"kv-free".parse().unwrap()).await.unwrap();
    assert!(free.name_available && free.reason.is_none());
}

#[tokio::test]
async fn a_deleted_vault_is_found_recovered_deleted_again_and_purged() {
    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", "kv-a").vault_property(
        "kv-a",
        "softDeleteRetentionInDays",
        7,
    ))
    .await;
    let (id, name) = (lab.id("kv-a"), "kv-a".parse::<VaultName>().unwrap());
    lab.vaults.delete(&id).await.unwrap();
    lab.vaults.delete(&id).await.unwrap();
    let listed: Vec<_> = lab.vaults.list_deleted(&lab.subscription).try_collect().await.unwrap();
    let deleted = lab.vaults.get_deleted(&lab.subscription, "westeurope", &name).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&deleted));
    assert_eq!((&deleted.vault_id, deleted.purge_protection_enabled), (&id, false));
    assert_eq!(deleted.days_left(deleted.deletion_date.unwrap()), Some(7));

    let back = lab.vaults.recover(&deleted, TENANT).await.unwrap();
    assert_eq!(back.properties.soft_delete_retention_in_days, Some(7));
    lab.vaults.delete(&id).await.unwrap();
    lab.vaults.purge_deleted(&lab.subscription, "westeurope", &name).await.unwrap();
    let gone = lab.vaults.get_deleted(&lab.subscription, "westeurope", &name).await.unwrap_err();
    assert!(gone.is_not_found());
}

#[tokio::test]
async fn purge_protection_is_a_refusal_with_a_code() {
    let seed =
        MockAzure::seed().vault(SUB, "rg", "kv-a").vault_property("kv-a", "enablePurgeProtection", true);
    let lab = Lab::of(seed).await;
    lab.vaults.delete(&lab.id("kv-a")).await.unwrap();
    let error = lab
        .vaults
        .purge_deleted(&lab.subscription, "westeurope", &"kv-a".parse().unwrap())
        .await
        .unwrap_err();
    assert!(error.is_code("MethodNotAllowed"), "{error}");
}

/// msrestazure-for-python#157: the link of a purge answers 200, and the failure stands in the body.
#[tokio::test]
async fn a_purge_that_failed_is_an_error_although_its_link_answers_200() {
    let seed = MockAzure::seed().deleted_vault(SUB, "rg", "kv-a").operation_fails(
        "deletedVaults/kv-a",
        "PurgeFailed",
        "The vault is in use.",
    );
    let lab = Lab::of(seed).await;
    let name: VaultName = "kv-a".parse().unwrap();
    let error = lab.vaults.purge_deleted(&lab.subscription, "westeurope", &name).await.unwrap_err();
    assert!(error.is_code("PurgeFailed") && error.to_string().contains("The vault is in use."), "{error}");
    assert!(lab.vaults.get_deleted(&lab.subscription, "westeurope", &name).await.is_ok());
}

/// Recorded: 200 also of a new vault, so what a run did is known from what was there before; and what vaults say of
/// themselves.
#[tokio::test]
async fn a_created_vault_is_distinguished_from_a_changed_one_and_every_member_is_typed() {
    let lab = Lab::of(MockAzure::seed().resource_group(SUB, "rg", "westeurope")).await;
    let id = lab.id("kv-a");
    let ensure = |tag: &str| {
        let spec = VaultSpec::builder().location("westeurope").tenant_id(TENANT);
        lab.vaults.ensure(&id, spec.tags([("for".to_owned(), tag.to_owned())]).build())
    };
    let made = ensure("lab").await.unwrap();
    assert!(matches!(made, Change::Created(_)), "{made:?}");
    assert!(matches!(ensure("audit").await.unwrap(), Change::Updated { .. }));
    let statuses: Vec<_> =
        lab.azure.requests().iter().filter(|it| it.method == "PUT").map(|it| it.status).collect();
    assert_eq!(statuses, [Some(200), Some(200)], "the status does not tell them apart");
    let vault = made.into_current();
    assert_eq!(vault.properties.enabled_for_deployment, Some(false));
    let by = vault.system_data.unwrap();
    assert!(by.created_by.is_some() && by.created_by_type.is_some() && by.created_at.is_some());
}

#[tokio::test]
async fn lists_go_on_over_empty_pages() {
    let mut seed = MockAzure::seed().empty_pages();
    for n in 0..5 {
        seed = seed.vault(SUB, "rg", &format!("kv-{n}0"));
    }
    let lab = Lab::of(seed.vault(SUB, "other", "kv-x")).await;
    let vaults = lab.vaults.clone().with_page_size(2);
    let all: Vec<_> = vaults.list(&lab.subscription).try_collect().await.unwrap();
    assert_eq!(all.len(), 6);
    let grouped: Vec<_> = vaults.list_by_resource_group(&lab.group).try_collect().await.unwrap();
    assert_eq!(grouped.len(), 5);
    let briefly: Vec<_> = vaults.list_resources(&lab.subscription).try_collect().await.unwrap();
    assert_eq!(briefly.len(), 6);
    let asked = lab.azure.requests();
    assert_eq!(asked.last().unwrap().query("api-version"), Some("2015-11-01"));
    assert_eq!(asked[0].query("$top"), Some("2"));
}

#[tokio::test]
async fn access_policies_are_added_and_removed() {
    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", "kv-a").access_policy("kv-a", &["get"])).await;
    let policy = AccessPolicy::builder()
        .tenant_id(TENANT)
        .object_id(lab.azure.signed_in())
        .permissions(Permissions::on_secrets([SecretPermission::List]))
        .build();
    let id = lab.id("kv-a");
    let policies = [policy];
    let all = lab.vaults.update_access_policy(&id, &AccessPolicyUpdateKind::Add, &policies).await.unwrap();
    assert_eq!(all[0].permissions.secrets, Some(vec![SecretPermission::Get, SecretPermission::List]));
    let left =
        lab.vaults.update_access_policy(&id, &AccessPolicyUpdateKind::Remove, &policies).await.unwrap();
    assert_eq!(left[0].permissions.secrets, Some(vec![SecretPermission::Get]));
}

#[tokio::test]
async fn ensuring_a_vault_twice_writes_once() {
    let lab = Lab::of(MockAzure::seed().resource_group(SUB, "rg", "westeurope")).await;
    let id = lab.id("kv-new");
    let planned = lab.vaults.ensure(&id, spec()).dry_run().await.unwrap();
    assert!(matches!(&planned, Change::Created(vault) if vault.name == "kv-new"), "{planned:?}");
    assert!(lab.azure.requests().iter().all(|request| request.method != "PUT"));
    let made = lab.vaults.ensure(&id, spec()).await.unwrap();
    assert!(matches!(&made, Change::Created(vault) if vault.properties.vault_uri.is_some()), "{made:?}");
    lab.azure.clear_requests();
    assert!(!lab.vaults.ensure(&id, spec()).await.unwrap().is_change());
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn ensuring_a_vault_changes_what_differs_and_keeps_the_rest() {
    let seed = MockAzure::seed()
        .vault(SUB, "rg", "kv-a")
        .vault_property("kv-a", "inventedLater", json!({ "kept": true }))
        .vault_property("kv-a", "enabledForDeployment", true)
        .access_policy("kv-a", &["get"]);
    let lab = Lab::of(seed).await;
    let id = lab.id("kv-a");
    let wanted = || {
        VaultSpec::builder()
            .location("West Europe")
            .tenant_id(TENANT)
            .tags([("team".to_owned(), "sec".to_owned())])
            .network_acls(NetworkRules::only(["198.51.100.0/24"]))
            .enable_purge_protection(true)
            .build()
    };
    let Change::Updated { after: preview, .. } = lab.vaults.ensure(&id, wanted()).dry_run().await.unwrap()
    else {
        panic!("there is a difference")
    };
    let Change::Updated { before, after } = lab.vaults.ensure(&id, wanted()).await.unwrap() else {
        panic!("there is a difference")
    };
    assert_eq!(
        (preview.tags, preview.properties.network_acls),
        (after.tags.clone(), after.properties.network_acls.clone())
    );
    assert!(after.properties.enable_rbac_authorization && !before.properties.enable_rbac_authorization);
    assert_eq!(after.properties.access_policies, before.properties.access_policies);
    assert_eq!(after.properties.enabled_for_deployment, Some(true));
    let kept = serde_json::to_value(&after).unwrap();
    assert_eq!(kept["properties"]["inventedLater"], json!({ "kept": true }));
    assert!(!lab.vaults.ensure(&id, wanted()).await.unwrap().is_change());
    assert!(!lab.vaults.ensure(&id, spec()).await.unwrap().is_change(), "what is not named stays");
}

#[tokio::test]
async fn what_cannot_be_changed_is_reported_and_nothing_is_sent() {
    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", "kv-a")).await;
    let id = lab.id("kv-a");
    let elsewhere = VaultSpec::builder().location("eastus").tenant_id(TENANT).build();
    let error = lab.vaults.ensure(&id, elsewhere).await.unwrap_err();
    assert!(error.to_string().contains("location westeurope, which cannot be changed to eastus"), "{error}");
    let shorter = VaultSpec::builder()
        .location("westeurope")
        .tenant_id(TENANT)
        .soft_delete_retention_in_days(7_u16)
        .build();
    let error = lab.vaults.ensure(&id, shorter).await.unwrap_err();
    assert!(error.to_string().contains("90 days, which cannot be changed to 7 days"), "{error}");
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn a_soft_deleted_vault_is_only_brought_back_when_it_is_said() {
    let lab =
        Lab::of(MockAzure::seed().deleted_vault(SUB, "rg", "kv-gone").vault_name_taken("kv-theirs")).await;
    let id = lab.id("kv-gone");
    for error in [
        lab.vaults.ensure(&id, spec()).await.unwrap_err(),
        lab.vaults.ensure(&id, spec()).dry_run().await.unwrap_err(),
    ] {
        assert!(error.to_string().contains("recover it with recover_deleted(), or purge it"), "{error}");
    }
    let back = lab.vaults.ensure(&id, spec()).recover_deleted().await.unwrap();
    assert_eq!(back.current().properties.provisioning_state, Some(ProvisioningState::Succeeded));
    let taken = lab.vaults.ensure(&lab.id("kv-theirs"), spec()).recover_deleted().await.unwrap_err();
    assert!(taken.is_vault_name_taken());
}

/// azure-powershell#15115, azure-cli#14396
#[tokio::test]
async fn a_name_that_is_taken_or_soft_deleted_elsewhere_is_refused_by_the_dry_run_too() {
    let seed = MockAzure::seed()
        .resource_group(SUB, "rg", "westeurope")
        .deleted_vault(SUB, "rg-other", "kv-gone")
        .vault_name_taken("kv-theirs");
    let lab = Lab::of(seed).await;
    for dry_run in [true, false] {
        for (name, says) in [("kv-theirs", "kv-theirs"), ("kv-gone", "/resourceGroups/rg-other/")] {
            let task = lab.vaults.ensure(&lab.id(name), spec()).recover_deleted();
            let outcome = if dry_run { task.dry_run().await } else { task.await };
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains(says), "dry run {dry_run}: {error}");
            assert!(dry_run || error.is_vault_name_taken(), "{error}");
        }
    }
}

/// pulumi-azure-native#3964, azure-cli#10286
#[tokio::test]
async fn a_firewall_and_policies_in_the_spelling_of_the_service_are_the_same() {
    let subnet = format!(
        "/subscriptions/{SUB}/resourceGroups/RG-Net/providers/Microsoft.Network/virtualNetworks/V/subnets/S"
    );
    let acls = |address: &str, subnet: &str| {
        json!({
            "bypass": "AzureServices", "defaultAction": "Deny", "ipRules": [{ "value": address }],
            "virtualNetworkRules": [{ "id": subnet, "ignoreMissingVnetServiceEndpoint": false }],
        })
    };
    let seed = MockAzure::seed()
        .vault(SUB, "rg", "kv-a")
        .vault_property("kv-a", "networkAcls", acls("203.0.113.7/32", &subnet.to_lowercase()))
        .vault_property(
            "kv-a",
            "accessPolicies",
            json!([{ "tenantId": TENANT, "objectId": "00000000-0000-0000-0000-0000000000AB",
                     "permissions": { "secrets": ["List", "Get"] } }]),
        );
    let lab = Lab::of(seed).await;
    let mut rules: NetworkRules = serde_json::from_value(acls("203.0.113.7", &subnet)).unwrap();
    let policy = AccessPolicy::builder()
        .tenant_id(TENANT)
        .object_id("00000000-0000-0000-0000-0000000000ab")
        .permissions(Permissions::on_secrets([SecretPermission::Get, SecretPermission::List]))
        .build();
    let wanted = |rules: &NetworkRules| {
        VaultSpec::builder()
            .location("westeurope")
            .tenant_id(TENANT)
            .network_acls(rules.clone())
            .access_policies([policy.clone()])
            .build()
    };

    let same = lab.vaults.ensure(&lab.id("kv-a"), wanted(&rules)).await.unwrap();
    assert!(!same.is_change(), "{same:?}");
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));

    rules.virtual_network_rules.clear();
    assert!(lab.vaults.ensure(&lab.id("kv-a"), wanted(&rules)).await.unwrap().is_change());
}

/// The service answers `Vaults_UpdateAccessPolicy` with such an id.
#[tokio::test]
async fn an_id_that_is_none_is_kept_as_text_and_fails_only_when_it_is_used() {
    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", "kv-a")).await;
    let odd = format!("{}/accessPolicies/", lab.id("kv-a"));
    let mut answer = lab.azure_vault("kv-a").await;
    answer["id"] = odd.clone().into();
    lab.azure.inject(Fault::body(200, answer.to_string()).on("GET", "/vaults/kv-a").times(1));

    let vault = lab.vaults.get(&lab.id("kv-a")).await.unwrap();

    assert_eq!((vault.id.as_str(), vault.id.is_valid()), (odd.as_str(), false));
    assert_eq!(serde_json::to_value(&vault).unwrap()["id"], odd);
    lab.azure.clear_requests();
    let error = lab.vaults.get(&vault.id).await.unwrap_err();
    assert!(lab.azure.requests().is_empty(), "nothing is sent: {error}");
}
