//! Servers that want the client to wait, or to go on, for ever.

use std::time::Duration;

use arm_core::ArmOptions;
use contract_tests::Contract;
use serde_json::json;

use crate::{
    Test, attack, budgets, first_of_each,
    server::{Act, response},
    test,
};

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for contract in first_of_each(|it| !it.paged && !it.long_running) {
        for (name, retry_after, gives_up_at_once) in RETRY_AFTER {
            let contract = contract.clone();
            tests.push(test(format!("{}::retry_after_{name}", contract.name()), async move {
                retry_after_is_bounded(&contract, retry_after, gives_up_at_once).await
            }));
        }
    }
    for contract in first_of_each(|it| it.paged) {
        let (same, turns) = (contract.clone(), contract.clone());
        tests.push(test(format!("{}::a_list_that_links_to_itself_ends", same.name()), async move {
            endless_list(&same, &["/next?api-version=1"]).await
        }));
        tests.push(test(format!("{}::a_list_that_goes_round_in_circles_ends", turns.name()), async move {
            endless_list(&turns, &["/a?api-version=1", "/b?api-version=1"]).await
        }));
    }
    for contract in first_of_each(|it| it.long_running) {
        let it = contract.clone();
        tests.push(test(format!("{}::endless_202_ends_with_the_budget", it.name()), async move {
            endless_operation(&it, "location", response_202(&it)).await
        }));
        let it = contract.clone();
        tests.push(test(
            format!("{}::an_operation_in_progress_for_ever_ends_with_the_budget", it.name()),
            async move {
                let body = br#"{"status":"InventedState"}"#;
                endless_operation(&it, "azure-asyncoperation", response("200 OK", "retry-after: 1\r\n", body))
                    .await
            },
        ));
        for (name, status, body, expected) in ENDS {
            let it = contract.clone();
            tests.push(test(format!("{}::{name}", it.name()), async move {
                operation_ends(&it, status, body, expected).await
            }));
        }
        let it = contract;
        tests.push(test(
            format!("{}::an_operation_without_its_resource_is_an_error", it.name()),
            async move { without_resource(&it).await },
        ));
    }
    tests
}

/// Name, header, and whether waiting that long is refused.
const RETRY_AFTER: [(&str, &str, bool); 7] = [
    ("zero", "0", false),
    ("negative", "-5", false),
    ("ten_years_is_cut_to_the_longest_wait", "315360000", true),
    ("beyond_all_numbers", "99999999999999999999999", false),
    ("garbage", "soon; or later?", false),
    ("a_date_that_is_past", "Wed, 21 Oct 2015 07:28:00 GMT", false),
    ("a_date_in_a_hundred_years", "Fri, 21 Oct 2126 07:28:00 GMT", true),
];

async fn retry_after_is_bounded(contract: &Contract, value: &str, refused: bool) -> Result<(), String> {
    let headers = format!("retry-after: {value}\r\n");
    let body = br#"{"error":{"code":"TooManyRequests","message":"slow down"}}"#;
    let act = Act::Send(response("429 Too Many", &headers, body));
    let outcome = attack(contract, vec![act], budgets()).await?;
    outcome.error_with("TooManyRequests")?;
    let attempts = outcome.requests.len();
    if refused {
        outcome.error_with("remain")?;
    }
    let expected = if refused { 1 } else { 3 };
    if attempts == expected { Ok(()) } else { Err(format!("{attempts} attempts, not {expected}")) }
}

async fn endless_list(contract: &Contract, links: &[&str]) -> Result<(), String> {
    let page = |link: &str| {
        let link = contract.url.join(link).unwrap();
        let page = json!({ "value": [], "nextLink": link.as_str() }).to_string();
        Act::Send(response("200 OK", "", page.as_bytes()))
    };
    let acts = links.iter().cycle().take(50).map(|link| page(link)).collect();
    let outcome = attack(contract, acts, budgets()).await?;
    outcome.error_with("links to a page that has already been read")?;
    if outcome.requests.len() <= links.len() + 1 {
        Ok(())
    } else {
        Err(format!("{} pages", outcome.requests.len()))
    }
}

fn response_202(contract: &Contract) -> Vec<u8> {
    let link = contract.url.join("/operation?api-version=1").unwrap();
    response("202 Accepted", &format!("location: {link}\r\nretry-after: 1\r\n"), b"")
}

fn accepted(contract: &Contract, header: &str) -> Act {
    let link = contract.url.join("/operation?api-version=1").unwrap();
    Act::Send(response("202 Accepted", &format!("{header}: {link}\r\nretry-after: 1\r\n"), b""))
}

async fn endless_operation(contract: &Contract, header: &str, poll: Vec<u8>) -> Result<(), String> {
    let options = ArmOptions { operation_budget: Duration::from_secs(10), ..budgets() };
    let outcome = attack(contract, vec![accepted(contract, header), Act::Send(poll)], options).await?;
    outcome.error_with("resume with ArmClient::resume_operation at /operation")?;
    let polls = outcome.requests.len() - 1;
    if (5..=11).contains(&polls) {
        Ok(())
    } else {
        Err(format!("{polls} polls of a second each in 10 seconds"))
    }
}

const ENDS: [(&str, &str, &[u8], &str); 5] = [
    (
        "a_failure_with_a_reason_gives_it",
        "200 OK",
        br#"{"status":"Failed","error":{"code":"InventedFailure","message":"half way"}}"#,
        "ended as Failed: 200 InventedFailure: half way",
    ),
    ("a_failure_without_a_reason_says_so", "200 OK", br#"{"status":"Failed"}"#, "gave no reason"),
    ("a_cancelled_operation_is_an_error", "200 OK", br#"{"status":"Canceled"}"#, "ended as Canceled"),
    ("a_poll_without_a_status_is_an_error", "200 OK", b"{}", "does not contain the operation's status"),
    ("a_poll_that_is_not_json_is_an_error", "200 OK", b"<html>", "is not JSON but application/json: <html>"),
];

async fn operation_ends(
    contract: &Contract,
    status: &str,
    body: &[u8],
    expected: &str,
) -> Result<(), String> {
    let poll = Act::Send(response(status, "", body));
    let outcome = attack(contract, vec![accepted(contract, "azure-asyncoperation"), poll], budgets()).await?;
    outcome.error_with(expected)
}

async fn without_resource(contract: &Contract) -> Result<(), String> {
    let acts = vec![
        accepted(contract, "azure-asyncoperation"),
        Act::Send(response("200 OK", "", br#"{"status":"Succeeded"}"#)),
        Act::Send(response("200 OK", "", b"")),
    ];
    let outcome = attack(contract, acts, budgets()).await?;
    match (&contract.answer, &outcome.answer) {
        (None, Ok(_)) => Ok(()),
        (None, Err(error)) => Err(format!("it has no resource to miss: {error}")),
        (Some(_), _) => outcome.error_with("the service sent no resource"),
    }
}
