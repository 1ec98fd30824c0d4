//! Tables that several parts show.

use std::time::Duration;

use defender_alerts::{Alert, Assessment, Finding};
use defender_pricing::{PlanCoverage, Pricing};
use time::OffsetDateTime;

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

/// Alerts, one a row.
pub(crate) fn alerts(lab: &Lab, alerts: &[Alert]) {
    let rows = alerts.iter().map(|alert| {
        [
            alert.alert_type.clone(),
            alert.display_name.clone(),
            alert.severity.to_string(),
            alert.status.to_string(),
            alert.start_time.map(time).unwrap_or_default(),
        ]
    });
    lab.screen.table("Key Vault alerts", ["type", "name", "severity", "status", "time"], rows);
}

/// Recommendations, one a row.
pub(crate) fn recommendations(lab: &Lab, name: &str, found: &[Assessment]) {
    let rows = found.iter().map(|assessment| {
        [
            assessment.display_name.clone(),
            assessment.severity().as_ref().map(ToString::to_string).unwrap_or_default(),
            assessment.status.code.to_string(),
            assessment.id.scope().to_string().rsplit('/').next().unwrap_or_default().to_owned(),
        ]
    });
    lab.screen.table(name, ["recommendation", "severity", "state", "on"], rows);
}

/// The extensions of a plan, one a row.
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

/// What triage says of an alert.
pub(crate) fn finding(lab: &Lab, finding: &Finding) {
    let list = |items: &[String]| items.join(", ");
    let span = match (finding.first, finding.last) {
        (Some(first), Some(last)) => format!("{} to {}", time(first), time(last)),
        _ => String::new(),
    };
    let tenant = match finding.caller.in_tenant {
        Some(true) => "of this tenant",
        Some(false) => "of another tenant",
        None => "tenant unknown",
    };
    let mut rows = vec![
        ["alert".to_owned(), format!("{} ({})", finding.title, finding.severity)],
        ["caller".to_owned(), format!("{}, {tenant}", finding.caller.name().unwrap_or("not known"))],
        ["operations".to_owned(), list(&finding.operations)],
        ["secrets".to_owned(), list(&finding.secrets)],
        ["time".to_owned(), span],
    ];
    rows.extend(finding.missing.iter().map(|missing| ["missing".to_owned(), missing.to_string()]));
    rows.extend(
        finding.steps.iter().map(|step| [format!("{:?}", step.phase).to_lowercase(), step.text.to_string()]),
    );
    lab.screen.table("Triage", ["", "what is known, and what to do"], rows);
}

fn time(instant: OffsetDateTime) -> String {
    let text = arm_core::wire::instant::format(instant);
    text.get(..19).map_or(text.clone(), |seconds| seconds.replace('T', " "))
}
