//! The api-versions of each resource type, and Resource Manager's response to any other.

use crate::{
    app::registry::SURFACES,
    http::{Call, Method, Reply},
    state::QueryOption,
};

/// The resource type that a path addresses.
#[derive(Debug)]
pub(crate) struct Addressed {
    kind: &'static str,
    versions: &'static [&'static str],
    /// The query options that its surface accepts.
    pub(crate) options: &'static [QueryOption],
    verb: Option<String>,
}

impl Addressed {
    /// `Microsoft.KeyVault` of `Microsoft.KeyVault/vaults`.
    pub(crate) fn namespace(&self) -> &'static str {
        self.kind.split_once('/').map_or(self.kind, |(namespace, _)| namespace)
    }

    /// The type, if the path is that of a resource rather than of an action on it.
    pub(crate) fn written(&self) -> Option<&'static str> {
        self.verb.is_none().then_some(self.kind)
    }

    /// The permission that a request requires, such as `Microsoft.KeyVault/vaults/write`.
    pub(crate) fn action(&self, method: Method) -> String {
        let kind = self.kind;
        match (method, &self.verb) {
            (Method::Post, Some(verb)) => format!("{kind}/{verb}/action"),
            // Documented, and consistent with the built-in roles: checking whether a name is available counts as a
            // read.
            (Method::Post, None) if kind.ends_with("/checkNameAvailability") => format!("{kind}/read"),
            (Method::Post, None) => format!("{kind}/action"),
            (Method::Put | Method::Patch, _) => format!("{kind}/write"),
            (Method::Delete, _) => format!("{kind}/delete"),
            _ => format!("{kind}/read"),
        }
    }
}

/// Finds the resource type of a path among the types that the surfaces name.
pub(crate) fn addressed(call: &Call) -> Option<Addressed> {
    let path = call.path();
    if let Some(at) = path.iter().rposition(|segment| *segment == "providers")
        && let [namespace, rest @ ..] = &path[at + 1..]
        && !rest.is_empty()
        && !matches!(rest, ["register" | "unregister"])
    {
        let kinds: Vec<&str> = rest.iter().step_by(2).copied().collect();
        if let Some(found) = find(&format!("{namespace}/{}", kinds.join("/")), None) {
            return Some(found);
        }
        let (_, parents) = kinds.split_last()?;
        let verb = (rest.len() % 2 == 1).then(|| call.name().to_owned())?;
        return find(&format!("{namespace}/{}", parents.join("/")), Some(verb));
    }
    let kind = match path.as_slice() {
        ["subscriptions"] | ["subscriptions", _] => "Microsoft.Resources/subscriptions",
        ["subscriptions", _, "resources"] | ["subscriptions", _, "resourcegroups", _, "resources"] => {
            "Microsoft.Resources/subscriptions/resources"
        }
        ["subscriptions", _, "resourcegroups", ..] => "Microsoft.Resources/subscriptions/resourceGroups",
        ["subscriptions", _, "locations"] => "Microsoft.Resources/subscriptions/locations",
        ["subscriptions", _, "providers", ..] => "Microsoft.Resources/subscriptions/providers",
        ["tenants"] => "Microsoft.Resources/tenants",
        _ => return None,
    };
    let verb = (path.last() == Some(&"register")).then(|| "register".to_owned());
    find(kind, verb)
}

fn find(kind: &str, verb: Option<String>) -> Option<Addressed> {
    SURFACES.iter().find_map(|surface| {
        let (kind, versions) = surface.types.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind))?;
        Some(Addressed { kind, versions, options: surface.options, verb: verb.clone() })
    })
}

/// Refuses a request without an api-version, or with one that the double does not support for its resource type.
pub(crate) fn check(call: &Call, addressed: &Addressed) -> Result<(), Box<Reply>> {
    let asked = call.api_version();
    if asked.is_empty() {
        // Documented: the api-version is required, and this is the response without it.
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Box::new(Reply::arm_error(400, "MissingApiVersionParameter", message)));
    }
    if addressed.versions.iter().any(|version| version.eq_ignore_ascii_case(asked)) {
        return Ok(());
    }
    Err(Box::new(if may_exist(asked) {
        Reply::unknown(&format!("api-version of {}", addressed.kind), asked, addressed.versions)
    } else {
        refuse(call, addressed, asked)
    }))
}

/// Whether an api-version could exist in Azure. Documented: it is a date, optionally followed by a word. Resource
/// Manager had none before 2012, and none is far ahead of the newest known one.
fn may_exist(version: &str) -> bool {
    const OLDEST: &str = "2012-01-01";
    let (Some(date), word) = (version.get(..10), version.get(10..).unwrap_or_default()) else { return false };
    let is_date = time::Date::parse(date, time::macros::format_description!("[year]-[month]-[day]")).is_ok();
    let is_word = word.is_empty()
        || word.strip_prefix('-').is_some_and(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
        });
    is_date && is_word && date >= OLDEST && date.get(..4) <= Some(latest_year().as_str())
}

/// The year after that of the newest known api-version.
fn latest_year() -> String {
    let versions = SURFACES.iter().flat_map(|surface| surface.types).flat_map(|(_, versions)| *versions);
    let newest = versions.filter_map(|version| version.get(..4)?.parse::<u16>().ok()).max();
    (newest.unwrap_or_default() + 1).to_string()
}

/// Documented: the responses to an api-version that exists nowhere.
fn refuse(call: &Call, addressed: &Addressed, asked: &str) -> Reply {
    let supported = addressed.versions.join(", ");
    let (namespace, kind) = addressed.kind.split_once('/').unwrap_or((addressed.kind, ""));
    let (code, message) = if namespace == "Microsoft.Resources" {
        (
            "InvalidApiVersionParameter",
            format!("The api-version '{asked}' is invalid. The supported versions are '{supported}'."),
        )
    } else if call.path().get(2) == Some(&"resourcegroups") {
        let location = call.json()["location"].as_str().unwrap_or_default();
        (
            "NoRegisteredProviderFound",
            format!(
                "No registered resource provider found for location '{location}' and API version '{asked}' for \
                 type '{kind}'. The supported api-versions are '{supported}'."
            ),
        )
    } else {
        (
            "InvalidResourceType",
            format!(
                "The resource type '{kind}' could not be found in the namespace '{namespace}' for api version \
                 '{asked}'. The supported api-versions are '{supported}'."
            ),
        )
    };
    Reply::arm_error(400, code, message)
}
