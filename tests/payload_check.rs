//! The program `payload-check`, as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// Exit code and output of a run with this standard input.
fn run(arguments: &[&str], input: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_payload-check"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that stops because of its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

#[test]
fn a_write_back_that_loses_nothing_passes_and_names_what_is_unknown_but_kept() {
    let plan = std::fs::read_to_string(format!("{FIXTURES}/pricings/get.json")).unwrap();
    let plan = plan.replacen("\"pricingTier\"", "\"invented\": { \"x\": 1 }, \"pricingTier\"", 1);
    let (code, text) = run(&["pricing", "-"], &plan);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("kept         /properties/invented\n"), "{text}");
    assert!(text.contains("1 decoded: OK, nothing is lost by a write-back"), "{text}");
}

#[test]
fn the_same_instant_and_duration_spelled_differently_are_not_a_change() {
    let rule = std::fs::read_to_string(format!("{FIXTURES}/query_rules/get.json")).unwrap();
    let rule = rule.replace("\"PT1H\"", "\"PT60M\"");
    let (code, text) = run(&["ScheduledQueryRule", "-"], &rule);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("changed"), "{text}");
}

#[test]
fn what_differs_in_case_alone_or_is_the_same_instant_is_folded_and_named() {
    let assessment = std::fs::read_to_string(format!("{FIXTURES}/assessments/get.json")).unwrap();
    let mut assessment: serde_json::Value = serde_json::from_str(&assessment).unwrap();
    assessment["properties"]["status"]["code"] = "healthy".into();
    let (code, text) = run(&["Assessment", "-"], &assessment.to_string());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("folded       /properties/status/code: \"healthy\" is \"Healthy\"\n"), "{text}");
    assert!(text.contains("decoded: OK, nothing is lost by a write-back"), "{text}");
}

#[test]
fn a_page_is_checked_item_by_item() {
    let (code, text) = run(&["Alert", "--page", &format!("{FIXTURES}/alerts/list.json")], "");
    assert!(code == 0 && text.contains("2 decoded"), "{text}");
    let (code, text) = run(&["Pricing", "--page", "-"], r#"{"value":[{"id":1}]}"#);
    assert!(code == 1 && text.contains("undecodable  /value/0: "), "{text}");
    let (code, text) = run(&["Pricing", "--page", "-"], r#"{"items":[]}"#);
    assert!(code == 1 && text.contains("the page has no list 'value'"), "{text}");
}

#[test]
fn what_cannot_be_decoded_fails() {
    for (answer, part) in [("{}", "missing field"), ("<html>", "not JSON"), ("", "not JSON")] {
        let (code, text) = run(&["Vault", "-"], answer);
        assert!(code == 1 && text.contains(part), "{answer}: {text}");
    }
    let (code, text) = run(&["ArmError", "-"], r#"{"odata.error":{}}"#);
    assert!(code == 1 && text.contains("neither a code nor a message"), "{text}");
}

#[test]
fn a_read_only_model_names_what_it_does_not_model() {
    let name = r#"{"nameAvailable":true,"new":1}"#;
    let (code, text) = run(&["NameAvailability", "-"], name);
    assert!(code == 0 && text.contains("dropped      /new\n"), "{text}");
}

#[test]
fn an_exported_model_writes_out_what_it_does_not_model() {
    let subscription = r#"{"subscriptionId":"00000000-0000-0000-0000-000000000001","displayName":"x","state":"Enabled","new":1}"#;
    let (code, text) = run(&["Subscription", "-"], subscription);
    assert!(code == 0 && text.contains("kept         /new\n"), "{text}");
    assert!(text.contains("1 decoded: OK, nothing is lost when it is written out"), "{text}");
}

#[test]
fn bad_usage_is_another_exit_code() {
    for arguments in
        [&["NoSuchModel", "-"][..], &["Vault"], &[], &["Vault", "/no/such/file"], &["--models", "x"]]
    {
        let (code, text) = run(arguments, "");
        assert_eq!(code, 2, "{arguments:?}: {text}");
    }
    assert!(
        run(&["NoSuchModel", "-"], "").1.contains("there is no model 'NoSuchModel'; --models lists them")
    );
}

#[test]
fn every_model_is_listed() {
    let (code, text) = run(&["--models"], "");
    assert_eq!(code, 0);
    for model in
        ["Pricing", "Alert", "Vault", "Secret", "ArmError", "GraphQueryResponse", "ScheduledQueryRule"]
    {
        assert!(text.lines().any(|line| line.starts_with(&format!("{model} "))), "{model}");
    }
}
