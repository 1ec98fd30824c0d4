//! The parts of the lab, in order.

mod break_fix1;
mod break_fix2;
mod cleanup;
mod exposed;
mod show;
mod task1;
mod task2;
mod task3;
mod task4;
mod task5;
mod task6;

use arm_core::{Change, ResourceId, ResourceName};
use azure_core::{Error, Result, error::ErrorKind};
use defender_pricing::{EnablePlan, PlanChange, PlanName, PricingClient};
use futures::future::BoxFuture;
use monitor_ops::{DiagnosticSetting, DiagnosticsClient};
use resource_ops::RoleAssignment;
use serde::Serialize;
use serde_json::Value;

use crate::{Lab, state::Made};

/// A part of the lab: its name and title, what it writes, and how it runs.
pub struct Part {
    /// `task1`, `break-fix-1`, ..
    pub name: &'static str,
    /// The title.
    pub title: &'static str,
    /// What it writes; empty if it only reads.
    pub writes: &'static str,
    /// The parts that must succeed before it can run.
    pub needs: &'static [&'static str],
    /// The actions that must be allowed on the subscription before the part is tried. Only for parts that cannot be
    /// planned. Those on the machine of Break & Fix 2 cannot be named here, since only the finding names the machine.
    pub actions: &'static [&'static str],
    /// Whether the part itself asks before it writes on real Azure, with more details.
    pub asks_itself: bool,
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
        needs: &[],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(task1::run(lab)),
    },
    Part {
        name: "task2",
        title: "Task 2: investigate Key Vault alerts",
        writes: "a workspace, a diagnostic setting",
        needs: &["task1"],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(task2::run(lab)),
    },
    Part {
        name: "task3",
        title: "Task 3: configure secret scanning, and see what it finds",
        writes: "three extensions of Defender CSPM (billed)",
        needs: &[],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(task3::run(lab)),
    },
    Part {
        name: "task4",
        title: "Task 4: generate suspicious activity, and make its alerts visible",
        writes: "twenty secrets, sample alerts",
        needs: &["task1"],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(task4::run(lab)),
    },
    Part {
        name: "task5",
        title: "Task 5: respond: mail, alert rules, an automation, Sentinel",
        writes: "an action group, two alert rules, an automation, Sentinel on the workspace (billed)",
        needs: &["task1", "task2"],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(task5::run(lab)),
    },
    Part {
        name: "task6",
        title: "Task 6: rotate what was exposed, retire the old versions, verify it",
        writes: "a new secret version, old versions disabled, sample alerts resolved",
        needs: &["task4"],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(task6::run(lab)),
    },
    Part {
        name: "break-fix-1",
        title: "Break & Fix 1: some vaults show Not covered",
        writes: "the plan KeyVaults, a diagnostic setting on every vault of the subscription",
        needs: &["task2"],
        actions: &["Microsoft.Security/pricings/write"],
        asks_itself: false,
        run: |lab| Box::pin(break_fix1::run(lab)),
    },
    Part {
        name: "break-fix-2",
        title: "Break & Fix 2: a secret in a machine's environment",
        writes: "a machine's identity and role, a new secret version, a line of its /etc/environment",
        needs: &["task4"],
        actions: &[],
        asks_itself: false,
        run: |lab| Box::pin(break_fix2::run(lab)),
    },
    Part {
        name: "cleanup",
        title: "Cleanup",
        writes: "deletes what the lab created, by name, after another question",
        needs: &[],
        actions: &[],
        asks_itself: true,
        run: |lab| Box::pin(cleanup::run(lab)),
    },
];

/// Turns a plan on. Records its state before the lab's first write, so that the cleanup can restore it.
pub(crate) async fn write_plan(
    lab: &Lab,
    pricing: &PricingClient,
    plan: &PlanName,
    step: &str,
    enable: EnablePlan,
) -> Result<PlanChange> {
    if lab.dry_run() {
        return lab.change(step, || enable.clone()).await;
    }
    let read = pricing.get(lab.subscription(), plan).await?;
    lab.remember(|state| state.about_to_write(&read))?;
    let done = lab.screen.wait(&format!("plan {plan}"), lab.change(step, || enable.clone())).await?;
    lab.remember(|state| state.wrote(&read, &done.change))?;
    Ok(done)
}

/// Records a role assignment that the lab created.
pub(crate) fn assigned(lab: &Lab, change: &Change<RoleAssignment>) -> Result<()> {
    match change {
        Change::Created(assignment) if !lab.dry_run() => {
            lab.made(Made::RoleAssignment { id: assignment.id.to_string() })
        }
        _ => Ok(()),
    }
}

/// Records a diagnostic setting that the lab created or changed. One that it created is read again, because it belongs
/// to the lab only as long as nobody changes it.
pub(crate) async fn sent(lab: &Lab, resource: &ResourceId, change: &Change<DiagnosticSetting>) -> Result<()> {
    if lab.dry_run() {
        return Ok(());
    }
    let name: ResourceName = change.current().name.parse()?;
    match change {
        Change::Created(_) => {
            let read = DiagnosticsClient::new(&lab.azure.arm).get(resource, &name).await?;
            let properties = json(&read.properties)?;
            let (resource, name) = (resource.to_string(), name.to_string());
            lab.made(Made::DiagnosticSetting { resource, name, properties })
        }
        Change::Updated { .. } => {
            lab.changed(resource.as_str(), format!("its diagnostic setting '{name}' sends more than before"))
        }
        Change::Unchanged(_) => Ok(()),
    }
}

pub(crate) fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::new(ErrorKind::DataConversion, error))
}

/// Finds a part by its name.
pub fn find(name: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.name == name)
}
