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

/// A folder with a sign-in that does not end by itself, and the search path that finds it.
#[cfg(unix)]
fn endless_sign_in() -> (tempfile::TempDir, String) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    std::fs::write(&az, "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    (folder, path)
}

/// A live run whose sign-in does not end by itself, with the folder that it runs in.
#[cfg(unix)]
fn signing_in_for_ever(arguments: &[&str]) -> (tempfile::TempDir, std::process::Child) {
    let (folder, path) = endless_sign_in();
    let mut run = command(&["--live", "--subscription", mock_azure::DEFAULT_SUBSCRIPTION]);
    run.args(arguments).env("PATH", path).current_dir(folder.path());
    let child = run.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    (folder, child)
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
        (&["--subscription", "a", "report", "--subscription", "b"], 64, "give all of them in one place"),
        (&["task1", "--subscription", "a", "--subscription", "b"], 64, "only a report takes more than one"),
        (&["report", "--management-group", "mg", "--subscription", "a"], 64, "name either"),
        (
            &["report", "--management-group", "mg/x", "--subscription=", "--file", "/dev/null"],
            64,
            "name either",
        ),
        (
            &["report", "--management-group", "mg/x", "--file", "/dev/null"],
            1,
            "2 problems; nothing was written",
        ),
        (&["report", "--subscription", "a", "--subscription", "b"], 1, "--subscription: "),
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
fn output_that_cannot_be_written_is_not_a_success() {
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
fn a_closed_pipe_is_not_a_failure() {
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

/// 130 is Ctrl-C's: see below.
#[test]
fn every_exit_code_says_what_the_help_says_that_it_does() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (&["task3"][..], 0),
        (&["plan"], 0),
        (&["report", "--detailed-exitcode", "--dry-run"], 0),
        (&["report", "--fail-on", "critical"], 0),
        (&["report", "--fail-on", "low"], 1),
        (&["task1", "--location", "atlantis"], 1),
        (&["plan", "task2", "--detailed-exitcode"], 1),
        (&["plan", "--detailed-exitcode"], 2),
        (&["task5", "--dry-run", "--detailed-exitcode"], 2),
        (&["--no-such-flag"], 64),
        (&["plan", "task9"], 64),
    ] {
        let output = command(arguments).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(code == 0 || code == 2 || !said.is_empty() || !output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_plan_is_kept_applied_and_refused_with_the_exit_code_that_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("lab.plan");
    let kept = kept.to_str().unwrap();
    assert_eq!(program(&["plan", "--detailed-exitcode", "--out", kept]).status.code(), Some(2));
    let before = std::fs::read_to_string(kept).unwrap();
    for (arguments, code) in [
        (&["plan"][..], 0),
        (&["apply", kept], 0),
        (&["plan", "task2"], 1),
        (&["apply", "/nowhere/lab.plan"], 1),
        (&["apply", kept, "--subscription", "00000000-0000-0000-0000-0000000000ff"], 1),
        (&["apply", kept, "--live"], 1),
        (&["plan", "task6"], 1),
        (&["plan", "break-fix-2"], 0),
        (&["plan", "break-fix-2", "--detailed-exitcode"], 2),
        (&["plan", "task9"], 64),
        (&["apply"], 64),
    ] {
        let output = program(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    }
    let json = program(&["plan", "task3", "--output", "json"]).stdout;
    let plan: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&plan["version"], &plan["count"]["update"]), (&1.into(), &1.into()));
    // A plan that says less than what would be done does not fit.
    std::fs::write(kept, before.replace("PerKeyVault", "PerTransaction")).unwrap();
    let refused = program(&["apply", kept]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("the plan is out of date") && said.contains("task1: the plan KeyVaults"), "{said}");
}

#[test]
fn problems_are_reported_as_json_too() {
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
    use std::io::{BufRead as _, BufReader};
    let (_folder, mut child) = signing_in_for_ever(&["task2"]);
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("signing in with") && line.contains("at most a minute"), "{line}");
}

/// On a terminal, the time that the sign-in has left is counted down.
#[cfg(target_os = "linux")]
#[test]
fn the_time_left_for_a_sign_in_is_shown_while_it_hangs() {
    use std::io::Read as _;
    let (folder, path) = endless_sign_in();
    let program = command(&[]).get_program().to_str().unwrap().to_owned();
    for arguments in
        ["--subscription 00000000-0000-0000-0000-000000000001 task2", "report --management-group mg"]
    {
        let mut script = Command::new("script");
        script.args(["-qec", &format!("stty cols 120; '{program}' --live {arguments}"), "/dev/null"]);
        script.env("PATH", &path).env("TERM", "xterm").env_remove("AZURE_CLIENT_SECRET");
        script.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::piped());
        let Ok(mut child) = script.spawn() else { return }; // there is no `script` here
        let (mut out, mut seen, mut part) = (child.stdout.take().unwrap(), String::new(), [0; 4096]);
        while !seen.contains(" left") {
            match out.read(&mut part).unwrap() {
                0 => break,
                read => seen.push_str(&String::from_utf8_lossy(&part[..read])),
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // The first drawing can be a moment after the first second.
        assert!(seen.contains("1 min 0 s left") || seen.contains("59 s left"), "{arguments}: {seen}");
    }
}

/// The widest line that holds more than one word, and the words of a text.
fn widest(text: &str) -> usize {
    let of_words =
        text.lines().filter(|line| line.split_whitespace().count() > 1 && !line.trim().contains("://"));
    of_words.map(|line| line.chars().count()).max().unwrap_or_default()
}

#[test]
fn what_a_person_reads_fits_the_screen_and_no_word_of_it_is_cut() {
    let run = |columns: &str| {
        let output = command(&["run"]).env("COLUMNS", columns).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for columns in [80, 120] {
        for arguments in [&["quiz", "--answers"][..], &["report", "--help"]] {
            let output = command(arguments).env("COLUMNS", columns.to_string()).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(widest(&text) <= columns, "{columns}: {}: {text}", widest(&text));
        }
        let text = run(&columns.to_string());
        assert!(widest(&text) <= columns, "{columns}: {}", widest(&text));
        for word in [
            "KV_AccountVolumeAccessDeniedAnomaly",
            "SqlServerVirtualMachines",
            "OpenSourceRelationalDatabases",
        ] {
            assert!(text.contains(word), "{columns}: '{word}' is cut");
        }
    }
}

#[test]
fn a_dumb_terminal_gets_ascii_alone() {
    let output = command(&["task2"]).env("TERM", "dumb").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("  + ") && text.contains("KV_TORAccess"));
    assert!(text.is_ascii(), "{text}");
}

/// In a terminal of its own, as `script` makes one.
#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_there_is_colour_that_takes_no_room() {
    let program = command(&[]).get_program().to_str().unwrap().to_owned();
    for (columns, arguments) in [
        (80, "run"),
        (120, "run"),
        (80, "plan"),
        (120, "plan task1 task4 task6"),
        (80, "report --file r.html"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let shell = format!("stty cols {columns}; '{program}' {arguments}");
        let mut script = Command::new("script");
        script
            .args(["-qec", &shell, "/dev/null"])
            .current_dir(folder.path())
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .env_remove("COLUMNS");
        let Ok(output) = script.stdin(Stdio::null()).output() else { return }; // there is no `script` here
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("\u{1b}[32m"), "{text}");
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            plain.push_str(before);
            rest = after.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, after)| after);
        }
        plain.push_str(rest);
        let lines: Vec<&str> = plain.lines().filter(|line| !line.contains('\r')).collect();
        let shown = lines.join("\n");
        assert!(
            lines.len() > 3 && widest(&shown) <= columns,
            "{columns}, {arguments}: {}: {shown}",
            widest(&shown)
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_said_on_standard_error_fits_the_terminal_too() {
    let program = command(&[]).get_program().to_str().unwrap().to_owned();
    let mut script = Command::new("script");
    let shell = format!("stty cols 60; '{program}' apply /nowhere/lab.plan");
    script.args(["-qec", &shell, "/dev/null"]).env("TERM", "xterm").env_remove("COLUMNS");
    let Ok(output) = script.stdin(Stdio::null()).output() else { return }; // there is no `script` here
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() > 1 && widest(&text) <= 60, "{text}");
    assert!(text.contains("Nothing was written"), "{text}");
}

