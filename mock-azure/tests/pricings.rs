//! Defender plans.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use azure_core::http::Method::{self, Delete, Get, Post, Put};
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};
use support::{Answer, SUB};

fn at(scope: &str, plan: &str) -> String {
    format!("{scope}/providers/Microsoft.Security/pricings/{plan}")
}

fn of(plan: &str) -> String {
    at(&format!("/subscriptions/{SUB}"), plan)
}

fn machine() -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm")
}

async fn send(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    let url = format!("https://management.azure.com{path}{mark}api-version=2024-01-01");
    support::send(azure, method, &url, body).await
}

async fn get(azure: &MockAzure, path: &str) -> Value {
    let answer = send(azure, Get, path, Value::Null).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

async fn put(azure: &MockAzure, path: &str, properties: Value) -> Answer {
    send(azure, Put, path, json!({ "properties": properties })).await
}

fn seed() -> Seed {
    MockAzure::seed()
}

fn on(plan: &Value) -> Vec<&str> {
    let extensions = plan["properties"]["extensions"].as_array().unwrap();
    extensions.iter().filter(|it| it["isEnabled"] == "True").map(|it| it["name"].as_str().unwrap()).collect()
}

fn extension<'a>(plan: &'a Value, name: &str) -> &'a Value {
    plan["properties"]["extensions"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()
}

#[tokio::test]
async fn a_new_subscription_has_every_plan_and_all_are_free() {
    let azure = seed().start().await;
    let list = get(&azure, &of("")).await;
    let plans = list["value"].as_array().unwrap();
    assert_eq!(plans.len(), 16);
    assert!(list.get("nextLink").is_none());
    for plan in plans {
        let properties = &plan["properties"];
        assert_eq!(properties["pricingTier"], "Free");
        assert_eq!(properties["resourcesCoverageStatus"], "NotCovered");
        assert_eq!(properties["enforce"], "False");
        assert!(properties.get("enablementTime").is_none() && properties.get("subPlan").is_none());
    }
    let dns = get(&azure, &of("dns")).await;
    assert_eq!(dns["name"], "Dns");
    assert_eq!(dns["properties"]["deprecated"], true);
    assert_eq!(dns["properties"]["replacedBy"], json!(["VirtualMachines"]));
}

#[tokio::test]
async fn a_list_can_be_filtered_by_name() {
    let azure = seed().start().await;
    let list = get(&azure, &of("?$filter=name in (KeyVaults,cloudposture)")).await;
    let names: Vec<&Value> = list["value"].as_array().unwrap().iter().map(|plan| &plan["name"]).collect();
    assert_eq!(names, ["KeyVaults", "CloudPosture"]);
    let refused = send(&azure, Get, &of("?$filter=tier eq 'Free'"), Value::Null).await;
    assert_eq!(refused.status, 501);
}

#[tokio::test]
async fn switching_a_plan_on_stamps_its_sub_plan_and_time_and_turns_on_default_extensions() {
    let azure = seed().start().await;
    let vaults = put(&azure, &of("KeyVaults"), json!({ "pricingTier": "Standard" })).await;
    assert_eq!(vaults.status, 200);
    let properties = &vaults.body["properties"];
    assert_eq!(properties["subPlan"], "PerKeyVault");
    assert_eq!(properties["resourcesCoverageStatus"], "FullyCovered");
    let time = properties["enablementTime"].as_str().unwrap();
    assert_eq!(time.split_once('.').unwrap().1.len(), "1234567Z".len(), "{time}");
    let posture = put(&azure, &of("CloudPosture"), json!({ "pricingTier": "Standard" })).await.body;
    assert_eq!(
        on(&posture),
        [
            "AgentlessVmScanning",
            "AgentlessDiscoveryForKubernetes",
            "SensitiveDataDiscovery",
            "ContainerRegistriesVulnerabilityAssessments",
            "EntraPermissionsManagement",
        ]
    );
    assert_eq!(extension(&posture, "SensitiveDataDiscovery")["operationStatus"]["code"], "Succeeded");
    assert_eq!(get(&azure, &of("CloudPosture")).await, posture);
}

