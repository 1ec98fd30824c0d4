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

#[cfg(unix)]
#[test]
fn a_saved_world_is_its_owner_s_even_if_the_file_was_everybody_s() {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt as _, symlink},
    };
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("saved.jsonl"), folder.path().join("link.jsonl"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    symlink(&file, &link).unwrap();
    for path in [&file, &link, &folder.path().join("new.jsonl")] {
        let program = Program::start(&["--demo", "--quiet", "--save", path.to_str().unwrap()]);
        assert!(fs::read_to_string(path).unwrap().starts_with("{\"journal\":1"), "{path:?}");
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{path:?}");
        drop(program);
    }
    assert!(link.is_symlink());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "no temporary file is left");
    drop(Program::start(&["--demo", "--quiet", "--save", "/dev/null"]));
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
fn a_mistake_in_the_arguments_is_reported_before_anything_starts() {
    let run =
        |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_mock-azure")).args(arguments).output().unwrap();
    let output = run(&["--faults", "often"]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("42:10"));
    assert!(String::from_utf8(run(&["--help"]).stdout).unwrap().contains("Examples:"));
}

#[test]
fn too_many_concurrent_connections_are_refused_with_a_reason() {
    let program = Program::start(&["--quiet"]);
    let idle: Vec<_> = (0..512).map(|_| TcpStream::connect(&program.address).unwrap()).collect();
    let answer = program.get("management.azure.com", "/subscriptions?api-version=2022-12-01");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("MockTooManyConnections"), "{answer}");
    drop(idle);
}

#[cfg(unix)]
#[test]
fn a_command_sees_the_double_instead_of_azure_and_ends_as_it_ends() {
    let script = r#"
        test "$HTTPS_PROXY" = "$https_proxy" && test "$NO_PROXY" = localhost,127.0.0.1,::1 || exit 1
        grep -q 'BEGIN CERTIFICATE' "$SSL_CERT_FILE" && test "$SSL_CERT_FILE" = "$NODE_EXTRA_CA_CERTS" || exit 2
        grep -q "$AZURE_SUBSCRIPTION_ID" "$AZURE_CONFIG_DIR/azureProfile.json" || exit 3
        grep -q "$AZURE_CLIENT_ID" "$AZURE_CONFIG_DIR/service_principal_entries.json" || exit 4
        printf '%s %s' "$AZURE_SUBSCRIPTION_ID" "$*"
        exit 7
    "#;
    let subscription = "00000000-0000-0000-0000-000000000009";
    let ran = Command::new(env!("CARGO_BIN_EXE_mock-azure"))
        .args([
            "run",
            "--quiet",
            "--subscription",
            subscription,
            "--",
            "sh",
            "-c",
            script,
            "sh",
            "--port",
            "x",
        ])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(7), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), format!("{subscription} --port x"));
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "");

    let missing =
        Command::new(env!("CARGO_BIN_EXE_mock-azure")).args(["run", "--", "no-such-command"]).output();
    let missing = missing.unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("cannot run 'no-such-command'"));
}

#[cfg(unix)]
#[test]
fn a_command_that_is_killed_exits_as_in_a_shell() {
    let ran = |signal: &str| {
        let script = format!("kill -{signal} $$");
        Command::new(env!("CARGO_BIN_EXE_mock-azure"))
            .args(["run", "--quiet", "--", "sh", "-c", script.as_str()])
            .status()
            .unwrap()
            .code()
    };
    assert_eq!((ran("TERM"), ran("KILL")), (Some(143), Some(137)));
}

#[cfg(unix)]
#[test]
fn a_command_with_a_managed_identity_has_no_secret_and_a_place_to_ask() {
    let script = r#"test -z "$AZURE_CLIENT_SECRET$AZURE_CLIENT_ID" && printf '%s' "$IDENTITY_ENDPOINT$IDENTITY_HEADER""#;
    let ran = Command::new(env!("CARGO_BIN_EXE_mock-azure"))
        .args(["run", "--quiet", "--managed-identity", "--", "sh", "-c", script])
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(said.starts_with("http://127.0.0.1:") && said.contains("/msi/token"), "{said}");
}

#[test]
fn another_address_than_this_machine_s_must_be_meant() {
    let refused =
        Command::new(env!("CARGO_BIN_EXE_mock-azure")).args(["--bind", "0.0.0.0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("--anyone-may-reach-it"));
}
