//! Rotations whose credentials are taken, and refused, by real services: see `tests/real-services/README.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails
#![allow(clippy::print_stdout, reason = "the command shows what was seen")]

mod support;

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::{ArmClient, Secret};
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, Context, Request, Transport,
    headers::Headers,
    policies::{Policy, PolicyResult},
};
use keyvault_issuers::{PostgresRoleIssuer, ResourceKeyIssuer, WebhookIssuer};
use keyvault_ops::{Issuer as _, IssuerKind, SecretsClient};
use mock_azure::MockAzure;
use support::{
    Lab, VAULT, account, name, seed,
    service::{ADDRESS, KEY, Service},
    storage,
};

fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: use tests/real-services/run"))
}

/// The password of a PostgreSQL URL.
fn password(url: &str) -> &str {
    url.split([':', '@']).nth(2).unwrap()
}

#[tokio::test]
#[ignore = "needs a server: tests/real-services/run"]
async fn postgresql_takes_the_new_password_refuses_the_old_one_and_logs_none() {
    let (administrator, leaked) = (told("REAL_POSTGRES"), told("REAL_POSTGRES_LEAKED"));
    let roots = std::fs::read_to_string(told("REAL_POSTGRES_ROOT")).unwrap();
    let issuer = |administrator: &str| {
        let issuer = PostgresRoleIssuer::new(&administrator.into(), ["app_a", "app_b"]).unwrap();
        issuer.root_certificates(&roots).unwrap()
    };
    let lab = Lab::of(seed()).await;
    let (db, checks) = (name("db"), issuer(&administrator));
    let rotate = || lab.secrets.rotate(&db).issuer(Arc::new(issuer(&administrator)));
    lab.set("db", &leaked).await;

    let mut passwords = vec![password(&administrator).to_owned(), password(&leaked).to_owned()];
    let mut old = leaked;
    for role in ["app_b", "app_a", "app_b"] {
        let rotation = rotate().await.unwrap();
        println!("PostgreSQL: {rotation}");
        assert!(rotation.is_complete());
        let value = lab.value("db").await;
        assert!(value.starts_with(&format!("postgresql://{role}:")), "the roles take turns");
        assert!(value.ends_with("/shop?sslmode=verify-full"), "all else is as it was");
        checks.verify(&value.as_str().into()).await.unwrap();
        let error = checks.verify(&old.as_str().into()).await.unwrap_err().to_string();
        assert!(error.contains("28P01"), "{error}");
        passwords.push(password(&value).to_owned());
        old = value;
    }
    let plain = PostgresRoleIssuer::new(&administrator.as_str().into(), ["app_a", "app_b"]).unwrap();
    let error = plain.verify(&old.as_str().into()).await.unwrap_err().to_string();
    assert!(error.contains("no encryption"), "all of this went over TLS: {error}");

    // One who may more than the other; and one who may not be altered.
    let owner = told("REAL_POSTGRES_OWNER");
    for (change, undo, expected) in [
        (
            "CREATE TABLE orders (id int); GRANT SELECT ON orders TO app_a",
            "DROP TABLE orders",
            "SELECT on table orders",
        ),
        (
            "CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO app_b",
            "DROP TABLE orders",
            "the ownership of table orders",
        ),
        (
            "CREATE TABLE orders (id int); CREATE POLICY own ON orders TO app_a",
            "DROP TABLE orders",
            "policy own on table orders",
        ),
        ("ALTER ROLE app_a CREATEDB", "ALTER ROLE app_a NOCREATEDB", "the attribute rolcreatedb: true"),
        (
            "ALTER ROLE app_a SET work_mem = '1MB'",
            "ALTER ROLE app_a RESET work_mem",
            "the setting work_mem=1MB",
        ),
        (
            "CREATE ROLE more; GRANT more TO app_a WITH ADMIN OPTION",
            "DROP ROLE more",
            "the membership in more",
        ),
        ("ALTER ROLE app_a NOLOGIN", "ALTER ROLE app_a LOGIN", "may not log in (NOLOGIN)"),
        (
            "ALTER ROLE app_a VALID UNTIL '2020-01-01'",
            "ALTER ROLE app_a VALID UNTIL 'infinity'; ALTER ROLE app_b VALID UNTIL 'infinity'",
            "has a password that has expired",
        ),
        (
            "ALTER ROLE rotator NOCREATEROLE",
            "ALTER ROLE rotator CREATEROLE",
            "cannot be altered by rotator: give it CREATEROLE",
        ),
    ] {
        psql(&owner, change);
        let error = rotate().await.unwrap_err().to_string();
        println!("PostgreSQL: {error}");
        assert!(error.contains(expected), "{expected}: {error}");
        assert_eq!(lab.value("db").await, old, "nothing was changed");
        checks.verify(&old.as_str().into()).await.unwrap();
        psql(&owner, undo);
    }
    assert!(rotate().await.unwrap().is_complete(), "and all is as it was");
    passwords.push(password(&lab.value("db").await).to_owned());

    let log = std::fs::read_to_string(told("REAL_POSTGRES_LOG")).unwrap();
    let changes = log.matches("ALTER ROLE \"app_").count();
    println!("PostgreSQL: {} lines of log, {changes} changes of passwords in it", log.lines().count());
    assert!(changes >= 8, "all statements are logged");
    for password in passwords {
        assert!(password.len() > 20 && !log.contains(&password), "the log holds no password");
    }
}

