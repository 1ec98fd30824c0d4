//! The footprint of a program that lists alerts: build time, crates, size.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::{
    runs::Runs,
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "footprint", measure };
pub(crate) const OURS: &str = "list-alerts";
pub(crate) const READER: &str = "read-alerts";
pub(crate) const BARE: &str = "list-alerts-bare";
pub(crate) const AZURE: &str = "list-alerts-azure";

// A program that lists alerts with the old generated crate of these services, stripped, built with one job.
const OLD_SECONDS: f64 = 238.0;
const OLD_CRATES: f64 = 140.0;
const OLD_MEGABYTES: f64 = 4.6;

fn measure() -> Section {
    let clean_build = |program| {
        let target = tempfile::tempdir().unwrap();
        let since = Instant::now();
        build(program, &["--jobs", "1"], target.path());
        Runs::from(since.elapsed().as_secs_f64())
    };
    let (seconds, azure_seconds, bare_seconds) = (clean_build(OURS), clean_build(AZURE), clean_build(BARE));
    let size = |name: &str| Runs::from(std::fs::metadata(built(name)).unwrap().len() as f64 / 1e6);
    let (ours, azure, bare) = (size(OURS), size(AZURE), size(BARE));
    let crates = |program| Runs::from(crates(program) as f64);
    Section {
        title: "Weight of a program that lists alerts",
        about: "`list-alerts`, release build, beside the old generated crate (one job, stripped). Its bare twin, with reqwest and two \
                borrowed fields, is the least that a program with TLS can weigh; the other twin adds only `azure_core` and `azure_identity`, and \
                what it weighs is not ours to change."
            .to_owned(),
        rows: vec![
            Row::ratio("clean build, one job", &OLD_SECONDS.into(), &seconds, "s").at_most(0.9, "×"),
            Row::ratio("the same beside its bare twin", &bare_seconds, &seconds, "s").at_most(2.0, "×"),
            Row::ratio("of that, the twin with `azure_core` and `azure_identity`", &bare_seconds, &azure_seconds, "s"),
            Row::ratio("crates, ours and all below", &OLD_CRATES.into(), &crates(OURS), "").at_most(0.9, "×"),
            Row::ratio("of that, the twin with `azure_core` and `azure_identity`", &OLD_CRATES.into(), &crates(AZURE), ""),
            Row::ratio("size of the program", &OLD_MEGABYTES.into(), &ours, "MB").at_most(0.9, "×"),
            Row::ratio("the same beside its bare twin", &bare, &ours, "MB").at_most(1.15, "×"),
            Row::ratio("of that, the twin with `azure_core` and `azure_identity`", &bare, &azure, "MB"),
        ],
    }
}

/// Builds this program as it would be shipped, and returns its path.
pub(crate) fn built(program: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    build(program, &[], &target);
    target.join("release").join(program)
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn build(program: &str, more: &[&str], target: &Path) {
    let package = if program == READER { OURS } else { program };
    let mut command = cargo(&["build", "--quiet", "--release", "--package", package, "--bin", program]);
    assert!(command.args(more).env("CARGO_TARGET_DIR", target).status().unwrap().success());
}

/// The number of crates that are compiled into the program or needed to build it.
fn crates(program: &str) -> usize {
    let tree = ["tree", "--package", program, "--edges", "normal,build", "--prefix", "none"];
    let output = cargo(&tree).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    // The part in parentheses after the name is a path, or a mark that the crate was already listed.
    let names = text.lines().map(|line| line.split(" (").next().unwrap_or(line));
    names.collect::<HashSet<_>>().len()
}
