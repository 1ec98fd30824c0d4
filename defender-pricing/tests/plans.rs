//! Plans against the double: what is kept, what is reported, what a second run does.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use arm_core::{ArmClient, ArmErrorExt as _, Change, SubscriptionId};
use defender_pricing::{ExtensionName, PlanName, PricingClient, PricingSpec, SubPlan, Tier};
use futures::{TryStreamExt as _, future::join};
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault, MockAzure, Seed};
use serde_json::json;

fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
}

fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

fn client(azure: &MockAzure) -> PricingClient {
    PricingClient::new(&ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap())
}

#[tokio::test]
async fn key_vaults_goes_to_standard_with_its_sub_plan_and_a_second_run_writes_nothing() {
    let azure = seed().start().await;
    let pricing = client(&azure);
    let done = pricing.enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    assert!(matches!(&done.change, Change::Updated { before, after }
        if before.tier == Tier::Free && after.is_standard() && after.sub_plan == Some(SubPlan::PerKeyVault)));
    assert_eq!(
        azure.writes()[0].body,
        json!({ "properties": { "pricingTier": "Standard", "subPlan": "PerKeyVault", "enforce": "False" } })
    );
    azure.clear_requests();
    let again = pricing.enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    assert!(!again.change.is_change());
    assert_eq!(azure.requests().len(), 1, "one read, no write");
    assert_eq!(azure.requests()[0].query("api-version"), Some("2024-01-01"));
}

#[tokio::test]
async fn enabling_an_extension_keeps_the_others_their_settings_and_unknown_fields() {
    let sub = subscription();
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_extension(&sub, "CloudPosture", "ApiPosture", false)
        .plan_properties(&sub, "CloudPosture", json!({ "invented": { "kept": true } }))
        .start()
        .await;
    let done = client(&azure)
        .enable(&sub, &PlanName::CloudPosture)
        .extension(ExtensionName::ApiPosture)
        .await
        .unwrap();
    let Change::Updated { before, after } = done.change else { panic!("nothing was written") };
    assert!(!before.has(&ExtensionName::ApiPosture) && after.has(&ExtensionName::ApiPosture));
    for kept in &before.extensions {
        let now = after.extension(&kept.name).unwrap();
        assert!(!kept.is_enabled || now.is_enabled, "{} was turned off", kept.name);
        assert!(
            !kept.is_enabled || now.additional_extension_properties == kept.additional_extension_properties
        );
    }
    assert_eq!(azure.writes()[0].body["properties"]["invented"], json!({ "kept": true }));
}

#[tokio::test]
async fn from_free_the_services_own_extensions_are_kept_and_the_wish_comes_on_top() {
    let azure = seed().start().await;
    let sub = subscription();
    let enable = || client(&azure).enable(&sub, &PlanName::CloudPosture).extension(ExtensionName::ApiPosture);
    let done = enable().await.unwrap();
    let bodies: Vec<_> =
        azure.writes().into_iter().map(|write| write.body["properties"]["extensions"].clone()).collect();
    assert!(bodies[0].is_null() && bodies[1].as_array().unwrap().len() >= 9, "{bodies:?}");
    let now = done.change.current();
    assert!(now.has(&ExtensionName::ApiPosture) && now.has(&ExtensionName::AgentlessVmScanning));
    assert!(!enable().await.unwrap().change.is_change());
}

#[tokio::test]
async fn an_extension_that_fails_behind_a_200_is_reported_and_tried_again_the_next_time() {
    let sub = subscription();
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_extension(&sub, "CloudPosture", "AgentlessVmScanning", false)
        .failing_extension(&sub, "CloudPosture", "AgentlessVmScanning", 1)
        .start()
        .await;
    let enable =
        || client(&azure).enable(&sub, &PlanName::CloudPosture).extension(ExtensionName::AgentlessVmScanning);
    let done = enable().await.unwrap();
    assert!(!done.is_complete());
    assert_eq!(done.failed_extensions[0].name, ExtensionName::AgentlessVmScanning);
    assert!(!done.failed_extensions[0].reason.is_empty());
    let again = enable().await.unwrap();
    assert!(again.change.is_change() && again.is_complete(), "{again:?}");
}

