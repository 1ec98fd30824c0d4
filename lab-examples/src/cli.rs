//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Defender for Key Vault and CSPM secret scanning: the lab, offline by default.
#[derive(Debug, Parser)]
#[command(
    name = "lab",
    version,
    max_term_width = 100,
    after_help = "Examples:
  lab                                  the whole lab, offline, in about a second
  lab task1                            one task
  lab run --output json                the whole lab, for a machine
  lab --live --subscription ID task1 --dry-run
                                       what task 1 would change on a real subscription
  lab --live --subscription ID run     on a real subscription; asks before the first write
  lab report --file report.html        run the lab, then write a page about it

Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 stopped with Ctrl-C."
)]
pub struct Cli {
    /// What to do; the whole lab otherwise.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where and how.
    #[command(flatten)]
    pub options: Options,
}

/// What the program can do.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// All tasks in order, then both break & fix scenarios and the cleanup.
    Run,
    /// Turn Defender on, create a monitored vault, give yourself access.
    Task1,
    /// Investigate Key Vault alerts.
    Task2,
    /// Configure secret scanning, and see what it finds.
    Task3,
    /// Print a completion script for your shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For machines: one JSON document on standard output.
    Json,
}

/// Where and how.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Work on real Azure instead of the bundled double.
    #[arg(long, global = true)]
    pub live: bool,
    /// The subscription to work on (live). Also read from AZURE_SUBSCRIPTION_ID.
    #[arg(long, global = true, value_name = "GUID")]
    pub subscription: Option<String>,
    /// The region of what is created.
    #[arg(long, global = true, default_value = "westeurope")]
    pub location: String,
    /// The resource group of what is created.
    #[arg(long, global = true, default_value = "rg-kv-defender-lab", value_name = "NAME")]
    pub resource_group: String,
    /// What the vault's name begins with.
    #[arg(long, global = true, default_value = "kv-defended", value_name = "PREFIX")]
    pub vault_prefix: String,
    /// Show what would be written, and write nothing.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Do not ask before writing (live).
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// How to write answers.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Show each request: method, path, status, time, request id.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Where a live lab remembers the names that it made, so that it can be continued.
    #[arg(long, global = true, default_value = ".lab-state.json", value_name = "FILE")]
    pub state: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            live: false,
            subscription: None,
            location: "westeurope".to_owned(),
            resource_group: "rg-kv-defender-lab".to_owned(),
            vault_prefix: "kv-defended".to_owned(),
            dry_run: false,
            yes: false,
            output: Output::Text,
            verbose: false,
            state: ".lab-state.json".into(),
        }
    }
}
