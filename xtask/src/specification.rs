//! Reads an operation from an OpenAPI 2 file of Azure's public specifications.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The named file, and the files that it refers to.
#[derive(Debug)]
pub(crate) struct Specification {
    main: PathBuf,
    files: BTreeMap<PathBuf, Value>,
}

/// A schema, and the file that its references are relative to.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    file: PathBuf,
    pub(crate) value: Value,
    /// The name of its definition, if it has one.
    pub(crate) name: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) verb: String,
    pub(crate) path: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    /// The names of the optional query parameters.
    pub(crate) optional_query: Vec<String>,
    pub(crate) body: Option<Schema>,
    pub(crate) answer: Option<Schema>,
    pub(crate) statuses: Vec<u16>,
    pub(crate) paged: bool,
    pub(crate) long_running: bool,
}

impl Specification {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let mut specification = Self { main: path.to_owned(), files: BTreeMap::new() };
        specification.load(path)?;
        Ok(specification)
    }

    fn load(&mut self, path: &Path) -> Result<&Value, String> {
        if !self.files.contains_key(path) {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let value =
                serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            self.files.insert(path.to_owned(), value);
        }
        Ok(&self.files[path])
    }

    /// Resolves a schema: returns the target of its `$ref`, or the schema itself.
    pub(crate) fn resolve(&mut self, schema: &Schema) -> Result<Schema, String> {
        let Some(reference) = schema.value["$ref"].as_str() else { return Ok(schema.clone()) };
        let (file, pointer) =
            reference.split_once('#').ok_or_else(|| format!("'{reference}' is not a reference"))?;
        let file = match file {
            "" => schema.file.clone(),
            other => schema.file.parent().unwrap_or(Path::new("")).join(other),
        };
        let value = self.load(&file)?.pointer(pointer).cloned();
        let value = value.ok_or_else(|| format!("{}: {pointer} does not exist", file.display()))?;
        let name = pointer.rsplit('/').next().map(str::to_owned);
        self.resolve(&Schema { file, value, name })
    }

    fn here(&self, value: &Value) -> Schema {
        Schema { file: self.main.clone(), value: value.clone(), name: None }
    }

    /// Returns the operation with this id.
    pub(crate) fn operation(&mut self, id: &str) -> Result<Operation, String> {
        let main = self.files[&self.main].clone();
        let version = main["info"]["version"].as_str().unwrap_or_default().to_owned();
        let paths = main["paths"].as_object().cloned().unwrap_or_default();
        for (path, item) in &paths {
            let shared = item["parameters"].as_array().cloned().unwrap_or_default();
            let verbs = item.as_object().into_iter().flatten();
            if let Some((verb, operation)) = verbs.into_iter().find(|(_, it)| it["operationId"] == id) {
                return self.operation_of(operation, &shared, verb, path, version);
            }
        }
        Err(format!("{} has no operation '{id}'", self.main.display()))
    }

    fn operation_of(
        &mut self,
        operation: &Value,
        shared: &[Value],
        verb: &str,
        path: &str,
        version: String,
    ) -> Result<Operation, String> {
        let (mut body, mut optional_query) = (None, Vec::new());
        for parameter in shared.iter().chain(operation["parameters"].as_array().into_iter().flatten()) {
            let parameter = self.resolve(&self.here(parameter))?;
            match parameter.value["in"].as_str() {
                Some("body") => body = Some(parameter.child(&parameter.value["schema"])),
                Some("query") if parameter.value["required"] != true => {
                    optional_query.push(parameter.value["name"].as_str().unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
        let responses = operation["responses"].as_object().cloned().unwrap_or_default();
        let mut statuses: Vec<u16> = responses.keys().filter_map(|status| status.parse().ok()).collect();
        statuses.sort_unstable();
        let answer = responses.values().find_map(|response| response.get("schema"));
        Ok(Operation {
            verb: verb.to_uppercase(),
            path: path.to_owned(),
            version,
            summary: first_sentence(operation),
            optional_query,
            body,
            answer: answer.filter(|_| !statuses.is_empty()).map(|schema| self.here(schema)),
            statuses,
            paged: !operation["x-ms-pageable"].is_null(),
            long_running: operation["x-ms-long-running-operation"] == true,
        })
    }
}

impl Schema {
    /// A schema inside this one.
    pub(crate) fn child(&self, value: &Value) -> Schema {
        Schema { file: self.file.clone(), value: value.clone(), name: None }
    }
}

/// The first sentence of a description, without its period.
pub(crate) fn first_sentence(of: &Value) -> String {
    let text = ["summary", "description", "title"].iter().find_map(|member| of[*member].as_str());
    let text = text.unwrap_or_default().split(['\n', '\r']).next().unwrap_or_default();
    let text = text.split(". ").next().unwrap_or_default();
    text.trim().trim_end_matches('.').to_owned()
}
