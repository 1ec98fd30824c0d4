//! The floors of the double: imports go down only, and no service stands in a circle.

use std::path::{Path, PathBuf};

use crate::sources::{Sources, circles};

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

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../mock-azure/src")
}

#[test]
fn every_floor_imports_only_floors_below_it() {
    for (name, needs) in Sources::read(&source()).needs_within(&[]).iter().filter(|(name, _)| *name != "bin")
    {
        let floor = FLOORS.iter().find(|(floor, _)| floor == name);
        let (_, below) = floor.unwrap_or_else(|| panic!("{name} is on no floor"));
        let more: Vec<&String> = needs.iter().filter(|other| !below.contains(&other.as_str())).collect();
        assert!(more.is_empty(), "{name} imports {more:?}");
    }
}

#[test]
fn no_service_needs_itself_through_another() {
    let needs = Sources::read(&source()).needs_within(&["services".to_owned()]);
    let read = needs.values().filter(|others| !others.is_empty()).count();
    assert!(read > 10, "the services' imports are not read: {needs:?}");
    let circles = circles(needs);
    assert!(circles.is_empty(), "a circle among {circles:?}");
}
