//! The declarations of an operation: the method of its client, and its contract.

use std::{fmt::Write as _, path::PathBuf};

use heck::{ToKebabCase as _, ToSnakeCase as _};

use crate::specification::Operation;

/// A path, as expressed in the client's method and in a contract. The fields show examples.
#[derive(Debug)]
pub(crate) struct Place {
    /// `subscription: &SubscriptionId`
    pub(crate) parameters: Vec<String>,
    /// `ArmPath::from(subscription).literal("locations")`
    pub(crate) path: String,
    /// `&subscription()`
    pub(crate) arguments: Vec<String>,
    /// `{SUBSCRIPTION}/locations`
    pub(crate) url: String,
}

pub(crate) fn place(path: &str) -> Result<Place, String> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let own = |text: &str| text.to_owned();
    let (mut place, rest) = match segments.as_slice() {
        ["subscriptions", _, "resourceGroups" | "resourcegroups", _, rest @ ..] => (
            Place {
                parameters: vec![own("group: &ResourceGroupId")],
                path: own("ArmPath::from(group)"),
                arguments: vec![own("&group()")],
                url: own("{GROUP}"),
            },
            rest,
        ),
        ["subscriptions", id, rest @ ..] if id.starts_with('{') => (
            Place {
                parameters: vec![own("subscription: &SubscriptionId")],
                path: own("ArmPath::from(subscription)"),
                arguments: vec![own("&subscription()")],
                url: own("{SUBSCRIPTION}"),
            },
            rest,
        ),
        [scope, rest @ ..] if scope.starts_with('{') => (
            Place {
                parameters: vec![own("scope: impl Into<Scope>")],
                path: own("ArmPath::from(&scope.into())"),
                arguments: vec![own("&subscription()")],
                url: own("{SUBSCRIPTION}"),
            },
            rest,
        ),
        rest => {
            let root = Place {
                parameters: Vec::new(),
                path: own("ArmPath::root()"),
                arguments: Vec::new(),
                url: own(""),
            };
            (root, rest)
        }
    };
    for segment in rest {
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => {
                let name = name.to_snake_case();
                place.parameters.push(format!("{name}: &str"));
                let _ = write!(place.path, ".segment({name})");
                place.arguments.push(format!("\"example-{}\"", name.to_kebab_case()));
                let _ = write!(place.url, "/example-{}", name.to_kebab_case());
            }
            None if segment.contains('{') => {
                return Err(format!("'{segment}' contains more than one parameter"));
            }
            None => {
                let _ = write!(place.path, ".literal(\"{segment}\")");
                let _ = write!(place.url, "/{segment}");
            }
        }
    }
    Ok(place)
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) krate: PathBuf,
    pub(crate) name: String,
    pub(crate) reference: String,
}

impl Client {
    pub(crate) fn krate_name(&self) -> String {
        self.krate.to_string_lossy().replace('-', "_")
    }

    pub(crate) fn version(&self, source: &str) -> Result<String, String> {
        let stated = source.split("API_VERSION: ").nth(1).and_then(|rest| rest.split('"').nth(1));
        stated.map(str::to_owned).ok_or_else(|| format!("{} has no API_VERSION", self.name))
    }
}

/// Everything declared for the operation, in the client and in its contract.
#[derive(Debug)]
pub(crate) struct Declared<'a> {
    pub(crate) client: &'a Client,
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) operation: &'a Operation,
    pub(crate) place: &'a Place,
    /// The type of the response, or of an item of the list.
    pub(crate) kind: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
    pub(crate) list: bool,
}

impl Declared<'_> {
    pub(crate) fn client_method(&self) -> String {
        let Self { client, id, method, operation, place, body, list, .. } = self;
        let kind = self.kind.unwrap_or("()");
        let mut parameters = place.parameters.clone();
        parameters.extend(body.map(|body| format!("body: &{body}")));
        let parameters: String = parameters.iter().map(|parameter| format!(", {parameter}")).collect();
        let (future, answer, end) = match (list, operation.long_running, kind) {
            (true, _, _) => ("", format!("Pager<{kind}>"), ".pager()"),
            (_, true, _) => ("", format!("Poller<{kind}>"), ".poller()"),
            (_, _, "()") => ("async ", "Result<()>".to_owned(), ".send_empty().await"),
            _ => ("async ", format!("Result<{kind}>"), ".json().await"),
        };
        let sends = if body.is_some() { ".body(body)" } else { "" };
        let page = id.rsplit('_').next().unwrap_or_default().to_kebab_case();
        let base = client.reference.trim_end_matches('/');
        let errors = match future {
            "" => "",
            _ => {
                "    ///\n    /// # Errors\n    ///\n    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).\n"
            }
        };
        // It is compiled only where it is called, as an async method is anyway.
        let inline = if future.is_empty() { "#[inline]\n    " } else { "" };
        format!(
            "    /// {}: `{id}`.\n    ///\n    /// [Reference](https://learn.microsoft.com/rest/api/{base}/{page})\n{errors}    \
             {inline}pub {future}fn {method}(&self{parameters}) -> {answer} {{\n        \
             self.arm.{}({}, API_VERSION){sends}{end}\n    }}\n",
            operation.summary,
            operation.verb.to_lowercase(),
            place.path,
        )
    }

    pub(crate) fn contract(&self, fixture: &str) -> String {
        let Self { client, id, method, operation, place, list, .. } = self;
        let call = format!("{}::new(&arm).{method}({})", client.name, place.arguments.join(", "));
        let call = match (list, operation.long_running) {
            (true, _) => format!("all({call})"),
            (_, true) => format!("done({call})"),
            _ => format!("one(async move {{ {call}.await }})"),
        };
        let url = format!("\"{}\"", place.url);
        let url = if url.contains('{') { format!("format!({url})") } else { url };
        let verb = operation.verb.to_lowercase();
        let mut text = format!("        {verb}(\"{id}\", {url}, \"{}\")\n", operation.version);
        let usual: &[u16] = match verb.as_str() {
            "put" => &[200, 201],
            "delete" => &[200, 204],
            _ => &[200],
        };
        if operation.statuses != usual && !operation.long_running {
            let _ = writeln!(text, "            .statuses(&{:?})", operation.statuses);
        }
        if let Some(kind) = self.kind {
            let _ = writeln!(text, "            .answers(\"{fixture}\")");
            text.push_str(if *list { "            .pages()\n" } else { "" });
            let _ = writeln!(text, "            .model(\"{kind}\")");
        }
        if operation.long_running {
            text.push_str("            .long_running()\n");
        }
        let _ = write!(text, "            .call(|arm| {call}),");
        text
    }
}
