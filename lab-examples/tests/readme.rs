//! The README: its commands run as printed, and the sheet is in its table, command by command.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::process::{Command, Stdio};

const README: &str = include_str!("../README.md");

#[test]
fn the_commands_run_as_printed() {
    let folder = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    let built = test.parent().unwrap().parent().unwrap();
    let mut ran = 0;
    for line in README.lines().filter_map(|line| line.strip_prefix("$ cargo run -p lab-examples")) {
        let line = line.split('#').next().unwrap().trim();
        let mut words = line.split_whitespace();
        let program = match words.next() {
            Some("--example") => format!("examples/{}", words.next().unwrap()),
            None | Some("--") => "lab".to_owned(),
            Some(other) => panic!("{other}"),
        };
        let mut run = Command::new(built.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)));
        let output = run.args(words).current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
        ran += 1;
    }
    assert_eq!(ran, 9, "the commands of the README");
    assert!(folder.path().join("lab-report.html").exists());
}

#[test]
fn the_outcomes_of_a_run_are_in_the_list() {
    let list = README.split("The outcomes are").nth(1).unwrap().split("A part is").next().unwrap();
    let run = include_str!("snapshots/lab-json.snap");
    let outcomes =
        run.lines().filter_map(|line| line.trim().strip_prefix("\"outcome\": \"")?.split('"').next());
    let missing: Vec<&str> = outcomes.filter(|outcome| !list.contains(&format!("`{outcome}`"))).collect();
    assert!(run.contains("\"outcome\": \"dead\"") && missing.is_empty(), "{missing:?}");
}

/// The commands of the sheet, part by part, as their last words.
const SHEET: [(&str, &[&str]); 9] = [
    (
        "**Task 1**",
        &[
            "account show",
            "group create",
            "security pricing create --name KeyVaults",
            "pricing show",
            "CloudPosture",
            "pricing list",
            "keyvault create",
            "keyvault show",
            "ad signed-in-user show",
            "role assignment create",
        ],
    ),
    (
        "**Task 2**",
        &[
            "security alert list",
            "alertType==",
            "security assessment list",
            "diagnostic-settings list",
            "log-analytics workspace create",
            "diagnostic-settings create",
        ],
    ),
    ("**Task 3**", &["pricings/CloudPosture`, GET and PUT", "subAssessments", "security assessment list"]),
    ("**Task 4**", &["secret set", "secret list`", "secret list --include-managed", "secret show"]),
    ("**Task 5**", &["action-group create", "action-group show", "scheduled-query create", "automations"]),
    (
        "**Task 6**",
        &[
            "attackPaths",
            "security assessment list",
            "echo",
            "secret set",
            "secret list-versions",
            "secret set-attributes",
        ],
    ),
    (
        "**Break & Fix 1**",
        &[
            "pricing show",
            "pricing create",
            "pricings/KeyVaults",
            "securityStatuses",
            "keyvault list",
            "diagnostic-settings list",
        ],
    ),
    (
        "**Break & Fix 2**",
        &[
            "assessments",
            "secret set",
            "vm identity assign",
            "vm show",
            "role assignment create",
            "vm run-command invoke",
            "echo",
        ],
    ),
    (
        "**Cleanup**",
        &[
            "secret delete",
            "action-group delete",
            "scheduled-query delete",
            "group delete",
            "pricing create --tier Free",
        ],
    ),
];

#[test]
fn every_command_of_the_sheet_is_in_the_table_with_what_is_done_instead_and_why() {
    for (part, commands) in SHEET {
        let begins = |line: &&str| line.starts_with("| **");
        let rows: Vec<&str> = README
            .lines()
            .skip_while(|line| !line.starts_with(&format!("| {part}")))
            .enumerate()
            .take_while(|(at, line)| line.starts_with('|') && (*at == 0 || !begins(line)))
            .map(|(_, line)| line)
            .collect();
        for command in commands {
            let of_sheet = |row: &&&str| row.split(" | ").next().unwrap().contains(command);
            assert!(rows.iter().any(|row| of_sheet(&row)), "{part}: {command}: {rows:#?}");
        }
        for row in rows {
            assert_eq!(row.split(" | ").count(), 3, "{row}");
        }
    }
}
