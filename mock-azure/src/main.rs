//! The double as a program, for clients in any language.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, TcpListener},
    process::ExitCode,
};

use clap::Parser;
use mock_azure::{Fault, MockAzure, Seed};

const EXAMPLES: &str = "\
Examples:
  mock-azure --port 8800 --demo
      a tenant with vaults, plans, alerts and a machine, on a fixed port
  mock-azure --subscription 00000000-0000-0000-0000-000000000001 --page-size 2 --empty-pages
      lists come in pages of two, with an empty page after the first
  mock-azure --role-propagation 3 --operation-polls 5
      new roles count late, long-running operations take five polls
  mock-azure --faults 42:10
      about one request in ten is lost, refused or late; the same seed gives the same faults

  curl -s -H 'Authorization: Bearer x' 'http://127.0.0.1:8800/subscriptions?api-version=2022-12-01'";

/// A double of Azure on a port of this machine.
///
/// It prints its address and runs until Ctrl-C. Which part of Azure is asked is read from the Host
/// header. It takes any bearer token; who signs in here is held to the roles that it has. Each request is logged to standard error.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
struct Options {
    /// The port on 127.0.0.1; a free one otherwise.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Start with the contents of a small lab tenant.
    #[arg(long)]
    demo: bool,
    /// A subscription of the tenant; can be given more than once.
    #[arg(long, value_name = "GUID", value_parser = guid)]
    subscription: Vec<String>,
    /// The tenant.
    #[arg(long, value_name = "GUID", value_parser = guid)]
    tenant: Option<String>,
    /// Sign an application in instead of a user: client id 00000000-0000-0000-0000-0000000000c2, any
    /// secret.
    #[arg(long)]
    service_principal: bool,
    /// Items on a page of a list.
    #[arg(long, value_name = "N")]
    page_size: Option<usize>,
    /// Put an empty page after the first page of each list.
    #[arg(long)]
    empty_pages: bool,
    /// How many polls find a long-running operation still running.
    #[arg(long, value_name = "N")]
    operation_polls: Option<u32>,
    /// How many requests do not see a new role assignment yet.
    #[arg(long, value_name = "N")]
    role_propagation: Option<u32>,
    /// Faults drawn from a seed: about one request in N.
    #[arg(long, value_name = "SEED:N", value_parser = seed_and_rate)]
    faults: Option<(u64, u64)>,
    /// Log no requests.
    #[arg(long, short)]
    quiet: bool,
}

fn guid(text: &str) -> Result<String, String> {
    let guid = uuid::Uuid::parse_str(text).map_err(|error| error.to_string())?;
    Ok(guid.to_string())
}

fn seed_and_rate(text: &str) -> Result<(u64, u64), String> {
    let parts = text.split_once(':').and_then(|(seed, rate)| Some((seed.parse().ok()?, rate.parse().ok()?)));
    parts.filter(|(_, rate)| *rate > 0).ok_or_else(|| "write a seed and a rate, such as 42:10".to_owned())
}

impl Options {
    fn seed(&self) -> Seed {
        let mut seed = MockAzure::seed();
        for id in &self.subscription {
            seed = seed.subscription(id);
        }
        if let Some(tenant) = &self.tenant {
            seed = seed.tenant(tenant);
        }
        if self.service_principal {
            seed = seed.signed_in_service_principal();
        }
        if let Some(items) = self.page_size {
            seed = seed.page_size(items);
        }
        if self.empty_pages {
            seed = seed.empty_pages();
        }
        if let Some(polls) = self.operation_polls {
            seed = seed.operation_polls(polls);
        }
        if let Some(checks) = self.role_propagation {
            seed = seed.role_propagation(checks);
        }
        match self.subscription.first() {
            Some(first) if self.demo => seed.demo(first),
            None if self.demo => seed.demo(mock_azure::DEFAULT_SUBSCRIPTION),
            _ => seed,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(&Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log(&format!("mock-azure: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on 127.0.0.1:{}: {error}", options.port))
    })?;
    let azure = options.seed().serve(listener, (!options.quiet).then_some(log as fn(&str))).await?;
    if let Some((seed, one_in)) = options.faults {
        azure.inject(Fault::seeded(seed, one_in));
    }
    writeln!(io::stdout(), "{}", azure.uri())?;
    tokio::signal::ctrl_c().await
}

/// A log that no one reads is no reason to stop.
fn log(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