fn psql(url: &str, statements: &str) {
    let folder = std::env::var("REAL_POSTGRES_BIN").unwrap_or("/usr/lib/postgresql/15/bin".to_owned());
    let mut psql = Command::new(format!("{folder}/psql"));
    let psql = psql.args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statements]);
    assert!(psql.stdout(Stdio::null()).status().unwrap().success(), "{statements}");
}

/// A service of the user's own that keeps the passwords of the Redis user `app`.
#[derive(Debug)]
struct RedisUser(Service);

impl RedisUser {
    fn ask(credentials: &[&str], command: &[&str]) -> String {
        let mut stream = TcpStream::connect(told("REAL_REDIS")).unwrap();
        let line = |words: &[&str]| {
            let words: String = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
            format!("*{}\r\n{words}", words.matches('$').count())
        };
        let sent = [&["AUTH"], credentials].concat();
        let all = line(&sent) + &line(command) + &line(&["QUIT"]);
        stream.write_all(all.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn set(rule: &str) {
        let answer =
            Self::ask(&[&told("REAL_REDIS_PASSWORD")], &["ACL", "SETUSER", "app", "on", "~*", "+@all", rule]);
        assert_eq!(answer, "+OK\r\n+OK\r\n+OK\r\n");
    }

    fn takes(password: &str) -> bool {
        match Self::ask(&["app", password], &["PING"]).as_str() {
            "+OK\r\n+PONG\r\n+OK\r\n" => true,
            refused => {
                assert!(refused.starts_with("-WRONGPASS"), "{refused}");
                false
            }
        }
    }
}

#[async_trait]
impl Policy for RedisUser {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if request.url().host_str() != Some("credentials.contoso.example") {
            return next[0].send(ctx, request, &next[1..]).await;
        }
        let held = |alive: bool| -> Vec<String> {
            let held = self.0.held.lock().unwrap();
            held.iter().filter(|it| it.3 == alive).map(|it| it.1.clone()).collect()
        };
        let before = held(true);
        let (status, body) = self.0.answer(request);
        // What came is given to the server, and what went is taken from it.
        held(true).iter().filter(|it| !before.contains(it)).for_each(|it| Self::set(&format!(">{it}")));
        held(false).iter().filter(|it| before.contains(it)).for_each(|it| Self::set(&format!("<{it}")));
        let status = match self.0.seen.lock().unwrap().last().map(String::as_str) {
            Some("verify") if status == 204 && !held(true).iter().any(|it| Self::takes(it)) => 422,
            _ => status,
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Ok(AsyncRawResponse::from_bytes(status.into(), Headers::new(), body))
    }
}

#[tokio::test]
#[ignore = "needs a server: tests/real-services/run"]
async fn redis_takes_the_new_password_of_a_user_and_refuses_the_old_one() {
    mock_azure::fast_forward();
    let leaked = "leaked-password-of-the-cache";
    RedisUser::set(&format!(">{leaked}"));
    let user = RedisUser(Service::default());
    user.0.held.lock().unwrap().push(("c-0".into(), leaked.into(), String::new(), true));
    let (azure, user) = (seed().start().await, Arc::new(user));
    let client = ClientOptions { per_try_policies: vec![user], ..azure.client_options() };
    let arm = ArmClient::new(azure.credential(), Some(client.into())).unwrap();
    let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
    secrets.set(&name("cache"), Secret::new(leaked)).await.unwrap();
    assert!(RedisUser::takes(leaked));

    let issuer = WebhookIssuer::new(&arm, ADDRESS.parse().unwrap(), KEY.into(), IssuerKind::Many).unwrap();
    let rotation = secrets.rotate(&name("cache")).issuer(Arc::new(issuer)).await.unwrap();
    println!("Redis: {rotation}");
    assert!(rotation.is_complete());
    let new = secrets.get(&name("cache")).await.unwrap().value;
    assert!(RedisUser::takes(new.expose()) && !RedisUser::takes(leaked));
}

const HOST: &str = "stlab.blob.core.windows.net";

/// The blobs of the double's account `stlab`, kept by Azurite, which is started anew when the account has other keys.
#[derive(Debug)]
struct Azurite {
    double: MockAzure,
    transport: Transport,
    running: Mutex<Option<(Child, u16, [String; 2])>>,
    /// How often it was started, and the statuses that it answered.
    seen: Mutex<(u32, Vec<u16>)>,
}

impl Azurite {
    fn port(&self) -> u16 {
        let key = |name| self.double.resource_key(storage().as_str(), name).unwrap();
        let keys = [key("key1"), key("key2")];
        let mut running = self.running.lock().unwrap();
        if let Some((child, port, with)) = running.as_mut() {
            if *with == keys {
                return *port;
            }
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut azurite = Command::new(told("REAL_AZURITE"));
        azurite.args([
            "--inMemoryPersistence",
            "--silent",
            "--disableTelemetry",
            "--blobPort",
            &port.to_string(),
        ]);
        azurite.env("AZURITE_ACCOUNTS", format!("stlab:{}:{}", keys[0], keys[1]));
        let child = azurite.current_dir(told("REAL_FOLDER")).stdout(Stdio::null()).spawn().unwrap();
        *running = Some((child, port, keys));
        self.seen.lock().unwrap().0 += 1;
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return port;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Azurite did not start");
    }

    /// Sends a request as it is, and reads status and headers.
    fn ask(&self, request: &Request) -> (u16, Headers, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).unwrap();
        let (path, query) = (request.url().path(), request.url().query().unwrap_or_default());
        let mut text =
            format!("{} {path}?{query} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n", request.method());
        for (name, value) in request.headers().iter() {
            text += &format!("{}: {}\r\n", name.as_str(), value.as_str());
        }
        stream.write_all((text + "\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Headers::new();
        for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
            // Azurite has one code for all refusals; Azure says this of a wrong signature.
            let value = if value == "AuthorizationFailure" { "AuthenticationFailed" } else { value };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        (status, headers, body.to_owned())
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        if let Some((mut child, ..)) = self.running.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[async_trait]
impl Policy for Azurite {
    async fn send(&self, ctx: &Context, request: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
        if request.url().host_str() != Some(HOST) {
            return self.transport.send(ctx, request).await;
        }
        let (status, headers, body) = self.ask(request);
        self.seen.lock().unwrap().1.push(status);
        Ok(AsyncRawResponse::from_bytes(status.into(), headers, body))
    }
}

#[tokio::test]
#[ignore = "needs Azurite: tests/real-services/run"]
async fn azurite_takes_what_is_signed_with_the_new_key_and_refuses_the_old_one() {
    mock_azure::fast_forward();
    let double = account().start().await;
    let transport = double.client_options().transport.unwrap();
    let azurite = Arc::new(Azurite {
        double: double.clone(),
        transport,
        running: Mutex::default(),
        seen: Mutex::default(),
    });
    let transport: Arc<dyn Policy> = azurite.clone();
    let client = ClientOptions { transport: Some(Transport::with_policy(transport)), ..Default::default() };
    let arm = ArmClient::new(double.credential(), Some(client.into())).unwrap();
    let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
    let issuer = Arc::new(ResourceKeyIssuer::new(&arm, storage()).unwrap());
    let stored = |key: &str| {
        format!(
            "DefaultEndpointsProtocol=https;AccountName=stlab;AccountKey={key};EndpointSuffix=core.windows.net"
        )
    };
    let leaked = stored(&double.resource_key(storage().as_str(), "key1").unwrap());
    secrets.set(&name("storage"), leaked.as_str().into()).await.unwrap();
    issuer.verify(&leaked.as_str().into()).await.unwrap();

    let rotation = secrets.rotate(&name("storage")).issuer(issuer.clone()).await.unwrap();
    println!("Azurite: {rotation}");
    assert!(rotation.is_complete());
    let value = secrets.get(&name("storage")).await.unwrap().value;
    assert_eq!(value.expose(), stored(&double.resource_key(storage().as_str(), "key2").unwrap()));
    issuer.verify(&value).await.unwrap();
    let (started, statuses) = azurite.seen.lock().unwrap().clone();
    println!("Azurite: started {started} times, answered {statuses:?}");
    assert!(started >= 2 && statuses.contains(&200) && statuses.contains(&403));
}
