//! Measures the listing of 10,000 alerts over TLS.

use std::process::Command;

use crate::{
    footprint::{READER, built},
    runs::rounds,
    server::{PAGES, SUBSCRIPTION, Serving},
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "list-alerts", measure };
const ROUNDS: usize = 21;

fn measure() -> Section {
    let (serving, reader) = (Serving::start(), built(READER));
    let read = &|way| figures(serving.ask(&reader).args([way, SUBSCRIPTION, serving.endpoint()]));
    let ways = ["two-fields", "raw", "hyper", "hyper-64k", "list", "everything", "value"]
        .map(|way| move || read(way));
    let [
        [floor, bare_memory],
        [raw, _],
        [hyper, _],
        [wide, _],
        [list, list_memory],
        [everything, _],
        [value, _],
    ] = rounds(ROUNDS, ways.each_ref().map(|way| way as &dyn Fn() -> _));
    Section {
        title: "Listing 10,000 alerts over TLS",
        about: "100 pages of 100 alerts, 3.35 KB each, from another process; each way of reading runs in a process of its own. \
                The floor is bare reqwest that borrows two fields of each alert."
            .to_owned(),
        rows: vec![
            Row::ratio("processor time of the process: `AlertsClient::list`", &floor, &list, "ms").at_most(1.0, "×"),
            Row::ratio("the same, and every part of every alert read", &floor, &everything, "ms")
                .at_most(1.5, "×"),
            Row::ratio("of that, reqwest, hyper and rustls: bytes that nothing decodes", &floor, &raw, "ms"),
            Row::ratio("the same with hyper alone, without reqwest", &floor, &hyper, "ms"),
            Row::ratio("the same, reading 64 KiB at a time below rustls", &floor, &wide, "ms"),
            Row::ratio("bare reqwest and `serde_json::Value`", &floor, &value, "ms"),
            Row::alone("most memory: `AlertsClient::list`", list_memory.most(), "MiB").at_most(15.0, "MiB"),
            Row::alone("most memory: the floor", bare_memory.most(), "MiB"),
        ],
    }
}

/// The milliseconds of processor time and the MiB of memory of a program, which must read all alerts.
fn figures(command: &mut Command) -> [f64; 2] {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let figures: Vec<f64> = text.split_whitespace().map(|figure| figure.parse().unwrap()).collect();
    let [count, cpu, memory] = figures[..] else { panic!("{text}") };
    assert_eq!(count, (PAGES * 100) as f64);
    [cpu, memory]
}
