//! Measures a program that sends one request, from start to end.

use crate::{
    footprint::{AZURE, BARE, OURS, built},
    runs::{rounds, wall},
    server::{Serving, WITH_ONE_ALERT},
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "start-up", measure };
const ROUNDS: usize = 41;

fn measure() -> Section {
    let (serving, bare, azure, ours) = (Serving::start(), built(BARE), built(AZURE), built(OURS));
    let program = |path| {
        let mut command = serving.ask(path);
        command.args([WITH_ONE_ALERT, serving.endpoint()]);
        command
    };
    let listed = |path| String::from_utf8(program(path).output().unwrap().stdout).unwrap().lines().count();
    assert_eq!((listed(&bare), listed(&azure), listed(&ours)), (1, 1, 1));
    let time = |path| [wall(&mut program(path))];
    let [[floor], [azure], [ours]] = rounds(ROUNDS, [&|| time(&bare), &|| time(&azure), &|| time(&ours)]);
    Section {
        title: "Start-up",
        about: "`list-alerts` for a subscription with one alert, over TLS: from the start of the process to its end. \
                The floor is the same with bare reqwest, the same TLS and two borrowed fields."
            .to_owned(),
        rows: vec![
            Row::ratio("a program of one request: time from start to end", &floor, &ours, "ms").at_most(2.0, "×"),
            Row::ratio("of that, with `azure_core` and `azure_identity` alone", &floor, &azure, "ms"),
        ],
    }
}
