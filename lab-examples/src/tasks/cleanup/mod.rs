//! Cleanup: deletes what the lab created, and lists what stays. It also works after an unfinished lab.
//!
//! It deletes only what is known to belong to the lab: resources that currently have its tag, and resources without
//! tags that the lab recorded after it created them. Everything else is kept and listed.

mod apply;
mod changes;
mod plan;
mod plans;
mod thing;

use azure_core::Result;
use defender_playbooks::plan::Step;

use self::{
    changes::Removal,
    plan::CleanupPlan,
    thing::{Look, Thing},
};
use crate::Lab;

/// The plan's step.
const STEP: &str = "cleanup: what the lab created";

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    if lab.is_planning() {
        return lab.work(Step::new(STEP), |_| removal(lab, None)).await.map(drop);
    }
    let plan = lab.screen.wait("existing resources", CleanupPlan::read(lab)).await?;
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
        let planned = &plan;
        lab.work(Step::new(STEP), |mode| removal(lab, Some(planned).filter(|_| !mode.is_dry_run()))).await?;
    }
    if !lab.dry_run() {
        let left = CleanupPlan::read(lab).await?;
        stays(lab, "What stays", &left);
    }
    lab.screen.difference(
        "deleting the group cleans up",
        "keeps the vault soft-deleted for up to 90 days and continues to bill the plans",
        "list what stays",
    );
    Ok(())
}

/// Carries out the planned cleanup. Without one, returns what would be done now.
async fn removal(lab: &Lab, planned: Option<&CleanupPlan>) -> Result<Removal> {
    match planned {
        None => Ok(Removal::of(&CleanupPlan::read(lab).await?)),
        Some(planned) => {
            let gone = apply::run(lab, planned).await?;
            Ok(Removal::of(planned).only(&gone))
        }
    }
}

/// Lists what stays.
fn stays(lab: &Lab, title: &str, plan: &CleanupPlan) {
    lab.screen.list(title, ["what", "how"], plan.stays.clone());
}
