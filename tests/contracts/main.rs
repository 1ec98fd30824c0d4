//! A contract for every operation of the crates, and the table of them all.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use contract_tests::{Contract, cases_of, documented, table};
use libtest_mimic::{Arguments, Failed, Trial};

mod alerts;
mod assessments;
mod automations;
mod common;
mod ground;
mod machines;
mod monitor;
mod pricings;
mod secrets;
mod security;
mod sentinel;
mod vaults;

fn all_contracts() -> Vec<Contract> {
    [
        alerts::contracts(),
        assessments::contracts(),
        automations::contracts(),
        ground::contracts(),
        machines::contracts(),
        monitor::contracts(),
        pricings::contracts(),
        secrets::contracts(),
        security::contracts(),
        sentinel::contracts(),
        vaults::contracts(),
    ]
    .concat()
}

fn main() {
    assert!(mock_azure::fast_forward(), "waits must take no time");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let handle = runtime.handle();
    let contracts = all_contracts();
    let cases = contracts.iter().flat_map(cases_of).map(|case| {
        let handle = handle.clone();
        Trial::test(case.name.clone(), move || handle.block_on(case.run()).map_err(Failed::from))
    });
    let mut trials: Vec<Trial> = cases.collect();
    trials.push(Trial::test("operations_md_names_every_operation_and_its_contract", operations_md));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn operations_md() -> Result<(), Failed> {
    let contracts: Vec<String> = all_contracts().iter().map(|it| it.operation.to_owned()).collect();
    let text = table(&documented(), &contracts)?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../OPERATIONS.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &text)?;
    }
    if std::fs::read_to_string(path).unwrap_or_default() == text {
        return Ok(());
    }
    Err("OPERATIONS.md is out of date: run the contracts with UPDATE=1".into())
}
