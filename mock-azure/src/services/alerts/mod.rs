//! Defender's alerts.

mod catalog;
mod seed;
mod shape;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    services::suppression_rules,
    state::{GraphRow, Parts, Surface, World, operations},
};
use catalog::{KEY_VAULT, Kind, OTHERS, PLANS};
use shape::Draft;

const VERSIONS: &[&str] = &["2019-01-01", "2020-01-01", "2021-01-01", "2021-11-01", LONG_RUNNING_SIMULATION];
/// Before this api-version, a simulation returns 204 without a link to poll.
const LONG_RUNNING_SIMULATION: &str = "2022-01-01";

pub(crate) const SURFACE: Surface = Surface {
    types: &[("Microsoft.Security/alerts", VERSIONS), ("Microsoft.Security/locations/alerts", VERSIONS)],
    graph_rows: Some(rows),
    answer,
    ..Surface::EMPTY
};

/// All alerts, newest seeded last.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    all: Vec<Record>,
}

/// An alert and its location.
#[derive(Debug)]
struct Record {
    subscription: String,
    group: Option<String>,
    location: String,
    /// The last segment of the id; the alert's `name` may differ.
    key: String,
    status: Option<&'static str>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Whole(Box<Value>),
    Numbered { tenant: String, number: u64 },
}

impl Record {
    fn whole(alert: Value) -> Self {
        let id = alert["id"].as_str().unwrap_or_default().to_owned();
        let parts = Parts::of(&id);
        let segments: Vec<&str> = id.split('/').collect();
        let after = |name: &str| {
            let at = segments.iter().position(|segment| segment.eq_ignore_ascii_case(name))?;
            segments.get(at + 1).map(|segment| segment.to_ascii_lowercase())
        };
        Self {
            subscription: parts.subscription.to_ascii_lowercase(),
            group: parts.group.map(str::to_ascii_lowercase),
            location: after("locations").unwrap_or_default(),
            key: after("alerts").unwrap_or_default(),
            status: None,
            body: Body::Whole(Box::new(alert)),
        }
    }

    fn numbered(world: &World, subscription: &str, number: u64) -> Self {
        Self {
            subscription: subscription.to_ascii_lowercase(),
            group: Some("rg-fleet".to_owned()),
            location: shape::LOCATION.to_owned(),
            key: seed::numbered_name(&world.tenant, subscription, number),
            status: None,
            body: Body::Numbered { tenant: world.tenant.clone(), number },
        }
    }

    fn show(&self) -> Value {
        let mut alert = match &self.body {
            Body::Whole(alert) => (**alert).clone(),
            Body::Numbered { tenant, number } => seed::numbered(tenant, &self.subscription, *number),
        };
        if let Some(status) = self.status {
            alert["properties"]["status"] = json!(status);
        }
        alert
    }

    fn is_in(&self, place: &Place<'_>) -> bool {
        self.subscription == place.subscription
            && place.group.is_none_or(|group| self.group.as_deref() == Some(group))
            && place.location.is_none_or(|location| self.location == location)
    }
}

/// The alerts of a subscription, as a GET returns them.
pub(crate) fn of_subscription<'a>(
    world: &'a World,
    subscription: &'a str,
) -> impl Iterator<Item = Value> + 'a {
    let all = world.states.get::<Alerts>().all.iter();
    all.filter(|record| record.subscription.eq_ignore_ascii_case(subscription)).map(Record::show)
}

/// The location of the alerts that a request addresses.
struct Place<'a> {
    subscription: &'a str,
    group: Option<&'a str>,
    location: Option<&'a str>,
}

/// All alerts of a subscription, as rows of Resource Graph's table.
fn rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    let place = Place { subscription: &subscription.to_ascii_lowercase(), group: None, location: None };
    let records = world.states.get::<Alerts>().all.iter().filter(|record| record.is_in(&place));
    let row = |record: &Record| {
        let mut row = record.show();
        row["type"] = json!("microsoft.security/locations/alerts");
        row["properties"] = in_pascal_case(&row["properties"]);
        ("securityresources", row)
    };
    records.map(row).collect()
}

