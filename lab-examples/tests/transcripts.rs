//! What every example and the lab print, offline, with names, times and ids masked.
//!
//! After a wanted change: `INSTA_UPDATE=always cargo test -p lab-examples`, then read the difference.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::{path::PathBuf, process::Command};

/// Names that are made up, times and ids differ from run to run.
const MASKS: [(&str, &str); 6] = [
    (r"kv-defended-[0-9a-f]{8}", "kv-defended-[random]"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "[guid]"),
    (r"\d{19}_", "[ticks]_"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "[time]"),
    (r"at most \d+ requests", "at most [n] requests"),
    (r"has not propagated yet: \S+", "has not propagated yet: [wait]"),
];

/// A program that this package builds, beside the tests.
fn built(kind: &str, name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent()
        .unwrap()
        .parent()
        .unwrap()
        .join(kind)
        .join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn transcript(program: PathBuf, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env_remove("NO_COLOR").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert_eq!(errors, "");
    String::from_utf8(output.stdout).unwrap()
}

fn assert_transcript(name: &str, text: &str) {
    insta::with_settings!({ filters => MASKS.to_vec(), omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn every_example_prints_what_it_did() {
    let examples = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap();
    let mut names: Vec<String> = examples
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert!(names.len() >= 8, "one for each task and scenario: {names:?}");
    for name in names {
        assert_transcript(&name, &transcript(built("examples", &name), &[]));
    }
}

#[test]
fn no_example_is_longer_than_a_page() {
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue; // a program of several parts, for developers
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 80, "{} has {lines} lines", path.display());
    }
}

#[test]
fn the_whole_lab_as_text() {
    assert_transcript("lab", &transcript(built("", "lab"), &["run"]));
}

#[test]
fn the_whole_lab_as_json() {
    assert_transcript("lab-json", &transcript(built("", "lab"), &["run", "--output", "json"]));
}

#[test]
fn a_dry_run_says_what_would_be_written() {
    assert_transcript("lab-dry-run", &transcript(built("", "lab"), &["run", "--dry-run"]));
}
