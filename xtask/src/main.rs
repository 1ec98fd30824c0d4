//! What a developer of this workspace runs: `cargo xtask --help`.

mod declared;
mod insert;
mod new_operation;
mod rust;
mod sample;
mod specification;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "What a developer of this workspace runs")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes an operation into a client: method, model, contract, fixture and the double's answer
    #[command(after_help = "Example:
  cargo xtask new-operation Subscriptions_ListLocations \\
    --specification ../azure-rest-api-specs/specification/resources/.../2022-12-01/subscriptions.json \\
    --client resource-ops/src/client/subscriptions.rs

What is left for a person is printed at the end. Nothing that stands is changed, and a second run refuses.")]
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
    // Who closed the pipe has read enough.
    let _ = writeln!(to, "{text}");
}
