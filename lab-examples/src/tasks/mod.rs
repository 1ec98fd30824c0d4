//! The parts of the lab, in order.

mod show;
mod task1;
mod task2;
mod task3;

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
];

/// A part by its name.
pub fn find(name: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.name == name)
}
