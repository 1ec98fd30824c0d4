//! Errors as data: what was tried, what may have come of it, what a refusal means, and every word once.

use std::time::Duration;

use arm_core::{ArmErrorExt as _, ArmOptions, ArmPath, RetryBudget};
use azure_core::error::ErrorKind;
use futures::TryStreamExt as _;
use serde_json::Value;

use crate::scripted::{Answer, Script, reply};

fn things() -> ArmPath {
    ArmPath::root().literal("things")
}

/// Every error of a chain, outermost first.
fn chain(error: &azure_core::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts
}

#[tokio::test]
async fn how_a_request_was_tried_and_what_may_have_come_of_it_can_be_asked() {
    let busy = || reply(503, r#"{"error":{"code":"ServerBusy"}}"#).header("retry-after", "7");
    let script = Script::new((0..5).map(|_| busy()));
    let error = script.client().put(things(), "v").send_empty().await.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_been_applied()), (Some(5), true));
    assert_eq!(error.wait_asked_for(), Some(Duration::from_secs(7)));
    assert!(error.elapsed().unwrap() >= Duration::from_secs(28), "{error:?}");
    // A refusal behind it is known to be one, and how often it was asked.
    let refusal = || reply(409, r#"{"error":{"code":"ScopeLocked","message":"locked"}}"#);
    let script = Script::new([reply(429, ""), refusal()]);
    let error = script.client().put(things(), "v").send_empty().await.unwrap_err();
    assert_eq!((error.attempts(), error.may_have_been_applied()), (Some(2), false));
    assert!(error.is_scope_locked() && !error.is_in_progress());
    let script = Script::new([Answer::Lost(ErrorKind::Io), refusal()]);
    let error = script.client().put(things(), "v").send_empty().await.unwrap_err();
    assert!(error.may_have_been_applied(), "the lost attempt may have: {error}");
}

#[tokio::test]
async fn only_what_can_change_something_is_said_to_have_changed_something() {
    let lost = || std::iter::repeat_n(Answer::Lost(ErrorKind::Io), 5);
    let broken = || [reply(200, "{")];
    for answers in [lost().collect::<Vec<_>>(), broken().to_vec(), vec![reply(200, "[1"), reply(500, "")]] {
        let script = Script::new(answers.clone());
        let error = script.client().get(things(), "v").json::<Value>().await.unwrap_err();
        assert!(!error.may_have_been_applied() && !error.to_string().contains("change"), "{error}");
        let script = Script::new(answers.clone());
        let error = script.client().post(things(), "v").reads_only().json::<Value>().await.unwrap_err();
        assert!(!error.may_have_been_applied() && !error.to_string().contains("change"), "{error}");
        let script = Script::new(answers);
        let error = script.client().put(things(), "v").json::<Value>().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error}");
    }
    let script = Script::new([reply(200, "{")]);
    let mut list = script.client().get(things(), "v").pager::<Value>();
    assert!(!list.try_next().await.unwrap_err().may_have_been_applied());
    for never in [ErrorKind::Connection, ErrorKind::Credential] {
        let script = Script::new(std::iter::repeat_n(Answer::Lost(never), 5));
        let error = script.client().put(things(), "v").send_empty().await.unwrap_err();
        assert!(!error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test]
async fn an_operation_that_began_may_have_been_applied_whatever_its_polls_end_in() {
    let first = || reply(202, "").header("location", "/poll");
    for then in [reply(403, "{}"), reply(409, r#"{"error":{"code":"Failed"}}"#)] {
        let script = Script::new([first(), then]);
        let error = script.client().put(things(), "v").poller::<Value>().await.unwrap_err();
        assert!(error.may_have_been_applied(), "{error}");
    }
    let script = Script::new([reply(403, "{}")]);
    let error = script.client().put(things(), "v").poller::<Value>().await.unwrap_err();
    assert!(!error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn no_error_repeats_itself_below() {
    let refused = reply(400, r#"{"error":{"code":"Bad","message":"no"}}"#);
    let busy = || reply(503, r#"{"error":{"code":"ServerBusy","message":"later"}}"#);
    let asked = reply(429, "").header("retry-after", "9999");
    for answers in [
        vec![refused],
        vec![busy(); 5],
        vec![asked],
        vec![Answer::Lost(ErrorKind::Io); 5],
        vec![reply(200, "{")],
    ] {
        let script = Script::new(answers);
        let retry = RetryBudget { total: Duration::from_secs(60), ..RetryBudget::default() };
        let arm = script.client_with(ArmOptions { retry, ..ArmOptions::default() });
        let error = arm.put(things(), "v").json::<Value>().await.unwrap_err();
        let texts = chain(&error);
        for (above, below) in texts.iter().zip(&texts[1..]) {
            assert!(!above.contains(below.as_str()), "{texts:?}");
        }
    }
}

#[tokio::test]
async fn no_error_shows_the_query_of_a_url() {
    let told = r#"{"error":{"code":"Bad","message":"cannot read https://store/blob?sv=1&sig=hunter2 now"}}"#;
    let script = Script::new([reply(400, told)]);
    let error = script.client().get(things(), "v").send_empty().await.unwrap_err();
    assert!(!chain(&error).concat().contains("hunter2"), "{error}");
    assert!(error.to_string().contains("https://store/blob?.. now"), "{error}");
}

#[tokio::test]
async fn absent_is_only_what_the_resources_own_404_says() {
    for (body, absent) in [
        (r#"{"error":{"code":"ResourceNotFound","message":"m"}}"#, true),
        (r#"{"HttpStatusCode":404,"ErrorCode":"Not Found","Message":"m"}"#, true),
        (r#"{"error":{"code":"Subscription Not Registered","message":"m"}}"#, false),
        (r#"{"error":{"code":"InvalidResourceNamespace","message":"m"}}"#, false),
        ("<html>", false),
    ] {
        let script = Script::new([reply(404, body)]);
        let found = script.client().get(things(), "v").json_opt::<Value>().await;
        assert_eq!(matches!(found, Ok(None)), absent, "{body}");
        assert!(absent || found.unwrap_err().is_not_found(), "{body}");
    }
}
