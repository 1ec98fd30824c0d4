//! A program that sends one request, from start to end.

use std::{io::Write as _, process::Command};

use crate::{
    footprint::{BARE, OURS, built},
    process::{Serving, least, wall},
    server::{Server, WITH_ONE_ALERT},
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "start-up", measure };
const ROUNDS: usize = 41;

fn measure() -> Section {
    let serving = Serving::start();
    let server = Server::parse(&serving.address);
    let mut certificate = tempfile::NamedTempFile::new().unwrap();
    certificate.write_all(pem(&server.certificate).as_bytes()).unwrap();
    let programs = built();
    let program = |name: &str| {
        let mut command = Command::new(programs.join(name));
        command.args([WITH_ONE_ALERT, &server.endpoint]).env("SSL_CERT_FILE", certificate.path());
        command
    };
    let listed =
        |name: &str| String::from_utf8(program(name).output().unwrap().stdout).unwrap().lines().count();
    assert_eq!((listed(BARE), listed(OURS)), (1, 1));
    let [floor, ours] = least(ROUNDS, [&mut || wall(&mut program(BARE)), &mut || wall(&mut program(OURS))]);
    Section {
        bench: BENCH.name,
        title: "Start-up",
        about: "`list-alerts` for a subscription with one alert, over TLS: from the start of the process to its end. \
                The floor is the same with bare reqwest, the same TLS and two borrowed fields."
            .to_owned(),
        rows: vec![Row::ratio("a program of one request: time from start to end", floor, ours, "ms").at_most(2.0, "×")],
    }
}

fn pem(certificate: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}
