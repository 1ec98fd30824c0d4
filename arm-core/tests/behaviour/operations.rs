//! Long-running operations: every way in which ARM tells their end.

use std::{sync::Arc, time::Duration};

use crate::scripted::{Answer, Script, reply};
use arm_core::{ArmErrorExt as _, ArmOptions, ArmPath, ArmRequest, Operation, OperationHandle, Poller};
use futures::TryStreamExt as _;
use serde_json::{Value, json};

const BASE: &str = "https://management.azure.com";
const THING: &str = r#"{"name":"thing","properties":{"provisioningState":"Succeeded"}}"#;

fn thing(script: &Arc<Script>) -> ArmPath {
    let _ = script;
    ArmPath::root().literal("things/thing")
}

fn put(script: &Arc<Script>) -> ArmRequest {
    script.client().put(thing(script), "v").body(&json!({}))
}

async fn resource(poller: Poller<Value>) -> azure_core::Result<Value> {
    poller.await
}

fn urls(script: &Script) -> Vec<String> {
    script
        .sent()
        .into_iter()
        .map(|sent| format!("{} {}", sent.method, sent.url.trim_start_matches(BASE)))
        .collect()
}

fn running() -> Answer {
    reply(200, r#"{"status":"InProgress","percentComplete":40}"#)
}

#[tokio::test]
async fn azure_async_operation_is_preferred_and_the_resource_is_fetched_at_its_own_place() {
    let first = reply(201, r#"{"properties":{"provisioningState":"Creating"}}"#)
        .header("azure-asyncoperation", format!("{BASE}/status/1"))
        .header("location", format!("{BASE}/result/1"));
    let script = Script::new([first, running(), reply(200, r#"{"status":"Succeeded"}"#), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    assert_eq!(
        urls(&script),
        [
            "PUT /things/thing?api-version=v",
            "GET /status/1",
            "GET /status/1",
            "GET /things/thing?api-version=v"
        ]
    );
}

#[tokio::test]
async fn the_result_of_an_action_is_at_its_location() {
    let first = reply(202, "")
        .header("azure-asyncoperation", format!("{BASE}/status/1"))
        .header("location", format!("{BASE}/result/1"));
    let script = Script::new([first, reply(200, r#"{"status":"Succeeded"}"#), reply(200, THING)]);
    let post = script.client().post(thing(&script), "v").poller();
    assert_eq!(resource(post).await.unwrap()["name"], "thing");
    assert_eq!(urls(&script)[2], "GET /result/1");
}

#[tokio::test]
async fn no_more_is_asked_than_is_needed() {
    // Nobody wants the resource.
    let first = reply(201, "").header("azure-asyncoperation", format!("{BASE}/status/1"));
    let script = Script::new([first, reply(200, r#"{"status":"Succeeded"}"#)]);
    put(&script).poller::<()>().await.unwrap();
    assert_eq!(urls(&script), ["PUT /things/thing?api-version=v", "GET /status/1"]);
    // It is there already.
    let script = Script::new([reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    // An action was accepted, and no word on where to ask.
    let script = Script::new([reply(202, "")]);
    script.client().post(thing(&script), "v").poller::<()>().await.unwrap();
}

#[tokio::test]
async fn an_accepted_write_is_waited_for_even_if_its_answer_looks_done() {
    let first = reply(202, THING).header("location", format!("{BASE}/result/1"));
    let script = Script::new([first, reply(200, ""), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    assert_eq!(
        urls(&script),
        ["PUT /things/thing?api-version=v", "GET /result/1", "GET /things/thing?api-version=v"]
    );
}

#[tokio::test]
async fn the_result_of_an_action_without_a_location_stands_in_its_status() {
    let first = || reply(202, "").header("azure-asyncoperation", format!("{BASE}/status/1"));
    let ended = reply(200, r#"{"status":"Succeeded","properties":{"output":"made"}}"#);
    let script = Script::new([first(), running(), ended]);
    let post = script.client().post(thing(&script), "v").poller();
    assert_eq!(resource(post).await.unwrap(), json!({ "output": "made" }));
    let script = Script::new([first(), reply(200, r#"{"status":"Succeeded","properties":null}"#)]);
    let error = resource(script.client().post(thing(&script), "v").poller()).await.unwrap_err();
    assert!(error.to_string().contains("sent no resource"), "{error}");
}

#[tokio::test]
async fn location_answers_202_until_the_result_is_there() {
    let waiting = || reply(202, "").header("location", format!("{BASE}/result/2")).header("retry-after", "3");
    let first = reply(202, "").header("location", "/result/1");
    let script = Script::new([first, waiting(), waiting(), reply(200, THING)]);
    let post = script.client().post(thing(&script), "v").poller();
    assert_eq!(resource(post).await.unwrap()["name"], "thing");
    assert_eq!(urls(&script)[1..], ["GET /result/1", "GET /result/2", "GET /result/2"]);
}

#[tokio::test]
async fn provisioning_state_alone_is_enough() {
    let registering = || reply(200, r#"{"properties":{"provisioningState":"RegisteringDns"}}"#);
    let script = Script::new([registering(), registering(), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    assert_eq!(urls(&script)[1..], ["GET /things/thing?api-version=v"; 2]);
    let script = Script::new([reply(200, r#"{"name":"no state is done"}"#)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "no state is done");
}

#[tokio::test]
async fn a_delete_ends_without_a_resource() {
    for answers in [
        vec![reply(204, "")],
        vec![reply(200, "")],
        vec![reply(202, "").header("location", format!("{BASE}/r")), reply(202, ""), reply(204, "")],
        vec![
            reply(202, "").header("azure-asyncoperation", format!("{BASE}/s")),
            reply(200, r#"{"status":"Succeeded"}"#),
        ],
    ] {
        let (script, expected) = (Script::new(answers.clone()), answers.len());
        let poller: Poller<()> = script.client().delete(thing(&script), "v").poller();
        poller.await.unwrap();
        assert_eq!(script.sent().len(), expected);
    }
}

#[tokio::test]
async fn a_failed_operation_is_an_error_with_the_services_code() {
    let failure = r#"{"status":"Failed","error":{"code":"QuotaExceeded","message":"no \"room\""}}"#;
    let first = reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    let script = Script::new([first.clone(), reply(200, failure)]);
    let error = resource(put(&script).poller()).await.unwrap_err();
    assert!(error.is_code("QuotaExceeded"), "{error}");
    assert!(error.to_string().contains("ended as Failed: 200 QuotaExceeded: no \"room\""), "{error}");
    let script = Script::new([first, reply(200, r#"{"status":"Cancelled"}"#)]);
    let error = resource(put(&script).poller()).await.unwrap_err();
    assert!(error.to_string().contains("ended as Cancelled: the service gave no reason"), "{error}");
    let script = Script::new([reply(201, r#"{"properties":{"provisioningState":"Failed"}}"#)]);
    assert!(resource(put(&script).poller()).await.is_err());
}

#[tokio::test]
async fn the_pace_is_the_services_within_reason() {
    for value in ["0", "-3", "99999999", "Fri, 01 Jan 2100 00:00:00 GMT", "soon"] {
        let first = reply(202, "").header("location", format!("{BASE}/r")).header("retry-after", value);
        let script = Script::new([first, reply(200, THING)]);
        let post = script.client().post(thing(&script), "v").poller();
        assert_eq!(resource(post).await.unwrap()["name"], "thing", "{value:?}");
        assert_eq!(script.sent().len(), 2);
    }
}

#[tokio::test]
async fn an_operation_that_never_ends_is_given_up_within_the_budget() {
    let first = reply(202, "").header("location", format!("{BASE}/r")).header("retry-after", "60");
    let endless = std::iter::repeat_n(reply(202, "").header("retry-after", "60"), 20);
    let script = Script::new(std::iter::once(first).chain(endless));
    let arm = script
        .client_with(ArmOptions { operation_budget: Duration::from_secs(300), ..ArmOptions::default() });
    let poller: Poller<Value> = arm.post(thing(&script), "v").poller();
    let error = poller.await.unwrap_err();
    assert!(
        error.to_string().contains("gave up waiting after 300s: the operation is still InProgress"),
        "{error}"
    );
    assert_eq!(script.sent().len(), 6);
}

#[tokio::test]
async fn success_without_a_resource_is_an_error_where_one_is_expected() {
    let first = reply(202, "").header("location", format!("{BASE}/r"));
    let script = Script::new([first, reply(200, "")]);
    let poller: Poller<Value> = script.client().post(thing(&script), "v").poller();
    assert!(poller.await.unwrap_err().to_string().contains("sent no resource"));
}

#[tokio::test]
async fn links_to_other_origins_are_refused() {
    for name in ["location", "azure-asyncoperation", "operation-location"] {
        for foreign in
            ["https://evil.example/s", "http://management.azure.com/s", "https://u:p@management.azure.com/s"]
        {
            let script = Script::new([reply(202, "").header(name, foreign)]);
            let error = resource(put(&script).poller()).await.unwrap_err();
            assert!(error.to_string().contains("nothing was sent"), "{error}");
            assert_eq!(script.sent().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_watched_operation_shows_its_state_and_can_be_resumed_elsewhere() {
    let first = reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    let script = Script::new([first, running(), reply(200, r#"{"status":"Succeeded"}"#), reply(200, THING)]);
    let mut poller: Poller<Value> = put(&script).poller();
    poller.try_next().await.unwrap().unwrap();
    let state: Operation = poller.try_next().await.unwrap().unwrap();
    assert_eq!((state.state.as_str(), state.percent_complete), ("InProgress", Some(40.0)));
    drop(poller);
    let kept = serde_json::to_string(&state.handle.unwrap()).unwrap();
    let handle: OperationHandle = serde_json::from_str(&kept).unwrap();
    assert_eq!(resource(script.client().resume_operation(handle)).await.unwrap()["name"], "thing");
}

#[tokio::test]
async fn a_byte_order_mark_does_not_make_an_unfinished_operation_look_done() {
    let marked = |json: &str| reply(200, [b"\xef\xbb\xbf", json.as_bytes()].concat());
    let creating = r#"{"properties":{"provisioningState":"Creating"}}"#;
    let script = Script::new([marked(creating), marked(creating), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    let first = reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    let script = Script::new([first, marked(r#"{"status":"Succeeded"}"#), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
}

#[tokio::test]
async fn a_sign_in_page_is_not_a_success() {
    let html = || reply(200, "<html>Sign in").header("content-type", "text/html");
    let first = || reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    for answers in [vec![first(), html()], vec![reply(202, ""), html()]] {
        let script = Script::new(answers);
        let poller: Poller<()> = put(&script).poller();
        let error = poller.await.unwrap_err();
        assert!(error.to_string().contains("not JSON but text/html"), "{error}");
    }
}

#[tokio::test]
async fn a_resource_that_is_fetched_as_failed_is_a_failure() {
    let first = reply(201, "").header("location", format!("{BASE}/r"));
    let broken = reply(200, r#"{"name":"thing","properties":{"provisioningState":"Failed"}}"#);
    let script = Script::new([first, reply(200, ""), broken]);
    let error = resource(put(&script).poller()).await.unwrap_err();
    assert!(error.to_string().contains("ended as Failed"), "{error}");
}

#[tokio::test]
async fn a_status_stays_where_it_is_and_204_is_its_end() {
    let first = reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    let elsewhere = running().header("location", format!("{BASE}/result"));
    let script = Script::new([first, elsewhere, reply(204, "")]);
    let poller: Poller<()> = script.client().delete(thing(&script), "v").poller();
    poller.await.unwrap();
    assert_eq!(urls(&script)[1..], ["GET /s", "GET /s"]);
}

const CREATING: &str = r#"{"name":"thing","properties":{"provisioningState":"Creating"}}"#;
const ABSENT: &str = r#"{"error":{"code":"ResourceNotFound","message":"no such thing"}}"#;

#[tokio::test]
async fn a_location_that_is_the_resource_itself_is_not_its_end() {
    // As a Log Analytics workspace is created; the service spells the link in its own way.
    for location in
        ["/things/thing?api-version=v", "/Things/thing", "https://MANAGEMENT.azure.com/things/th%69ng/"]
    {
        for status in [201, 202] {
            let first = reply(status, CREATING).header("location", location).header("retry-after", "1");
            let script = Script::new([first, reply(200, CREATING), reply(200, THING)]);
            let made = resource(put(&script).poller()).await.unwrap();
            assert_eq!(made["properties"]["provisioningState"], "Succeeded", "{location}");
            assert_eq!(urls(&script)[1..], ["GET /things/thing?api-version=v"; 2]);
        }
    }
}

#[tokio::test]
async fn a_location_that_answers_unfinished_is_polled_again() {
    let first = || reply(202, "").header("location", format!("{BASE}/r"));
    for unfinished in [
        CREATING,
        r#"{"status":"InProgress"}"#,
        r#"{"id":"/operations/1","name":"1","status":"Running","startTime":"2026-11-25T00:00:00Z"}"#,
    ] {
        let script = Script::new([first(), reply(200, unfinished), reply(200, THING)]);
        let post = script.client().post(thing(&script), "v").poller();
        assert_eq!(resource(post).await.unwrap()["name"], "thing", "{unfinished}");
        assert_eq!(urls(&script)[1..], ["GET /r", "GET /r"]);
    }
    // A status of the result's own.
    let result = r#"{"name":"thing","type":"things","status":"Enabled"}"#;
    let script = Script::new([first(), reply(200, result)]);
    let post = script.client().post(thing(&script), "v").poller();
    assert_eq!(resource(post).await.unwrap()["status"], "Enabled");
}

#[tokio::test]
async fn a_status_in_the_body_counts_wherever_it_comes() {
    const FAILED: &str = r#"{"status":"Failed","error":{"code":"QuotaExceeded","message":"no room"}}"#;
    let at_location = [reply(202, "").header("location", format!("{BASE}/r")), reply(200, FAILED)];
    let at_once = [reply(200, FAILED)];
    let from_the_resource = [reply(201, CREATING), reply(200, FAILED)];
    for answers in [&at_location[..], &at_once, &from_the_resource] {
        let script = Script::new(answers.to_vec());
        let error = put(&script).poller::<()>().await.unwrap_err();
        assert!(error.is_code("QuotaExceeded"), "{error}");
        assert_eq!(script.sent().len(), answers.len());
    }
    let script = Script::new([reply(200, r#"{"status":"InProgress"}"#)]);
    let error = script.client().post(thing(&script), "v").poller::<()>().await.unwrap_err();
    assert!(
        error.to_string().contains("is InProgress, but the service does not say where to poll it"),
        "{error}"
    );
}

#[tokio::test]
async fn a_result_that_is_not_finished_when_its_operation_is_is_waited_for() {
    let first = reply(201, CREATING).header("azure-asyncoperation", format!("{BASE}/s"));
    let script = Script::new([
        first,
        reply(200, r#"{"status":"Succeeded"}"#),
        reply(200, CREATING),
        reply(200, THING),
    ]);
    let made = resource(put(&script).poller()).await.unwrap();
    assert_eq!(made["properties"]["provisioningState"], "Succeeded");
    let first = reply(202, "")
        .header("azure-asyncoperation", format!("{BASE}/s"))
        .header("location", format!("{BASE}/r"));
    let script =
        Script::new([first, reply(200, r#"{"status":"Succeeded"}"#), reply(202, ""), reply(200, THING)]);
    let post = script.client().post(thing(&script), "v").poller();
    assert_eq!(resource(post).await.unwrap()["name"], "thing");
}

#[tokio::test]
async fn when_the_link_of_a_delete_vanishes_the_resource_shows_whether_it_is_gone() {
    for name in ["location", "azure-asyncoperation"] {
        let first = || reply(202, "").header(name, format!("{BASE}/s"));
        let deleting = r#"{"properties":{"provisioningState":"Deleting"}}"#;
        let script = Script::new([first(), reply(404, ABSENT), reply(200, deleting), reply(404, ABSENT)]);
        script.client().delete(thing(&script), "v").poller::<()>().await.unwrap();
        assert_eq!(
            urls(&script)[1..],
            ["GET /s", "GET /things/thing?api-version=v", "GET /things/thing?api-version=v"]
        );
        let script = Script::new([first(), reply(404, ABSENT), reply(404, ABSENT)]);
        script.client().delete(thing(&script), "v").poller::<()>().await.unwrap();
        let unregistered = r#"{"error":{"code":"Subscription Not Registered","message":"no"}}"#;
        for still in [reply(200, THING), reply(200, "{}"), reply(404, unregistered), reply(403, "{}")] {
            let script = Script::new([first(), reply(404, ABSENT), still.clone()]);
            let error = script.client().delete(thing(&script), "v").poller::<()>().await.unwrap_err();
            assert!(error.to_string().contains("no longer works"), "{still:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_delete_that_gives_no_link_lasts_as_long_as_the_resource_can_be_read() {
    let script = Script::new([reply(202, ""), reply(200, THING), reply(404, ABSENT)]);
    script.client().delete(thing(&script), "v").poller::<()>().await.unwrap();
    assert_eq!(urls(&script)[1..], ["GET /things/thing?api-version=v"; 2]);
    let failed = r#"{"properties":{"provisioningState":"Failed"}}"#;
    let script = Script::new([reply(202, ""), reply(200, failed)]);
    assert!(script.client().delete(thing(&script), "v").poller::<()>().await.is_err());
}

#[tokio::test]
async fn when_the_link_of_a_write_vanishes_only_the_resources_own_state_is_believed() {
    let first = || reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    let script = Script::new([first(), reply(404, ABSENT), reply(200, CREATING), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    let script = Script::new([first(), reply(404, ABSENT), reply(200, THING)]);
    assert_eq!(resource(put(&script).poller()).await.unwrap()["name"], "thing");
    assert_eq!(urls(&script).len(), 3, "a resource that is made is not asked for again");
    for (untold, why) in [
        (reply(200, r#"{"name":"thing"}"#), "no longer works, and the resource does not report its state"),
        (reply(404, ABSENT), "no longer works, and the resource cannot be read: "),
    ] {
        let script = Script::new([first(), reply(404, ABSENT), untold]);
        let error = put(&script).poller::<()>().await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
    let broken = reply(200, r#"{"properties":{"provisioningState":"Failed"}}"#);
    let script = Script::new([first(), reply(404, ABSENT), broken]);
    let error = put(&script).poller::<()>().await.unwrap_err();
    assert!(error.to_string().contains("ended as Failed"), "{error}");
}

#[tokio::test]
async fn when_the_link_of_an_action_vanishes_only_its_result_can_show_the_outcome() {
    let status = || reply(202, "").header("azure-asyncoperation", format!("{BASE}/s"));
    let with_result = status().header("location", format!("{BASE}/r"));
    let script = Script::new([with_result, reply(404, ABSENT), reply(202, ""), reply(200, THING)]);
    let post = script.client().post(thing(&script), "v").poller();
    assert_eq!(resource(post).await.unwrap()["name"], "thing");
    assert_eq!(urls(&script)[2..], ["GET /r", "GET /r"]);
    let script = Script::new([status(), reply(404, ABSENT)]);
    let error = script.client().post(thing(&script), "v").poller::<()>().await.unwrap_err();
    assert!(error.to_string().contains("there is no other way to find out whether it was done"), "{error}");
}

#[tokio::test]
async fn a_resource_that_is_away_while_it_is_made_is_not_made() {
    let script = Script::new([reply(201, CREATING), reply(404, ABSENT)]);
    assert!(put(&script).poller::<()>().await.unwrap_err().is_resource_not_found());
}

#[tokio::test]
async fn any_interval_is_brought_into_reason() {
    for interval in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let first = reply(202, "").header("location", format!("{BASE}/r"));
        let script = Script::new([first, reply(202, ""), reply(200, THING)]);
        let options =
            ArmOptions { poll_interval: interval, operation_budget: Duration::MAX, ..ArmOptions::default() };
        let post = script.client_with(options).post(thing(&script), "v").poller();
        assert_eq!(resource(post).await.unwrap()["name"], "thing", "{interval:?}");
    }
}

#[tokio::test]
async fn what_is_shown_of_an_operation_has_no_signature() {
    let signed = |path: &str| format!("{BASE}/{path}?t=1&s=signature-1234");
    let first = reply(202, "").header("azure-asyncoperation", signed("s")).header("location", signed("r"));
    let script = Script::new([first, running()]);
    let mut poller: Poller<Value> = script.client().post(thing(&script), "v").poller();
    let state = poller.try_next().await.unwrap().unwrap();
    let shown = format!("{state:?} {poller:?}");
    assert!(shown.contains("https://management.azure.com/s") && shown.contains("/r"), "{shown}");
    assert!(!shown.contains("signature-1234"), "{shown}");
    assert_eq!(state.handle.unwrap().poll.query(), Some("t=1&s=signature-1234"), "it is kept for resuming");
}
