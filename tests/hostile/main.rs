//! Servers that break the rules, against every client: no panic, no hang, no token or secret in any error,
//! log line or span, and a message that says what happened.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod bodies;
mod faults;
mod links;
mod server;
mod waits;
mod watch;

use std::{collections::BTreeMap, future::Future, time::Duration};

use arm_core::{ArmOptions, RetryBudget};
use contract_tests::{Contract, Loopback, all_contracts, client, frozen};
use libtest_mimic::{Arguments, Failed, Trial};

use server::{Act, Hostile};

/// What an attempt, a request and an operation may take here.
pub(crate) fn budgets() -> ArmOptions {
    ArmOptions {
        retry: RetryBudget {
            attempts: 3,
            total: Duration::from_secs(20),
            attempt: Duration::from_secs(5),
            first_wait: Duration::from_millis(1),
            longest_wait: Duration::from_secs(120),
        },
        operation_budget: Duration::from_secs(30),
        max_response_body: 1 << 20,
        ..ArmOptions::default()
    }
}

/// What came of a call against a hostile server.
pub(crate) struct Outcome {
    pub(crate) answer: Result<Vec<String>, String>,
    pub(crate) requests: Vec<String>,
    pub(crate) origins: Vec<String>,
}

impl Outcome {
    /// The message of the error that must have come.
    pub(crate) fn error(&self) -> Result<&str, String> {
        match &self.answer {
            Err(message) => Ok(message),
            Ok(items) => Err(format!("no error but {items:?} after {} requests", self.requests.len())),
        }
    }

    pub(crate) fn error_with(&self, part: &str) -> Result<(), String> {
        match self.error()? {
            message if message.contains(part) => Ok(()),
            message => Err(format!("'{part}' is not in: {message}")),
        }
    }
}

/// Calls an operation, and holds every promise that is the same for all: it ends, and nothing leaks.
pub(crate) async fn attack(
    contract: &Contract,
    acts: Vec<Act>,
    options: ArmOptions,
) -> Result<Outcome, String> {
    let server = Hostile::start(acts).await;
    let loopback = Loopback::new(server.address);
    let attempt = options.retry.attempt + Duration::from_millis(1);
    let mut call = contract.call.as_ref().unwrap()(client(&loopback, options));
    let hangs = tokio::time::sleep(Duration::from_secs(300));
    tokio::pin!(hangs);
    let outcome = loop {
        tokio::select! {
            outcome = &mut call => break outcome,
            () = server.stalled() => tokio::time::advance(attempt).await,
            () = &mut hangs => return Err(format!("it hangs after {:?}", server.requests())),
        }
    };
    let answer = match outcome {
        Ok(items) => Ok(items),
        Err(error) => {
            let shown = format!("{error}\n{error:?}");
            if watch::is_secret(&shown) {
                return Err(format!("a secret is in the error: {shown}"));
            }
            Err(error.to_string())
        }
    };
    watch::no_leaks()?;
    Ok(Outcome { answer, requests: server.requests(), origins: loopback.origins() })
}

/// The name of a test, and what it does.
pub(crate) type Test = (String, std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send>>);

pub(crate) fn test(
    name: impl Into<String>,
    test: impl Future<Output = Result<(), String>> + Send + 'static,
) -> Test {
    (name.into(), Box::pin(test))
}

/// An operation's answer, with real-looking secrets.
pub(crate) fn answer_of(contract: &Contract) -> serde_json::Value {
    let text = contract.answer.clone().unwrap_or_default().to_string();
    serde_json::from_str(&text.replace("REDACTED", watch::SECRET)).unwrap()
}

/// For each client, its first operation of a kind. A client's operations begin with the same word.
pub(crate) fn first_of_each(is: impl Fn(&Contract) -> bool) -> Vec<Contract> {
    let mut firsts = BTreeMap::new();
    for (part, contracts) in all_contracts() {
        for contract in contracts.into_iter().filter(|it| is(it)) {
            let client = contract.operation.split_once('_').map_or(part, |(group, _)| group);
            firsts.entry(client).or_insert(contract);
        }
    }
    firsts.into_values().collect()
}

fn main() {
    assert!(mock_azure::fast_forward(), "waits must take no time");
    watch::watch();
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    server::run_on(servers.handle().clone());
    let tests = [faults::tests(), links::tests(), waits::tests(), bodies::tests()].into_iter().flatten();
    let mut trials: Vec<Trial> =
        tests.map(|(name, test)| Trial::test(name, move || frozen(test).map_err(Failed::from))).collect();
    trials.push(Trial::test("log_lines_and_spans_were_watched", || {
        if watch::watched() > 0 { watch::no_leaks().map_err(Failed::from) } else { Err("none".into()) }
    }));
    let mut arguments = Arguments::from_args();
    // They mostly wait.
    arguments.test_threads = arguments.test_threads.or(Some(96));
    libtest_mimic::run(&arguments, trials).exit();
}
