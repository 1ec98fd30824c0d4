//! The floors of this crate: imports go down only, and no service stands in a circle.
#![allow(clippy::unwrap_used, reason = "tests")]

mod imports;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use imports::{circles, files, imports, room};

/// Each folder (or file) right below `src`, and what it may import beside itself.
const FLOORS: &[(&str, &[&str])] = &[
    ("http", &[]),
    ("kql", &[]),
    ("state", &["http"]),
    ("services", &["http", "kql", "state"]),
    ("app", &["http", "services", "state"]),
    ("transport", &["app", "http", "state"]),
    ("world_file", &["services", "state"]),
    ("server", &["app", "http", "state", "world_file"]),
];

const LONGEST_FILE: usize = 500;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn every_floor_imports_only_floors_below_it() {
    for (name, text) in files(&source()) {
        let Some((floor, below)) = FLOORS.iter().find(|(floor, _)| *floor == room(&name)) else {
            assert!(name == "lib.rs" || name.starts_with("bin/"), "{name} is on no floor");
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
    for (name, text) in files(&source()) {
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
    let circles = circles(needs);
    assert!(circles.is_empty(), "a circle among {circles:?}");
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    for (name, text) in files(&source()) {
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
