//! A contract for every operation of the crates, and the table of them all.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use contract_tests::{Contract, RECORDED, all_contracts, all_sources, cases_of, documented, frozen, table};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    assert!(mock_azure::fast_forward(), "waits must take no time");
    let contracts: Vec<Contract> = all_contracts().into_iter().flat_map(|(_, contracts)| contracts).collect();
    let cases = contracts
        .iter()
        .flat_map(cases_of)
        .map(|case| Trial::test(case.name.clone(), move || frozen(case.run()).map_err(Failed::from)));
    let mut trials: Vec<Trial> = cases.collect();
    trials.push(Trial::test("operations_md_names_every_operation_and_its_contract", operations_md));
    trials.push(Trial::test("security_md_names_tests_that_exist", security_md));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn operations_md() -> Result<(), Failed> {
    let contracts: Vec<String> = all_contracts()
        .iter()
        .flat_map(|(_, contracts)| contracts)
        .map(|it| it.operation.to_owned())
        .collect();
    let text = table(&documented(), &contracts, RECORDED)?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../OPERATIONS.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &text)?;
    }
    if std::fs::read_to_string(path).unwrap_or_default() == text {
        return Ok(());
    }
    Err("OPERATIONS.md is out of date: run the contracts with UPDATE=1".into())
}

/// Each test that stands in the table of promises must be in some crate's sources.
fn security_md() -> Result<(), Failed> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let promises = std::fs::read_to_string(format!("{root}/SECURITY.md"))?;
    let sources = all_sources();
    let columns =
        promises.lines().filter(|line| line.starts_with("| **")).filter_map(|line| line.split(" | ").nth(1));
    let quoted = columns.flat_map(|column| column.split('`').skip(1).step_by(2));
    let mut names = quoted
        .filter(|name| !name.contains('/'))
        .map(|name| name.trim_start_matches("*::").trim_end_matches('*'));
    match names.find(|name| !sources.contains(name)) {
        Some(lost) => Err(format!("SECURITY.md names the test '{lost}', which is nowhere").into()),
        None => Ok(()),
    }
}