#[tokio::test]
async fn a_list_of_extensions_replaces_the_one_before() {
    let azure = seed().plan(SUB, "CloudPosture", "Standard").start().await;
    let only = json!([{ "name": "ApiPosture", "isEnabled": "True" }]);
    let after =
        put(&azure, &of("CloudPosture"), json!({ "pricingTier": "Standard", "extensions": only })).await;
    assert_eq!(on(&after.body), ["ApiPosture"]);
    assert_eq!(after.body["properties"]["extensions"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn a_time_of_enablement_survives_a_later_update_and_not_a_switch_off() {
    let azure = seed().plan(SUB, "KeyVaults", "Standard").start().await;
    let first = get(&azure, &of("KeyVaults")).await["properties"]["enablementTime"].clone();
    let again = put(&azure, &of("KeyVaults"), json!({ "pricingTier": "Standard" })).await.body;
    assert_eq!(again["properties"]["enablementTime"], first);
    let off = put(&azure, &of("KeyVaults"), json!({ "pricingTier": "Free" })).await.body;
    assert_eq!(off["properties"]["enablementTime"], Value::Null);
    assert_eq!(off["properties"]["subPlan"], Value::Null);
}

#[tokio::test]
async fn one_extension_can_fail_while_the_update_succeeds() {
    let azure = seed().failing_extension(SUB, "CloudPosture", "AgentlessVmScanning", 1).start().await;
    let answer = put(&azure, &of("CloudPosture"), json!({ "pricingTier": "Standard" })).await;
    assert_eq!(answer.status, 200);
    let failed = extension(&answer.body, "AgentlessVmScanning");
    assert_eq!(
        (&failed["isEnabled"], &failed["operationStatus"]["code"]),
        (&json!("True"), &json!("Failed"))
    );
    let again = put(&azure, &of("CloudPosture"), json!({ "pricingTier": "Standard" })).await;
    assert_eq!(extension(&again.body, "AgentlessVmScanning")["operationStatus"]["code"], "Succeeded");
}

#[tokio::test]
async fn without_the_right_to_assign_roles_only_some_extensions_succeed() {
    let azure = seed().signed_in_role("Security Admin").start().await;
    let answer = put(&azure, &of("CloudPosture"), json!({ "pricingTier": "Standard" })).await;
    assert_eq!(answer.status, 200);
    let code = |name: &str| extension(&answer.body, name)["operationStatus"]["code"].clone();
    assert_eq!(code("ContainerRegistriesVulnerabilityAssessments"), "Succeeded");
    assert_eq!(code("SensitiveDataDiscovery"), "Failed");
}

#[tokio::test]
async fn a_subscription_takes_one_update_at_a_time() {
    let azure = seed().plan_update_in_progress(SUB, 2).start().await;
    for expected in [409, 409, 200] {
        let answer = put(&azure, &of("KeyVaults"), json!({ "pricingTier": "Standard" })).await;
        assert_eq!(answer.status, expected);
        if expected == 409 {
            assert_eq!(answer.code(), "Conflict");
            assert!(answer.message().contains("in progress"));
        }
    }
    let azure = seed().plan_updates_take(Duration::from_millis(150)).start().await;
    let standard = || json!({ "pricingTier": "Standard" });
    let (vaults, arm) = (of("KeyVaults"), of("Arm"));
    let (one, other) = tokio::join!(put(&azure, &vaults, standard()), put(&azure, &arm, standard()));
    let mut both = [one.status, other.status];
    both.sort_unstable();
    assert_eq!(both, [200, 409]);
}

#[tokio::test]
async fn what_the_service_does_not_accept_changes_nothing() {
    let azure = seed().plan(SUB, "StorageAccounts", "Standard").start().await;
    let before = get(&azure, &of("")).await;
    let extension = |name: &str, on: Value| json!([{ "name": name, "isEnabled": on }]);
    let with_properties = json!([{
        "name": "OnUploadMalwareScanning",
        "isEnabled": "False",
        "additionalExtensionProperties": { "CapGBPerMonthPerStorageAccount": "5" },
    }]);
    let cases = [
        ("KeyVaults", json!({}), 400),
        ("KeyVaults", json!({ "pricingTier": "Premium" }), 400),
        ("KeyVaults", json!({ "pricingTier": "Standard", "subPlan": "P2" }), 501),
        ("KeyVaults", json!({ "pricingTier": "Standard", "subPlan": "PerTransaction" }), 400),
        ("Dns", json!({ "pricingTier": "Standard" }), 400),
        ("NoSuchPlan", json!({ "pricingTier": "Standard" }), 501),
        (
            "StorageAccounts",
            json!({ "pricingTier": "Standard", "extensions": extension("SensitiveDataDiscovery", json!(true)) }),
            400,
        ),
        (
            "StorageAccounts",
            json!({ "pricingTier": "Standard", "extensions": extension("NoSuch", json!("True")) }),
            501,
        ),
        (
            "StorageAccounts",
            json!({ "pricingTier": "Free", "extensions": extension("SensitiveDataDiscovery", json!("False")) }),
            400,
        ),
        ("StorageAccounts", json!({ "pricingTier": "Standard", "extensions": with_properties }), 500),
    ];
    for (plan, properties, expected) in cases {
        let answer = put(&azure, &of(plan), properties.clone()).await;
        assert_eq!(answer.status, expected, "{plan} {properties}");
    }
    assert_eq!(get(&azure, &of("")).await, before);
    let unknown = put(&azure, &of("NoSuchPlan"), json!({ "pricingTier": "Standard" })).await;
    assert_eq!(unknown.code(), "MockNotImplemented");
    assert!(unknown.message().contains("KeyVaults"), "{}", unknown.message());
}

#[tokio::test]
async fn a_subscription_keeps_the_old_sub_plan_that_it_has() {
    let azure = seed()
        .plan(SUB, "KeyVaults", "Standard")
        .plan_properties(SUB, "KeyVaults", json!({ "subPlan": "PerTransaction" }))
        .start()
        .await;
    let same = json!({ "pricingTier": "Standard", "subPlan": "PerTransaction" });
    assert_eq!(put(&azure, &of("KeyVaults"), same).await.status, 200);
}

#[tokio::test]
async fn what_the_double_does_not_know_in_a_body_is_kept_and_read_only_fields_are_not() {
    let azure = seed().plan_extension(SUB, "CloudPosture", "ScanOfTomorrow", false).start().await;
    let asked = json!({
        "pricingTier": "Standard",
        "futureSetting": { "level": 2 },
        "resourcesCoverageStatus": "NotCovered",
        "extensions": [{
            "name": "ScanOfTomorrow",
            "isEnabled": "True",
            "futureFlag": [1, 2],
            "operationStatus": { "code": "Failed" },
        }],
    });
    put(&azure, &of("CloudPosture"), asked).await;
    let after = get(&azure, &of("CloudPosture")).await;
    assert_eq!(after["properties"]["futureSetting"], json!({ "level": 2 }));
    assert_eq!(after["properties"]["resourcesCoverageStatus"], "FullyCovered");
    let kept = extension(&after, "ScanOfTomorrow");
    assert_eq!(
        (&kept["futureFlag"], &kept["operationStatus"]["code"]),
        (&json!([1, 2]), &json!("Succeeded"))
    );
}

#[tokio::test]
async fn a_plan_of_a_subscription_cannot_be_deleted() {
    let azure = seed().start().await;
    let refused = send(&azure, Delete, &of("KeyVaults"), Value::Null).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidUrlConfiguration"));
}

#[tokio::test]
async fn a_machine_can_differ_from_its_subscription_and_go_back() {
    let azure = seed().virtual_machine(SUB, "rg", "vm").start().await;
    let plan = at(&machine(), "VirtualMachines");
    let inherited = get(&azure, &plan).await;
    assert_eq!(inherited["properties"]["inherited"], "True");
    assert_eq!(inherited["properties"]["inheritedFrom"], format!("/subscriptions/{SUB}"));
    let p1 = json!({ "pricingTier": "Standard", "subPlan": "P1" });
    let made = put(&azure, &plan, p1.clone()).await;
    assert_eq!((made.status, &made.body["properties"]["inherited"]), (201, &json!("False")));
    assert_eq!(put(&azure, &plan, p1.clone()).await.status, 200);
    let above = get(&azure, &of("VirtualMachines")).await;
    assert_eq!(above["properties"]["resourcesCoverageStatus"], "PartiallyCovered");
    assert_eq!(send(&azure, Delete, &plan, Value::Null).await.status, 200);
    assert_eq!(send(&azure, Delete, &plan, Value::Null).await.status, 204);
    assert_eq!(get(&azure, &plan).await, inherited);
}

#[tokio::test]
async fn only_machines_have_plans_of_their_own_and_only_one_of_them() {
    let azure = seed().virtual_machine(SUB, "rg", "vm").vault(SUB, "rg", "kv-a").start().await;
    let p2 = json!({ "pricingTier": "Standard", "subPlan": "P2" });
    let machine_plan = at(&machine(), "VirtualMachines");
    assert_eq!(put(&azure, &machine_plan, p2).await.status, 400);
    assert_eq!(
        put(&azure, &at(&machine(), "KeyVaults"), json!({ "pricingTier": "Standard" })).await.status,
        400
    );
    let vault = format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-a");
    let refused = put(&azure, &at(&vault, "KeyVaults"), json!({ "pricingTier": "Standard" })).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidUrlConfiguration"));
    let gone = at(&machine().replace("/vm", "/other"), "VirtualMachines");
    assert_eq!(send(&azure, Get, &gone, Value::Null).await.code(), "ResourceNotFound");
}

#[tokio::test]
async fn an_enforced_plan_lets_no_machine_differ() {
    let azure = seed().virtual_machine(SUB, "rg", "vm").start().await;
    let (plan, p1) =
        (at(&machine(), "VirtualMachines"), json!({ "pricingTier": "Standard", "subPlan": "P1" }));
    put(&azure, &plan, p1.clone()).await;
    put(&azure, &of("VirtualMachines"), json!({ "pricingTier": "Standard", "enforce": "True" })).await;
    assert_eq!(get(&azure, &plan).await["properties"]["inherited"], "True");
    assert_eq!(put(&azure, &plan, p1).await.status, 409);
}

#[tokio::test]
async fn without_registration_there_are_no_plans() {
    let azure = seed().unregistered(SUB, "Microsoft.Security").start().await;
    let refused = send(&azure, Get, &of("KeyVaults"), Value::Null).await;
    assert_eq!((refused.status, refused.code()), (404, "Subscription Not Registered"));
    let unknown = send(&azure, Post, &of("KeyVaults"), Value::Null).await;
    assert_eq!(unknown.status, 404);
}
