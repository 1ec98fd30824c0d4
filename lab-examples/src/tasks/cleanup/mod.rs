//! Cleanup: what the lab made goes, and what stays is named. Can be run after a half-finished lab.
//!
//! Nothing is deleted but what is known to be the lab's: what carries its tag on a read just now, and what has no tag
//! but was noted after a write where a read before had found nothing. All else is kept and listed.

mod apply;
mod plan;
mod plans;
mod thing;

use azure_core::Result;

use self::{
    plan::CleanupPlan,
    thing::{Look, Thing},
};
use crate::Lab;

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    let plan = lab.screen.wait("what is there", CleanupPlan::read(lab)).await?;
    let rows = plan.deleted_rows();
    let anything = !rows.is_empty() || !plan.plans.is_empty();
    lab.screen.list("Will be deleted", ["what", "why"], rows);
    if lab.dry_run() || lab.options.live {
        stays(lab, "Will stay", &plan);
    }
    if !anything {
        lab.screen.step("the cleanup", "unchanged", "nothing of this lab is left to delete");
    } else if lab.dry_run() {
        plan.steps().for_each(|what| lab.screen.step(what, "would change", ""));
    } else {
        lab.ask(&plan.question())?;
        apply::run(lab, &plan).await?;
    }
    if !lab.dry_run() {
        let left = CleanupPlan::read(lab).await?;
        stays(lab, "What stays", &left);
    }
    lab.screen.difference(
        "deleting the group cleans up",
        "keeps the vault soft-deleted for up to 90 days and goes on billing the plans",
        "list what stays",
    );
    Ok(())
}

/// A cleanup that hides what it leaves is none.
fn stays(lab: &Lab, title: &str, plan: &CleanupPlan) {
    lab.screen.list(title, ["what", "how"], plan.stays.clone());
}
