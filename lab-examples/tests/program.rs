//! The program as others run it: exit codes, what it logs, and output that cannot be written.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::process::{Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let test = std::env::current_exe().unwrap();
    let program =
        test.parent().unwrap().parent().unwrap().join(format!("lab{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    for name in ["AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn program(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

#[test]
fn the_request_log_shows_requests_and_neither_tokens_nor_queries() {
    let output = program(&["task1", "-v"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("PUT    management.azure.com/subscriptions/"), "{log}");
    assert!(
        log.lines().all(|line| !line.contains("Bearer") && !line.contains("eyJ") && !line.contains('?')),
        "{log}"
    );
}

#[test]
fn wrong_use_is_one_clear_line_and_the_right_exit_code() {
    for (arguments, code, expected) in [
        (&["task9"][..], 64, "unrecognized subcommand"),
        (&["break-fix", "3"], 64, "3 is not in 1..=2"),
        (&["--detailed-exitcode", "task1"], 64, "--dry-run"),
        (&["--live", "task1"], 1, "no subscription: name one with --subscription or AZURE_SUBSCRIPTION_ID"),
        (&["--live", "--subscription", "prod", "task1"], 1, "must be a GUID"),
        (&["--mail", "soc", "--location", "", "report"], 1, "2 problems; nothing was written"),
        (&["report", "--file", "/dev/null"], 1, "not a regular file"),
        (&["--vault-prefix", "9kv", "task1"], 1, "must begin with a letter"),
        (&["--resource-group", "rg.", "task1"], 1, "may not end with '.'"),
    ] {
        let output = program(arguments);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}

/// The exit code of the program and what it says on standard error, when its output goes to a full disk.
#[cfg(target_os = "linux")]
fn on_a_full_disk(arguments: &[&str]) -> (Option<i32>, String) {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command(arguments).stdout(full).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_no_success() {
    for arguments in [
        &["task1", "--output", "json"][..],
        &["task1"],
        &["quiz", "--answers"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let (code, said) = on_a_full_disk(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(said.contains("the output could not be written") && !said.contains("panicked"), "{said}");
    }
}

#[test]
fn whoever_closes_the_pipe_has_seen_enough() {
    let mut child = command(&["task1"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn changes_that_are_pending_have_a_code_of_their_own_only_when_asked_for() {
    assert_eq!(program(&["task1", "--dry-run"]).status.code(), Some(0));
    assert_eq!(program(&["task1", "--dry-run", "--detailed-exitcode"]).status.code(), Some(2));
    assert_eq!(program(&["quiz", "--answers"]).status.code(), Some(0));
    // Offline, nothing is there to clean up in a dry run of all.
    let report = std::env::temp_dir().join(format!("lab-program-{}.html", std::process::id()));
    assert_eq!(program(&["report", "--file", report.to_str().unwrap()]).status.code(), Some(0));
    std::fs::remove_file(report).unwrap();
}

#[test]
fn what_stands_in_the_way_is_json_too() {
    let output = program(&["--resource-group", "rg.", "--location", "", "task1", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let part = &record["parts"][0];
    assert_eq!((part["name"].as_str(), part["state"].as_str()), (Some("preflight"), Some("failed")));
    assert!(part["error"].as_str().unwrap().contains("--location"), "{part}");
}

/// The first word does not wait for a sign-in: this one never ends by itself.
#[cfg(unix)]
#[test]
fn the_first_word_comes_before_the_sign_in_is_done() {
    use std::{
        io::{BufRead as _, BufReader},
        os::unix::fs::PermissionsExt as _,
    };
    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    std::fs::write(&az, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let mut child = command(&["--live", "--subscription", mock_azure::DEFAULT_SUBSCRIPTION, "task2"])
        .env("PATH", path)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("signing in with") && line.contains("at most a minute"), "{line}");
}
