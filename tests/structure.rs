//! How the library crates stand to each other, and the parts of each.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../mock-azure/tests/structure/imports.rs"]
mod imports;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use imports::{branch, circles, files, imports, room};

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

/// The names that a file gives out by `pub use`, each with the room below `src` that it comes from.
fn given_out(lib: &str) -> BTreeMap<String, String> {
    let code: String = lib.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = BTreeSet::new();
    for (at, mark) in code.match_indices("pub use ") {
        branch(&code[at + mark.len()..], usize::MAX, &mut Vec::new(), &mut found);
    }
    found.into_iter().map(|path| (path.last().unwrap().clone(), path.first().unwrap().clone())).collect()
}

/// Which rooms each room of a crate imports from, through the crate's root or not; tests of their own left out.
fn rooms(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let files = files(source);
    let names = given_out(&files["lib.rs"]);
    let all: BTreeSet<&str> = files.keys().map(|name| room(name)).collect();
    // `pub use models::*`: a name of no known room is one of these.
    let glob = names.get("*").cloned();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in files.iter().filter(|(name, _)| !matches!(name.as_str(), "lib.rs" | "prelude.rs")) {
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        // From a file right below `src`, or from the head of a folder there, the crate's root is `super`.
        let text = match name.split('/').collect::<Vec<_>>().as_slice() {
            [_] | [_, "mod.rs"] => text.replace("super::", "crate::"),
            [_, _] | [_, _, "mod.rs"] => text.replace("super::super::", "crate::"),
            _ => text.replace("super::super::super::", "crate::"),
        };
        let others = needs.entry(room(name).to_owned()).or_default();
        for import in imports(&text, 1) {
            let first = import[0].as_str();
            let other = if all.contains(first) {
                Some(first.to_owned())
            } else {
                names.get(first).cloned().or(glob.clone())
            };
            others.extend(other.filter(|other| other != room(name)));
        }
    }
    needs
}

#[test]
fn no_part_of_a_library_crate_needs_itself_through_another() {
    for name in libraries().keys() {
        let rooms = rooms(&workspace().join(name).join("src"));
        let circles = circles(rooms.clone());
        assert!(circles.is_empty(), "{name}: a circle among {circles:?}");
        if rooms.contains_key("tasks") {
            assert!(rooms["tasks"].contains("client"), "{name}: the imports are not read: {rooms:?}");
            assert!(rooms["client"].contains("models"), "{name}: the imports are not read: {rooms:?}");
        }
    }
}

#[test]
fn a_circle_through_the_root_is_seen() {
    let folder = std::env::temp_dir().join(format!("structure-{}", std::process::id()));
    fs::create_dir_all(folder.join("tasks")).unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write(
        "lib.rs",
        "mod client; mod models; mod tasks;\npub use client::Client;\npub use models::*;\npub use tasks::{Do, Done as It};",
    );
    write("client.rs", "use crate::{Do, Model};");
    write("models.rs", "pub struct Model;");
    write("tasks/mod.rs", "mod go;");
    write("tasks/go.rs", "use super::super::Client;\n// use crate::Nothing;");
    let rooms = rooms(&folder);
    fs::remove_dir_all(&folder).unwrap();
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(rooms["client"], set(&["models", "tasks"]));
    assert_eq!(rooms["tasks"], set(&["client"]));
    assert_eq!(circles(rooms).keys().collect::<Vec<_>>(), ["client", "tasks"]);
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    for name in libraries().keys() {
        for (file, text) in files(&workspace().join(name).join("src")) {
            let lines = text.lines().count();
            assert!(lines <= 500, "{name}/src/{file} has {lines} lines");
        }
    }
}
