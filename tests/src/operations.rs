//! Which operations the crates document, read from their sources.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;

/// Operations of services that do not name a group: the vault's data plane, Resource Graph, Graph.
const WITHOUT_GROUP: &[&str] = &[
    "BackupSecret",
    "DeleteSecret",
    "GetDeletedSecret",
    "GetDeletedSecrets",
    "GetSecret",
    "GetSecrets",
    "GetSecretVersions",
    "PurgeDeletedSecret",
    "RecoverDeletedSecret",
    "Resources",
    "RestoreSecret",
    "SetSecret",
    "UpdateSecret",
];

/// Crates that have no operations: they use or imitate them.
const NO_SDK: &[&str] = &["fuzz", "lab-examples", "mock-azure", "tests"];

/// An operation, and a public method whose documentation names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Documented {
    /// As the service's specification names it.
    pub operation: String,
    /// `defender_alerts::AlertsClient::list`
    pub method: String,
}

/// All of them: the operations that the first paragraph of a public method's documentation names.
pub fn documented() -> Vec<Documented> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let is_sdk = |folder: &PathBuf| {
        folder.join("Cargo.toml").exists() && !NO_SDK.iter().any(|name| folder.ends_with(name))
    };
    for folder in folders.filter(is_sdk) {
        let krate = folder.file_name().unwrap().to_string_lossy().replace('-', "_");
        let mut files = Vec::new();
        sources(&folder.join("src"), &mut files);
        for file in files {
            scan(&krate, &std::fs::read_to_string(&file).unwrap(), &mut found);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The text of every source file of the workspace, tests included.
pub fn all_sources() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    let folders = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.filter(|folder| folder.join("Cargo.toml").exists() && !folder.ends_with("fuzz")) {
        sources(&folder, &mut files);
    }
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

static NAMED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"`([A-Z][a-z][A-Za-z]*(?:_[A-Z][A-Za-z]+)?)`").unwrap());
static METHOD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\s*pub (?:async )?fn (\w+)").unwrap());
static BLOCK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^impl(?:<[^>]*>)? (\w+)").unwrap());

fn scan(krate: &str, source: &str, found: &mut Vec<Documented>) {
    let (mut owner, mut operations, mut first) = (String::new(), Vec::new(), true);
    for line in source.lines() {
        if let Some(block) = BLOCK.captures(line) {
            owner = block[1].to_owned();
        }
        let text = line.trim_start();
        if let Some(doc) = text.strip_prefix("///") {
            first &= !doc.trim().is_empty();
            let names = NAMED.captures_iter(doc).map(|name| name[1].to_owned());
            operations.extend(
                names.filter(|name| first && (name.contains('_') || WITHOUT_GROUP.contains(&name.as_str()))),
            );
        } else if let Some(method) = METHOD.captures(line) {
            let method = format!("{krate}::{owner}::{}", &method[1]);
            found.extend(
                operations.drain(..).map(|operation| Documented { operation, method: method.clone() }),
            );
            first = true;
        } else if !text.starts_with("#[") {
            operations.clear();
            first = true;
        }
    }
}

/// The table of all operations: `OPERATIONS.md`.
///
/// The error names every operation without a contract and every contract without a documented operation.
pub fn table(documented: &[Documented], contracts: &[String], recorded: &[&str]) -> Result<String, String> {
    let mut rows: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in documented {
        rows.entry(&it.operation).or_default().push(&it.method);
    }
    let mut problems = String::new();
    for operation in rows.keys().filter(|operation| !contracts.iter().any(|it| it == *operation)) {
        writeln!(problems, "{operation} ({}) has no contract", rows[operation].join(", ")).unwrap();
    }
    for contract in contracts.iter().filter(|contract| !rows.contains_key(contract.as_str())) {
        writeln!(problems, "{contract} has a contract, but no public method's documentation names it")
            .unwrap();
    }
    for name in recorded.iter().filter(|name| !rows.contains_key(*name)) {
        writeln!(problems, "{name} is called recorded, but no public method's documentation names it")
            .unwrap();
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut text = String::from(
        "# Operations\n\nEach REST operation, the methods that call it, and its contract: run one with\n\
         `cargo test -p contract-tests --test contracts -- Alerts_List::`. Generated by that test with `UPDATE=1`.\n\n\
         *Recorded* operations were checked against responses of the real service, as recorded in the public test suites\n\
         of Microsoft's own clients (`tests/src/recorded.rs`); the others only against the published specification,\n\
         from which the service may differ.\n\n\
         | operation | methods | contract | checked against |\n|---|---|---|---|\n",
    );
    for (operation, methods) in rows {
        let checked = if recorded.contains(&operation) { "recorded" } else { "specification only" };
        writeln!(text, "| {operation} | `{}` | `{operation}::*` | {checked} |", methods.join("`, `"))
            .unwrap();
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_found_by_the_operation_that_its_documentation_names() {
        let source = "impl ThingsClient {\n    /// Lists: `Things_List`, of\n    /// `Other` and `Things_Else`.\n    ///\n    /// Not `Things_Get`.\n    #[must_use]\n    \
                      pub fn list(&self) {}\n    /// `Things_Lost`\n    let x = 1;\n    pub fn none(&self) {}\n}\n";
        let mut found = Vec::new();
        scan("things", source, &mut found);
        let it = |operation: &str| Documented {
            operation: operation.into(),
            method: "things::ThingsClient::list".into(),
        };
        assert_eq!(found, [it("Things_List"), it("Things_Else")]);
    }

    #[test]
    fn an_operation_without_a_contract_and_a_contract_without_an_operation_are_named() {
        let documented = [Documented { operation: "A_Get".into(), method: "a::A::get".into() }];
        let problems = table(&documented, &["B_Get".to_owned()], &["C_Get"]).unwrap_err();
        assert!(problems.contains("A_Get (a::A::get) has no contract") && problems.contains("B_Get"));
        assert!(problems.contains("C_Get is called recorded"), "{problems}");
        let row = |recorded: &[&str]| table(&documented, &["A_Get".to_owned()], recorded).unwrap();
        assert!(row(&[]).contains("| A_Get | `a::A::get` | `A_Get::*` | specification only |"));
        assert!(row(&["A_Get"]).contains("| A_Get | `a::A::get` | `A_Get::*` | recorded |"));
    }
}
