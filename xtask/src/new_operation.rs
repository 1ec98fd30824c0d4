//! `cargo xtask new-operation`.

use std::path::{Path, PathBuf};

use clap::Args;
use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use serde_json::{Value, json};

use crate::{
    declared::{Client, Declared, place},
    insert,
    rust::Types,
    sample::sample,
    specification::{Operation, Schema, Specification},
};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The operation's id in the specification, such as Subscriptions_ListLocations
    operation: String,
    /// The file in Azure's public specifications that contains it
    #[arg(long, value_name = "FILE")]
    specification: PathBuf,
    /// The client's source file, such as resource-ops/src/client/subscriptions.rs
    #[arg(long, value_name = "FILE")]
    client: PathBuf,
    /// The name of the method [default: from the operation's id]
    #[arg(long)]
    method: Option<String>,
}

/// What was written, and what is left to do by hand.
#[derive(Debug, Default)]
pub(crate) struct Done {
    written: Vec<PathBuf>,
    left: Vec<String>,
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for file in &self.written {
            writeln!(f, "wrote {}", file.display())?;
        }
        writeln!(f, "\nleft to do:")?;
        self.left.iter().try_for_each(|left| writeln!(f, "  - {left}"))
    }
}

/// Files with their new content; nothing is written until all of them are complete.
#[derive(Debug)]
struct Files<'a> {
    root: &'a Path,
    changed: Vec<(PathBuf, String)>,
}

impl Files<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        if let Some((_, text)) = self.changed.iter().rev().find(|(changed, _)| changed == path) {
            return Ok(text.clone());
        }
        let found = std::fs::read_to_string(self.root.join(path));
        found.map_err(|error| format!("{}: {error}", path.display()))
    }

    fn change(&mut self, path: &Path, by: impl FnOnce(&str) -> Result<String, String>) -> Result<(), String> {
        let text = self.read(path)?;
        let changed = by(&text).map_err(|reason| format!("{}: {reason}", path.display()))?;
        self.changed.retain(|(other, _)| other != path);
        self.changed.push((path.to_owned(), changed));
        Ok(())
    }

    fn create(&mut self, path: PathBuf, text: String) -> Result<(), String> {
        if self.root.join(&path).exists() {
            return Err(format!("{} already exists", path.display()));
        }
        self.changed.push((path, text));
        Ok(())
    }

    fn write(self) -> Result<Vec<PathBuf>, String> {
        for (path, text) in &self.changed {
            let full = self.root.join(path);
            let folder = full.parent().unwrap_or(self.root);
            let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&full, text));
            written.map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(self.changed.into_iter().map(|(path, _)| path).collect())
    }
}

