//! What the published specifications contain that the crates do not use yet.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The specifications in a folder, as Azure publishes them: each file in a folder named after its version.
#[derive(Debug)]
pub struct Specifications {
    files: BTreeMap<PathBuf, Value>,
}

/// What is new about one operation.
#[derive(Debug, PartialEq, Eq)]
pub struct News {
    /// The operation.
    pub operation: String,
    /// The version that the crates use.
    pub spoken: String,
    /// Later versions, oldest first.
    pub newer: Vec<String>,
    /// Whether the folder has the version that the crates use: without it, there is nothing to compare with.
    pub comparable: bool,
    /// Members that are required in a request in the newest version, but were not before.
    pub required: Vec<String>,
    /// New enum values, each with its member.
    pub words: Vec<String>,
    /// New members.
    pub members: Vec<String>,
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {} -> {}", self.operation, self.spoken, self.newer.join(", "))?;
        if !self.comparable {
            writeln!(f, "  {} is not in the folder: nothing to compare with", self.spoken)?;
        }
        for (what, found) in
            [("required", &self.required), ("new word", &self.words), ("new member", &self.members)]
        {
            for it in found {
                writeln!(f, "  {what:10} {it}")?;
            }
        }
        Ok(())
    }
}

/// What one version says of an operation.
struct Edition<'a> {
    version: String,
    file: &'a Path,
    operation: &'a Value,
}

impl Specifications {
    /// Reads every JSON file below a folder.
    ///
    /// # Errors
    ///
    /// The folder cannot be read. Files that are not JSON are skipped.
    pub fn read(folder: &Path) -> std::io::Result<Self> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "json")
                    && let Ok(file) =
                        serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_default())
                {
                    files.insert(normal(&path), file);
                }
            }
        }
        Ok(Self { files })
    }

    /// What is new about an operation that is called at this path and version; `None` if nothing is.
    pub fn news(&self, operation: &str, path: &str, spoken: &str) -> Option<News> {
        let editions = self.editions(operation, path);
        let mut newer: Vec<&Edition<'_>> =
            editions.iter().filter(|edition| age(&edition.version) > age(spoken)).collect();
        newer.sort_by_key(|edition| age(&edition.version));
        newer.dedup_by(|a, b| a.version == b.version);
        let newest =
            newer.iter().rev().find(|edition| !edition.version.contains("preview")).or(newer.last())?;
        let ours = editions.iter().find(|edition| edition.version == spoken);
        let (before, after) = (ours.map(|ours| self.members(ours)), self.members(newest));
        let of = |path: &str| before.as_ref().and_then(|before| before.get(path));
        let compared = after.iter().filter(|_| before.is_some());
        let (mut required, mut words, mut members) = (Vec::new(), Vec::new(), Vec::new());
        for (path, member) in compared {
            if member.required && path.starts_with("body") && !of(path).is_some_and(|was| was.required) {
                required.push(path.clone());
            }
            match of(path) {
                None => members.push(path.clone()),
                Some(was) => {
                    words.extend(member.words.difference(&was.words).map(|word| format!("{path} {word}")))
                }
            }
        }
        Some(News {
            operation: operation.to_owned(),
            spoken: spoken.to_owned(),
            newer: newer.iter().map(|edition| edition.version.clone()).collect(),
            comparable: before.is_some(),
            required,
            words,
            members,
        })
    }

    fn editions(&self, operation: &str, path: &str) -> Vec<Edition<'_>> {
        let mut found = Vec::new();
        for (file, specification) in &self.files {
            let Some(version) = version_of(file, specification) else { continue };
            let paths = specification["paths"].as_object().into_iter().flatten();
            for (_, methods) in paths.filter(|(template, _)| provider(template) == provider(path)) {
                let of_template = methods.as_object().into_iter().flatten();
                let same = of_template.filter(|(_, it)| it["operationId"] == operation);
                found.extend(same.map(|(_, operation)| Edition {
                    version: version.clone(),
                    file,
                    operation,
                }));
            }
        }
        found
    }

    /// All members of request and answers, by their place.
    fn members(&self, edition: &Edition<'_>) -> BTreeMap<String, Member> {
        let mut members = BTreeMap::new();
        for parameter in edition.operation["parameters"].as_array().into_iter().flatten() {
            let (file, parameter) = self.resolved(edition.file, parameter);
            match parameter["in"].as_str() {
                Some("body") => {
                    self.collect("body", file, &parameter["schema"], &mut Vec::new(), &mut members)
                }
                Some("query") => {
                    let name = parameter["name"].as_str().unwrap_or_default();
                    let required = parameter["required"] == true;
                    members.insert(format!("query ?{name}"), Member { required, words: words(parameter) });
                }
                _ => {}
            }
        }
        for (status, answer) in edition.operation["responses"].as_object().into_iter().flatten() {
            if status.starts_with('2') {
                let (file, answer) = self.resolved(edition.file, answer);
                self.collect("answer", file, &answer["schema"], &mut Vec::new(), &mut members);
            }
        }
        members
    }

    fn collect<'a>(
        &'a self,
        place: &str,
        file: &'a Path,
        schema: &'a Value,
        way: &mut Vec<String>,
        members: &mut BTreeMap<String, Member>,
    ) {
        let reference = schema["$ref"].as_str().map(|reference| format!("{}{reference}", file.display()));
        if way.len() > 24 || reference.as_ref().is_some_and(|reference| way.contains(reference)) {
            return;
        }
        let (file, schema) = self.resolved(file, schema);
        way.push(reference.unwrap_or_default());
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.collect(place, file, part, way, members);
        }
        if schema["items"].is_object() {
            self.collect(&format!("{place}[]"), file, &schema["items"], way, members);
        }
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let place = format!("{place}.{name}");
            let (_, resolved) = self.resolved(file, property);
            let words = words(resolved).into_iter().chain(words(&resolved["items"])).collect();
            let entry = members.entry(place.clone()).or_insert(Member { required: false, words });
            entry.required |= required.contains(name.as_str());
            self.collect(&place, file, property, way, members);
        }
        way.pop();
    }

    /// What a reference leads to, and the file that it stands in.
    fn resolved<'a>(&'a self, file: &'a Path, value: &'a Value) -> (&'a Path, &'a Value) {
        let Some((other, pointer)) = value["$ref"].as_str().and_then(|reference| reference.split_once('#'))
        else {
            return (file, value);
        };
        let other = match other {
            "" => file.to_owned(),
            other => normal(&file.parent().unwrap_or(file).join(other)),
        };
        let Some((file, specification)) = self.files.get_key_value(&other) else {
            return (file, &Value::Null);
        };
        (file, specification.pointer(pointer).unwrap_or(&Value::Null))
    }
}