/// Resource Graph uses Pascal case for the names of an alert's members and of those in its lists, and two times lack
/// their `Utc` suffix.
fn in_pascal_case(value: &Value) -> Value {
    let spelled = |name: &str| match name {
        "timeGeneratedUtc" => "TimeGenerated".to_owned(),
        "processingEndTimeUtc" => "ProcessingEndTime".to_owned(),
        _ => name[..1].to_ascii_uppercase() + &name[1..],
    };
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| {
                let own = name == "extendedProperties" || name == "supportingEvidence";
                (spelled(name), if own { value.clone() } else { in_pascal_case(value) })
            };
            fields.iter().filter(|(name, _)| !name.is_empty()).map(field).collect()
        }
        Value::Array(items) => items.iter().map(in_pascal_case).collect(),
        other => other.clone(),
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let (place, rest) = match path.as_slice() {
        ["subscriptions", subscription, "providers", "microsoft.security", rest @ ..] => {
            (Place { subscription, group: None, location: None }, rest)
        }
        [
            "subscriptions",
            subscription,
            "resourcegroups",
            group,
            "providers",
            "microsoft.security",
            rest @ ..,
        ] => (Place { subscription, group: Some(group), location: None }, rest),
        _ => return None,
    };
    let (place, rest) = match rest {
        ["alerts"] => (place, &[][..]),
        ["locations", location, "alerts", rest @ ..] => (Place { location: Some(location), ..place }, rest),
        _ => return None,
    };
    match (call.method, rest) {
        (Method::Get, []) => {
            let records = world.states.get::<Alerts>().all.iter().filter(|record| record.is_in(&place));
            Some(paging::page_of(&world.paging, call, 100, records, Record::show))
        }
        (Method::Get, [name]) => Some(match find(world, &place, name) {
            Some(record) => Reply::ok(record.show()),
            None => not_found(call),
        }),
        (Method::Post, ["default", "simulate"]) if place.group.is_none() => {
            Some(simulate(world, call, &place))
        }
        (Method::Post, [name, verb]) => {
            let status = match *verb {
                "dismiss" => "Dismissed",
                "resolve" => "Resolved",
                "activate" => "Active",
                "inprogress" => "InProgress",
                _ => return None,
            };
            Some(match find(world, &place, name) {
                Some(record) => {
                    record.status = Some(status);
                    Reply::empty(204)
                }
                None => not_found(call),
            })
        }
        _ => None,
    }
}

fn find<'a>(world: &'a mut World, place: &Place<'_>, name: &str) -> Option<&'a mut Record> {
    let records = &mut world.states.get_mut::<Alerts>().all;
    records.iter_mut().find(|record| record.is_in(place) && record.key.eq_ignore_ascii_case(name))
}

/// Documented: 404 for an alert that does not exist at this location.
fn not_found(call: &Call) -> Reply {
    let message = format!("The alert '{}' was not found in this location.", call.id(call.len()));
    Reply::arm_error(404, "ResourceNotFound", message)
}

/// Recorded: the number of samples for Key Vault.
const VAULT_SAMPLES: usize = 5;

/// The group in the ids of samples. There is no such group: only subscription-level paths reach samples.
const SAMPLE_GROUP: &str = "Sample-RG";

/// Creates the sample alerts of the requested bundles when the operation completes.
fn simulate(world: &mut World, call: &Call, place: &Place<'_>) -> Reply {
    let bundles = match bundles(call.json()) {
        Ok(bundles) => bundles,
        Err(refusal) => return *refusal,
    };
    let (subscription, location) =
        (place.subscription.to_owned(), place.location.unwrap_or_default().to_owned());
    let add_samples = move |world: &mut World| {
        let all = KEY_VAULT.iter().take(VAULT_SAMPLES).chain(OTHERS);
        for kind in all.filter(|kind| bundles.contains(&kind.plan)) {
            add_sample(world, kind, &subscription, &location);
        }
    };
    if call.api_version() < LONG_RUNNING_SIMULATION {
        add_samples(world);
        return Reply::empty(204);
    }
    let operation = operations::start(world, &call.key(), move |world, outcome| {
        if outcome.is_ok() {
            add_samples(world);
        }
        None
    });
    operations::accepted(world, call, &operation)
}

/// Documented: the kind is 'Bundles', and at least one bundle is required.
fn bundles(body: &Value) -> Result<Vec<&'static str>, Box<Reply>> {
    let properties = &body["properties"];
    let kind = properties["kind"].as_str().unwrap_or_default();
    if !kind.eq_ignore_ascii_case("Bundles") {
        return Err(Box::new(Reply::unknown("kind of a simulation", kind, &["Bundles"])));
    }
    let asked = properties["bundles"].as_array().filter(|bundles| !bundles.is_empty());
    let asked =
        asked.ok_or_else(|| Box::new(Reply::bad_request("The simulation needs at least one bundle.")))?;
    let known = |bundle: &Value| {
        let name = bundle.as_str().unwrap_or_default();
        let plan = PLANS.iter().find(|plan| plan.bundle.eq_ignore_ascii_case(name));
        plan.map(|plan| plan.bundle).ok_or_else(|| {
            let known: Vec<&str> = PLANS.iter().map(|plan| plan.bundle).collect();
            Box::new(Reply::unknown("bundle of sample alerts", name, &known))
        })
    };
    asked.iter().map(known).collect()
}

fn add_sample(world: &mut World, kind: &'static Kind, subscription: &str, location: &str) {
    let plan = kind.plan();
    let resource = format!(
        "/SUBSCRIPTIONS/{subscription}/RESOURCEGROUPS/{SAMPLE_GROUP}/providers/{}/{}",
        plan.resource_type, plan.sample
    );
    let draft = Draft {
        kind,
        tenant: &world.tenant,
        subscription,
        group: Some(SAMPLE_GROUP),
        location,
        resource: &resource,
        number: world.states.get::<Alerts>().all.len() as u64,
        started: world.now(),
        sample: true,
    };
    let alert = draft.into_alert();
    let suppressed = suppression_rules::suppresses(world, subscription, &alert);
    let mut record = Record::whole(alert);
    record.status = suppressed.then_some("Dismissed");
    world.states.get_mut::<Alerts>().all.push(record);
}
