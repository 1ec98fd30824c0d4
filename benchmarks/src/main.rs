//! Measures what the crates cost, and writes `BENCHMARKS.md` and its plot: each figure next to a floor from the same
//! run.
//!
//! `cargo run --profile bench -p benchmarks` runs all benchmarks and writes the files. With names, it runs only those,
//! and prints the results.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)] // a benchmark that cannot continue panics, and results are printed

mod decode;
mod double;
mod fleet;
mod footprint;
mod lab;
mod listing;
mod pipeline;
mod plot;
mod runs;
mod server;
mod start_up;
mod table;
mod transport;

use std::{path::Path, process::ExitCode};

use clap::Parser;

use crate::table::{Bench, Section};

/// Measures figures next to a floor from the same run. Nothing else should be running.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  benchmarks                    all, written to BENCHMARKS.md and .svg\n  benchmarks pipeline decode    only these two, printed\n\nThe exit code is 1 if a goal is missed."
)]
struct Arguments {
    /// The benchmarks to run. Default: all.
    #[arg(value_parser = BENCHES.map(|bench| bench.name))]
    names: Vec<String>,
}

const BENCHES: [Bench; 8] = [
    pipeline::BENCH,
    fleet::BENCH,
    listing::BENCH,
    start_up::BENCH,
    footprint::BENCH,
    lab::BENCH,
    double::BENCH,
    decode::BENCH,
];

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == "serve") {
        server::serve();
        return ExitCode::SUCCESS;
    }
    if std::env::args().nth(1).is_some_and(|argument| argument == "serve-double") {
        double::serve();
        return ExitCode::SUCCESS;
    }
    let names = Arguments::parse().names;
    // azure_core captures a backtrace for each error that it creates, including those that it discards.
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
        eprintln!("unset RUST_BACKTRACE: backtraces would be measured");
        return ExitCode::from(2);
    }
    let sections: Vec<(&str, Section)> = BENCHES
        .iter()
        .filter(|bench| names.is_empty() || names.iter().any(|name| name == bench.name))
        .map(|bench| {
            eprintln!("measuring {} ..", bench.name);
            (bench.name, (bench.measure)())
        })
        .collect();
    if names.is_empty() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        std::fs::write(root.join("BENCHMARKS.md"), table::document(&sections)).unwrap();
        std::fs::write(root.join("BENCHMARKS.svg"), plot::svg(&sections)).unwrap();
    } else {
        print!("{}", table::tables(&sections));
    }
    match sections.iter().flat_map(|(_, section)| &section.rows).any(|row| row.missed()) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