/// A member of a request or an answer.
struct Member {
    required: bool,
    words: BTreeSet<String>,
}

fn words(schema: &Value) -> BTreeSet<String> {
    let words = schema["enum"].as_array().into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Without `.` and `..`, which references are full of.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(normal.pop()),
            std::path::Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// The provider that a path is about, in lower case: operations of two may have one name.
fn provider(path: &str) -> Option<String> {
    let path = path.to_ascii_lowercase();
    path.rsplit_once("/providers/")?.1.split('/').next().map(str::to_owned)
}

fn version_of(file: &Path, specification: &Value) -> Option<String> {
    specification["paths"].as_object()?;
    let is_version = |name: &&str| name.starts_with(|first: char| first.is_ascii_digit());
    let folder = file.ancestors().skip(1).filter_map(|folder| folder.file_name()?.to_str()).find(is_version);
    folder.or(specification["info"]["version"].as_str()).map(str::to_owned)
}

/// Dates after numbers, and what is stable after its preview.
fn age(version: &str) -> (bool, String, bool) {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    (date.starts_with("20"), date.to_owned(), date == version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const THING: &str = "/subscriptions/x/providers/Contoso.Things/things/a";

    #[test]
    fn what_a_newer_version_asks_for_and_says_is_named() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/radar");
        let specifications = Specifications::read(&folder).unwrap();
        let news = specifications.news("Things_Put", THING, "2024-01-01").unwrap();
        assert_eq!(news.newer, ["2026-01-01", "2026-06-01-preview"]);
        assert!(news.comparable);
        assert_eq!(news.required, ["body.properties.colour"]);
        assert_eq!(news.members, ["answer.properties.colour", "body.properties.colour"]);
        assert_eq!(news.words, ["answer.properties.size Huge", "body.properties.size Huge"]);
        assert!(news.to_string().contains("  new word   body.properties.size Huge\n"));
        assert_eq!(specifications.news("Things_Put", THING, "2026-06-01-preview"), None);
        assert_eq!(
            specifications.news("Things_Put", "/providers/Fabrikam.Things/things/a", "2024-01-01"),
            None
        );
        assert!(!specifications.news("Things_Put", THING, "2020-01-01").unwrap().comparable);
    }
}
