//! How the library crates stand to each other, and the parts of each.
#![allow(clippy::unwrap_used, reason = "tests")]

mod double;
mod sources;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use sources::{Sources, circles, files};

/// What each library crate may build on, beside arm-core.
const MAY_USE: &[(&str, &[&str])] = &[
    ("arm-core", &[]),
    ("defender-alerts", &["resource-ops"]),
    ("defender-automation", &[]),
    ("defender-pricing", &[]),
    (
        "defender-playbooks",
        &[
            "defender-alerts",
            "defender-automation",
            "defender-pricing",
            "keyvault-ops",
            "monitor-ops",
            "resource-ops",
        ],
    ),
    ("keyvault-issuers", &["keyvault-ops"]),
    ("keyvault-ops", &[]),
    ("monitor-ops", &[]),
    ("resource-ops", &[]),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The library crates with their manifests: every folder with a `src/lib.rs` that builds on arm-core, and arm-core.
/// Those that are for this repository alone are not among them.
fn libraries() -> BTreeMap<String, String> {
    let folders = fs::read_dir(workspace()).unwrap().map(|entry| entry.unwrap().path());
    folders
        .filter(|folder| folder.join("src/lib.rs").exists())
        .map(|folder| (folder.file_name().unwrap().to_str().unwrap().to_owned(), folder.join("Cargo.toml")))
        .map(|(name, manifest)| (name, fs::read_to_string(manifest).unwrap()))
        .filter(|(name, manifest)| name == "arm-core" || manifest.contains("\narm-core"))
        .filter(|(name, _)| !matches!(name.as_str(), "lab-examples" | "tests"))
        .collect()
}

/// What a crate needs to be built, of this workspace.
fn needs<'a>(manifest: &str, libraries: &'a BTreeMap<String, String>) -> BTreeSet<&'a str> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter_map(|name| libraries.get_key_value(name)).map(|(name, _)| name.as_str()).collect()
}

#[test]
fn no_service_crate_builds_on_another_but_alerts_on_resource_graph() {
    let libraries = libraries();
    for (name, manifest) in &libraries {
        let (_, may) = MAY_USE
            .iter()
            .find(|(it, _)| it == name)
            .unwrap_or_else(|| panic!("{name} is new: say what it may use"));
        let more: Vec<&str> = needs(manifest, &libraries)
            .into_iter()
            .filter(|it| *it != "arm-core" && !may.contains(it))
            .collect();
        assert!(more.is_empty(), "{name} builds on {more:?}");
    }
    let alerts = needs(&libraries["defender-alerts"], &libraries);
    assert_eq!(alerts, BTreeSet::from(["arm-core", "resource-ops"]), "the manifests are not read");
}

/// All folders of a source by their steps from it, its own with none.
fn folders(source: &Path) -> BTreeSet<Vec<String>> {
    let steps = |name: &String| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    let files = files(source);
    files
        .keys()
        .map(steps)
        .flat_map(|file| (0..file.len()).map(move |depth| file[..depth].to_vec()))
        .collect()
}

#[test]
fn no_part_of_a_library_crate_needs_itself_through_another() {
    let mut found = Vec::new();
    for name in libraries().keys() {
        let sources = Sources::read(&workspace().join(name).join("src"));
        for folder in folders(&workspace().join(name).join("src")) {
            let circles = circles(sources.needs_within(&folder));
            found.extend(
                (!circles.is_empty()).then(|| format!("{name}/src/{}: {circles:?}", folder.join("/"))),
            );
        }
        let parts = sources.needs_within(&[]);
        if parts.contains_key("tasks") {
            assert!(parts["tasks"].contains("client"), "{name}: the imports are not read: {parts:?}");
            assert!(parts["client"].contains("models"), "{name}: the imports are not read: {parts:?}");
        }
    }
    assert!(found.is_empty(), "circles:\n{}", found.join("\n"));
}

#[test]
fn a_circle_is_seen_through_the_root_and_among_the_files_of_a_folder() {
    let folder = std::env::temp_dir().join(format!("structure-{}", std::process::id()));
    fs::create_dir_all(folder.join("tasks")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write(
        "lib.rs",
        "mod client; mod models; mod tasks;\npub use client::Client;\npub use models::*;\npub use tasks::{Do, Done as It};",
    );
    write("client.rs", "use crate::{Do, Model};");
    write("models.rs", "pub struct Model;");
    write(
        "tasks/mod.rs",
        "mod go; mod done; mod end;\npub use done::Done; pub use go::Do;\nfn f() { end::end() }",
    );
    write("tasks/go.rs", "use super::super::Client;\npub struct Do(crate::It);\n// use crate::Nothing;");
    write("tasks/done.rs", "use super::{go::{self, Do as Begun}};\npub struct Done;");
    write("tasks/end.rs", "pub fn end() {}");
    let sources = Sources::read(&folder);
    fs::remove_dir_all(&folder).unwrap();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let parts = sources.needs_within(&[]);
    assert_eq!((&parts["client"], &parts["tasks"]), (&set(&["models", "tasks"]), &set(&["client"])));
    assert_eq!(circles(parts).keys().collect::<Vec<_>>(), ["client", "tasks"]);
    let files = sources.needs_within(&["tasks".to_owned()]);
    assert_eq!(
        (&files["go"], &files["done"], &files["mod"]),
        (&set(&["done"]), &set(&["go"]), &set(&["end"]))
    );
    assert_eq!(circles(files).keys().collect::<Vec<_>>(), ["done", "go"]);
}

/// The methods in a file that return a stream or future of models but are not marked `#[inline]`.
fn not_inline(text: &str) -> Vec<&str> {
    let code = text.split("\n#[cfg(test)]").next().unwrap_or_default();
    let decodes = ["-> Pager<", "-> Poller<", "-> Task<", "-> BoxStream<", "-> BoxFuture<"];
    let mut found: Vec<&str> = Vec::new();
    for (end, _) in decodes.iter().flat_map(|decodes| code.match_indices(decodes)) {
        let Some(begin) = code[..end].rfind("fn ") else { continue };
        let signature = &code[begin + 3..end];
        // A generic one is compiled where it is called anyway.
        let name = signature.split(['(', '<']).next().unwrap_or_default();
        if signature.contains([';', '{'])
            || signature.contains("impl ")
            || signature[name.len()..].starts_with('<')
        {
            continue;
        }
        let before = code[..begin].rsplit_once('\n').map_or("", |(before, _)| before);
        if before.lines().last().is_none_or(|line| line.trim() != "#[inline]") {
            found.push(name);
        }
    }
    found
}

#[test]
fn what_decodes_a_model_is_compiled_only_where_it_is_called() {
    for (name, _) in libraries().iter().filter(|(name, _)| *name != "arm-core") {
        for (file, text) in files(&workspace().join(name).join("src")) {
            let found = not_inline(&text);
            assert!(
                found.is_empty(),
                "{name}/src/{file}: {found:?} should be #[inline]: see CONTRIBUTING.md"
            );
        }
    }
    let text = "    pub fn list(\n        &self,\n    ) -> Pager<Lamp> {\n    #[inline]\n    fn other(&self) -> Task<()> {\n\
                    fn any(scope: impl Into<Scope>) -> Pager<Lamp> {\n    fn rows<T>(&self) -> Pager<T> {";
    assert_eq!(not_inline(text), ["list"]);
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    for name in libraries().keys().map(String::as_str).chain(["mock-azure"]) {
        for (file, text) in files(&workspace().join(name).join("src")) {
            let lines = text.lines().count();
            assert!(lines <= 500, "{name}/src/{file} has {lines} lines");
        }
    }
}
