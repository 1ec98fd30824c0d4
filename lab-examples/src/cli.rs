//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum, error::ErrorKind};

use crate::report::ReportOptions;

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
  lab plan --out lab.plan              what tasks 1, 2, 3 and 5 would change, kept in a file
  lab apply lab.plan                   exactly that, or nothing if the world has moved
  lab report --file report.html        a page about how the subscription stands; offline, the lab runs first

Exit codes: 0 done, 1 something failed or the checks before it did, 2 changes pending (only with
--detailed-exitcode, of `plan` or --dry-run), 64 wrong usage, 130 stopped with Ctrl-C."
)]
pub struct Cli {
    /// What to do. Default: the whole lab.
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
    /// Show each resource that tasks 1, 2, 3 and 5 would change, before and after, and write nothing.
    Plan(PlanOptions),
    /// Do exactly what a plan says; refuse, naming what moved, if the world is not as it was.
    Apply {
        /// The file that `lab plan --out` wrote.
        file: PathBuf,
    },
    /// Turn Defender on, create a monitored vault, give yourself access.
    Task1,
    /// Investigate Key Vault alerts.
    Task2,
    /// Configure secret scanning, and see what it finds.
    Task3,
    /// Generate suspicious activity, and make its alerts visible.
    Task4,
    /// Respond: mail, alert rules, an automation, Sentinel.
    Task5,
    /// Rotate what was exposed, retire the old versions, prove it.
    Task6,
    /// One of the two scenarios: vaults "Not covered" (1), a secret in a machine's environment (2).
    BreakFix {
        /// Which.
        #[arg(value_parser = clap::value_parser!(u8).range(1..=2))]
        scenario: u8,
    },
    /// Delete what the lab made, and list what stays.
    Cleanup,
    /// The knowledge check: four questions, answered by number.
    Quiz {
        /// Show the answers, the sheet's and the documentation's, instead of asking.
        #[arg(long)]
        answers: bool,
    },
    /// Write how the subscription stands: a page to read, print and keep, or findings as OCSF, SARIF or CSV.
    Report(ReportOptions),
    /// Print the manual page: 'lab man | man -l -'.
    Man,
    /// Print a completion script for your shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// The command line. A flag that means nothing to a command is accepted there, as it may stand before any, and not
/// listed.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    // Flags that are global reach the commands when it is built.
    command.build();
    let names: Vec<String> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    names.iter().fold(command, |command, name| {
        let mentioned = flags_of(name);
        command.mut_subcommand(name, |it| {
            it.mut_args(|flag| {
                let hidden =
                    GLOBAL.contains(&flag.get_id().as_str()) && !mentioned.contains(&flag.get_id().as_str());
                flag.hide(hidden)
            })
        })
    })
}

/// What is wrong with a command line of which each part is right by itself.
///
/// # Errors
/// As an error of the command line.
pub fn check(cli: &Cli, arguments: impl IntoIterator<Item = OsString>) -> Result<(), clap::Error> {
    let wrong = |kind, message: &str| Err(command().error(kind, message));
    let report = match &cli.command {
        Some(Command::Report(report)) => Some(report),
        _ => None,
    };
    let is_plan = matches!(cli.command, Some(Command::Plan(_)));
    if cli.options.detailed_exitcode && !cli.options.dry_run && !is_plan {
        let missing = "--detailed-exitcode needs --dry-run, or the command plan";
        return wrong(ErrorKind::MissingRequiredArgument, missing);
    }
    // One before the command would silently give way to one behind it.
    let named = |argument: &OsString| {
        let text = argument.to_string_lossy();
        text == "--subscription" || text.starts_with("--subscription=")
    };
    if arguments.into_iter().filter(named).count() > cli.options.subscription.len() {
        let twice = "--subscription stands before and behind the command: name all of them in one place";
        return wrong(ErrorKind::ArgumentConflict, twice);
    }
    match report {
        None if cli.options.subscription.len() > 1 => {
            wrong(ErrorKind::ArgumentConflict, "only a report takes more than one --subscription")
        }
        Some(report) if !report.management_group.is_empty() && !cli.options.subscription.is_empty() => {
            let both = "a report is about management groups or about subscriptions: name either --management-group or \
                        --subscription";
            wrong(ErrorKind::ArgumentConflict, both)
        }
        _ => Ok(()),
    }
}

const WHERE: [&str; 5] = ["live", "subscription", "resource_group", "output", "verbose"];
const WRITES: [&str; 4] = ["dry_run", "detailed_exitcode", "yes", "state"];
const GLOBAL: [&str; 15] = [
    "live",
    "subscription",
    "resource_group",
    "output",
    "verbose",
    "dry_run",
    "detailed_exitcode",
    "yes",
    "state",
    "location",
    "vault_prefix",
    "confirm_sweep",
    "mail",
    "plans_off",
    "ledger",
];

