//! The floors of this crate: imports go down only, and no service stands in a circle.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Each folder (or file) right below `src`, and what it may import beside itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("http", &[]),
    ("kql", &[]),
    ("state", &["http"]),
    ("services", &["http", "kql", "state"]),
    ("app", &["http", "services", "state"]),
    ("transport", &["app", "http", "state"]),
    ("server", &["app", "http", "state"]),
];

const LONGEST_FILE: usize = 500;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All Rust files below `src`, by their path from there, with their text.
fn files() -> BTreeMap<String, String> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![source()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(source()).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The first `depth` names of every path below `crate::` in a file, in `use` trees and elsewhere.
fn imports(text: &str, depth: usize) -> BTreeSet<Vec<String>> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = BTreeSet::new();
    for (_, rest) in code.match_indices("crate::").map(|(at, mark)| (at, &code[at + mark.len()..])) {
        branch(rest, depth, &mut Vec::new(), &mut found);
    }
    found
}

/// Reads one branch of a tree of paths; answers the text behind it.
fn branch<'a>(
    text: &'a str,
    depth: usize,
    before: &mut Vec<String>,
    found: &mut BTreeSet<Vec<String>>,
) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        while !rest.trim_start().starts_with('}') {
            rest = branch(rest, depth, &mut before.clone(), found);
            rest = rest.trim_start().strip_prefix(',').unwrap_or(rest);
        }
        return &rest.trim_start()[1..];
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    assert!(!name.is_empty(), "not a path: {}", text.chars().take(40).collect::<String>());
    before.push(name.to_owned());
    match rest.strip_prefix("::") {
        Some(rest) => branch(rest, depth, before, found),
        None => {
            found.insert(before.iter().take(depth).cloned().collect());
            rest
        }
    }
}

/// `state` of `state/world.rs`, `transport` of `transport.rs`.
fn room(name: &str) -> &str {
    name.split('/').next().unwrap_or(name).trim_end_matches(".rs")
}

#[test]
fn every_floor_imports_only_floors_below_it() {
    for (name, text) in files() {
        let Some((floor, below)) = FLOORS.iter().find(|(floor, _)| *floor == room(&name)) else {
            assert!(matches!(name.as_str(), "lib.rs" | "main.rs"), "{name} is on no floor");
            continue;
        };
        for import in imports(&text, 1) {
            let other = import[0].as_str();
            assert!(other == *floor || below.contains(&other), "{name} imports {other}");
        }
    }
}

#[test]
fn no_service_needs_itself_through_another() {
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in files() {
        let Some(service) = name.strip_prefix("services/").map(room) else { continue };
        for import in imports(&text, 2) {
            if let [floor, other] = import.as_slice()
                && floor == "services"
                && other != service
            {
                needs.entry(service.to_owned()).or_default().insert(other.clone());
            }
        }
    }
    assert!(needs.len() > 10, "the services' imports are not read: {needs:?}");
    // Takes away, again and again, the services that need none of those left.
    while !needs.is_empty() {
        let free = needs.iter().find(|(_, others)| others.iter().all(|other| !needs.contains_key(other)));
        let Some(free) = free.map(|(service, _)| service.clone()) else {
            panic!("a circle among {needs:?}");
        };
        needs.remove(&free);
    }
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    for (name, text) in files() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{name} has {lines} lines");
    }
}

#[test]
fn paths_are_read_from_trees_and_from_the_middle_of_code() {
    let text = "use crate::{\n    http::{Call, host::Host},\n    state,\n};\n// crate::app\nlet a = crate::kql::parse(b);";
    let rooms: Vec<String> = imports(text, 1).into_iter().flatten().collect();
    assert_eq!(rooms, ["http", "kql", "state"]);
    assert!(imports(text, 3).contains(&vec!["http".to_owned(), "host".to_owned(), "Host".to_owned()]));
}
