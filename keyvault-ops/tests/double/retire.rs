//! Disabling old versions on the double.

use std::{
    error::Error as _,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use crate::support::{Lab, VAULT, actions, enabled, name, seed, stopped_clock};
use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{
    http::{
        AsyncRawResponse, Context, Method, Request, StatusCode,
        headers::Headers,
        policies::{Policy, PolicyResult},
    },
    time::OffsetDateTime,
};
use keyvault_ops::{Ledger, LedgerAction, RetireFailure};
use mock_azure::{Fault, MockAzure};

#[tokio::test]
async fn old_versions_are_retired_and_a_second_run_changes_nothing() {
    let lab = Lab::of(seed().page_size(7).secret_versions(VAULT, "db", 60)).await;
    let active = lab.secrets.verify_single_active(&name("db")).await.unwrap();
    assert_eq!((active.others, active.versions, active.is_single()), (59, 60, false));
    let preview = lab.secrets.retire_old_versions(&name("db")).dry_run().await.unwrap();
    assert_eq!((preview.disabled, preview.dry_run), (59, true));
    assert_eq!(enabled(&lab).len(), 60);
    let ledger = Ledger::in_memory();
    let done = lab.secrets.retire_old_versions(&name("db")).ledger(&ledger).await.unwrap();
    assert_eq!((done.disabled, done.kept, done.seen), (59, 1, 60));
    let disabled = actions(&ledger).into_iter().filter(|action| *action == LedgerAction::Disabled);
    assert_eq!(disabled.count(), 59);
    assert_eq!(enabled(&lab), [("db-value-60".to_owned(), true)]);
    assert!(lab.secrets.verify_single_active(&name("db")).await.unwrap().is_single());
    lab.azure.clear_requests();
    let again = lab.secrets.retire_old_versions(&name("db")).await.unwrap();
    assert_eq!((again.disabled, again.disabled_before), (0, 59));
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn versions_of_the_same_second_cannot_be_distinguished_and_are_all_kept() {
    let lab = Lab::of(seed().secret_versions(VAULT, "db", 5)).await;
    let done = lab.secrets.retire_old_versions(&name("db")).keep_enabled(2).await.unwrap();
    assert_eq!((done.disabled, done.kept), (0, 5));
}

#[tokio::test]
async fn nothing_is_retired_while_the_current_version_is_disabled() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old").disabled_secret(VAULT, "db", "off")).await;
    let error = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
    assert!(matches!(error.source, RetireFailure::CurrentDisabled));
    assert_eq!(enabled(&lab), [("old".to_owned(), false)]);
    let active = lab.secrets.verify_single_active(&name("db")).await.unwrap();
    assert_eq!((active.current.clone(), active.others, active.is_single()), (None, 1, false));
    assert!(active.to_string().contains("nobody can read the secret"));
}

#[tokio::test]
async fn a_retirement_that_stops_says_how_far_it_came() {
    let lab = Lab::of(seed().page_size(5).secret_versions(VAULT, "db", 20)).await;
    lab.azure.inject(Fault::status(403).on("PATCH", "/secrets/db").skip(7).always());
    let error = lab.secrets.retire_old_versions(&name("db")).concurrency(1).await.unwrap_err();
    assert_eq!(error.completed.as_ref().unwrap().disabled, 7, "{error}");
    assert!(error.to_string().contains("7 were disabled; run it again for the rest"), "{error}");
    assert_eq!(enabled(&lab).len(), 13);
}

#[tokio::test]
async fn a_thousand_versions_are_retired_page_by_page_with_progress() {
    let lab = Lab::of(seed().secret_versions(VAULT, "big", 1_000)).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hear = seen.clone();
    let done = lab
        .secrets
        .retire_old_versions(&name("big"))
        .concurrency(25)
        .on_progress(move |progress| hear.lock().unwrap().push(progress.disabled))
        .await
        .unwrap();
    assert_eq!((done.disabled, done.kept), (999, 1));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 40);
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn a_version_set_while_the_list_is_read_is_never_disabled() {
    let mut seen_in_list = 0;
    for order in 0..12 {
        let ambush = Arc::new(Ambush::default());
        let policies: Vec<Arc<dyn Policy>> = vec![ambush.clone()];
        let seed = seed().version_order(order).page_size(2).secret_versions(VAULT, "db", 5);
        let lab = Lab::with_policies(seed, policies).await;
        *ambush.rival.lock().unwrap() = Some(lab.secrets.clone());
        let error = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
        let RetireFailure::Overtaken { current } = &error.source else { panic!("{error}") };
        let versions = lab.azure.secret_versions(VAULT, "db");
        let rival = versions.last().unwrap();
        assert!(rival.current && rival.enabled, "with order {order}");
        assert_eq!(current.as_str(), rival.id);
        seen_in_list += u32::from(versions.iter().filter(|version| version.id < rival.id).count() >= 2);
    }
    assert!(seen_in_list > 3, "the new version stood in the rest of the list {seen_in_list} times");
}

/// Lets a rival set a version just before a page of versions is read.
#[derive(Debug, Default)]
struct Ambush {
    rival: Mutex<Option<keyvault_ops::SecretsClient>>,
}

#[async_trait]
impl Policy for Ambush {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let second_page = request.url().query().is_some_and(|query| query.contains("skiptoken"));
        let rival = self.rival.lock().unwrap().take_if(|_| second_page);
        if let Some(rival) = rival {
            rival.set(&name("db"), Secret::new("rival")).await?;
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

/// Goes on answering an old current version until this time, as the service may for seconds.
#[derive(Debug, Default)]
struct Late {
    until: OnceLock<(MockAzure, OffsetDateTime, String)>,
}

#[async_trait]
impl Policy for Late {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        match self.until.get() {
            Some((azure, until, body))
                if request.method() == Method::Get
                    && request.url().path().trim_end_matches('/') == "/secrets/db"
                    && azure.now() < *until =>
            {
                Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), body.clone()))
            }
            _ => next[0].send(ctx, request, &next[1..]).await,
        }
    }
}

