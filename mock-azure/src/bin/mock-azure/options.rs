//! The command line options.

use std::{ffi::OsString, fs, io, net::IpAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  mock-azure run --demo -- az security alert list
      a command, without further setup: it is signed in, and uses this double instead of Azure
  mock-azure run --demo -- bash
      a shell in which every command does the same
  mock-azure --port 8800 --demo
      a tenant with vaults, plans, alerts and a machine, on a fixed port
  mock-azure --subscription 00000000-0000-0000-0000-000000000001 --page-size 2 --empty-pages
      lists are split into pages of two, with an empty page after the first
  mock-azure --world world.yaml --save state.jsonl
      an initial state of your own (`mock-azure schema` prints its format), recorded for `--load state.jsonl`
  mock-azure --role-propagation 3 --operation-polls 5
      new role assignments take effect late, long-running operations take five polls
  mock-azure --faults 42:10
      about one request in ten is lost, refused or delayed; the same seed gives the same faults

  curl -s -H 'Authorization: Bearer x' 'http://127.0.0.1:8800/subscriptions?api-version=2022-12-01'";

/// A double of Azure on a local port
///
/// It prints its address and runs until Ctrl-C. The port accepts HTTP, where the Host header selects the part of Azure;
/// HTTPS; and proxy requests for Azure's hosts, all of which are served here, and for no others. It accepts any bearer
/// token; callers that sign in here have the roles assigned to them. Each request is logged to standard error.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) world: World,
    #[command(flatten)]
    pub(crate) door: Door,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts the double, runs a command against it instead of Azure, and exits with the command's exit code
    Run {
        /// Also fail if the command sent a request that is unknown here
        #[arg(long)]
        strict: bool,
        /// Give the command no secret; instead, it requests tokens with the managed identity of an app
        #[arg(long)]
        managed_identity: bool,
        /// The command and its arguments, after `--`
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Prints the JSON schema of world files
    Schema,
}

/// Where the double can be reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Listening")]
pub(crate) struct Door {
    /// The port. Default: a free one
    #[arg(long, default_value_t = 0, global = true)]
    pub(crate) port: u16,
    /// Listen on this address instead of 127.0.0.1. Anyone who can reach it has full access, without signing in
    #[arg(long, value_name = "ADDRESS", requires = "anyone_may_reach_it", global = true)]
    pub(crate) bind: Option<IpAddr>,
    /// Confirms that --bind is intended
    #[arg(long, global = true)]
    pub(crate) anyone_may_reach_it: bool,
    /// Keep the certificate authority in this folder, so that it has to be trusted only once. Default: a new one at
    /// each start
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) authority: Option<PathBuf>,
    /// Log no requests
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

/// The initial state.
#[derive(Debug, Args)]
#[command(next_help_heading = "Initial state")]
pub(crate) struct World {
    /// Read the initial state from this file, in JSON or YAML
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) world: Option<PathBuf>,
    /// Restore the state from a file written by --save
    #[arg(long, value_name = "FILE", global = true, conflicts_with_all = ["world", "demo", "subscription", "tenant"])]
    pub(crate) load: Option<PathBuf>,
    /// Record all requests in this file, for --load. It contains tokens and secrets; only you can read it
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) save: Option<PathBuf>,
    /// Start with the contents of a small lab tenant
    #[arg(long, global = true)]
    demo: bool,
    /// A subscription of the tenant; can be repeated
    #[arg(long, value_name = "GUID", value_parser = guid, global = true)]
    subscription: Vec<String>,
    /// The tenant
    #[arg(long, value_name = "GUID", value_parser = guid, global = true)]
    tenant: Option<String>,
    /// Sign in an application instead of a user, as `run` always does: client id 00000000-0000-0000-0000-0000000000c2,
    /// any secret
    #[arg(long, global = true)]
    service_principal: bool,
    /// Items on each page of a list
    #[arg(long, value_name = "N", global = true)]
    page_size: Option<usize>,
    /// Put an empty page after the first page of each list
    #[arg(long, global = true)]
    empty_pages: bool,
    /// How many polls report a long-running operation as still running
    #[arg(long, value_name = "N", global = true)]
    operation_polls: Option<u32>,
    /// How many requests are refused before a new role assignment takes effect
    #[arg(long, value_name = "N", global = true)]
    role_propagation: Option<u32>,
    /// Seeded faults in about one request in N: SEED:N
    #[arg(long, value_name = "SEED:N", value_parser = seed_and_rate, global = true)]
    pub(crate) faults: Option<(u64, u64)>,
}

fn guid(text: &str) -> Result<String, String> {
    let guid = uuid::Uuid::parse_str(text).map_err(|error| error.to_string())?;
    Ok(guid.to_string())
}

fn seed_and_rate(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once(':').and_then(|(seed, rate)| Some((seed.parse().ok()?, rate.parse().ok()?)));
    parts.filter(|(_, rate)| *rate > 0).ok_or_else(|| "give a seed and a rate, such as 42:10".to_owned())
}

impl Options {
    /// The world that the options describe: the content of the file, and the other options on top of it.
    pub(crate) fn world(&self) -> io::Result<Value> {
        let World { world, demo, subscription, tenant, page_size, operation_polls, role_propagation, .. } =
            &self.world;
        let mut all = match world {
            Some(path) => {
                let named = |reason: String| io::Error::other(format!("{}: {reason}", path.display()));
                let text = fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
                mock_azure::world_from_text(&text).map_err(|error| named(error.to_string()))?
            }
            None => json!({}),
        };
        if !subscription.is_empty() {
            all["subscriptions"] = json!(subscription);
        }
        let given = [
            ("tenant", tenant.as_ref().map(|it| json!(it))),
            ("page_size", page_size.map(|it| json!(it))),
            ("empty_pages", self.world.empty_pages.then_some(json!(true))),
            ("operation_polls", operation_polls.map(|it| json!(it))),
            ("role_propagation", role_propagation.map(|it| json!(it))),
            (
                "signed_in",
                (self.world.service_principal || self.runs()).then_some(json!("service_principal")),
            ),
        ];
        for (name, value) in given {
            if let Some(value) = value {
                all[name] = value;
            }
        }
        if *demo {
            let mut steps = vec![json!({ "demo": {} })];
            steps.extend(all["steps"].as_array().cloned().unwrap_or_default());
            all["steps"] = json!(steps);
        }
        Ok(all)
    }

    fn runs(&self) -> bool {
        matches!(self.command, Some(Command::Run { .. }))
    }
}
