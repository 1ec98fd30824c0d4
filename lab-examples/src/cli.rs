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
  lab run --output json                the whole lab, as JSON
  lab --live --subscription ID task1 --dry-run
                                       what task 1 would change on a real subscription
  lab --live --subscription ID run     on a real subscription; asks before the first write
  lab plan --out lab.plan              what tasks 1, 2, 3 and 5 would change, saved to a file
  lab apply lab.plan                   exactly those changes, or none if the plan is out of date
  lab report --file report.html        a page about the state of the subscription; offline, the lab runs first

Exit codes: 0 success, 1 a step or a check before it failed, 2 changes pending (only with
--detailed-exitcode, for `plan` or --dry-run), 64 usage error, 130 stopped with Ctrl-C."
)]
pub struct Cli {
    /// The command. Default: the whole lab.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options.
    #[command(flatten)]
    pub options: Options,
}

/// The commands.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// All tasks in order, then both break & fix scenarios and the cleanup.
    Run,
    /// Show each resource that tasks 1, 2, 3 and 5 would change, before and after, without writing.
    Plan(PlanOptions),
    /// Make exactly the changes of a plan; refuse, with the differences, if the plan is out of date.
    Apply {
        /// The file written by `lab plan --out`.
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
    /// Rotate what was exposed, retire the old versions, verify it.
    Task6,
    /// One of the two scenarios: vaults "Not covered" (1), a secret in a machine's environment (2).
    BreakFix {
        /// The number of the scenario.
        #[arg(value_parser = clap::value_parser!(u8).range(1..=2))]
        scenario: u8,
    },
    /// Delete what the lab created, and list what stays.
    Cleanup,
    /// The knowledge check: four questions, answered by number.
    Quiz {
        /// Show the sheet's and the documentation's answers instead of asking.
        #[arg(long)]
        answers: bool,
    },
    /// Report the state of the subscription: a page to read, print and keep, or findings as OCSF, SARIF or CSV.
    Report(ReportOptions),
    /// Print the manual page: 'lab man | man -l -'.
    Man,
    /// Print a completion script for your shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Builds the command line. A global flag that has no effect on a command is accepted there, since it may precede any
/// command, but is not listed in that command's help.
pub fn command() -> clap::Command {
    let mut command = Cli::command();
    // Building the command propagates global flags to the subcommands.
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

/// Checks for options that contradict each other.
///
/// # Errors
/// The contradiction, as a usage error.
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
    // clap would silently ignore one before the command in favor of one after it.
    let named = |argument: &OsString| {
        let text = argument.to_string_lossy();
        text == "--subscription" || text.starts_with("--subscription=")
    };
    if arguments.into_iter().filter(named).count() > cli.options.subscription.len() {
        let twice =
            "--subscription is given both before and after the command: give all of them in one place";
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

/// The global flags that affect a command.
fn flags_of(name: &str) -> Vec<&'static str> {
    let own: &[&str] = match name {
        "run" => return GLOBAL.to_vec(),
        "plan" => {
            let own = ["detailed_exitcode", "state", "location", "vault_prefix", "mail", "confirm_sweep"];
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
    /// Returns the name of the part that the command runs alone. `None` for the whole lab and for commands that are not
    /// parts.
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

/// What to plan, and where the plan is written.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(after_help = "Examples:
  lab plan                             what tasks 1, 2, 3 and 5 would change
  lab plan task1 task3 --out lab.plan  two tasks, saved to be applied
  lab plan --output json               the plan as JSON
  lab plan --detailed-exitcode         exit with 2 if anything would change")]
pub struct PlanOptions {
    /// The parts to plan. Default: tasks 1, 2, 3 and 5, after which a second plan is empty. Break & Fix is only listed, and so is
    /// `cleanup` unless it is planned alone.
    #[arg(value_name = "PART", value_parser = crate::plan::PARTS_OF_A_PLAN)]
    pub tasks: Vec<String>,
    /// Save the plan to this file, for `lab apply`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// The output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people.
    Text,
    /// One JSON document on standard output, at the end.
    Json,
    /// One JSON object per line, as it happens.
    Ndjson,
}

/// The options.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Work on real Azure instead of the bundled double.
    #[arg(long, global = true)]
    pub live: bool,
    /// The subscription to work on (live). Also read from AZURE_SUBSCRIPTION_ID. A report takes more than one.
    #[arg(long, global = true, value_name = "GUID")]
    pub subscription: Vec<String>,
    /// The region for new resources.
    #[arg(long, global = true, default_value = "westeurope")]
    pub location: String,
    /// The resource group for new resources. The cleanup deletes it if the lab created it and it contains nothing else.
    #[arg(long, global = true, default_value = "rg-kv-defender-lab", value_name = "NAME")]
    pub resource_group: String,
    /// The prefix of the vault's name.
    #[arg(long, global = true, default_value = "kv-defended", value_name = "PREFIX")]
    pub vault_prefix: String,
    /// Show what would be written, without writing.
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// For `plan`, or with --dry-run: exit with 2 if something would be written.
    #[arg(long, global = true)]
    pub detailed_exitcode: bool,
    /// Do not ask before writing (live).
    #[arg(long, short, global = true)]
    pub yes: bool,
    /// The output format.
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub output: Output,
    /// Show each request: method, path, status, time, request id.
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// Allow the sweep of task 4 on a real vault. It raises real alerts.
    #[arg(long, global = true)]
    pub confirm_sweep: bool,
    /// A mail address to notify of alerts; can be repeated.
    #[arg(long, global = true, value_name = "ADDRESS", default_values = ["soc@contoso.example", "oncall@contoso.example"])]
    pub mail: Vec<String>,
    /// In the cleanup, restore the plans that the lab turned on to what they were before.
    #[arg(long, global = true)]
    pub plans_off: bool,
    /// The file that records rotations, one JSON line per step, without values (live).
    #[arg(long, global = true, default_value = "lab-ledger.jsonl", value_name = "FILE")]
    pub ledger: PathBuf,
    /// The file in which a live lab stores the names that it generated, so that it can be continued.
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
