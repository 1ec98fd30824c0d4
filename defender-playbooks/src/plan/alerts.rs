//! The planned changes of tasks on alerts.

use std::fmt;

use arm_core::{Change, Outcome};
use azure_core::Result;
use defender_alerts::{AlertId, AlertStatus, SetStatusReport};
use serde_json::{Value, json};

use super::{Changes, PlanAction, PlannedChange, PlannedKind, PlannedResource, resources::refused};

/// The part of an alert that tasks change: its status.
#[derive(Debug)]
pub struct PlannedAlert {
    id: String,
    status: AlertStatus,
}

impl PlannedKind for PlannedAlert {
    const ROLE: &'static str = "Security Admin";
    const PERMISSION: &'static str = "Microsoft.Security/locations/alerts/simulate/action";
}

impl PlannedResource for PlannedAlert {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn shown(&self) -> Result<Value> {
        Ok(json!({ "properties": { "status": self.status.to_string() } }))
    }
}

impl PlannedAlert {
    /// Plans an action on a sample alert.
    pub fn sample(action: PlanAction, id: impl Into<String>) -> PlannedChange {
        PlannedChange::of::<Self>(action, id)
    }

    /// Plans the creation of sample alerts, whose ids the service assigns.
    pub fn samples_below(parent: impl fmt::Display) -> PlannedChange {
        PlannedChange::create_below::<Self>(parent)
    }

    /// Plans a new status for alerts that an earlier step of the same plan creates.
    pub fn status_below(parent: impl fmt::Display, from: &AlertStatus, to: &AlertStatus) -> PlannedChange {
        let change = PlannedChange::below::<Self>(PlanAction::Update, parent);
        let status = |status: &AlertStatus| Some(json!(status.to_string()));
        set(to, change.member("properties.status", status(from), status(to)))
    }
}

/// Replaces the permission with the one for setting this status.
fn set(status: &AlertStatus, change: PlannedChange) -> PlannedChange {
    let action = match status {
        AlertStatus::Active => "activate",
        AlertStatus::Dismissed => "dismiss",
        AlertStatus::InProgress => "inProgress",
        _ => "resolve",
    };
    PlannedChange { permission: format!("Microsoft.Security/locations/alerts/{action}/action"), ..change }
}

impl Changes for SetStatusReport {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let one = |outcome: &Outcome<AlertId, Change<AlertStatus>>| {
            let id = outcome.target.to_string();
            let change = outcome.result.as_ref().map_err(|error| refused(&id, error))?;
            let alert = change.clone().map(|status| PlannedAlert { id: id.clone(), status });
            Ok(set(change.current(), PlannedChange::from_change(&alert)?))
        };
        self.outcomes.iter().map(one).collect()
    }
}
