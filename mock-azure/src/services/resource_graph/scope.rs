//! The subscriptions that a query covers.

use serde_json::Value;

use super::{Problem, ResourceGraph};
use crate::{services::subscriptions::Subscriptions, state::World};

/// The maximum number of subscriptions that one query covers.
const MOST: usize = 10_000;

pub(super) struct Scope {
    pub(super) subscriptions: Vec<String>,
    /// Whether the tenant has more subscriptions than a query can cover.
    pub(super) cut: bool,
}

impl Scope {
    pub(super) fn read(world: &World, body: &Value) -> Result<Self, Problem> {
        let named = names(body, "subscriptions")?;
        let groups = names(body, "managementGroups")?;
        let mut wanted: Vec<String> = match (named.is_empty(), groups.is_empty()) {
            (false, true) => {
                named.iter().filter_map(|id| world.states.get::<Subscriptions>().spelled(id)).collect()
            }
            (true, false) => groups.iter().flat_map(|group| members(world, group)).collect(),
            (true, true) => world.states.get::<Subscriptions>().all().to_vec(),
            (false, false) => {
                let message = "The request cannot name both subscriptions and management groups.";
                return Err(Problem::new("InvalidQueryRequest", message));
            }
        };
        // Documented: one of the two, and at least one subscription that exists.
        let mut seen = std::collections::HashSet::new();
        wanted.retain(|id| seen.insert(id.to_ascii_lowercase()));
        if wanted.is_empty() && !(named.is_empty() && groups.is_empty()) {
            let given = if named.is_empty() { groups.join("', '") } else { named.join("', '") };
            return Err(Problem::new(
                "NoValidSubscriptionsInQueryRequest",
                format!(
                    "There must be at least one subscription that is eligible to contain resources. Given: '{given}'."
                ),
            ));
        }
        let cut = wanted.len() > MOST;
        wanted.truncate(MOST);
        Ok(Self { subscriptions: wanted, cut })
    }
}

fn names<'a>(body: &'a Value, key: &str) -> Result<Vec<&'a str>, Problem> {
    let refused = || Problem::new("InvalidQueryRequest", format!("'{key}' must be a list of strings."));
    match &body[key] {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => list.iter().map(|item| item.as_str().ok_or_else(refused)).collect(),
        _ => Err(refused()),
    }
}

/// The subscriptions of a management group that the caller can see. Empty if there is no such group.
pub(crate) fn members(world: &World, group: &str) -> Vec<String> {
    let all = all_members(world, group).unwrap_or_default();
    all.iter().filter_map(|id| world.states.get::<Subscriptions>().spelled(id)).collect()
}

/// All subscriptions of a management group. `None` if there is no such group.
pub(crate) fn all_members(world: &World, group: &str) -> Option<Vec<String>> {
    let seen = world.states.get::<Subscriptions>().all().iter();
    let groups = &world.states.get::<ResourceGraph>().management_groups;
    if group.eq_ignore_ascii_case(&world.tenant) {
        let mut all: Vec<String> = seen.cloned().collect();
        let others = groups.iter().flat_map(|(_, ids)| ids);
        for id in others {
            if !all.iter().any(|known| known.eq_ignore_ascii_case(id)) {
                all.push(id.clone());
            }
        }
        return Some(all);
    }
    let mut found = groups.iter().filter(|(name, _)| name.eq_ignore_ascii_case(group)).peekable();
    found.peek()?;
    Some(found.flat_map(|(_, ids)| ids.clone()).collect())
}