pub(crate) fn run(root: &Path, options: &Options) -> Result<Done, String> {
    let mut specification = Specification::read(&options.specification)?;
    let operation = specification.operation(&options.operation)?;
    let client = client_of(root, options)?;
    let mut files = Files { root, changed: Vec::new() };
    let mut done = Done::default();

    let source = files.read(&options.client)?;
    let spoken = client.version(&source)?;
    if spoken != operation.version {
        return Err(format!(
            "{} uses {spoken}, but this specification is for {}: name the file of that version",
            client.name, operation.version
        ));
    }
    if source.contains(&format!("`{}`", options.operation)) {
        return Err(format!("{} already has {}", client.name, options.operation));
    }

    let (answer, list) = item_of(&mut specification, &operation)?;
    let place = place(&operation.path)?;
    let method = options
        .method
        .clone()
        .unwrap_or_else(|| options.operation.rsplit('_').next().unwrap_or_default().to_snake_case());

    // The model.
    let models = client.krate.join("src/models");
    let kind = match &answer {
        Some(answer) => {
            let known = |name: &str| is_declared(&root.join(&models), name);
            let mut types = Types::default();
            let wanted = format!("{}Answer", method.to_upper_camel_case());
            let kind = types.of(&mut specification, answer, &wanted, &known)?;
            if !types.names.is_empty() {
                let module = types.names[0].to_snake_case();
                let names = sorted(&types.names).join(", ");
                files.create(models.join(format!("{module}.rs")), types.file())?;
                let listed = models.join("mod.rs");
                files.change(&listed, |text| insert::among(text, "mod ", &format!("mod {module};")))?;
                files.change(&listed, |text| Ok(format!("{text}pub use {module}::{{{names}}};\n")))?;
                let shown = client.krate.join("src/lib.rs");
                files.change(&shown, |text| Ok(format!("{text}pub use models::{{{names}}};\n")))?;
                done.left.push(format!(
                    "{}/{module}.rs: document each member, and merge the new `pub use` lines into the lists",
                    models.display()
                ));
                let checked = Path::new("tests/src/payload/models.rs");
                let row = format!("    read_only!({}::{kind}),", client.krate_name());
                files.change(checked, |text| {
                    insert::among(text, &format!("    read_only!({}::", client.krate_name()), &row)
                })?;
            }
            Some(kind)
        }
        None => None,
    };

    // The client's line.
    let body = match &operation.body {
        Some(body) => {
            let known = |_: &str| true;
            let name = Types::default().of(&mut specification, body, "Body", &known)?;
            done.left.push(format!(
                "write the type of the body, `{name}`, as a builder with the members that a caller may send"
            ));
            Some(name)
        }
        None => None,
    };
    let declared = Declared {
        client: &client,
        id: &options.operation,
        method: &method,
        operation: &operation,
        place: &place,
        kind: kind.as_deref(),
        body: body.as_deref(),
        list,
    };
    let line = declared.client_method();
    files.change(&options.client, |source| insert::at_end_of_impl(source, &client.name, &line))?;
    let named = kind.as_deref().filter(|kind| kind.chars().all(char::is_alphanumeric) && *kind != "String");
    if let Some(kind) = named
        && !source.contains(&format!(" {kind},"))
        && !source.contains(&format!("::{kind};"))
    {
        let import = format!("use crate::{kind};");
        files.change(&options.client, |source| insert::among(source, "use crate::", &import))?;
    }

    // The contract and its fixture.
    let fixture = format!("{}/{method}.json", client.name.trim_end_matches("Client").to_snake_case());
    if let Some(answer) = &answer {
        let one = sample(&mut specification, answer, "", 0)?;
        let whole = if list { json!({ "value": [one] }) } else { one };
        let text = serde_json::to_string_pretty(&whole).map_err(|error| error.to_string())?;
        files.create(Path::new("tests/fixtures").join(&fixture), text + "\n")?;
        done.left.push(format!("tests/fixtures/{fixture}: use realistic values"));
    }
    let contracts = contracts_of(root, &client.name)?;
    let entry = declared.contract(&fixture);
    files.change(&contracts, |text| insert::at_end_of_list(text, &format!("{}::", client.name), &entry))?;

    if !operation.optional_query.is_empty() {
        done.left.push(format!(
            "the query can contain {}: offer the parameters that a caller needs",
            operation.optional_query.join(", ")
        ));
    }
    done.left.push(format!(
        "{}: document permissions, `# Errors` to branch on, and what a repeat does",
        options.client.display()
    ));
    done.left.push(format!(
        "the double: add {} {} in mock-azure/src/services/; it is 501 until the service's behaviour is known",
        operation.verb, operation.path
    ));
    done.left.push("cargo fmt; then `INSTA_UPDATE=always UPDATE=1 cargo test -p contract-tests --test contracts` updates the snapshots and OPERATIONS.md: review both".to_owned());
    done.written = files.write()?;
    Ok(done)
}

/// The schema of a list's items or of the whole response, and whether the response is a list.
fn item_of(
    specification: &mut Specification,
    operation: &Operation,
) -> Result<(Option<Schema>, bool), String> {
    let Some(answer) = &operation.answer else { return Ok((None, false)) };
    let whole = specification.resolve(answer)?;
    if !operation.paged {
        return Ok((Some(whole), false));
    }
    let items = &whole.value["properties"]["value"]["items"];
    match items {
        Value::Null => Err("the response is a list without `value`".to_owned()),
        items => Ok((Some(specification.resolve(&whole.child(items))?), true)),
    }
}

fn sorted(names: &[String]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn client_of(root: &Path, options: &Options) -> Result<Client, String> {
    let source = std::fs::read_to_string(root.join(&options.client))
        .map_err(|error| format!("{}: {error}", options.client.display()))?;
    let name = source.split("pub struct ").skip(1).find_map(|rest| {
        let name = rest.split(|letter: char| !letter.is_alphanumeric()).next()?;
        name.ends_with("Client").then(|| name.to_owned())
    });
    let reference =
        source.split("https://learn.microsoft.com/rest/api/").nth(1).and_then(|rest| rest.split(')').next());
    Ok(Client {
        krate: options.client.iter().next().map(PathBuf::from).unwrap_or_default(),
        name: name.ok_or_else(|| format!("{} has no client", options.client.display()))?,
        reference: reference.unwrap_or_default().to_owned(),
    })
}

fn is_declared(models: &Path, name: &str) -> bool {
    let texts = std::fs::read_dir(models).into_iter().flatten().flatten();
    let declares = |text: String| {
        ["pub struct ", "pub enum "].iter().any(|keyword| text.contains(&format!("{keyword}{name} ")))
    };
    texts.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).any(declares)
}

