//! The tags of a subscription, a group or a resource, as a separate resource.

use serde_json::{Map, Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::{resource_groups, subscriptions::Subscriptions},
    state::{Surface, World},
};

pub(crate) const SURFACE: Surface =
    Surface { types: &[("Microsoft.Resources/tags", resource_groups::VERSIONS)], answer, ..Surface::EMPTY };

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (at, rest) = call.extension("microsoft.resources", "tags")?;
    let ["default"] = rest.as_slice() else { return None };
    let scope = call.id(at);
    let mut tags = match read(world, call, at) {
        Ok(tags) => tags,
        Err(refusal) => return Some(*refusal),
    };
    let given = call.property("tags").as_object().cloned().unwrap_or_default();
    match call.method {
        Method::Get => {}
        Method::Put => tags = given,
        Method::Delete => tags.clear(),
        // Documented: the three operations, and what each does.
        Method::Patch => match call.json()["operation"].as_str() {
            Some("Merge") => tags.extend(given),
            Some("Replace") => tags = given,
            Some("Delete") => tags.retain(|name, value| given.get(name) != Some(value)),
            other => {
                let message = format!(
                    "The operation '{}' is not one of: Merge, Replace, Delete.",
                    other.unwrap_or_default()
                );
                return Some(Reply::arm_error(400, "InvalidTagsPatchOperation", message));
            }
        },
        _ => return None,
    }
    // Documented: at most fifty.
    if tags.len() > 50 {
        let message = format!("The number of tags is {}. It must not exceed 50.", tags.len());
        return Some(Reply::arm_error(400, "ResourceTagsCountExceeded", message));
    }
    if call.method != Method::Get {
        write(world, &scope, at, tags.clone());
    }
    if call.method == Method::Delete {
        return Some(Reply::empty(200));
    }
    Some(Reply::ok(json!({
        "id": format!("{scope}/providers/Microsoft.Resources/tags/default"),
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": { "tags": tags },
    })))
}

fn read(world: &World, call: &Call, at: usize) -> Result<Map<String, Value>, Box<Reply>> {
    let scope = call.id(at);
    if at == 2 {
        let id = call.subscription().unwrap_or_default();
        return Ok(world.states.get::<Subscriptions>().tags(id).cloned().unwrap_or_default());
    }
    match world.resources.get(&scope) {
        Some(found) => Ok(found["tags"].as_object().cloned().unwrap_or_default()),
        None => {
            let kind_and_name = format!("{}/{}/{}", call.spelled(5), call.spelled(6), call.spelled(7));
            Err(Box::new(Reply::resource_not_found(&kind_and_name, call.spelled(3))))
        }
    }
}

fn write(world: &mut World, scope: &str, at: usize, tags: Map<String, Value>) {
    if at == 2 {
        let id = scope.rsplit('/').next().unwrap_or_default();
        world.states.get_mut::<Subscriptions>().set_tags(id, tags);
    } else if let Some(resource) = world.resources.get_mut(scope) {
        resource["tags"] = Value::Object(tags);
    }
}
