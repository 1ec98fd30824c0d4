//! One clock and one seed: everything in a double follows them, and nothing else.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod follows;
mod skipped_waits;
mod transcript;

#[path = "../support/mod.rs"]
mod support;

use std::{fs, path::Path};

/// Every source file below a folder.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn only_the_clock_asks_for_the_real_time_and_nothing_asks_for_chance() {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut found);
    assert!(found.len() > 80, "the sources are there: {}", found.len());
    let real =
        ["now_utc", "now_local", "Instant::now", "SystemTime", "new_v4", "new_v7", "RandomState", "rand::"];
    let asked: Vec<String> = found
        .iter()
        .flat_map(|(path, text)| {
            real.iter().filter(|word| text.contains(**word)).map(move |word| (path, *word))
        })
        .filter(|(path, word)| {
            !(path.ends_with("state/clock.rs") && matches!(*word, "now_utc" | "Instant::now"))
        })
        .map(|(path, word)| format!("{path}: {word}"))
        .collect();
    assert_eq!(asked, Vec::<String>::new());
}
