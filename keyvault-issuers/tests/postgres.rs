//! Rotations of the passwords of two roles, at a server on loopback that keeps verifiers as PostgreSQL does. What the real one says to
//! all this: `tests/real-services/run`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyvault_issuers::PostgresRoleIssuer;
use keyvault_ops::{Issuer as _, Ledger, Rotate, RotateStep};
use support::{
    Lab, name,
    postgres::{ADMINISTRATOR, Accident, LEAKED, Postgres, verifier},
    seed,
};

fn issuer(server: &Postgres) -> PostgresRoleIssuer {
    let administrator = server.url("rotator", ADMINISTRATOR);
    PostgresRoleIssuer::new(&administrator.into(), ["app_a", "app_b"]).unwrap()
}

fn rotate(lab: &Lab, server: &Postgres) -> Rotate {
    lab.secrets.rotate(&name("db")).issuer(Arc::new(issuer(server)))
}

/// A vault whose secret holds the leaked password of `app_a`.
async fn start() -> (Lab, Arc<Postgres>) {
    let (lab, server) = (Lab::of(seed()).await, Postgres::start().await);
    lab.set("db", &server.url("app_a", LEAKED)).await;
    lab.azure.clear_requests();
    (lab, server)
}

fn changes(server: &Postgres) -> Vec<String> {
    let log = server.log.lock().unwrap();
    log.iter().filter(|statement| statement.starts_with("ALTER")).cloned().collect()
}

#[test]
fn the_verifier_of_the_support_is_that_of_rfc_7677() {
    // Its proof and its server's signature follow from these two keys.
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let expected = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
                    wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    assert_eq!(verifier("pencil", &salt, 4096), expected);
}