#[test]
fn ndjson_lines_come_as_things_happen_and_the_last_one_is_the_end() {
    let output = program(&["task1", "--output", "ndjson"]);
    assert_eq!(output.status.code(), Some(0));
    let lines: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((&lines[0]["event"], &lines[0]["part"]), (&"part".into(), &"task1".into()));
    let end = lines.last().unwrap();
    assert_eq!((&end["event"], &end["ok"], &end["live"]), (&"end".into(), &true.into(), &false.into()));
    let count = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    assert!(count("step") > 5 && count("table") == 1 && count("difference") == 3 && count("end") == 1);
    assert!(lines.iter().filter(|line| line["event"] == "step").all(|line| line["step"]["time"].is_string()));
}

/// Stopped with Ctrl-C while the sign-in hangs: the document is whole all the same.
#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_leaves_a_whole_document() {
    use std::io::{BufRead as _, BufReader, Read as _};
    let (_folder, mut child) = signing_in_for_ever(&["task2", "--output", "json"]);
    // The first word is there: from now on Ctrl-C is the program's.
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut String::new()).unwrap();
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(record["parts"][0]["error"], "stopped with Ctrl-C");
    assert!(record["finished"].is_string());
}

#[test]
fn each_command_lists_its_own_flags_alone() {
    let help = |command: &str| String::from_utf8(program(&[command, "--help"]).stdout).unwrap();
    for (command, listed, not_listed) in [
        ("quiz", &["--answers", "--output"][..], &["--live", "--mail", "--ledger", "--plans-off"][..]),
        ("completions", &["<SHELL>"], &["--live", "--output"]),
        (
            "report",
            &["--file", "--fail-on", "--management-group", "--live", "--ledger"],
            &["--dry-run", "--mail", "--confirm-sweep"],
        ),
        ("task4", &["--confirm-sweep", "--dry-run"], &["--mail", "--plans-off", "--ledger"]),
        ("cleanup", &["--plans-off", "--yes"], &["--mail", "--vault-prefix"]),
        ("run", &["--mail", "--ledger", "--plans-off", "--confirm-sweep"], &[]),
    ] {
        let text = help(command);
        listed.iter().for_each(|flag| assert!(text.contains(flag), "{command}: no {flag}: {text}"));
        not_listed.iter().for_each(|flag| assert!(!text.contains(flag), "{command}: {flag}"));
    }
}

#[test]
fn the_manual_page_names_every_command() {
    let page = String::from_utf8(program(&["man"]).stdout).unwrap();
    assert!(page.contains(".TH lab 1") && page.contains("\\-\\-subscription"), "{page}");
    for command in ["run", "task6", "break", "cleanup", "report", "quiz"] {
        assert!(page.contains(command), "{command}");
    }
}