fn contracts_of(root: &Path, client: &str) -> Result<PathBuf, String> {
    let folder = Path::new("tests/src/contracts");
    let entries = std::fs::read_dir(root.join(folder)).map_err(|error| error.to_string())?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| folder.join(entry.file_name())).collect();
    files.sort();
    let mentions = |file: &PathBuf| {
        std::fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(&format!("{client}::new")))
    };
    files.into_iter().find(mentions).ok_or_else(|| format!("no contract calls {client}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECIFICATION: &str = r##"{
      "info": { "version": "2022-12-01" },
      "paths": { "/subscriptions/{subscriptionId}/things/{thingName}": {
        "parameters": [{ "$ref": "#/parameters/Version" }],
        "get": {
          "operationId": "Things_Show", "summary": "Shows a thing.",
          "parameters": [{ "name": "$expand", "in": "query", "type": "string" }],
          "responses": { "200": { "schema": { "$ref": "shared.json#/definitions/Thing" } }, "default": {} }
        }
      } },
      "parameters": { "Version": { "name": "api-version", "in": "query", "required": true } }
    }"##;
    const SHARED: &str = r##"{ "definitions": { "Thing": {
      "description": "A thing. It has parts.", "type": "object", "required": ["name"],
      "properties": {
        "name": { "type": "string", "description": "Its name." },
        "type": { "type": "string", "enum": ["Big", "verySmall"], "x-ms-enum": { "name": "ThingType" } },
        "made": { "type": "string", "format": "date-time" },
        "parts": { "type": "array", "items": { "$ref": "#/definitions/Thing" } }
      }
    } } }"##;

    fn workspace() -> (tempfile::TempDir, Options) {
        let root = tempfile::tempdir().unwrap();
        let files = [
            ("spec/things.json", SPECIFICATION),
            ("spec/shared.json", SHARED),
            (
                "some-ops/src/client/things.rs",
                "use crate::Other;\n\n/// [reference](https://learn.microsoft.com/rest/api/some/things).\nconst API_VERSION: \
                 &str = \"2022-12-01\";\n\npub struct ThingsClient {\n}\n\nimpl ThingsClient {\n    fn a() {}\n}\n",
            ),
            ("some-ops/src/lib.rs", "mod models;\n"),
            ("some-ops/src/models/mod.rs", "mod other;\n\npub use other::Other;\n"),
            ("tests/src/payload/models.rs", "    read_only!(some_ops::Other),\n"),
            (
                "tests/src/contracts/some.rs",
                "\nfn things() -> Vec<Contract> {\n    vec![\n        a(ThingsClient::new(&arm)),\n    ]\n}\n",
            ),
        ];
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let options = Options {
            operation: "Things_Show".to_owned(),
            specification: root.path().join("spec/things.json"),
            client: "some-ops/src/client/things.rs".into(),
            method: None,
        };
        (root, options)
    }

    #[test]
    fn an_operation_gets_its_line_its_model_its_contract_and_its_fixture() {
        let (root, options) = workspace();
        let done = run(root.path(), &options).unwrap();
        let read = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap();

        assert!(done.to_string().contains("$expand"), "{done}");
        assert!(read("some-ops/src/client/things.rs").contains(
            "    /// Shows a thing: `Things_Show`.\n    ///\n    /// [Reference](https://learn.microsoft.com/rest/api/some/things/\
             show)\n    ///\n    /// # Errors\n    ///\n    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).\n    pub async fn show(&self, subscription: &SubscriptionId, thing_name: &str) -> Result<Thing> {\n        \
             self.arm.get(ArmPath::from(subscription).literal(\"things\").segment(thing_name), API_VERSION).json().await\n    }\n"
        ));
        let model = read("some-ops/src/models/thing.rs");
        for line in [
            "use arm_core::{open_enum, wire};",
            "/// A thing.",
            "    /// Its name.\n    pub name: String,",
            "    pub r#type: Option<ThingType>,",
            "    pub made: Option<OffsetDateTime>,",
            "    pub parts: Vec<Thing>,",
            "VerySmall = \"verySmall\"",
        ] {
            assert!(model.contains(line), "{line} is not in {model}");
        }
        assert_eq!(read("some-ops/src/models/mod.rs").lines().nth(1), Some("mod thing;"));
        assert!(read("tests/src/payload/models.rs").contains("read_only!(some_ops::Thing),"));
        assert!(read("tests/src/contracts/some.rs").contains(
            "get(\"Things_Show\", format!(\"{SUBSCRIPTION}/things/example-thing-name\"), \"2022-12-01\")"
        ));
        let fixture: Value = serde_json::from_str(&read("tests/fixtures/things/show.json")).unwrap();
        assert_eq!(fixture["type"], "Big");
    }

    #[test]
    fn what_is_there_already_or_of_another_version_is_refused_and_nothing_is_written() {
        let (root, mut options) = workspace();
        run(root.path(), &options).unwrap();
        let client = root.path().join(&options.client);
        let before = std::fs::read_to_string(&client).unwrap();
        assert_eq!(run(root.path(), &options).unwrap_err(), "ThingsClient already has Things_Show");

        std::fs::write(&options.specification, SPECIFICATION.replace("2022-12-01", "2030-01-01")).unwrap();
        assert!(run(root.path(), &options).unwrap_err().contains("uses 2022-12-01"));
        options.operation = "Things_Lose".to_owned();
        assert!(run(root.path(), &options).unwrap_err().contains("has no operation 'Things_Lose'"));
        assert_eq!(std::fs::read_to_string(&client).unwrap(), before);
    }
}
