//! The table that receives Defender's alerts once Sentinel is connected.

use std::collections::HashMap;

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    kql::{Column, Kind, Scalar, Table},
    services::alerts,
    state::World,
};

pub(super) const NAME: &str = "SecurityAlert";

const PRODUCT: &str = "Azure Security Center";

type Cell = (&'static str, fn(&Value) -> Scalar);

const CELLS: &[Cell] = &[
    ("DisplayName", |alert| text(&alert["alertDisplayName"])),
    ("AlertName", |alert| text(&alert["alertDisplayName"])),
    ("AlertSeverity", |alert| text(&alert["severity"])),
    ("AlertType", |alert| text(&alert["alertType"])),
    ("CompromisedEntity", |alert| text(&alert["compromisedEntity"])),
    ("Description", |alert| text(&alert["description"])),
    ("ProductName", |_| Scalar::text(PRODUCT)),
    ("ProviderName", |_| Scalar::text(PRODUCT)),
    ("Status", |alert| text(&alert["status"])),
    ("SystemAlertId", |alert| text(&alert["systemAlertId"])),
    ("Tactics", |alert| text(&alert["intent"])),
    ("VendorName", |alert| text(&alert["vendorName"])),
    ("Type", |_| Scalar::text(NAME)),
];

fn text(value: &Value) -> Scalar {
    Scalar::text(value.as_str().unwrap_or_default())
}

fn instant(value: &Value) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(value.as_str()?, &Rfc3339).ok()
}

/// When each connector started to receive alerts, by its lower-case id.
#[derive(Debug, Default)]
struct Connected {
    since: HashMap<String, OffsetDateTime>,
}

/// The subscriptions whose alerts a workspace receives, and since when.
fn connected<'a>(
    world: &'a World,
    workspace: &'a str,
) -> impl Iterator<Item = (String, Option<OffsetDateTime>)> + 'a {
    let connectors = world.resources.of_type(workspace, "Microsoft.SecurityInsights/dataConnectors");
    connectors.filter(|connector| comes_through(connector)).map(|connector| {
        let id = connector["id"].as_str().unwrap_or_default().to_ascii_lowercase();
        let subscription = connector["properties"]["subscriptionId"].as_str().unwrap_or_default();
        (subscription.to_owned(), world.states.get::<Connected>().since.get(&id).copied())
    })
}

/// Whether a connector brings Defender's alerts into the workspace.
pub(crate) fn comes_through(connector: &Value) -> bool {
    connector["kind"] == "AzureSecurityCenter"
        && connector["properties"]["dataTypes"]["alerts"]["state"] == "Enabled"
}

/// Makes a connector, given by its lower-case id, receive alerts from now on.
pub(crate) fn connect(world: &mut World, connector: String) {
    let now = world.now();
    world.states.get_mut::<Connected>().since.insert(connector, now);
}

/// The alerts that these workspaces have received. `None` before the first.
pub(super) fn table(
    world: &World,
    workspaces: &[String],
    now: OffsetDateTime,
    span: Option<(OffsetDateTime, OffsetDateTime)>,
) -> Option<Table> {
    let mut rows = Vec::new();
    for (subscription, since) in workspaces.iter().flat_map(|id| connected(world, id)) {
        for alert in alerts::of_subscription(world, &subscription) {
            let properties = &alert["properties"];
            let began = instant(&properties["startTimeUtc"]);
            // Alerts raised before the connection are never received.
            if since.is_some_and(|since| began.is_none_or(|began| began < since)) {
                continue;
            }
            let Some(raised) = instant(&properties["timeGeneratedUtc"]) else { continue };
            let mut row = vec![Scalar::Time(raised.min(now))];
            row.extend(CELLS.iter().map(|(_, cell)| cell(properties)));
            row.push(Scalar::Dynamic(properties["extendedProperties"].clone()));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return None;
    }
    rows.retain(|row| match (span, &row[0]) {
        (Some((from, to)), Scalar::Time(at)) => from <= *at && *at <= to,
        _ => true,
    });
    let mut columns = vec![Column::new("TimeGenerated", Kind::DateTime)];
    columns.extend(CELLS.iter().map(|(name, _)| Column::new(*name, Kind::String)));
    columns.push(Column::new("ExtendedProperties", Kind::Dynamic));
    Some(Table { columns, rows, open: true })
}
