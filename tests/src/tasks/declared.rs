//! The tasks that the library crates declare, as their sources say.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use regex::Regex;

/// Crates that offer no tasks to others: they are for this repository.
const OWN: &[&str] = &["arm-core", "lab-examples", "tests"];

/// The name of each task of each library crate, as its span is called: `defender_pricing::EnablePlan` for a builder,
/// `monitor_ops::DiagnosticsClient::ensure` for a method.
pub fn declared() -> BTreeSet<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = fs::read_dir(workspace).unwrap().map(|entry| entry.unwrap().path());
    folders.filter(|folder| folder.join("src/lib.rs").exists()).flat_map(|folder| of_crate(&folder)).collect()
}

fn of_crate(folder: &Path) -> BTreeSet<String> {
    let name = folder.file_name().unwrap().to_str().unwrap();
    if OWN.contains(&name) {
        return BTreeSet::new();
    }
    let package = name.replace('-', "_");
    let sources = sources(&folder.join("src"));
    let tasks = sources.iter().flat_map(|source| of_source(&fs::read_to_string(source).unwrap()));
    tasks.map(|task| format!("{package}::{task}")).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

fn of_source(source: &str) -> Vec<String> {
    static BUILDER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?m)^arm_core::task!\((?:deciding |own dry_run: )?(\w+) =>").unwrap());
    static METHOD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"pub fn (\w+)[^{;]*?\)\s*->\s*(?:arm_core::)?Task<").unwrap());
    static TYPE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)^impl (\w+) \{").unwrap());
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut tasks: Vec<String> = BUILDER.captures_iter(source).map(|found| found[1].to_owned()).collect();
    for found in METHOD.captures_iter(source) {
        let before = &source[..found.get(0).unwrap().start()];
        let of = TYPE.captures_iter(before).last().map(|of| format!("{}::", &of[1])).unwrap_or_default();
        tasks.push(format!("{of}{}", &found[1]));
    }
    tasks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_and_methods_are_found_in_a_source() {
        let source = "impl Client {\n    pub fn other(&self) -> u8 { 1 }\n\n    pub fn ensure(\n        &self,\n    ) -> Task<u8> {\n\
                      }\n}\narm_core::task!(deciding Build => u8);\narm_core::task!(own dry_run: Rotate => R, E);\n// task!(No => u8)";
        assert_eq!(of_source(source), ["Build", "Rotate", "Client::ensure"]);
    }
}
