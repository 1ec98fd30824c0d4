//! Waits that take no time, and the clocks they move.

use std::time::Duration;

use azure_core::{
    async_runtime::get_async_runtime,
    http::{Context, Method, Pipeline, Request, Url, policies::auth::BearerTokenAuthorizationPolicy},
};
use mock_azure::{Fault, MockAzure};
use time::macros::datetime;

const START: time::OffsetDateTime = datetime!(2027-02-01 08:00 UTC);

async fn wait(duration: time::Duration) {
    get_async_runtime().sleep(duration).await;
}

#[tokio::test]
async fn a_wait_moves_the_clock_of_the_double_and_takes_no_time() {
    assert!(mock_azure::fast_forward());
    let (still, running) =
        (MockAzure::seed().starts_at(START).start().await, MockAzure::seed().start().await);
    let before = running.now();
    wait(time::Duration::hours(30)).await;
    assert_eq!(still.now(), START + time::Duration::hours(30));
    assert!(running.now() - before >= time::Duration::hours(30));
}

#[tokio::test]
async fn waits_at_the_same_time_count_once() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed().starts_at(START).start().await;
    let waits = (0..10).map(|seconds| wait(time::Duration::seconds(seconds)));
    futures::future::join_all(waits).await;
    assert_eq!(azure.now(), START + time::Duration::seconds(9));
}

#[tokio::test]
async fn the_retries_of_a_client_pass_on_the_clock_as_long_as_the_service_asked_for() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed().starts_at(START).start().await;
    azure.inject(Fault::throttled(Duration::from_secs(40)).on("GET", "/subscriptions"));
    let sign_in =
        BearerTokenAuthorizationPolicy::new(azure.credential(), ["https://management.azure.com/.default"]);
    let pipeline =
        Pipeline::new(None, None, azure.client_options(), vec![], vec![std::sync::Arc::new(sign_in)], None);
    let url = "https://management.azure.com/subscriptions?api-version=2022-12-01";
    let mut request = Request::new(Url::parse(url).unwrap(), Method::Get);
    let answer = pipeline.send(&Context::new(), &mut request, None).await.unwrap();
    assert_eq!((u16::from(answer.status()), azure.requests().len()), (200, 2));
    assert!(azure.now() - START >= time::Duration::seconds(40), "{}", azure.now());
}

#[tokio::test]
async fn a_double_of_another_thread_is_left_alone() {
    mock_azure::fast_forward();
    let elsewhere = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let azure = runtime.block_on(MockAzure::seed().starts_at(START).start());
        (runtime, azure)
    });
    let (runtime, other) = elsewhere.join().unwrap();
    let own = MockAzure::seed().starts_at(START).start().await;
    wait(time::Duration::days(1)).await;
    assert_eq!((own.now(), other.now()), (START + time::Duration::days(1), START));
    runtime.shutdown_background();
}

#[tokio::test]
async fn a_token_does_not_expire_in_a_wait_that_its_holder_did_not_see_pass() {
    mock_azure::fast_forward();
    for azure in [MockAzure::seed().start().await, MockAzure::seed().starts_at(START).start().await] {
        let token =
            azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
        let ask = async || {
            let url = "https://management.azure.com/subscriptions?api-version=2022-12-01";
            let token = Some(token.token.secret());
            crate::support::send_with(&azure, Method::Get, url, serde_json::Value::Null, token).await.status
        };
        wait(time::Duration::hours(5)).await;
        assert_eq!(ask().await, 200);
        azure.advance(Duration::from_secs(3590));
        assert_eq!(ask().await, 200);
        azure.advance(Duration::from_secs(11));
        assert_eq!(ask().await, 401);
    }
}