#[tokio::test]
async fn what_became_current_a_moment_ago_is_not_disabled_while_reads_are_still_late() {
    // In a later second than the one before, or in the same.
    for later in [10, 0] {
        let late = Arc::new(Late::default());
        let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let lab =
            Lab::with_policies(seed().starts_at(start).secret(VAULT, "db", "old"), vec![late.clone()]).await;
        let before = lab.secrets.get(&name("db")).await.unwrap().properties;
        lab.azure.advance(Duration::from_secs(later));
        lab.secrets.set(&name("db"), Secret::new("new")).await.unwrap();
        let created = before.created.unwrap().unix_timestamp();
        let body = format!(
            r#"{{"value":"old","id":"{}","attributes":{{"enabled":true,"created":{created}}}}}"#,
            before.id
        );
        late.until.set((lab.azure.clone(), lab.azure.now() + Duration::from_secs(4), body)).unwrap();

        let error = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
        assert!(matches!(error.source, RetireFailure::Overtaken { .. }), "{later}: {error}");
        assert!(error.to_string().contains("is current and was not changed (none was disabled)"), "{error}");
        assert_eq!(enabled(&lab).len(), 2, "{later}");
    }
}

#[tokio::test]
async fn versions_that_are_surely_older_are_disabled_without_a_wait() {
    let start = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    let lab = Lab::of(seed().starts_at(start).secret(VAULT, "db", "old")).await;
    lab.azure.advance(Duration::from_secs(10));
    lab.secrets.set(&name("db"), Secret::new("new")).await.unwrap();
    let before = lab.azure.now();
    let done = lab.secrets.retire_old_versions(&name("db")).await.unwrap();
    assert_eq!((done.disabled, lab.azure.now()), (1, before));
    let shown = done.to_string();
    let current = done.current.as_ref().unwrap();
    assert_eq!(
        shown,
        format!("current {current}: 1 disabled, 1 kept enabled, 0 disabled before, of 2 versions")
    );
    let again = lab.secrets.retire_old_versions(&name("db")).dry_run().await.unwrap();
    assert!(again.to_string().contains("0 to disable, 1 kept enabled, 1 disabled before"), "{again}");
}

