//! Can an upgrade read your tenant's responses, and write them back completely? Nothing leaves this machine.
#![allow(clippy::print_stdout, clippy::print_stderr)] // it is a program

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, error::ErrorKind};
use contract_tests::payload::{Kind, MODELS, model};

/// Decodes a captured response with a model, encodes it again, and prints what was kept, dropped and changed.
///
/// Exit code 1: something could not be decoded, or a model that is written back or exported lost something. 2: usage
/// error.
#[derive(Debug, Parser)]
#[command(name = "payload-check")]
struct Arguments {
    /// The model, such as Pricing; see --models.
    #[arg(required_unless_present = "models")]
    model: Option<String>,
    /// A file with the JSON response, or `-` for standard input.
    #[arg(required_unless_present = "models")]
    file: Option<PathBuf>,
    /// The response is one page of a list: an object with `value`.
    #[arg(long)]
    page: bool,
    /// Lists the models.
    #[arg(long, conflicts_with_all = ["model", "file", "page"])]
    models: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (Some(name), Some(file)) = (arguments.model, arguments.file) else {
        for model in MODELS {
            let kind = match model.kind {
                Kind::WriteBack => "write-back",
                Kind::Exported => "exported",
                Kind::ReadOnly => "read-only",
            };
            println!("{:28} {kind:10} {}", model.name, model.krate);
        }
        return ExitCode::SUCCESS;
    };
    let Some(model) = model(&name) else {
        return bad_usage(format!("there is no model '{name}'; --models lists them"));
    };
    let text = match read(&file) {
        Ok(text) => text,
        Err(error) => return bad_usage(format!("{} cannot be read: {error}", file.display())),
    };
    let answer = match serde_json::from_slice(text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text)) {
        Ok(answer) => answer,
        Err(error) => {
            println!("undecodable  {}: not JSON: {error}", file.display());
            return ExitCode::FAILURE;
        }
    };
    let report = model.check(&answer, arguments.page);
    println!("{report}");
    if report.has_failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn read(file: &PathBuf) -> std::io::Result<Vec<u8>> {
    if file.as_os_str() != "-" {
        return std::fs::read(file);
    }
    if std::io::stdin().is_terminal() {
        eprintln!("reading the answer from standard input ..");
    }
    let mut text = Vec::new();
    std::io::stdin().read_to_end(&mut text).map(|_| text)
}

fn bad_usage(message: String) -> ExitCode {
    let _ = Arguments::command().error(ErrorKind::InvalidValue, message).print();
    ExitCode::from(2)
}
