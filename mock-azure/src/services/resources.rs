//! The list of all resources of a subscription or group.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, filter::quoted, paging},
    services::resource_groups,
    state::{Accepts, At, Seed, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[("Microsoft.Resources/subscriptions/resources", resource_groups::VERSIONS)],
    options: &[
        ("$filter", Accepts::Read),
        ("$top", Accepts::Count),
        ("$expand", Accepts::Words(&["provisioningState"])),
    ],
    answer,
    ..Surface::EMPTY
};

impl Seed {
    /// Adds a resource of any type, as a GET would return it. It must have `id`, `name` and `type`.
    pub fn resource(self, resource: Value) -> Self {
        self.step(move |world| world.resources.put(resource))
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let scope = match (call.method, call.path().as_slice()) {
        (Method::Get, ["subscriptions", _, "resources"]) => call.id(2),
        (Method::Get, ["subscriptions", _, "resourcegroups", _, "resources"]) => call.id(4),
        _ => return None,
    };
    let Some(conditions) = conditions(call.query("$filter").unwrap_or_default()) else {
        let known = [
            "resourceType, name, location, resourceGroup eq or ne '{value}'",
            "tagName, tagValue eq '{value}'",
            "these joined by 'and'",
        ];
        return Some(Reply::unknown("$filter", call.query("$filter").unwrap_or_default(), &known));
    };
    let with_state = call.query("$expand").is_some();
    let listed: Vec<Value> = world
        .resources
        .below(&scope)
        .filter(|resource| is_top_level(resource))
        .filter(|resource| conditions.iter().all(|condition| condition.holds(resource)))
        .map(|resource| brief(resource, with_state))
        .collect();
    Some(paging::page(&world.paging, call, 1000, listed.iter()))
}

/// One comparison of a filter, such as `resourceType eq 'Microsoft.KeyVault/vaults'`.
struct Condition {
    equal: bool,
    field: Field,
    value: String,
}

enum Field {
    Text(&'static str),
    ResourceGroup,
    /// Any tag with this name, whatever its value.
    TagName,
    /// Any tag with this value, whatever its name.
    TagValue,
    /// The tag with this name and value: `tagName eq 'a' and tagValue eq 'b'` is about one tag.
    Tag(String),
}

impl Condition {
    fn holds(&self, resource: &Value) -> bool {
        let is = |text: &str| text.eq_ignore_ascii_case(&self.value);
        let text = |key: &str| resource[key].as_str().unwrap_or_default();
        let tags = || resource["tags"].as_object().into_iter().flatten();
        let found = match &self.field {
            Field::Text(key) => is(text(key)),
            Field::ResourceGroup => text("id").split('/').nth(4).is_some_and(is),
            Field::TagName => tags().any(|(name, _)| is(name)),
            Field::TagValue => tags().any(|(_, value)| value == self.value.as_str()),
            Field::Tag(tag) => {
                tags().any(|(name, value)| name.eq_ignore_ascii_case(tag) && value == self.value.as_str())
            }
        };
        found == self.equal
    }
}

/// The comparisons in a filter. `None` if a part of it is unknown.
fn conditions(filter: &str) -> Option<Vec<Condition>> {
    let mut conditions = filter
        .split(" and ")
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let mut words = part.trim().splitn(3, ' ');
            let (field, operator, value) = (words.next()?, words.next()?, words.next()?);
            let equal = match operator {
                "eq" => true,
                "ne" => false,
                _ => return None,
            };
            let field = match field.to_ascii_lowercase().as_str() {
                "resourcetype" => Field::Text("type"),
                "name" => Field::Text("name"),
                "location" => Field::Text("location"),
                "resourcegroup" => Field::ResourceGroup,
                "tagname" if equal => Field::TagName,
                "tagvalue" if equal => Field::TagValue,
                _ => return None,
            };
            Some(Condition { equal, field, value: quoted(value)? })
        })
        .collect::<Option<Vec<_>>>()?;
    let tag = conditions.iter().find(|condition| matches!(condition.field, Field::TagName));
    if let Some(tag) = tag.map(|condition| condition.value.clone()) {
        for condition in &mut conditions {
            if matches!(condition.field, Field::TagValue) {
                condition.field = Field::Tag(tag.clone());
            }
        }
    }
    Some(conditions)
}

/// Whether a resource is directly in a group: not the group itself, and neither a child nor an extension of a resource.
fn is_top_level(resource: &Value) -> bool {
    let segments: Vec<&str> =
        resource["id"].as_str().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
    matches!(segments.as_slice(), [_, _, _, _, "providers", _, _, _])
}

fn brief(resource: &Value, with_state: bool) -> Value {
    let mut brief = json!({});
    for key in ["id", "name", "type", "location", "tags"] {
        if !resource[key].is_null() {
            brief[key] = resource[key].clone();
        }
    }
    if with_state {
        let state = &resource["properties"]["provisioningState"];
        brief["provisioningState"] = if state.is_null() { json!("Succeeded") } else { state.clone() };
    }
    brief
}
