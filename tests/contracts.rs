//! A contract for every operation of the crates, and the table of them all.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use contract_tests::{Contract, all_contracts, cases_of, documented, table};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    assert!(mock_azure::fast_forward(), "waits must take no time");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let handle = runtime.handle();
    let contracts: Vec<Contract> = all_contracts().into_iter().flat_map(|(_, contracts)| contracts).collect();
    let cases = contracts.iter().flat_map(cases_of).map(|case| {
        let handle = handle.clone();
        Trial::test(case.name.clone(), move || handle.block_on(case.run()).map_err(Failed::from))
    });
    let mut trials: Vec<Trial> = cases.collect();
    trials.push(Trial::test("operations_md_names_every_operation_and_its_contract", operations_md));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn operations_md() -> Result<(), Failed> {
    let contracts: Vec<String> = all_contracts()
        .iter()
        .flat_map(|(_, contracts)| contracts)
        .map(|it| it.operation.to_owned())
        .collect();
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