#[tokio::test]
async fn the_roles_take_turns_and_the_one_that_was_leaked_is_seen_refused() {
    let (lab, server) = start().await;
    let first = rotate(&lab, &server).await.unwrap();
    assert!(first.is_complete(), "{first}");
    assert_eq!(
        (first.issuer.created.as_deref(), &*first.issuer.revoked),
        (Some("app_b"), &["app_a".to_owned()][..])
    );
    let value = lab.value("db").await;
    let password = value.strip_prefix("postgresql://app_b:").unwrap().split_once('@').unwrap().0;
    assert_eq!(value, server.url("app_b", password), "all else is as it was");
    assert!(server.takes("app_b", password) && !server.takes("app_a", LEAKED));
    assert!(server.roles.lock().unwrap()["app_a"].verifier.is_none());

    let second = rotate(&lab, &server).await.unwrap();
    assert!(second.is_complete() && lab.value("db").await.starts_with("postgresql://app_a:"), "{second}");
    assert!(!server.takes("app_b", password));
    let kept = server.roles.lock().unwrap()["app_a"].verifier.clone().unwrap();
    let changes = changes(&server);
    assert_eq!(
        changes.iter().map(|it| it.split('\'').next().unwrap()).collect::<Vec<_>>(),
        [
            "ALTER ROLE \"app_b\" PASSWORD ",
            "ALTER ROLE \"app_a\" PASSWORD NULL",
            "ALTER ROLE \"app_a\" PASSWORD ",
            "ALTER ROLE \"app_b\" PASSWORD NULL"
        ]
    );
    assert!(changes[2].contains(&kept));
    let log = server.log.lock().unwrap().join("\n");
    for value in lab.azure.secret_versions(support::VAULT, "db") {
        let password = value.value.split([':', '@']).nth(2).unwrap().to_owned();
        assert!(password.len() > 20 && !log.contains(&password), "no statement holds a password");
    }
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_is_finished_by_the_next_run() {
    for (to, acts) in [("app_b\" PASSWORD '", true), ("app_b\" PASSWORD '", false), ("PASSWORD NULL", true)] {
        let (lab, server) = start().await;
        *server.accident.lock().unwrap() = Some(Accident { to, acts });
        let ledger = Ledger::in_memory();
        let error = rotate(&lab, &server).id("r").ledger(&ledger).await.unwrap_err();
        assert!(error.to_string().contains("cannot be used"), "{error}");
        let current = lab.value("db").await;
        let works =
            current.contains(LEAKED) || server.takes("app_b", current.split([':', '@']).nth(2).unwrap());
        assert!(works, "who reads the secret can sign in");

        let rotation = rotate(&lab, &server).id("r").ledger(&ledger).await.unwrap();
        assert!(rotation.is_complete(), "{rotation}");
        assert!(!server.takes("app_a", LEAKED));
        let before = changes(&server).len();
        let again = rotate(&lab, &server).id("r").ledger(&ledger).await.unwrap();
        assert!(again.is_complete() && again.resumed && changes(&server).len() == before, "{again}");
    }
}

fn unknown(server: &Postgres, role: &str, unknown: bool) {
    server.roles.lock().unwrap().get_mut(role).unwrap().unknown = unknown;
}

#[tokio::test]
async fn a_password_that_does_not_sign_in_is_not_set() {
    let (lab, server) = start().await;
    unknown(&server, "app_b", true);
    let error = rotate(&lab, &server).id("r").await.unwrap_err();
    assert_eq!(error.step, RotateStep::Verify, "{error}");
    assert!(error.to_string().contains("the role 'app_b' cannot sign in: localhost:"), "{error}");
    assert!(error.to_string().contains("28P01"), "{error}");
    assert!(
        changes(&server)[0].starts_with("ALTER ROLE \"app_b\" PASSWORD 'SCRAM-SHA-256$"),
        "it was created"
    );
    assert_eq!(changes(&server).len(), 1);
    assert_eq!(lab.value("db").await, server.url("app_a", LEAKED), "and not set");
    assert!(server.takes("app_a", LEAKED), "who reads the secret can sign in");

    unknown(&server, "app_b", false);
    let rotation = rotate(&lab, &server).id("r").await.unwrap();
    assert!(rotation.is_complete() && !server.takes("app_a", LEAKED), "{rotation}");
}

#[tokio::test]
async fn a_value_whose_password_does_not_sign_in_is_not_taken_for_the_one_in_use() {
    let (lab, server) = start().await;
    let issuer = issuer(&server);
    let wrong = server.url("app_b", "not-the-password-of-app_b");
    let error = issuer.verify(&wrong.as_str().into()).await.unwrap_err();
    assert!(error.to_string().contains("the role 'app_b' cannot sign in: localhost:"), "{error}");
    lab.set("db", &wrong).await;
    let error = rotate(&lab, &server).await.unwrap_err();
    assert!(error.to_string().contains("did not identify the current value"), "{error}");
    assert_eq!(changes(&server), Vec::<String>::new());
}

#[tokio::test]
async fn problems_are_reported_before_anything_is_written() {
    type Change = fn(&Postgres);
    fn facts(server: &Postgres, role: &str, fact: (&'static str, &'static str)) {
        server.roles.lock().unwrap().get_mut(role).unwrap().facts.push(fact);
    }
    let cases: [(Change, &str); 6] = [
        (
            |server| facts(server, "app_a", ("may", "SELECT on table orders")),
            "only 'app_a' has SELECT on table orders",
        ),
        (
            |server| facts(server, "app_b", ("obstacle", "may not log in (NOLOGIN)")),
            "the role 'app_b' may not log in",
        ),
        (|server| drop(server.roles.lock().unwrap().remove("app_b")), "the server has no role 'app_b'"),
        (
            |server| server.roles.lock().unwrap().get_mut("app_b").unwrap().trusted = true,
            "accepts any password for the role 'app_b'",
        ),
        (|server| server.roles.lock().unwrap().get_mut("rotator").unwrap().verifier = None, "28P01"),
        (
            |server| server.roles.lock().unwrap().get_mut("app_a").unwrap().verifier = None,
            "did not identify the current value",
        ),
    ];
    for (change, expected) in cases {
        let (lab, server) = start().await;
        change(&server);
        let error = rotate(&lab, &server).await.unwrap_err();
        assert_eq!(
            error.step,
            if expected.starts_with("did") { RotateStep::CreateCredential } else { RotateStep::Snapshot }
        );
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_eq!((changes(&server), lab.writes()), (Vec::new(), Vec::new()), "{expected}");
    }
}

#[tokio::test]
async fn an_idle_role_that_someone_uses_keeps_its_password_unless_its_sessions_may_end() {
    let (lab, server) = start().await;
    server.roles.lock().unwrap().get_mut("app_b").unwrap().facts.push(("session", "of 10.0.0.7 since noon"));
    let error = rotate(&lab, &server).await.unwrap_err();
    assert!(error.to_string().contains("1 open sessions, such as one of 10.0.0.7 since noon"), "{error}");
    assert_eq!(changes(&server), Vec::<String>::new());

    let issuer = Arc::new(issuer(&server).end_sessions());
    let rotation = lab.secrets.rotate(&name("db")).id(error.completed.id).issuer(issuer).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    let log = server.log.lock().unwrap();
    let ended = |role: &str| {
        log.iter()
            .any(|it| it.contains("pg_terminate_backend") && it.ends_with(&format!("usename = '{role}'")))
    };
    assert!(ended("app_a") && ended("app_b"));
}

#[tokio::test]
async fn a_value_of_another_server_or_role_is_sent_nowhere() {
    let (lab, server) = (Lab::of(seed()).await, Postgres::start().await);
    let other = Postgres::start().await;
    for value in [
        other.url("app_a", LEAKED),
        server.url("app_c", LEAKED),
        "AccountKey=abcdefghijklmnopqrstuvwx==".to_owned(),
        LEAKED.to_owned(),
    ] {
        lab.set("db", &value).await;
        lab.azure.clear_requests();
        let error = rotate(&lab, &server).await.unwrap_err();
        assert!(error.to_string().contains("did not identify the current value"), "{error}");
        assert_eq!(lab.writes(), Vec::<String>::new());
        let error = issuer(&server).verify(&value.into()).await.unwrap_err();
        assert!(error.to_string().contains("the value cannot be used: "), "{error}");
    }
    assert_eq!((server.callers.lock().unwrap().len(), other.callers.lock().unwrap().len()), (0, 0));
    lab.set("db", &other.url("app_a", LEAKED)).await;
    let issuer = issuer(&server).also_at("LOCALHOST", other.port);
    assert_eq!(issuer.identify(&other.url("app_a", LEAKED).into()).await.unwrap().as_deref(), Some("app_a"));
}

#[tokio::test]
async fn an_issuer_that_could_not_work_is_refused_at_once() {
    let cases = [
        ("postgresql://h/db", ["a", "b"], "not a URL, connection string or JSON object"),
        ("user=x password=y", ["a", "b"], "it names no host"),
        ("postgresql://a:x@h/db", ["a", "b"], "its role is one of the two"),
        ("postgresql://x:y@h/db", ["a", "a"], "two different roles whose names"),
        ("postgresql://x:y@h/db", ["a", "b'; DROP ROLE x"], "two different roles whose names"),
    ];
    for (administrator, roles, expected) in cases {
        let error = PostgresRoleIssuer::new(&administrator.into(), roles).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    let issuer = PostgresRoleIssuer::new(&"postgresql://x:y@h/db".into(), ["a", "b"]).unwrap();
    assert!(issuer.clone().root_certificates("no certificate").is_err());
    assert_eq!(format!("{issuer:?}"), "PostgresRoleIssuer { server: \"h:5432\", roles: [\"a\", \"b\"], .. }");
}