#[tokio::test]
async fn the_reason_why_nothing_was_retired_has_a_source() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old").disabled_secret(VAULT, "db", "off")).await;
    let disabled = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
    assert!(
        disabled.to_string().ends_with("enable it or set a new one first (none was disabled)"),
        "{disabled}"
    );
    assert!(disabled.source().is_some_and(|source| source.source().is_none()));
    lab.azure.inject(Fault::status(403).code("Forbidden").on("GET", "/secrets/db").always());
    let refused = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
    let source = refused.source().unwrap();
    assert!(source.source().unwrap().downcast_ref::<azure_core::Error>().is_some(), "{refused:?}");
}

/// `old-1` to `old-3` and `new`, a minute after one another; the second before the last is disabled.
async fn a_minute_apart() -> Lab {
    let lab = Lab::of(stopped_clock(seed()).secret(VAULT, "db", "old-1")).await;
    for value in ["old-2", "off", "new"] {
        lab.azure.advance(Duration::from_secs(60));
        lab.secrets.set(&name("db"), Secret::new(value)).await.unwrap();
    }
    let versions = lab.azure.secret_versions(VAULT, "db");
    let off = versions.into_iter().find(|version| version.value == "off").unwrap().id.parse().unwrap();
    lab.secrets.update(&name("db"), &off).disable().await.unwrap();
    lab
}

fn values(lab: &Lab) -> Vec<String> {
    enabled(lab).into_iter().map(|(value, _)| value).collect()
}

#[tokio::test]
async fn the_newest_enabled_versions_are_kept_beside_the_current_one() {
    let lab = a_minute_apart().await;
    let ledger = Ledger::in_memory();
    let done = lab.secrets.retire_old_versions(&name("db")).keep_enabled(2).ledger(&ledger).await.unwrap();
    assert_eq!(values(&lab), ["old-2", "new"]);
    assert_eq!((done.disabled, done.kept, done.disabled_before, done.seen), (1, 2, 1, 4));
    let retiring = ledger.entries().unwrap().remove(0);
    assert_eq!(
        (retiring.action, retiring.detail.as_deref()),
        (LedgerAction::Retiring, Some("1 old versions"))
    );
}

#[tokio::test]
async fn a_rotation_keeps_the_one_before_and_then_the_newest() {
    let lab = a_minute_apart().await;
    lab.azure.advance(Duration::from_secs(60));
    lab.secrets.rotate(&name("db")).to(Secret::new("rotated")).keep_enabled(3).await.unwrap();
    assert_eq!(values(&lab), ["old-2", "new", "rotated"]);
}

#[tokio::test]
async fn a_rotation_whose_version_before_was_disabled_meanwhile_keeps_the_newest_other_one() {
    struct Stuck;
    #[async_trait]
    impl keyvault_ops::Consumers for Stuck {
        async fn wait_until_moved(&self, _: &keyvault_ops::SecretId) -> azure_core::Result<()> {
            Err(crate::support::failure("not yet"))
        }
    }
    let lab = a_minute_apart().await;
    lab.azure.advance(Duration::from_secs(60));
    let rotate = || lab.secrets.rotate(&name("db")).to(Secret::new("rotated")).id("r-1").keep_enabled(2);
    let stopped = rotate().consumers(Arc::new(Stuck)).await.unwrap_err().completed;
    lab.secrets.update(&name("db"), stopped.previous.as_ref().unwrap()).disable().await.unwrap();
    rotate().await.unwrap();
    assert_eq!(values(&lab), ["old-2", "rotated"]);
}

#[tokio::test]
async fn versions_of_the_second_of_the_current_one_are_waited_for_once() {
    let lab = Lab::of(stopped_clock(seed().page_size(2)).secret_versions(VAULT, "db", 7)).await;
    let before = lab.azure.now();
    let done = lab.secrets.retire_old_versions(&name("db")).await.unwrap();
    assert_eq!((done.disabled, (lab.azure.now() - before).whole_seconds()), (6, 5));
}
