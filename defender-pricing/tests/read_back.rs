//! What a task says about a plan is what the service shows afterwards, whatever its answer to the write was.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use arm_core::{ArmClient, ArmErrorExt as _, SubscriptionId};
use defender_pricing::{ExtensionName, PlanChange, PlanName, Pricing, PricingClient, SubPlan, Tier};
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault, MockAzure};
use serde_json::{Value, json};

const CAP: &str = "CapGBPerMonthPerStorageAccount";

fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

fn client(azure: &MockAzure) -> PricingClient {
    PricingClient::new(&ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap())
}

fn plan(name: &str, properties: Value) -> Value {
    json!({
        "id": format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Security/pricings/{name}"),
        "name": name,
        "type": "Microsoft.Security/pricings",
        "properties": properties,
    })
}

/// A plan that is on, with these extensions.
fn on(extensions: Value) -> Value {
    plan("CloudPosture", json!({ "pricingTier": "Standard", "extensions": extensions }))
}

fn extension(name: &str, on: bool) -> Value {
    json!({ "name": name, "isEnabled": if on { "True" } else { "False" } })
}

fn failed(name: &str, on: bool, message: Option<&str>) -> Value {
    let mut failed = extension(name, on);
    failed["operationStatus"] = json!({ "code": "Failed", "message": message });
    failed
}

/// A service that shows one plan before, answers the write with another, and shows a third.
async fn service(before: &Value, answer: &Value, after: &Value) -> MockAzure {
    mock_azure::fast_forward();
    let azure = MockAzure::seed().start().await;
    azure.inject(Fault::body(200, before.to_string()).on("GET", "pricings"));
    azure.inject(Fault::body(200, answer.to_string()).on("PUT", "pricings"));
    azure.inject(Fault::body(200, after.to_string()).on("GET", "pricings").skip(1));
    azure
}

fn failures(done: &PlanChange) -> Vec<(&str, &str)> {
    done.failed_extensions.iter().map(|failed| (failed.name.as_str(), failed.reason.as_str())).collect()
}

#[tokio::test]
async fn each_extension_that_is_not_on_is_reported_once_whether_the_answer_or_the_read_back_shows_it() {
    let names = ["ApiPosture", "AgentlessVmScanning", "SensitiveDataDiscovery"];
    let before = on(names.map(|name| extension(name, false)).into_iter().collect());
    let answer = on(json!([
        failed("ApiPosture", true, Some("no role")),
        extension("AgentlessVmScanning", true),
        extension("SensitiveDataDiscovery", true),
        failed("EntraPermissionsManagement", true, None),
    ]));
    let after = on(json!([
        failed("ApiPosture", true, Some("still no role")),
        extension("AgentlessVmScanning", false),
        extension("SensitiveDataDiscovery", true),
    ]));
    let azure = service(&before, &answer, &after).await;

    let enable = client(&azure).enable(subscription(), &PlanName::CloudPosture);
    let done = enable.extensions(names.map(ExtensionName::from)).await.unwrap();

    assert!(!done.is_complete());
    let failures = failures(&done);
    let named: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, ["ApiPosture", "EntraPermissionsManagement", "AgentlessVmScanning"]);
    assert_eq!(failures[0].1, "no role", "what the answer says comes first");
    assert!(!failures[1].1.is_empty() && failures[2].1.contains("off"), "{failures:?}");
    assert_eq!(*done.change.current(), serde_json::from_value::<Pricing>(after).unwrap());
}

#[tokio::test]
async fn an_extension_that_could_not_be_turned_off_is_reported() {
    let before = on(json!([extension("ApiPosture", true)]));
    let answer = on(json!([extension("ApiPosture", false)]));
    let azure = service(&before, &answer, &before).await;
    let enable = client(&azure).enable(subscription(), &PlanName::CloudPosture);
    let done = enable.without_extension(ExtensionName::ApiPosture).await.unwrap();
    let failures = failures(&done);
    assert!(matches!(&*failures, [("ApiPosture", reason)] if reason.contains("on")), "{failures:?}");
}

#[tokio::test]
async fn a_setting_that_was_answered_and_not_kept_is_reported_by_its_name() {
    let malware = |on: bool, cap: &str| {
        let mut shown = extension("OnUploadMalwareScanning", on);
        shown["additionalExtensionProperties"] = json!({ CAP: cap });
        plan("StorageAccounts", json!({ "pricingTier": "Standard", "extensions": [shown] }))
    };
    let properties = json!({ CAP: "50" }).as_object().unwrap().clone();
    for (after, says_the_setting) in [(malware(true, "10000"), true), (malware(false, "10000"), false)] {
        let azure = service(&malware(true, "10000"), &malware(true, "50"), &after).await;
        let enable = client(&azure).enable(subscription(), &PlanName::StorageAccounts);
        let enable = enable.extension_with(ExtensionName::OnUploadMalwareScanning, properties.clone());
        let done = enable.await.unwrap();
        let failures = failures(&done);
        let [("OnUploadMalwareScanning", reason)] = &*failures else { panic!("{failures:?}") };
        assert_eq!(reason.contains(CAP), says_the_setting, "{reason}");
    }
    let azure = service(&malware(true, "10000"), &malware(true, "50"), &malware(true, "50")).await;
    let enable = client(&azure).enable(subscription(), &PlanName::StorageAccounts);
    let done = enable.extension_with(ExtensionName::OnUploadMalwareScanning, properties).await.unwrap();
    assert!(done.is_complete(), "{done:?}");
}

