//! Rotations of the passwords of an application, on the double, at whose sign-in a new one counts only after a while.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::{sync::Arc, time::Duration};

use keyvault_issuers::{ApplicationsClient, EntraPasswordIssuer};
use keyvault_ops::{Issuer as _, Ledger, Rotate, RotateStep};
use mock_azure::{DEFAULT_TENANT, Fault, Seed};
use serde_json::json;
use support::{Lab, name, seed};

const APP: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";
const OLD: &str = "old8Q~0123456789012345678901234567abcd";

fn application() -> Seed {
    seed().application(APP, CLIENT, "web", OLD)
}

fn issuer(lab: &Lab) -> EntraPasswordIssuer {
    EntraPasswordIssuer::new(&lab.arm, DEFAULT_TENANT, APP)
}

fn rotate(lab: &Lab) -> Rotate {
    lab.secrets.rotate(&name("client")).issuer(Arc::new(issuer(lab)))
}

#[tokio::test]
async fn a_password_is_replaced_once_the_sign_in_knows_it_and_the_old_one_is_seen_refused() {
    let lab = Lab::of(application().password_propagation_time(Duration::from_secs(40))).await;
    lab.set("client", &format!("{{\"id\":\"{CLIENT}\",\"secret\":\"{OLD}\"}}")).await;

    let rotation = rotate(&lab).id("r-1").await.unwrap();

    assert!(rotation.is_complete(), "{rotation}");
    let value = lab.value("client").await;
    let new = value.split('"').nth(7).unwrap();
    assert_eq!(value, format!("{{\"id\":\"{CLIENT}\",\"secret\":\"{new}\"}}"));
    assert!(lab.azure.application_takes(CLIENT, new) && !lab.azure.application_takes(CLIENT, OLD));
    let passwords = lab.azure.application_passwords(APP);
    assert_eq!(passwords, [(rotation.issuer.created.unwrap(), Some("rotation r-1".to_owned()))]);
    assert_eq!(rotation.issuer.revoked.len(), 1);
    assert!(lab.azure.unknown_requests().is_empty() && lab.azure.foreign_requests().is_empty());
    let added = lab.azure.requests().into_iter().find(|sent| sent.path.ends_with("/addPassword")).unwrap();
    assert_eq!(added.host, "graph.microsoft.com");
}

#[tokio::test]
async fn a_password_that_never_counts_is_removed_and_nothing_is_set() {
    let lab = Lab::of(application().password_propagation_time(Duration::from_secs(3600))).await;
    lab.set("client", OLD).await;
    let error = rotate(&lab).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Verify, "{error}");
    assert!(error.to_string().contains("AADSTS7000215"), "{error}");
    assert_eq!(lab.value("client").await, OLD);
    assert_eq!(lab.azure.application_passwords(APP).len(), 1, "only the old one");
}

#[tokio::test]
async fn what_a_stop_left_behind_is_found_by_its_name_and_removed() {
    let lab = Lab::of(application()).await;
    lab.set("client", OLD).await;
    lab.azure.inject(Fault::reset_after_acting().on("POST", "/addPassword"));
    let ledger = Ledger::in_memory();
    let error = rotate(&lab).id("r-1").ledger(&ledger).await.unwrap_err();
    assert!(error.to_string().contains("possibly left over at the issuer"), "{error}");
    assert_eq!(lab.azure.application_passwords(APP).len(), 2);

    let rotation = rotate(&lab).id("r-1").ledger(&ledger).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    assert_eq!(lab.azure.application_passwords(APP).len(), 1, "neither the lost one nor the old one is left");
    let again = rotate(&lab).id("r-1").ledger(&ledger).await.unwrap();
    assert!(again.is_complete() && again.resumed && again.current == rotation.current, "{again}");
}

#[tokio::test]
async fn policies_are_named_before_anything_is_written_and_a_lifetime_is_cut_to_what_they_allow() {
    let forbidden = json!([{ "restrictionType": "passwordAddition", "state": "enabled" }]);
    let lab = Lab::of(application().application_policy(forbidden)).await;
    lab.set("client", OLD).await;
    lab.azure.clear_requests();
    let error = rotate(&lab).await.unwrap_err();
    assert!(error.to_string().contains("forbids passwords"), "{error}");
    assert!(error.to_string().contains("federated credential"), "{error}");
    assert!(lab.writes().iter().all(|write| write.ends_with("/token")), "{:?}", lab.writes());

    let limited = json!([{ "restrictionType": "passwordLifetime", "maxLifetime": "P30D" }]);
    let lab = Lab::of(application().application_policy(limited)).await;
    lab.set("client", OLD).await;
    assert!(rotate(&lab).await.unwrap().is_complete());
    let added = lab.azure.requests().into_iter().find(|sent| sent.path.ends_with("/addPassword")).unwrap();
    let until = added.body["passwordCredential"]["endDateTime"].as_str().unwrap();
    let until = arm_core::wire::instant::parse(until).unwrap();
    let days = (until - time::OffsetDateTime::now_utc()).whole_days();
    assert!((29..=30).contains(&days), "{days}");
}

