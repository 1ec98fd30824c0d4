//! Tables that several parts show.

use std::time::Duration;

use defender_pricing::PlanCoverage;

use crate::Lab;

/// All plans, one a row.
pub(crate) fn plans(lab: &Lab, coverage: &[PlanCoverage]) {
    let rows = coverage.iter().map(|row| {
        let on = row.extensions_on.len();
        let extensions = on + row.extensions_off.len() + row.extensions_failed.len();
        let replaced = row.replaced_by.iter().map(|plan| plan.as_str()).collect::<Vec<_>>().join(", ");
        [
            row.plan.to_string(),
            row.tier.to_string(),
            row.sub_plan.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.status.as_ref().map(ToString::to_string).unwrap_or_default(),
            row.trial_left.map(days).unwrap_or_default(),
            if extensions == 0 { String::new() } else { format!("{on} of {extensions}") },
            if row.deprecated { format!("deprecated: {replaced}") } else { String::new() },
        ]
    });
    let columns = ["plan", "tier", "sub-plan", "coverage", "trial left", "extensions on", "remark"];
    lab.screen.table("Defender plans", columns, rows);
}

fn days(left: Duration) -> String {
    format!("{} days", left.as_secs() / 86_400)
}
