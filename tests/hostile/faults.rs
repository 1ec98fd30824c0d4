//! The modes of Microsoft's fault injector, for each part of Azure and each kind of request.

use std::time::Duration;

use contract_tests::Contract;
use serde_json::json;

use crate::{
    Test, answer_of, attack, budgets, first_of_each,
    server::{Act, End, response},
    test,
};

/// The request that goes wrong.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    Read,
    Write,
    Action,
    SecondPage,
    Poll,
}

/// The modes: what comes, and whether the answer is whole in the end.
fn modes(whole: &[u8]) -> Vec<(&'static str, Act, bool)> {
    let half = whole[..whole.len() - whole.len() / 4 - 1].to_vec();
    let rest = whole[half.len()..].to_vec();
    let soon = Duration::from_millis(20);
    let begin = |bytes: &[u8], end| Act::Begin(bytes.to_vec(), end);
    vec![
        ("half_an_answer_then_nothing", begin(&half, End::Wait), false),
        ("half_an_answer_then_close", begin(&half, End::Close), false),
        ("half_an_answer_then_reset", begin(&half, End::Reset), false),
        ("half_an_answer_and_the_rest_late", begin(&half, End::Later(soon, rest)), true),
        ("no_answer", begin(b"", End::Wait), false),
        ("no_answer_then_close", begin(b"", End::Close), false),
        ("no_answer_then_reset", begin(b"", End::Reset), false),
        ("the_answer_late", begin(b"", End::Later(soon, whole.to_vec())), true),
        ("an_answer_that_drips", Act::Drip(whole.to_vec(), Duration::from_millis(20)), false),
    ]
}

pub(crate) fn tests() -> Vec<Test> {
    let method = |it: &Contract, of: &[&str]| of.contains(&it.request.method.as_str()) && !it.long_running;
    let mut tests = Vec::new();
    let targets = [
        (Target::Read, first_of_each(|it| method(it, &["GET", "HEAD"]) && !it.paged && it.answer.is_some())),
        (Target::Write, first_of_each(|it| method(it, &["PUT"]) && it.answer.is_some())),
        (Target::Write, first_of_each(|it| method(it, &["DELETE"]) && it.answer.is_some())),
        (Target::Action, first_of_each(|it| method(it, &["POST"]) && it.answer.is_some())),
        (Target::Action, first_of_each(|it| method(it, &["PATCH"]) && it.answer.is_some())),
        (Target::SecondPage, first_of_each(|it| it.paged)),
        (Target::Poll, first_of_each(|it| it.long_running)),
    ];
    for (target, contracts) in targets {
        for contract in contracts {
            let (before, whole) = exchange(target, &contract);
            for (mode, act, completes) in modes(&whole) {
                let (contract, before) = (contract.clone(), before.clone());
                let name = format!("{}::{}::{mode}", contract.name(), place(target));
                tests.push(test(name, async move { run(contract, target, before, act, completes).await }));
            }
        }
    }
    tests
}

fn place(target: Target) -> &'static str {
    match target {
        Target::Read => "read",
        Target::Write => "write",
        Target::Action => "action",
        Target::SecondPage => "second_page",
        Target::Poll => "poll",
    }
}

/// Actions that change nothing.
const READING_ACTIONS: &[&str] = &[
    "Accounts_ListKeys",
    "AdminKeys_Get",
    "Automations_Validate",
    "BatchAccount_GetKeys",
    "DatabaseAccounts_ListKeys",
    "Domains_ListSharedAccessKeys",
    "Incidents_ListAlerts",
    "Metadata_Post",
    "Namespaces_ListKeys",
    "Query_Execute",
    "Redis_ListKeys",
    "Resources",
    "SignalR_ListKeys",
    "StorageAccounts_ListKeys",
    "Topics_ListSharedAccessKeys",
    "Vaults_CheckNameAvailability",
    "WebPubSub_ListKeys",
];

/// What comes before the request that goes wrong, and what its whole answer is.
fn exchange(target: Target, contract: &Contract) -> (Vec<Act>, Vec<u8>) {
    let answer = answer_of(contract);
    match target {
        Target::SecondPage => {
            let mut first = answer.clone();
            let next = contract.url.join("/next?api-version=2025-07-01").unwrap();
            first["nextLink"] = json!(next.as_str());
            let first = response("200 OK", "", first.to_string().as_bytes());
            (vec![Act::Send(first)], response("200 OK", "", answer.to_string().as_bytes()))
        }
        Target::Poll => {
            let link = contract.url.join("/operation?api-version=1").unwrap();
            let headers = format!("azure-asyncoperation: {link}\r\nretry-after: 1\r\n");
            let accepted = Act::Send(response("202 Accepted", &headers, b""));
            (vec![accepted], response("200 OK", "", json!({ "status": "Failed" }).to_string().as_bytes()))
        }
        _ => {
            let status = format!("{} OK", contract.statuses[0]);
            (Vec::new(), response(&status, "", answer.to_string().as_bytes()))
        }
    }
}

async fn run(
    contract: Contract,
    target: Target,
    mut acts: Vec<Act>,
    act: Act,
    completes: bool,
) -> Result<(), String> {
    let before = acts.len();
    acts.push(act);
    let outcome = attack(&contract, acts, budgets()).await?;
    let attempts = outcome.requests.len() - before;
    if completes {
        // A poll whose answer comes says that the operation has failed.
        return match (target, &outcome.answer) {
            (Target::Poll, _) => outcome.error_with("the operation ended as Failed"),
            (_, Ok(_)) if attempts == 1 => Ok(()),
            (_, other) => Err(format!("{other:?} after {attempts} attempts")),
        };
    }
    let message = outcome.error()?;
    let repeated = match target {
        Target::Action => attempts == 1 || attempts == 3,
        // Each makes a new version.
        _ if contract.operation == "SetSecret" => attempts == 1,
        _ => attempts == 3,
    };
    if !repeated {
        return Err(format!("{attempts} attempts: {message}"));
    }
    let consequence = match target {
        Target::Action if READING_ACTIONS.contains(&contract.operation) => ")",
        Target::Write | Target::Action => "the change may have been carried out",
        // Reading changes nothing, so that nothing is to be said of it.
        _ => ")",
    };
    if consequence == ")" && message.contains("change") {
        return Err(format!("speaks of changes: {message}"));
    }
    let says_how_often = message.contains(&format!("gave up after {attempts} attempt"));
    if says_how_often && message.contains(consequence) {
        Ok(())
    } else {
        Err(format!("not said well: {message}"))
    }
}
