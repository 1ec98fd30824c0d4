//! The lab program.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use lab_examples::{
    Lab, advice,
    cli::{Cli, Command, Output},
    tasks::{self, Part},
};

const STOPPED: u8 = 130;

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the program's own output")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let parts: Vec<&Part> = match cli.command {
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "lab", &mut std::io::stdout());
            return ExitCode::SUCCESS;
        }
        Some(Command::Task1) => tasks::find("task1").into_iter().collect(),
        Some(Command::Task2) => tasks::find("task2").into_iter().collect(),
        Some(Command::Task3) => tasks::find("task3").into_iter().collect(),
        None | Some(Command::Run) => tasks::PARTS.iter().collect(),
    };
    let lab = match Lab::connect(cli.options).await {
        Ok(lab) => lab,
        Err(error) => {
            eprintln!("error: {}", advice::explain(&error));
            return ExitCode::FAILURE;
        }
    };
    let ok = tokio::select! {
        ok = lab.run(&parts) => ok,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\nstopped. What is done stays done; the same command goes on where this one stopped");
            return ExitCode::from(STOPPED);
        }
    };
    if lab.options.output == Output::Json {
        match serde_json::to_string_pretty(&lab.screen.recorded()) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("error: the record cannot be written: {error}"),
        }
    }
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
