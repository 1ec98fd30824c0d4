//! Listing 10,000 alerts over TLS.

use std::process::Command;

use crate::{
    footprint::{READER, built},
    server::{PAGES, SUBSCRIPTION, Serving},
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "list-alerts", measure };
const ROUNDS: usize = 21;
const WAYS: [&str; 4] = ["two-fields", "list", "everything", "value"];

fn measure() -> Section {
    let (serving, reader) = (Serving::start(), built(READER));
    let mut seen = WAYS.map(|_| (f64::INFINITY, 0.0_f64));
    for _ in 0..ROUNDS {
        for (way, seen) in WAYS.iter().zip(&mut seen) {
            let (cpu, memory) = figures(serving.ask(&reader).args([way, SUBSCRIPTION, serving.endpoint()]));
            *seen = (seen.0.min(cpu), seen.1.max(memory));
        }
    }
    let [floor, list, everything, value] = seen;
    Section {
        bench: BENCH.name,
        title: "Listing 10,000 alerts over TLS",
        about: "100 pages of 100 alerts, 3.35 KB each, from another process; each way of reading runs in a process of its own. \
                The floor is bare reqwest that borrows two fields of each alert. On a shared machine the ratios move much: over twenty such runs the list took 1.2 to 1.7 times the floor, everything 2.3 to 2.9 times."
            .to_owned(),
        rows: vec![
            Row::ratio("processor time of the process: `AlertsClient::list`", floor.0, list.0, "ms").at_most(1.5, "×"),
            Row::ratio("the same, and every part of every alert read", floor.0, everything.0, "ms")
                .at_most(2.5, "×"),
            Row::ratio("bare reqwest and `serde_json::Value`", floor.0, value.0, "ms"),
            Row::alone("most memory: `AlertsClient::list`", list.1, "MiB").at_most(15.0, "MiB"),
            Row::alone("most memory: the floor", floor.1, "MiB"),
        ],
    }
}

/// Milliseconds and MiB of a program that must read all of them.
fn figures(command: &mut Command) -> (f64, f64) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    let [count, cpu, memory] = figures[..] else { panic!("{text}") };
    assert_eq!(count, (PAGES * 100) as f64);
    (cpu, memory)
}