#[tokio::test]
async fn a_dry_run_shows_the_difference_and_writes_nothing() {
    let azure = seed().start().await;
    let preview = client(&azure).enable(subscription(), &PlanName::KeyVaults).dry_run().await.unwrap();
    assert!(matches!(preview.change, Change::Updated { after, .. } if after.is_standard()));
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn an_update_in_progress_is_waited_for_within_a_budget() {
    let sub = subscription();
    let azure = seed().plan_update_in_progress(&sub, 3).start().await;
    let done = client(&azure).enable(&sub, &PlanName::KeyVaults).await.unwrap();
    assert!(done.change.current().is_standard());
    assert_eq!(azure.writes().len(), 4);
    let azure = seed().plan_update_in_progress(&sub, 1000).start().await;
    let enable =
        client(&azure).enable(&sub, &PlanName::KeyVaults).wait_at_most(std::time::Duration::from_secs(60));
    let error = enable.await.unwrap_err();
    assert!(error.is_conflict() && error.to_string().contains("still in progress after 60s"), "{error}");
}

#[tokio::test]
async fn two_plans_of_one_subscription_do_not_collide() {
    let azure = seed().plan_updates_take(std::time::Duration::from_millis(20)).start().await;
    let (pricing, sub) = (client(&azure), subscription());
    let (one, two) = join(
        pricing.enable(&sub, &PlanName::KeyVaults).into_future(),
        pricing.enable(&sub, &PlanName::Arm).into_future(),
    )
    .await;
    assert!(one.unwrap().change.is_change() && two.unwrap().change.is_change());
}

#[tokio::test]
async fn interrupted_at_any_request_and_run_again_it_ends_the_same() {
    let sub = subscription();
    for n in 1.. {
        let azure = seed().start().await;
        let enable =
            || client(&azure).enable(&sub, &PlanName::CloudPosture).extension(ExtensionName::ApiPosture);
        azure.interrupt_at(n);
        let first = enable().await;
        azure.clear_faults();
        let done = enable().await.unwrap();
        assert!(done.change.current().has(&ExtensionName::ApiPosture));
        assert!(!enable().await.unwrap().change.is_change());
        if first.is_ok() {
            assert!(n > 4, "the task makes at least four requests");
            break;
        }
    }
}

#[tokio::test]
async fn disabling_is_verified_and_idempotent() {
    let sub = subscription();
    let azure = seed().plan(&sub, "KeyVaults", "Standard").start().await;
    let pricing = client(&azure);
    let done = pricing.disable(&sub, &PlanName::KeyVaults).await.unwrap();
    assert_eq!(done.change.current().tier, Tier::Free);
    assert!(!pricing.disable(&sub, &PlanName::KeyVaults).await.unwrap().change.is_change());
}

#[tokio::test]
async fn lists_and_filters_name_every_plan() {
    let azure = seed().plan(subscription(), "KeyVaults", "Standard").start().await;
    let pricing = client(&azure);
    let all: Vec<_> = pricing.list(subscription()).try_collect().await.unwrap();
    assert!(all.len() >= 16);
    let named: Vec<_> = pricing
        .list_named(subscription(), [&PlanName::KeyVaults, &PlanName::Arm])
        .try_collect()
        .await
        .unwrap();
    assert_eq!(named.len(), 2);
    let none: Vec<_> = pricing.list_named(subscription(), []).try_collect().await.unwrap();
    assert!(none.is_empty());
    let coverage = pricing.coverage(&subscription()).await.unwrap();
    let vaults = coverage.iter().find(|row| row.plan == PlanName::KeyVaults).unwrap();
    assert_eq!((&vaults.tier, vaults.deprecated), (&Tier::Standard, false));
    let dns = coverage.iter().find(|row| row.plan == PlanName::Dns).unwrap();
    assert!(dns.deprecated && dns.replaced_by == [PlanName::VirtualMachines]);
}

#[tokio::test]
async fn an_unknown_plan_is_refused_with_the_names_that_exist() {
    let azure = seed().start().await;
    let message = "The name 'KeyVault' is not a valid name. Possible pricing bundle names: KeyVaults.";
    let answer = json!({ "error": { "code": "InvalidResourceName", "message": message } });
    azure.inject(Fault::body(400, answer.to_string()));
    let error = client(&azure).enable(subscription(), &"KeyVault".into()).await.unwrap_err();
    assert!(
        error.to_string().contains("Possible pricing bundle names")
            && error.to_string().contains("KeyVaults")
    );
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn a_subscriptions_plan_cannot_be_deleted_and_a_write_can_be_exact() {
    let azure = seed().start().await;
    let pricing = client(&azure);
    let error = pricing.delete(subscription(), &PlanName::KeyVaults).await.unwrap_err();
    assert!(error.is_code("InvalidUrlConfiguration"), "{error}");
    let spec = PricingSpec::builder().tier(Tier::Standard).sub_plan(SubPlan::PerKeyVault).build();
    let now = pricing.update(subscription(), &PlanName::KeyVaults, &spec).await.unwrap();
    assert!(now.is_standard());
}

#[tokio::test]
async fn no_right_is_one_clear_line_and_changes_nothing() {
    let azure = seed().signed_in_role("Reader").start().await;
    let error = client(&azure).enable(subscription(), &PlanName::KeyVaults).await.unwrap_err();
    assert!(error.is_forbidden() && error.is_code("AuthorizationFailed"), "{error}");
    assert!(!error.to_string().contains('\n'));
    azure.inject(Fault::status(404).code("Subscription Not Registered").on("GET", "pricings"));
    let error = client(&azure).get(subscription(), &PlanName::KeyVaults).await.unwrap_err();
    assert!(error.is_registration_missing() && error.is_code("SubscriptionNotRegistered"), "{error}");
}

#[tokio::test]
async fn secret_scanning_reports_what_is_missing() {
    use defender_pricing::ScanReadiness;
    let sub = subscription();
    let azure = seed().start().await;
    let off = client(&azure).secret_scanning(&sub).await.unwrap();
    let extension = Some(ExtensionName::AgentlessVmScanning);
    assert_eq!(off.machines, ScanReadiness::Off { plan: PlanName::CloudPosture, extension });
    let azure = seed().plan(&sub, "CloudPosture", "Standard").start().await;
    let on = client(&azure).secret_scanning(&sub).await.unwrap();
    assert!(on.machines.is_on() && on.deployments.is_on() && on.code.is_on() && on.data_stores.is_on());
}

#[tokio::test]
async fn two_concurrent_changes_of_one_plan_are_both_kept() {
    let sub = subscription();
    let seed = seed().plan(&sub, "CloudPosture", "Standard");
    let azure = seed
        .plan_extension(&sub, "CloudPosture", "ApiPosture", false)
        .plan_extension(&sub, "CloudPosture", "AgentlessVmScanning", false)
        .plan_updates_take(std::time::Duration::from_millis(20))
        .start()
        .await;
    let pricing = client(&azure);
    let enable = |name| pricing.enable(&sub, &PlanName::CloudPosture).extension(name).into_future();
    let (one, two) =
        join(enable(ExtensionName::ApiPosture), enable(ExtensionName::AgentlessVmScanning)).await;
    assert!(one.unwrap().is_complete() && two.unwrap().is_complete());
    let now = pricing.get(&sub, &PlanName::CloudPosture).await.unwrap();
    assert!(now.has(&ExtensionName::ApiPosture) && now.has(&ExtensionName::AgentlessVmScanning));
}

#[tokio::test]
async fn the_last_word_on_an_extension_counts() {
    let sub = subscription();
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_extension(&sub, "CloudPosture", "ApiPosture", false)
        .start()
        .await;
    let enable = client(&azure).enable(&sub, &PlanName::CloudPosture);
    let done = enable.extension(ExtensionName::ApiPosture).without_extension(ExtensionName::ApiPosture).await;
    let done = done.unwrap();
    assert!(!done.change.is_change() && done.is_complete(), "{done:?}");
}

#[tokio::test]
async fn the_wait_for_another_update_is_not_longer_than_requested() {
    let sub = subscription();
    let azure = seed().plan_update_in_progress(&sub, 1000).start().await;
    let enable = client(&azure).enable(&sub, &PlanName::KeyVaults);
    let error = enable.wait_at_most(std::time::Duration::from_secs(10)).await.unwrap_err();
    assert!(error.to_string().contains("still in progress after 10s"), "{error}");
}

#[tokio::test]
async fn the_free_tier_is_written_without_extensions() {
    let sub = subscription();
    let azure = seed().plan(&sub, "CloudPosture", "Standard").start().await;
    let done = client(&azure).disable(&sub, &PlanName::CloudPosture).await.unwrap();
    assert!(done.change.is_change());
    assert!(azure.writes()[0].body["properties"]["extensions"].is_null());
}

#[test]
fn servers_plan_1_scans_no_machine_and_a_failed_extension_is_not_on() {
    let plan = |name: &str, sub_plan: &str, status: &str| -> defender_pricing::Pricing {
        serde_json::from_value(json!({
            "id": format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Security/pricings/{name}"),
            "name": name,
            "properties": { "pricingTier": "Standard", "subPlan": sub_plan, "extensions": [{
                "name": "AgentlessVmScanning", "isEnabled": "True", "operationStatus": { "code": status },
            }]},
        }))
        .unwrap()
    };
    let machines = |plan| defender_pricing::SecretScanning::of(&[plan]).machines.is_on();
    assert!(machines(plan("VirtualMachines", "P2", "Succeeded")));
    assert!(!machines(plan("VirtualMachines", "P1", "Succeeded")));
    assert!(!machines(plan("VirtualMachines", "P2", "Failed")));
    let row = defender_pricing::PlanCoverage::from(&plan("VirtualMachines", "P2", "Failed"));
    assert!(row.extensions_on.is_empty() && row.extensions_failed.len() == 1);
}

#[tokio::test]
async fn a_plan_goes_back_to_what_it_was_with_tier_sub_plan_extensions_and_settings() {
    let sub = subscription();
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_extension(&sub, "CloudPosture", "ApiPosture", false)
        .plan_extension(&sub, "CloudPosture", "SensitiveDataDiscovery", true)
        .plan_properties(&sub, "CloudPosture", json!({ "invented": 1 }))
        .start()
        .await;
    let pricing = client(&azure);
    for plan in [PlanName::KeyVaults, PlanName::CloudPosture] {
        let before = pricing.get(&sub, &plan).await.unwrap();
        let enable = pricing.enable(&sub, &plan).extension(ExtensionName::ApiPosture);
        let enable = if plan == PlanName::KeyVaults { pricing.enable(&sub, &plan) } else { enable };
        let mine = enable.await.unwrap().change.into_current();
        assert!(!mine.has_settings_of(&before), "{plan}");
        azure.clear_requests();
        let would = pricing.restore(&sub, &before).if_still(&mine).dry_run().await.unwrap();
        assert!(would.change.is_change() && azure.writes().is_empty());
        let done = pricing.restore(&sub, &before).if_still(&mine).await.unwrap();
        assert!(done.is_complete() && done.change.current().has_settings_of(&before), "{plan}");
        assert!(pricing.get(&sub, &plan).await.unwrap().has_settings_of(&before));
        let again = pricing.restore(&sub, &before).if_still(&mine).await.unwrap();
        assert!(!again.change.is_change());
        assert_eq!(azure.writes().len(), 1, "the second run writes nothing");
    }
    let body = &azure.writes()[0].body["properties"];
    assert_eq!((&body["pricingTier"], &body["invented"]), (&json!("Standard"), &json!(1)));
}

#[tokio::test]
async fn a_plan_that_somebody_else_has_changed_since_is_not_put_back() {
    let sub = subscription();
    let azure = seed().start().await;
    let pricing = client(&azure);
    let before = pricing.get(&sub, &PlanName::CloudPosture).await.unwrap();
    let mine = pricing.enable(&sub, &PlanName::CloudPosture).await.unwrap().change.into_current();
    let theirs = pricing.enable(&sub, &PlanName::CloudPosture).extension(ExtensionName::ApiPosture).await;
    let theirs = theirs.unwrap().change.into_current();
    azure.clear_requests();
    let error = pricing.restore(&sub, &before).if_still(&mine).await.unwrap_err().to_string();
    assert!(error.contains("somebody else has changed the plan"), "{error}");
    assert!(azure.writes().is_empty());
    assert!(pricing.get(&sub, &PlanName::CloudPosture).await.unwrap().has_settings_of(&theirs));
}

#[tokio::test]
async fn a_plan_of_an_unknown_tier_keeps_its_extensions_its_sub_plan_and_what_cannot_be_read() {
    let sub = subscription();
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_properties(
            &sub,
            "CloudPosture",
            json!({
                "pricingTier": "Premium", "subPlan": "P9", "replacedBy": { "not": "a list" },
                "extensions": [
                    { "name": "ApiPosture", "isEnabled": "True", "additionalExtensionProperties": { "x": "1" } },
                    { "isEnabled": "True", "nameless": true },
                    { "name": "AgentlessVmScanning", "isEnabled": "False", "additionalExtensionProperties": { "y": 1 } },
                ],
            }),
        )
        .start()
        .await;

    let _ = client(&azure)
        .enable(sub, &PlanName::CloudPosture)
        .extension(ExtensionName::AgentlessVmScanning)
        .await;

    let bodies: Vec<_> = azure.writes().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    let properties = &bodies[0]["properties"];
    assert_eq!((&properties["pricingTier"], &properties["subPlan"]), (&json!("Standard"), &json!("P9")));
    assert_eq!(
        properties["extensions"],
        json!([
            { "name": "ApiPosture", "isEnabled": "True", "additionalExtensionProperties": { "x": "1" } },
            { "name": "AgentlessVmScanning", "isEnabled": "True", "additionalExtensionProperties": { "y": 1 } },
            { "isEnabled": "True", "nameless": true },
        ])
    );
}

fn is_refused_for_its_manager<T: std::fmt::Debug>(outcome: azure_core::Result<T>) {
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("is managed by Contoso MSSP") && error.contains("over_its_manager()"), "{error}");
}

#[tokio::test]
async fn a_plan_that_is_managed_elsewhere_is_not_written_over_without_a_word() {
    let sub = subscription();
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_properties(
            &sub,
            "CloudPosture",
            json!({ "managedBy": "Contoso MSSP", "originatedFrom": "M365" }),
        )
        .start()
        .await;
    let pricing = client(&azure);

    let off = pricing.disable(sub.clone(), &PlanName::CloudPosture);
    for outcome in [off.clone().dry_run().await, off.clone().await] {
        is_refused_for_its_manager(outcome);
    }
    assert!(azure.writes().is_empty());

    let done = off.over_its_manager().await.unwrap();
    assert!(done.change.is_change());
    assert!(azure.writes()[0].body["properties"].get("managedBy").is_none(), "the service's own member");
}

#[tokio::test]
async fn a_plan_that_is_managed_elsewhere_by_now_is_not_restored_without_a_word() {
    let sub = subscription();
    let managed = json!({ "managedBy": "Contoso MSSP", "originatedFrom": "M365" });
    let azure = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_properties(&sub, "CloudPosture", managed)
        .start()
        .await;
    let pricing = client(&azure);
    let mut before = pricing.get(&sub, &PlanName::CloudPosture).await.unwrap();
    before.tier = Tier::Free;

    let restore = pricing.restore(sub.clone(), &before);
    for outcome in [restore.clone().dry_run().await, restore.clone().await] {
        is_refused_for_its_manager(outcome);
    }
    assert!(azure.writes().is_empty());

    let done = restore.over_its_manager().await.unwrap();
    assert!(done.is_complete() && done.change.current().tier == Tier::Free, "{done:?}");
}

fn shown(tier: &str, sub_plan: Option<&str>) -> Vec<u8> {
    json!({
        "id": format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Security/pricings/KeyVaults"),
        "name": "KeyVaults",
        "type": "Microsoft.Security/pricings",
        "properties": { "pricingTier": tier, "subPlan": sub_plan },
    })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn a_change_that_the_service_answers_and_does_not_make_is_an_error() {
    let sub = subscription();
    let fault = |method: &str, body: Vec<u8>| Fault::body(200, body).on(method, "pricings/KeyVaults");
    let azure = seed().start().await;
    azure.inject(fault("PUT", shown("Standard", Some("PerKeyVault"))));
    let error = client(&azure).enable(&sub, &PlanName::KeyVaults).await.unwrap_err();
    assert!(error.to_string().contains("to Standard, but shows it as Free"), "{error}");

    let azure = seed().plan(&sub, "KeyVaults", "Standard").start().await;
    azure.inject(fault("PUT", shown("Free", None)));
    let error = client(&azure).disable(&sub, &PlanName::KeyVaults).await.unwrap_err();
    assert!(error.to_string().contains("to Free, but shows it as Standard"), "{error}");

    let azure = seed().start().await;
    azure.inject(fault("GET", shown("Standard", Some("PerTransaction"))).skip(1));
    let wished = client(&azure).enable(&sub, &PlanName::KeyVaults).sub_plan(SubPlan::PerKeyVault);
    let error = wished.await.unwrap_err();
    assert!(error.to_string().contains("PerTransaction"), "{error}");
}
