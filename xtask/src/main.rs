//! Developer commands of this workspace: `cargo xtask --help`.

mod declared;
mod insert;
mod new_operation;
mod rust;
mod sample;
mod specification;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Developer commands of this workspace")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Adds an operation to a client: method, model, contract and fixture
    #[command(after_help = "Example:
  cargo xtask new-operation Subscriptions_ListLocations \\
    --specification ../azure-rest-api-specs/specification/resources/.../2022-12-01/subscriptions.json \\
    --client resource-ops/src/client/subscriptions.rs

What is left to do by hand is printed at the end. Existing code is not changed, and running it a second time is refused.")]
    NewOperation(new_operation::Options),
}

fn main() -> ExitCode {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let Command::NewOperation(options) = Arguments::parse().command;
    match new_operation::run(&root, &options) {
        Ok(done) => {
            say(&mut std::io::stdout(), &done.to_string());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            say(&mut std::io::stderr(), &format!("error: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn say(to: &mut impl std::io::Write, text: &str) {
    // A closed pipe is not an error.
    let _ = writeln!(to, "{text}");
}
