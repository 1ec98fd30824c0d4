//! Diagnostic settings: where the logs of a resource are sent.

mod categories;
mod routes;
mod settings;

pub(crate) use routes::{Mode, Routes};

use crate::{
    http::{Call, Method, Reply},
    state::{Surface, World},
};

const VERSIONS: &[&str] = &["2016-09-01", "2017-05-01-preview", "2021-05-01-preview"];

pub(crate) const TYPE: &str = "Microsoft.Insights/diagnosticSettings";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, VERSIONS), ("Microsoft.Insights/diagnosticSettingsCategories", VERSIONS)],
    answer,
    ..Surface::EMPTY
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if let Some((at, _)) = call.extension("microsoft.insights", "diagnosticsettings") {
        return match subject(world, &call.id(at)) {
            Err(refusal) if call.method == Method::Get => Some(*refusal),
            _ => settings::SETTINGS.answer(world, call),
        };
    }
    let (at, rest) = call.extension("microsoft.insights", "diagnosticsettingscategories")?;
    let scope = call.id(at);
    match (call.method, rest.as_slice()) {
        (Method::Get, []) => Some(categories::list(world, &scope)),
        (Method::Get, [name]) => Some(categories::get(world, &scope, name)),
        _ => None,
    }
}

/// A refusal in this service's format, without the usual wrapper.
fn refuse(status: u16, code: &str, message: impl Into<String>) -> Reply {
    Reply::json(status, serde_json::json!({ "code": code, "message": message.into() }))
}

/// The resource of the settings, or the reason why it can have none.
fn subject(world: &World, scope: &str) -> Result<categories::Subject, Box<Reply>> {
    let subject = categories::Subject::of(scope);
    if subject != categories::Subject::Subscription && !world.resources.contains(scope) {
        let name = scope.rsplit('/').next().unwrap_or_default();
        let message = format!("The resource '{name}' with id '{scope}' was not found.");
        return Err(Box::new(refuse(404, "ResourceNotFound", message)));
    }
    if subject.categories().is_empty() {
        return Err(Box::new(Reply::not_implemented(format!("which logs the type of '{scope}' has"))));
    }
    Ok(subject)
}
