//! The parts of the lab, in order.

mod break_fix1;
mod break_fix2;
mod cleanup;
mod show;
mod task1;
mod task2;
mod task3;
mod task4;
mod task5;
mod task6;

use azure_core::Result;
use futures::future::BoxFuture;

use crate::Lab;

/// One part: what it is called, what it is about, what it writes, and how it runs.
pub struct Part {
    /// `task1`, `break-fix-1`, ..
    pub name: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What it writes; empty when it only reads.
    pub writes: &'static str,
    pub(crate) run: fn(&Lab) -> BoxFuture<'_, Result<()>>,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// All parts, in the order in which the lab runs them.
pub const PARTS: &[Part] = &[
    Part {
        name: "task1",
        title: "Task 1: turn Defender on, create a monitored vault, give yourself access",
        writes: "a resource group, two Defender plans (billed), a vault, a role assignment",
        run: |lab| Box::pin(task1::run(lab)),
    },
    Part {
        name: "task2",
        title: "Task 2: investigate Key Vault alerts",
        writes: "a workspace, a diagnostic setting",
        run: |lab| Box::pin(task2::run(lab)),
    },
    Part {
        name: "task3",
        title: "Task 3: configure secret scanning, and see what it finds",
        writes: "three extensions of Defender CSPM (billed)",
        run: |lab| Box::pin(task3::run(lab)),
    },
    Part {
        name: "task4",
        title: "Task 4: generate suspicious activity, and make its alerts visible",
        writes: "twenty secrets, sample alerts",
        run: |lab| Box::pin(task4::run(lab)),
    },
    Part {
        name: "task5",
        title: "Task 5: respond: mail, alert rules, an automation, Sentinel",
        writes: "an action group, two alert rules, an automation, Sentinel on the workspace (billed)",
        run: |lab| Box::pin(task5::run(lab)),
    },
    Part {
        name: "task6",
        title: "Task 6: rotate what was exposed, retire the old versions, prove it",
        writes: "a new secret version, old versions disabled, sample alerts resolved",
        run: |lab| Box::pin(task6::run(lab)),
    },
    Part {
        name: "break-fix-1",
        title: "Break & Fix 1: some vaults show Not covered",
        writes: "the plan KeyVaults, a diagnostic setting on every vault of the subscription",
        run: |lab| Box::pin(break_fix1::run(lab)),
    },
    Part {
        name: "break-fix-2",
        title: "Break & Fix 2: a secret in a machine's environment",
        writes: "a new secret version, a machine's identity and role, a line of its /etc/environment",
        run: |lab| Box::pin(break_fix2::run(lab)),
    },
    Part {
        name: "cleanup",
        title: "Cleanup",
        writes: "deletes the lab's secrets, rules, group and all in it",
        run: |lab| Box::pin(cleanup::run(lab)),
    },
];

/// A part by its name.
pub fn find(name: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.name == name)
}
