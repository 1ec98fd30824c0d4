//! Links to strangers: nothing is sent there.

use contract_tests::{Contract, all_contracts};
use serde_json::json;

use crate::{
    Test, attack, budgets,
    server::{Act, response},
    test,
};

/// Where a token must never go, from a host that it is for.
fn strangers(host: &str) -> [String; 6] {
    [
        "https://attacker.example/steal".to_owned(),
        format!("https://{host}.attacker.example/steal"),
        format!("http://{host}/steal"),
        format!("https://{host}:8443/steal"),
        format!("https://user:password@{host}/steal"),
        "//attacker.example/steal".to_owned(),
    ]
}

pub(crate) fn tests() -> Vec<Test> {
    let mut tests = Vec::new();
    for contract in all_contracts().into_iter().flat_map(|(_, contracts)| contracts) {
        let name = contract.name();
        let redirected = contract.clone();
        tests.push(test(
            format!("{name}::no_redirect_is_followed"),
            async move { redirects(&redirected).await },
        ));
        if contract.paged {
            let paged = contract.clone();
            tests.push(test(
                format!("{name}::no_next_link_leads_away"),
                async move { next_links(&paged).await },
            ));
        }
        if contract.long_running {
            tests.push(test(format!("{name}::no_operation_link_leads_away"), async move {
                operation_links(&contract).await
            }));
        }
    }
    tests
}

async fn redirects(contract: &Contract) -> Result<(), String> {
    let host = contract.url.host_str().unwrap().to_owned();
    let codes = ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "303 See Other", "300 Choices"];
    for (code, stranger) in codes.into_iter().zip(strangers(&host)) {
        let act = Act::Send(response(code, &format!("location: {stranger}\r\n"), b""));
        let outcome = attack(contract, vec![act], budgets()).await?;
        outcome.error_with("redirect, which is not followed")?;
        stayed(contract, &outcome.origins, outcome.requests.len(), 1)?;
    }
    Ok(())
}

async fn next_links(contract: &Contract) -> Result<(), String> {
    for stranger in strangers(contract.url.host_str().unwrap()) {
        let page = json!({ "value": [], "nextLink": stranger }).to_string();
        let act = Act::Send(response("200 OK", "", page.as_bytes()));
        let outcome = attack(contract, vec![act], budgets()).await?;
        // The token policy of the official client of vaults comes first, and refuses plain http itself.
        let part = if contract.challenged { "" } else { "nothing was sent" };
        outcome.error_with(part)?;
        stayed(contract, &outcome.origins, outcome.requests.len(), 1)?;
    }
    Ok(())
}

async fn operation_links(contract: &Contract) -> Result<(), String> {
    let host = contract.url.host_str().unwrap();
    for header in ["azure-asyncoperation", "operation-location", "location"] {
        for stranger in strangers(host) {
            let headers = format!("{header}: {stranger}\r\nretry-after: 1\r\n");
            let act = Act::Send(response("202 Accepted", &headers, b""));
            let outcome = attack(contract, vec![act], budgets()).await?;
            outcome.error_with("nothing was sent")?;
            stayed(contract, &outcome.origins, outcome.requests.len(), 1)?;
        }
    }
    // The monitor stays, but where the resource is said to be leads away.
    let monitor = contract.url.join("/operation?api-version=1").unwrap();
    if contract.request.method == "POST" && contract.answer.is_some() {
        let headers =
            format!("azure-asyncoperation: {monitor}\r\nlocation: https://attacker.example/steal\r\n");
        let acts = vec![
            Act::Send(response("202 Accepted", &headers, b"")),
            Act::Send(response("200 OK", "", br#"{"status":"Succeeded"}"#)),
        ];
        let outcome = attack(contract, acts, budgets()).await?;
        outcome.error_with("nothing was sent")?;
        stayed(contract, &outcome.origins, outcome.requests.len(), 2)?;
    }
    Ok(())
}

fn stayed(contract: &Contract, origins: &[String], requests: usize, expected: usize) -> Result<(), String> {
    let own = contract.url.origin().ascii_serialization();
    if origins == [own.as_str()] && requests == expected {
        return Ok(());
    }
    Err(format!("{requests} requests, to {origins:?}"))
}