#[tokio::test]
async fn an_extension_that_is_not_back_as_it_was_is_reported() {
    let names = ["ApiPosture", "AgentlessVmScanning", "SensitiveDataDiscovery", "ServerlessContainers"];
    let was = on(json!([
        extension(names[0], false),
        extension(names[1], true),
        extension(names[2], true),
        extension(names[3], true),
    ]));
    let now = on(json!([extension(names[0], true), extension(names[1], false)]));
    let after = on(json!([
        extension(names[0], true),
        failed(names[1], true, Some("no role")),
        extension(names[2], true),
    ]));
    let azure = service(&now, &was, &after).await;

    let was: Pricing = serde_json::from_value(was).unwrap();
    let done = client(&azure).restore(subscription(), &was).await.unwrap();

    let failures = failures(&done);
    let named: Vec<&str> = failures.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, [names[0], names[1], names[3]]);
    assert!(failures[0].1.contains("on") && failures[2].1.contains("off"), "{failures:?}");
    assert_eq!(failures[1].1, "no role");
}

#[tokio::test]
async fn a_plan_that_is_not_back_at_its_tier_or_sub_plan_is_an_error() {
    let vaults =
        |tier: &str, sub_plan: &str| plan("KeyVaults", json!({ "pricingTier": tier, "subPlan": sub_plan }));
    let (was, now) = (vaults("Standard", "PerTransaction"), vaults("Free", "PerTransaction"));
    for after in [now.clone(), vaults("Standard", "PerKeyVault")] {
        let azure = service(&now, &was, &after).await;
        let before: Pricing = serde_json::from_value(was.clone()).unwrap();
        assert!(client(&azure).restore(subscription(), &before).await.is_err());
        assert_eq!(azure.writes().len(), 1);
    }
}

#[tokio::test]
async fn a_plan_goes_back_to_free_without_extensions_and_to_standard_with_what_was_added_turned_off() {
    let free = plan("CloudPosture", json!({ "pricingTier": "Free" }));
    let standard = on(json!([extension("ApiPosture", true)]));
    let more = on(json!([extension("ApiPosture", true), extension("AgentlessVmScanning", true)]));
    let back = on(json!([extension("ApiPosture", true), extension("AgentlessVmScanning", false)]));
    for (was, after, body) in
        [(&free, &free, json!({ "pricingTier": "Free" })), (&standard, &back, back["properties"].clone())]
    {
        let azure = service(&more, after, after).await;
        let before: Pricing = serde_json::from_value(was.clone()).unwrap();
        let done = client(&azure).restore(subscription(), &before).await.unwrap();
        assert!(done.is_complete() && done.change.is_change());
        assert_eq!(azure.writes()[0].body, json!({ "properties": body }));
    }
}

#[tokio::test]
async fn a_sub_plan_of_a_plan_that_is_on_stays_and_one_of_a_plan_that_is_off_is_the_default() {
    let vaults =
        |tier: &str, sub_plan: &str| plan("KeyVaults", json!({ "pricingTier": tier, "subPlan": sub_plan }));
    let (old, new) = (vaults("Standard", "PerTransaction"), vaults("Standard", "PerKeyVault"));

    let azure = service(&old, &old, &old).await;
    let kept = client(&azure).enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    assert!(!kept.change.is_change() && azure.writes().is_empty());
    assert_eq!(kept.change.current().sub_plan, Some(SubPlan::PerTransaction));

    let azure = service(&vaults("Free", "PerTransaction"), &new, &new).await;
    let done = client(&azure).enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    assert_eq!(azure.writes()[0].body["properties"]["subPlan"], "PerKeyVault");
    assert_eq!(done.change.current().sub_plan, Some(SubPlan::PerKeyVault));
}

#[tokio::test]
async fn a_plan_that_is_off_is_not_standard() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed().plan(subscription(), "Arm", "Standard").start().await;
    for (name, standard) in [(PlanName::Arm, true), (PlanName::KeyVaults, false)] {
        let plan = client(&azure).get(subscription(), &name).await.unwrap();
        assert_eq!((plan.is_standard(), plan.tier == Tier::Standard), (standard, standard), "{name}");
    }
}

#[tokio::test]
async fn another_update_is_waited_for_to_the_end_of_the_budget_and_no_longer() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed().plan_update_in_progress(subscription(), 1000).start().await;
    let enable = client(&azure).enable(subscription(), &PlanName::KeyVaults);
    let error = enable.wait_at_most(std::time::Duration::from_secs(20)).await.unwrap_err();
    assert!(error.is_in_progress() && error.to_string().contains("20s"), "{error}");
    assert_eq!(azure.writes().len(), 3, "at once, after 15 s and after 20 s");
}

#[tokio::test]
async fn a_refusal_is_not_taken_for_another_update() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed().start().await;
    azure.inject(Fault::status(403).on("PUT", "pricings"));
    let error = client(&azure).enable(subscription(), &PlanName::KeyVaults).await.unwrap_err();
    assert!(error.is_forbidden() && !error.to_string().contains("progress"), "{error}");
    assert_eq!(azure.writes().len(), 1);
}
