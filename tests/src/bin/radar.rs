//! Which of the operations that the crates use have newer versions? Nothing leaves this machine.
#![allow(clippy::print_stdout, clippy::print_stderr)] // it is a program

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::Parser;
use contract_tests::{all_contracts, radar::Specifications};

/// Prints, for each operation in OPERATIONS.md, the newer versions in a copy of Azure's public specifications, and what
/// the newest stable one requires and adds.
#[derive(Debug, Parser)]
#[command(name = "radar")]
struct Arguments {
    /// The folder, such as `specification` of a clone of azure-rest-api-specs.
    folder: PathBuf,
}

fn main() -> ExitCode {
    let folder = Arguments::parse().folder;
    let specifications = match Specifications::read(&folder) {
        Ok(specifications) => specifications,
        Err(error) => {
            eprintln!("{} cannot be read: {error}", folder.display());
            return ExitCode::from(2);
        }
    };
    let mut asked = BTreeSet::new();
    for contract in all_contracts().into_iter().flat_map(|(_, contracts)| contracts) {
        let version = contract.url.query_pairs().find(|(name, _)| name == "api-version");
        if let Some((_, version)) = version
            && asked.insert(contract.operation)
            && let Some(news) = specifications.news(contract.operation, contract.url.path(), &version)
        {
            println!("{news}");
        }
    }
    println!("{} operations looked up", asked.len());
    ExitCode::SUCCESS
}