/// The global flags that mean something to a command.
fn flags_of(name: &str) -> Vec<&'static str> {
    let own: &[&str] = match name {
        "run" => return GLOBAL.to_vec(),
        "plan" => {
            let own = ["detailed_exitcode", "state", "location", "vault_prefix", "mail"];
            return [&WHERE[..], &own].concat();
        }
        "apply" => return vec!["live", "subscription", "output", "verbose", "dry_run", "yes", "state"],
        "quiz" => return vec!["output"],
        "report" => return [&WHERE[..], &["ledger"]].concat(),
        "task1" => &["location", "vault_prefix"],
        "task2" | "task3" => &["location"],
        "task4" => &["location", "confirm_sweep"],
        "task5" => &["location", "mail"],
        "task6" | "break-fix" => &["location", "ledger"],
        "cleanup" => &["plans_off"],
        _ => return Vec::new(),
    };
    [&WHERE[..], &WRITES[..], own].concat()
}

impl Command {
    /// The name of the part that the command runs alone; `None` for the whole lab and for what is no part.
    pub fn part(&self) -> Option<String> {
        Some(match self {
            Self::Task1 => "task1".to_owned(),
            Self::Task2 => "task2".to_owned(),
            Self::Task3 => "task3".to_owned(),
            Self::Task4 => "task4".to_owned(),
            Self::Task5 => "task5".to_owned(),
            Self::Task6 => "task6".to_owned(),
            Self::BreakFix { scenario } => format!("break-fix-{scenario}"),
            Self::Cleanup => "cleanup".to_owned(),
            Self::Run
            | Self::Plan(_)
            | Self::Apply { .. }
            | Self::Quiz { .. }
            | Self::Report(_)
            | Self::Man
            | Self::Completions { .. } => return None,
        })
    }
}

/// What is planned, and where the plan goes.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "Examples:
  lab plan                             what tasks 1, 2, 3 and 5 would change
  lab plan task1 task3 --out lab.plan  two tasks, kept to be applied
  lab plan --output json               the plan as JSON
  lab plan --detailed-exitcode         exit with 2 if anything would change")]
pub struct PlanOptions {
    /// The parts to plan. Default: tasks 1, 2, 3 and 5, whose changes can be told; of the others, that they come. The cleanup
    /// alone is told by what it would delete.
    #[arg(value_name = "PART", value_parser = crate::plan::PARTS_OF_A_PLAN)]
    pub tasks: Vec<String>,
    /// Keep the plan in this file, for `lab apply`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For machines: one JSON document on standard output, at the end.
    Json,
    /// For machines: one JSON object a line, as it happens.
    Ndjson,
}

/// Where and how.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Work on real Azure instead of the bundled double.
    #[arg(long, global = true)]
    pub live: bool,
    /// The subscription to work on (live). Also read from AZURE_SUBSCRIPTION_ID. A report takes more than one.
    #[arg(long, global = true, value_name = "GUID")]
    pub subscription: Vec<String>,
    /// The region of what is created.
    #[arg(long, global = true, default_value = "westeurope")]
    pub location: String,
    /// The resource group of what is created. The cleanup deletes it if the lab made it and holds nothing of others.
    #[arg(long, global = true, default_value = "rg-kv-defender-lab", value_name = "NAME")]
    pub resource_group: String,
    /// What the vault's name begins with.
    #[arg(long, global = true, default_value = "kv-defended", value_name = "PREFIX")]
    pub vault_prefix: String,
    /// Show what would be written, and write nothing.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Of `plan`, or with --dry-run: exit with 2 if something would be written.
    #[arg(long, global = true)]
    pub detailed_exitcode: bool,
    /// Do not ask before writing (live).
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// How to write answers.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Show each request: method, path, status, time, request id.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Allow the sweep of task 4 on a real vault: it raises real alerts.
    #[arg(long, global = true)]
    pub confirm_sweep: bool,
    /// Who gets mail about alerts; can be given more than once.
    #[arg(long, global = true, value_name = "ADDRESS", default_values = ["soc@contoso.example", "oncall@contoso.example"])]
    pub mail: Vec<String>,
    /// In the cleanup, put the plans that the lab turned on back to what they were before.
    #[arg(long, global = true)]
    pub plans_off: bool,
    /// Where rotations are recorded, one JSON line a step, without values (live).
    #[arg(long, global = true, default_value = "lab-ledger.jsonl", value_name = "FILE")]
    pub ledger: PathBuf,
    /// Where a live lab remembers the names that it made, so that it can be continued.
    #[arg(long, global = true, default_value = ".lab-state.json", value_name = "FILE")]
    pub state: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            live: false,
            subscription: Vec::new(),
            location: "westeurope".to_owned(),
            resource_group: "rg-kv-defender-lab".to_owned(),
            vault_prefix: "kv-defended".to_owned(),
            dry_run: false,
            detailed_exitcode: false,
            yes: false,
            output: Output::Text,
            verbose: false,
            confirm_sweep: false,
            mail: vec!["soc@contoso.example".to_owned(), "oncall@contoso.example".to_owned()],
            plans_off: false,
            ledger: "lab-ledger.jsonl".into(),
            state: ".lab-state.json".into(),
        }
    }
}