#[tokio::test]
async fn a_password_that_begins_like_another_is_not_taken_for_it() {
    let lab = Lab::of(application()).await;
    let issuer = issuer(&lab);
    let alike = "old8Q~9999999999999999999999999999abcd";
    assert_eq!(issuer.identify(&alike.into()).await.unwrap(), None, "it does not sign in");
    assert!(issuer.identify(&OLD.into()).await.unwrap().is_some());
    assert_eq!(issuer.identify(&"nothing of the kind".into()).await.unwrap(), None);
}

#[tokio::test]
async fn a_removal_that_is_refused_is_an_error_though_the_password_is_no_longer_listed() {
    let lab = Lab::of(application()).await;
    lab.azure.inject(Fault::status(403).on("POST", "/removePassword").always());
    let error = issuer(&lab).revoke("00000000-0000-0000-0000-00000000dead").await.unwrap_err();
    assert_eq!(arm_core::ArmErrorExt::status(&error), Some(403), "{error}");
}

#[tokio::test]
async fn an_issuer_shows_its_application_and_no_password() {
    let lab = Lab::of(application()).await;
    let issuer = issuer(&lab);
    issuer.identify(&arm_core::Secret::new(OLD)).await.unwrap();
    let shown = format!("{issuer:?}");
    assert!(shown.contains(APP) && !shown.contains(OLD), "{shown}");
}

#[tokio::test]
async fn an_application_that_takes_no_more_passwords_is_named_with_how_many_of_them_are_expired() {
    let lab = Lab::of(application()).await;
    lab.set("client", OLD).await;
    let applications = ApplicationsClient::new(&lab.arm);
    for year in [2020, 2021, 9998] {
        let until = time::Date::from_calendar_date(year, time::Month::March, 1).unwrap();
        applications.add_password(APP, "of a person", until.midnight().assume_utc()).await.unwrap();
    }
    for code in ["Request_BadRequest", "Directory_QuotaExceeded"] {
        lab.azure.inject(Fault::status(400).code(code).on("POST", "/addPassword"));
        let error = rotate(&lab).await.unwrap_err().to_string();
        let told =
            format!("the application {APP} already has 4 passwords, 2 of them expired, and accepts no more");
        assert!(error.contains(&told) && error.contains(code), "{error}");
    }
    assert_eq!((lab.value("client").await.as_str(), lab.azure.application_passwords(APP).len()), (OLD, 4));
}

#[tokio::test]
async fn a_password_is_revoked_once_the_application_no_longer_lists_it_and_one_that_stays_is_an_error() {
    for (polls, is_gone) in [(0, true), (3, true), (u64::MAX, false)] {
        let lab = Lab::of(application()).await;
        let [(key_id, _)] = &*lab.azure.application_passwords(APP) else { panic!("one password") };
        let listed =
            json!({ "id": APP, "appId": CLIENT, "passwordCredentials": [{ "keyId": key_id }] }).to_string();
        if polls > 0 {
            lab.azure.inject(Fault::body(200, listed).on("GET", "/applications/").times(polls));
        }
        let revoked = issuer(&lab).revoke(key_id).await;
        assert!(lab.azure.application_passwords(APP).is_empty());
        assert_eq!(revoked.is_ok(), is_gone, "{revoked:?}");
        let asked = lab.azure.requests().iter().filter(|sent| sent.method == "GET").count() as u64;
        assert_eq!(asked, if is_gone { polls + 1 } else { 61 }, "every five seconds, for five minutes");
        if let Err(error) = revoked {
            assert!(error.to_string().contains(&format!("still lists the password {key_id}")), "{error}");
        }
    }
}

#[tokio::test]
async fn a_password_that_was_added_moments_ago_is_removed_in_a_second_attempt() {
    let lab = Lab::of(application()).await;
    let [(key_id, _)] = &*lab.azure.application_passwords(APP) else { panic!("one password") };
    lab.azure.inject(Fault::status(400).code("Request_BadRequest").on("POST", "/removePassword"));
    issuer(&lab).revoke(key_id).await.unwrap();
    assert!(lab.azure.application_passwords(APP).is_empty());
}

#[tokio::test]
async fn a_lifetime_that_a_policy_forbids_is_named_in_days() {
    let lab = Lab::of(application()).await;
    lab.set("client", OLD).await;
    let refusal = Fault::status(400).code("CredentialInvalidLifetimeAsPerAppPolicy");
    lab.azure.inject(refusal.on("POST", "/addPassword"));
    let issuer = issuer(&lab).lifetime(Duration::from_secs(10 * 86_400));
    let error = lab.secrets.rotate(&name("client")).issuer(Arc::new(issuer)).await.unwrap_err().to_string();
    assert!(error.contains(&format!("{APP} that are valid for 10 days: set a shorter lifetime")), "{error}");
}
