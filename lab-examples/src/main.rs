//! The lab program.

use std::{io::Write as _, path::Path, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};
use lab_examples::{
    Lab, advice,
    cli::{Cli, Command, Output},
    quiz, report,
    screen::Screen,
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
    if let Some(Command::Quiz { answers }) = cli.command {
        let screen = Screen::new(cli.options.output);
        let ok = quiz(&screen, answers || cli.options.output == Output::Json);
        return finish(&screen, cli.options.output, ok);
    }
    let file = match &cli.command {
        Some(Command::Report { file }) => Some(file.clone()),
        _ => None,
    };
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
        ok = run(&lab, alone, file.as_deref()) => ok,
        _ = tokio::signal::ctrl_c() => {
            eprintln!("\nstopped. What is done stays done; the same command goes on where this one stopped");
            return ExitCode::from(STOPPED);
        }
    };
    finish(&lab.screen, lab.options.output, ok)
}

/// The record for a machine, and the exit code.
#[expect(clippy::print_stderr, reason = "the program's own output")]
fn finish(screen: &Screen, output: Output, ok: bool) -> ExitCode {
    if output == Output::Json {
        match serde_json::to_string_pretty(&screen.recorded()) {
            Ok(text) => drop(writeln!(std::io::stdout(), "{text}")),
            Err(error) => eprintln!("error: the record cannot be written: {error}"),
        }
    }
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks, or shows the answers. Whether all was answered.
fn quiz(screen: &Screen, answers: bool) -> bool {
    if answers {
        quiz::answers(screen);
        return true;
    }
    quiz::ask_all(screen, std::io::stdin().lock(), std::io::stderr()).is_some()
}

/// One part alone, the report, or all parts.
async fn run(lab: &Lab, alone: Option<&Part>, report: Option<&Path>) -> bool {
    if let Some(file) = report {
        return report::run(lab, file).await;
    }
    let Some(part) = alone else {
        let all: Vec<&Part> = tasks::PARTS.iter().collect();
        return lab.run(&all).await;
    };
    lab.run_alone(part).await
}
