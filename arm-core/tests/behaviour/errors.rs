//! Errors as data: what was tried, what may have come of it, what a refusal means, and every word once.

use std::{collections::HashMap, time::Duration};

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
async fn a_request_that_was_never_sent_changed_nothing_and_was_not_tried() {
    let script = Script::new([]);
    let arm = script.client();
    let unwritable = HashMap::from([(vec![1], 1)]);
    let requests = [
        arm.put(things().segment(".."), "v"),
        arm.put(things().segment("a").segment(""), "v"),
        arm.put(things(), "v").body(&unwritable),
    ];
    for request in requests {
        let error = request.send_empty().await.unwrap_err();
        assert!(error.to_string().starts_with("PUT /things"), "{error}");
        assert!(!error.may_have_been_applied(), "{error}");
        assert_eq!((error.attempts(), error.elapsed()), (None, None), "{error}");
    }
    assert_eq!(script.sent().len(), 0);
    let script = Script::new([Answer::Lost(ErrorKind::Credential)]);
    let error = script.client().put(things(), "v").send_empty().await.unwrap_err();
    assert_eq!((error.attempts(), error.elapsed()), (None, None), "{error}");

    let script = Script::new([reply(200, r#"{"value":[1],"nextLink":"https://["}"#)]);
    let mut list = script.client().get(things(), "v").pager::<u8>();
    assert_eq!(list.try_next().await.unwrap(), Some(1));
    let error = list.try_next().await.unwrap_err();
    assert!(error.to_string().starts_with("GET /things: the link to the next page: "), "{error}");
    assert!(!error.may_have_been_applied(), "{error}");
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

#[tokio::test]
async fn every_question_is_answered_with_yes_for_its_own_refusal_only() {
    type Question = (&'static str, fn(&azure_core::Error) -> bool);
    let questions: [Question; 11] = [
        ("not found", |error| error.is_not_found()),
        ("no such resource", |error| error.is_resource_not_found()),
        ("forbidden", |error| error.is_forbidden()),
        ("no role", |error| error.is_role_missing()),
        ("no linked role", |error| error.is_linked_authorization_failed()),
        ("conflict", |error| error.is_conflict()),
        ("in progress", |error| error.is_in_progress()),
        ("locked", |error| error.is_scope_locked()),
        ("not registered", |error| error.is_registration_missing()),
        ("no token", |error| error.is_unauthorized()),
        ("changed", |error| error.is_precondition_failed()),
    ];
    let refusals: [(u16, &str, &[&str]); 11] = [
        (400, "InvalidInput", &[]),
        (401, "InvalidAuthenticationToken", &["no token"]),
        (403, "AuthorizationFailed", &["forbidden", "no role"]),
        (403, "LinkedAuthorizationFailed", &["forbidden", "no linked role"]),
        (404, "ResourceNotFound", &["not found", "no such resource"]),
        (404, "InvalidResourceType", &["not found"]),
        (409, "ScopeLocked", &["conflict", "locked"]),
        (409, "AnotherOperationInProgress", &["conflict", "in progress"]),
        (409, "MissingSubscriptionRegistration", &["conflict", "not registered"]),
        (412, "PreconditionFailed", &["changed"]),
        (405, "MethodNotAllowed", &[]),
    ];
    for (status, code, expected) in refusals {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"no"}}}}"#);
        let answers = std::iter::repeat_n(reply(status, body), 5);
        let error = Script::new(answers).client().put(things(), "v").send_empty().await.unwrap_err();
        let said: Vec<&str> =
            questions.iter().filter(|(_, ask)| ask(&error)).map(|(said, _)| *said).collect();
        assert_eq!(said, expected, "{status} {code}");
        assert!(!error.is_throttled(), "{status} {code}");
    }
    let script = Script::new(std::iter::repeat_n(reply(429, ""), 5));
    assert!(script.client().put(things(), "v").send_empty().await.unwrap_err().is_throttled());
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_was_an_attempt_too() {
    for before in 0..3 {
        let answers = std::iter::repeat_n(reply(503, ""), before).chain([reply(200, "{")]);
        let error = Script::new(answers).client().put(things(), "v").json::<Value>().await.unwrap_err();
        assert_eq!(error.attempts(), Some(before as u32 + 1), "{error}");
    }
}

#[tokio::test]
async fn details_are_read_to_a_depth_and_no_deeper() {
    let nested = (0..80).fold(String::new(), |inner, n| {
        format!(r#"{{"code":"C{}","message":"m","details":[{inner}]}}"#, 79 - n)
    });
    let body = format!(r#"{{"error":{nested}}}"#);
    let script = Script::new([reply(400, body)]);
    let error = script.client().put(things(), "v").send_empty().await.unwrap_err().arm_error().unwrap();
    assert_eq!(error.code, "C0");
    let last = error.details.last().unwrap();
    assert_eq!((error.details.len(), last.code.as_str()), (65, "C65"));
}
