//! The secure score of each subscription, calculated from its assessments.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    services::assessments,
    state::{Accepts, GraphRow, Surface, World},
};

const VERSIONS: &[&str] = &["2020-01-01"];

pub(crate) const SURFACE: Surface = Surface {
    types: &[
        ("Microsoft.Security/secureScores", VERSIONS),
        ("Microsoft.Security/secureScores/secureScoreControls", VERSIONS),
        ("Microsoft.Security/secureScoreControls", VERSIONS),
        ("Microsoft.Security/secureScoreControlDefinitions", VERSIONS),
    ],
    options: &[("$expand", Accepts::Words(&["definition"]))],
    graph_rows: Some(rows),
    answer,
    ..Surface::EMPTY
};

const SCORE: &str = "ascScore";

/// A security control: its name, maximum score, and the recommendations that count towards it.
struct Control {
    name: &'static str,
    title: &'static str,
    max: u32,
    keys: &'static [&'static str],
}

const CONTROLS: &[Control] = &[
    Control {
        name: "2d85f639-0bea-4a4a-b6c6-608952a1414a",
        title: "Manage access and permissions",
        max: 4,
        keys: &["14257785-9437-97fa-11ae-898cfb24302b", "1aabfa0d-7585-f9f5-1d92-ecb40291d9f2"],
    },
    Control {
        name: "27b24961-75ba-4fe4-8909-97286d5dd5ee",
        title: "Enable auditing and logging",
        max: 1,
        keys: &["88bbc99c-e5af-ddd7-6105-6150b2bfa519"],
    },
    Control {
        name: "4db8d6cf-075b-4149-a813-da09ca2ae120",
        title: "Enable enhanced security features",
        max: 1,
        keys: &["b1af52e4-e968-4e2b-b6d0-6736c9651f0a"],
    },
    Control {
        name: "a3eaa6a4-d6b8-4b2e-9d3a-1c0b7b1a0001",
        title: "Restrict unauthorized network access",
        max: 4,
        keys: &["52f7826a-ace7-3107-dd0d-4875853c1576", "2e96bc2f-1972-e471-9e70-ae58d41e9d2a"],
    },
    Control {
        name: "a3eaa6a4-d6b8-4b2e-9d3a-1c0b7b1a0002",
        title: "Remediate vulnerabilities",
        max: 6,
        keys: &["1195afff-c881-495e-9bc5-1486211ae03f", assessments::MACHINE_SECRETS],
    },
];

impl Control {
    fn definition(&self) -> Value {
        let key =
            |key: &&str| json!({ "id": format!("/providers/Microsoft.Security/assessmentMetadata/{key}") });
        json!({
            "id": format!("/providers/Microsoft.Security/SecureScoreControlDefinitions/{}", self.name),
            "name": self.name,
            "type": "Microsoft.Security/SecureScoreControlDefinitions",
            "properties": {
                "source": { "sourceType": "BuiltIn" },
                "displayName": self.title,
                "description": format!("Recommendations that belong to: {}.", self.title),
                "maxScore": self.max,
                "assessmentDefinitions": self.keys.iter().map(key).collect::<Vec<_>>(),
            },
        })
    }

    /// The subscription's score for the control, and the maximum score.
    fn score(&self, counts: [u64; 3]) -> (f64, u32) {
        let [healthy, unhealthy, _] = counts;
        match healthy + unhealthy {
            0 => (0.0, 0),
            all => (f64::from(self.max) * healthy as f64 / all as f64, self.max),
        }
    }

    fn show(&self, world: &World, subscription: &str, with_definition: bool) -> Value {
        let counts = assessments::counts(world, subscription, self.keys);
        let (current, max) = self.score(counts);
        let name = self.name;
        let mut control = json!({
            "id": format!("/subscriptions/{subscription}/providers/Microsoft.Security/secureScores/{SCORE}/secureScoreControls/{name}"),
            "name": name,
            "type": "Microsoft.Security/secureScores/secureScoreControls",
            "properties": {
                "displayName": self.title,
                "healthyResourceCount": counts[0],
                "unhealthyResourceCount": counts[1],
                "notApplicableResourceCount": counts[2],
                "score": points(current, max),
                "weight": counts[0] + counts[1],
            },
        });
        if with_definition {
            control["properties"]["definition"] = self.definition();
        }
        control
    }
}

/// A score, written as an integer if it has no fraction.
fn points(current: f64, max: u32) -> Value {
    let rounded = |value: f64, digits: f64| {
        let value = (value * digits).round() / digits;
        if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
    };
    let share = if max == 0 { 0.0 } else { current / f64::from(max) };
    json!({ "max": max, "current": rounded(current, 100.0), "percentage": rounded(share, 10_000.0) })
}

fn score(world: &World, subscription: &str) -> Value {
    let of = |control: &Control| {
        let counts = assessments::counts(world, subscription, control.keys);
        let (current, max) = control.score(counts);
        (current, max, counts[0] + counts[1])
    };
    let (current, max, weight) = CONTROLS
        .iter()
        .map(of)
        .fold((0.0, 0, 0), |(a, b, c), (current, max, weight)| (a + current, b + max, c + weight));
    json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Security/secureScores/{SCORE}"),
        "name": SCORE,
        "type": "Microsoft.Security/secureScores",
        "properties": { "displayName": "ASC score", "score": points(current, max), "weight": weight },
    })
}

fn rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    let mut all = vec![score(world, subscription)];
    all[0]["type"] = json!("microsoft.security/securescores");
    all.extend(CONTROLS.iter().map(|control| {
        let mut row = control.show(world, subscription, false);
        row["type"] = json!("microsoft.security/securescores/securescorecontrols");
        row
    }));
    all.into_iter().map(|row| ("securityresources", row)).collect()
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if call.method != Method::Get {
        return None;
    }
    let path = call.path();
    let (subscription, rest) = match path.as_slice() {
        ["subscriptions", _, "providers", "microsoft.security", rest @ ..] => (call.spelled(1), rest),
        ["providers", "microsoft.security", "securescorecontroldefinitions"] => ("", &path[2..]),
        _ => return None,
    };
    let with_definition = call.query("$expand").is_some_and(|part| part.eq_ignore_ascii_case("definition"));
    let controls =
        || CONTROLS.iter().map(|control| control.show(world, subscription, with_definition)).collect();
    let all: Vec<Value> = match rest {
        ["securescores"] => vec![score(world, subscription)],
        ["securescores", name] => return Some(only(name, || Reply::ok(score(world, subscription)))),
        ["securescores", name, "securescorecontrols"] if !name.eq_ignore_ascii_case(SCORE) => {
            return Some(only(name, || Reply::empty(200)));
        }
        ["securescores", _, "securescorecontrols"] | ["securescorecontrols"] => controls(),
        ["securescorecontroldefinitions"] => CONTROLS.iter().map(Control::definition).collect(),
        _ => return None,
    };
    Some(paging::page(&world.paging, call, 100, all.iter()))
}

fn only(name: &str, reply: impl FnOnce() -> Reply) -> Reply {
    if name.eq_ignore_ascii_case(SCORE) {
        return reply();
    }
    // Documented: a subscription has only one score, 'ascScore'.
    Reply::arm_error(404, "ResourceNotFound", format!("The secure score '{name}' was not found."))
}
