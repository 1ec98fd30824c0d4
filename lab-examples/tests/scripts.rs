//! The scripts of Break & Fix 2 in a real shell, and the double's idea of them.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::{fs, process::Command};

use arm_core::{ArmClient, ArmOptions, SubscriptionId};
use lab_examples::scripts::{self, COUNT, ENVIRONMENT, REMOVE};
use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure};
use resource_ops::{RunCommandInput, VirtualMachineId, VirtualMachinesClient};

const FILE: &str =
    "PATH=\"/usr/bin\"\nDB_PASSWORD=\"hunter2\"\n#DB_PASSWORD=\nDB_PASSWORD_OLD=\"x\"\nDB_PASSWORD=again\n";

/// Runs a script as a machine would, with its path moved into a temporary folder: what it printed, and the
/// file afterwards.
fn in_a_shell(script: &str, file: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment");
    fs::write(&path, file).unwrap();
    let moved = script.replace(ENVIRONMENT, path.to_str().unwrap());
    assert!(!moved.contains("/etc/"), "nothing of this machine is touched");
    let output = Command::new("sh").args(["-c", &moved, "script", "DB_PASSWORD"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), fs::read_to_string(path).unwrap())
}

#[test]
fn the_scripts_take_the_variable_out_in_a_real_shell_and_leave_all_else() {
    let left = "PATH=\"/usr/bin\"\n#DB_PASSWORD=\nDB_PASSWORD_OLD=\"x\"\n";
    assert_eq!(in_a_shell(COUNT, FILE), ("2\n".to_owned(), FILE.to_owned()));
    assert_eq!(in_a_shell(REMOVE, FILE), ("0\n".to_owned(), left.to_owned()));
    assert_eq!(
        in_a_shell(REMOVE, left),
        ("0\n".to_owned(), left.to_owned()),
        "a second time changes nothing"
    );
    assert_eq!(in_a_shell(COUNT, left).0, "0\n");
}

#[tokio::test]
async fn the_double_does_what_the_shell_does() {
    mock_azure::fast_forward();
    let subscription: SubscriptionId = DEFAULT_SUBSCRIPTION.parse().unwrap();
    let machine = VirtualMachineId::new(&subscription.resource_group("rg").unwrap(), "vm").unwrap();
    for script in [COUNT, REMOVE] {
        let azure = MockAzure::seed()
            .virtual_machine(&subscription, "rg", "vm")
            .vm_file(&machine, ENVIRONMENT, FILE)
            .on_run_command(scripts::run)
            .start()
            .await;
        let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
        let input = RunCommandInput::shell(script).parameter("name", "DB_PASSWORD");
        let result = VirtualMachinesClient::new(&arm).run_command(&machine, &input).await.unwrap();
        let file = azure.vm_file(&machine.to_string(), ENVIRONMENT).unwrap();
        assert_eq!((result.stdout(), file), in_a_shell(script, FILE));
    }
}
