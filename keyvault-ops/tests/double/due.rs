//! Which secrets of a vault are due for a rotation.

use std::time::Duration;

use crate::support::{Bank, Lab, VAULT, canary, name, seed};
use keyvault_ops::DueReason;
use time::OffsetDateTime;

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_policy_picks_by_tag_age_expiry_and_name_and_reads_no_value() {
    let lab = Lab::of(seed().secret(VAULT, "plain", "a")).await;
    let now = OffsetDateTime::now_utc();
    let set = |text: &str| lab.secrets.set(&name(text), canary());
    set("soon").tag("issuer", "storage").expires_on(now + time::Duration::days(3)).await.unwrap();
    set("later").tag("issuer", "storage").expires_on(now + time::Duration::days(300)).await.unwrap();
    set("other").tag("issuer", "database").expires_on(now + time::Duration::days(3)).await.unwrap();
    let off = set("off").tag("issuer", "storage").await.unwrap();
    lab.secrets.update(&name("off"), off.version().unwrap()).disable().await.unwrap();
    lab.azure.clear_requests();

    let picked = |due: Vec<keyvault_ops::DueSecret>| -> Vec<String> {
        let mut names: Vec<String> = due.iter().map(|secret| secret.name.to_string()).collect();
        names.sort();
        names
    };
    let tagged = lab.secrets.due().tag("issuer", "storage").await.unwrap();
    assert!(tagged.iter().all(|secret| secret.reasons == [DueReason::Tagged]), "{tagged:?}");
    assert_eq!(picked(tagged), ["later", "soon"], "a disabled one is not due");
    let soon = lab.secrets.due().tag("issuer", "storage").expiring_within(14 * DAY).await.unwrap();
    assert!(soon[0].to_string().starts_with("soon: expires on "), "{}", soon[0]);
    assert_eq!(picked(soon), ["soon"]);
    assert_eq!(picked(lab.secrets.due().expiring_within(14 * DAY).await.unwrap()), ["other", "soon"]);
    assert_eq!(picked(lab.secrets.due().tagged("issuer").await.unwrap()), ["later", "other", "soon"]);
    assert_eq!(picked(lab.secrets.due().named([name("plain")]).await.unwrap()), ["plain"]);
    assert_eq!(picked(lab.secrets.due().older_than(90 * DAY).await.unwrap()), Vec::<String>::new());
    assert_eq!(picked(lab.secrets.due().older_than(Duration::ZERO).await.unwrap()).len(), 4);
    assert!(lab.secrets.due().await.unwrap().is_empty(), "nothing asked for, nothing due");
    assert!(
        lab.azure
            .requests()
            .iter()
            .all(|sent| sent.method == "GET" && sent.path.trim_end_matches('/') == "/secrets")
    );
}

#[tokio::test]
async fn the_secrets_of_an_issuer_are_those_whose_current_value_it_identifies() {
    let seed = seed().secret(VAULT, "own", "value-1").secret(VAULT, "other", "of another issuer");
    let lab =
        Lab::of(seed.secret(VAULT, "was-own", "value-2").secret(VAULT, "was-own", "another since")).await;
    let bank = Bank::with(&["value-1", "value-2"]);
    let due = lab.secrets.due().issued_by(bank.clone()).await.unwrap();
    assert_eq!(due.iter().map(ToString::to_string).collect::<Vec<_>>(), ["own: contains old-key-1"]);
    assert_eq!(due[0].reasons, [DueReason::Issued("old-key-1".to_owned())]);

    let old = lab.secrets.due().issued_by(bank.clone()).older_than(90 * DAY).await.unwrap();
    assert!(old.is_empty(), "both must hold: {old:?}");
    lab.azure.clear_requests();
    let named = lab.secrets.due().issued_by(bank).named([name("own")]).await.unwrap();
    assert_eq!(named[0].reasons, [DueReason::Named, DueReason::Issued("old-key-1".to_owned())]);
    let read = lab
        .azure
        .requests()
        .into_iter()
        .filter(|sent| sent.path.starts_with("/secrets/"))
        .map(|sent| sent.path);
    let read: Vec<String> = read.filter(|path| path.trim_end_matches('/') != "/secrets").collect();
    assert!(!read.is_empty() && read.iter().all(|path| path.starts_with("/secrets/own")), "{read:?}");
}
