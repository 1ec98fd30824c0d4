//! What an operation's first answer and its polls may leave out, and what that means.

use std::sync::Arc;

use crate::scripted::{Answer, Script, reply};
use arm_core::{ArmErrorExt as _, ArmPath, ArmRequest};
use azure_core::error::ErrorKind;
use serde_json::{Value, json};

const STATUS: &str = "https://management.azure.com/status/1";

fn put(script: &Arc<Script>) -> ArmRequest {
    script.client().put(ArmPath::root().literal("things/thing"), "v").body(&json!({}))
}

#[tokio::test]
async fn a_resource_that_is_made_at_once_is_not_asked_for_again() {
    // Also when it names a place where its result can be asked for.
    let linked = |answer: Answer, link: bool| match link {
        true => answer.header("location", "https://management.azure.com/result/1"),
        false => answer,
    };
    for (status, link) in [(200, false), (201, false), (201, true)] {
        let made = r#"{"name":"thing","properties":{"provisioningState":"Succeeded"}}"#;
        let script = Script::new([linked(reply(status, made), link)]);
        let thing = put(&script).poller::<Value>().await.unwrap();
        assert_eq!((thing["name"].as_str(), script.sent().len()), (Some("thing"), 1));
    }
}

#[tokio::test]
async fn a_status_without_a_state_is_not_a_success() {
    let first = reply(202, "").header("azure-asyncoperation", STATUS);
    let script = Script::new([first, reply(200, r#"{"name":"1"}"#)]);
    let error = put(&script).poller::<()>().await.unwrap_err();
    assert!(error.to_string().contains("the response does not contain the operation's status"), "{error}");
}

#[tokio::test]
async fn a_resource_without_a_body_is_not_a_success() {
    let script = Script::new([reply(202, ""), reply(200, " ")]);
    let error = put(&script).poller::<()>().await.unwrap_err();
    assert!(error.to_string().contains("the service sent no resource"), "{error}");
}

#[tokio::test]
async fn a_failure_without_a_code_has_its_state_as_one() {
    let first = reply(202, "").header("azure-asyncoperation", STATUS);
    let script = Script::new([first, reply(200, r#"{"status":"Canceled"}"#)]);
    let error = put(&script).poller::<()>().await.unwrap_err();
    assert!(error.to_string().contains("ended as Canceled: the service gave no reason"), "{error}");
    assert!(
        matches!(error.kind(), ErrorKind::HttpResponse { error_code: Some(code), .. } if code == "Canceled"),
        "{error:?}"
    );
    assert!(error.may_have_been_applied());
}
