//! The lab program.

use std::{io::Write as _, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};
use lab_examples::{
    Lab, advice,
    cli::{Cli, Command, Output},
    tasks::{self, Part},
};

const STOPPED: u8 = 130;

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the program's own output")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(Command::Completions { shell }) = cli.command {
        clap_complete::generate(shell, &mut Cli::command(), "lab", &mut std::io::stdout());
        return ExitCode::SUCCESS;
    }
    let alone = cli.command.as_ref().and_then(Command::part);
    let alone = alone.as_deref().and_then(tasks::find);
    let lab = match Lab::connect(cli.options).await {
        Ok(lab) => lab,
        Err(error) => {
            eprintln!("error: {}", advice::explain(&error));
            return ExitCode::FAILURE;
        }
    };
    let ok = tokio::select! {
        ok = run(&lab, alone) => ok,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\nstopped. What is done stays done; the same command goes on where this one stopped");
            return ExitCode::from(STOPPED);
        }
    };
    if lab.options.output == Output::Json {
        match serde_json::to_string_pretty(&lab.screen.recorded()) {
            Ok(text) => drop(writeln!(std::io::stdout(), "{text}")),
            Err(error) => eprintln!("error: the record cannot be written: {error}"),
        }
    }
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One part alone, or all of them.
async fn run(lab: &Lab, alone: Option<&Part>) -> bool {
    let Some(part) = alone else {
        let all: Vec<&Part> = tasks::PARTS.iter().collect();
        return lab.run(&all).await;
    };
    lab.run_alone(part).await
}
