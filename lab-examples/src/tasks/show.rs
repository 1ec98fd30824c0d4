//! Tables that several parts show.

use arm_core::wire::instant;
use defender_alerts::{Alert, Assessment, Finding};
use defender_pricing::{PlanCoverage, Pricing};

use crate::{
    Lab,
    screen::{Cell, Kind},
};

/// Shows all plans, one per row.
pub(crate) fn plans(lab: &Lab, coverage: &[PlanCoverage]) {
    let rows = coverage.iter().map(|row| {
        let on = row.extensions_on.len();
        let extensions = on + row.extensions_off.len() + row.extensions_failed.len();
        let replaced: Vec<&str> = row.replaced_by.iter().map(|plan| plan.as_str()).collect();
        let extensions_on = if extensions == 0 { Cell::none(Kind::Part) } else { Cell::part(on, extensions) };
        let plan = format!(
            "/subscriptions/{}/providers/Microsoft.Security/pricings/{}",
            lab.subscription(),
            row.plan
        );
        [
            Cell::id(plan),
            row.tier.to_string().into(),
            row.sub_plan.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            row.status.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            row.trial_left.map_or(Cell::none(Kind::Days), Cell::days),
            extensions_on,
            if row.deprecated { format!("deprecated: {}", replaced.join(", ")) } else { String::new() }
                .into(),
        ]
    });
    let columns = ["plan", "tier", "sub-plan", "coverage", "trial left", "extensions on", "remark"];
    lab.screen.table("Defender plans", columns, rows);
}

/// Shows alerts, one per row.
pub(crate) fn alerts(lab: &Lab, alerts: &[Alert]) {
    let rows = alerts.iter().map(|alert| {
        [
            Cell::from(alert.alert_type.clone()),
            alert.display_name.clone().into(),
            alert.severity.to_string().into(),
            alert.status.to_string().into(),
            alert.start_time.map_or(Cell::none(Kind::Time), Cell::time),
            Cell::id(&alert.id).unseen(),
        ]
    });
    lab.screen.table("Key Vault alerts", ["type", "name", "severity", "status", "time", "id"], rows);
}

/// Shows recommendations, one per row.
pub(crate) fn recommendations(lab: &Lab, name: &str, found: &[Assessment]) {
    let rows = found.iter().map(|assessment| {
        [
            Cell::from(assessment.display_name.clone()),
            assessment.severity().as_ref().map(ToString::to_string).unwrap_or_default().into(),
            assessment.status.code.to_string().into(),
            Cell::id(assessment.id.scope()),
            Cell::id(&assessment.id).unseen(),
        ]
    });
    lab.screen.table(name, ["recommendation", "severity", "state", "on", "id"], rows);
}

/// Shows the extensions of a plan, one per row.
pub(crate) fn extensions(lab: &Lab, name: &str, plan: &Pricing) {
    let rows = plan.extensions.iter().map(|extension| {
        let state = match (extension.has_failed(), extension.is_enabled) {
            (true, _) => "failed",
            (false, true) => "on",
            (false, false) => "off",
        };
        [extension.name.to_string(), state.to_owned()]
    });
    lab.screen.table(name, ["extension", "state"], rows);
}

/// Shows the triage of an alert.
pub(crate) fn finding(lab: &Lab, finding: &Finding) {
    let list = |items: &[String]| Cell::list(items).shown(items.join(", "));
    let span = match (finding.first, finding.last) {
        (Some(first), Some(last)) => {
            let shown = format!("{} to {}", Cell::time(first).shown, Cell::time(last).shown);
            Cell::list([first, last].map(instant::format)).shown(shown)
        }
        _ => Cell::none(Kind::List),
    };
    let tenant = match finding.caller.in_tenant {
        Some(true) => "of this tenant",
        Some(false) => "of another tenant",
        None => "tenant unknown",
    };
    let caller = format!("{}, {tenant}", finding.caller.name().unwrap_or("not known"));
    let mut rows = vec![
        ["alert".into(), format!("{} ({})", finding.title, finding.severity).into()],
        ["caller".into(), caller.into()],
        ["operations".into(), list(&finding.operations)],
        ["secrets".into(), list(&finding.secrets)],
        ["time".into(), span],
    ];
    rows.extend(finding.missing.iter().map(|missing| ["missing".into(), missing.to_string().into()]));
    let steps = finding.steps.iter();
    rows.extend(
        steps.map(|step| [format!("{:?}", step.phase).to_lowercase().into(), step.text.to_string().into()]),
    );
    lab.screen.table("Triage", ["", "what is known, and what to do"], rows);
}
