//! The double as a program: plain HTTP, any token, hosts by name.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mock-azure"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().strip_prefix("http://").unwrap().to_owned() }
    }

    fn get(&self, host: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer any\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_program_prints_its_address_and_serves_every_host_by_name() {
    let program = Program::start(&["--demo", "--quiet"]);
    assert!(program.address.starts_with("127.0.0.1:"));
    let groups = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups?api-version=2024-03-01";
    for host in ["management.azure.com", program.address.as_str()] {
        let answer = program.get(host, groups);
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("rg-lab"), "{answer}");
    }
    let vault = program.get("kv-lab.vault.azure.net", "/secrets?api-version=7.5");
    assert!(vault.starts_with("HTTP/1.1 200"), "{vault}");
    let sign_in = program.get("login.microsoftonline.com", "/common/v2.0/.well-known/openid-configuration");
    assert!(sign_in.contains("token_endpoint"), "{sign_in}");
    let unknown = program.get("example.com", "/");
    assert!(unknown.starts_with("HTTP/1.1 501"), "{unknown}");
}

#[test]
fn a_link_leads_back_to_the_program_as_it_was_called() {
    let program = Program::start(&["--demo", "--quiet", "--page-size", "1"]);
    let alerts = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/alerts\
                  ?api-version=2022-01-01";
    let link = |host: &str| {
        let answer = program.get(host, alerts);
        let (_, rest) = answer.split_once("\"nextLink\":\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let called = link(&program.address);
    let path = called.strip_prefix(&format!("http://{}", program.address)).unwrap();
    assert!(program.get(&program.address, path).contains("\"value\":[{"));
    assert!(link("management.azure.com").starts_with("https://management.azure.com/"));
}

#[test]
fn a_mistake_in_the_arguments_is_told_before_anything_starts() {
    let run =
        |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_mock-azure")).args(arguments).output().unwrap();
    let output = run(&["--faults", "often"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("42:10"));
    assert!(String::from_utf8(run(&["--help"]).stdout).unwrap().contains("Examples:"));
}

#[test]
fn more_connections_than_are_served_at_once_are_told_so() {
    let program = Program::start(&["--quiet"]);
    let idle: Vec<_> = (0..512).map(|_| TcpStream::connect(&program.address).unwrap()).collect();
    let answer = program.get("management.azure.com", "/subscriptions?api-version=2022-12-01");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("MockTooManyConnections"), "{answer}");
    drop(idle);
}
