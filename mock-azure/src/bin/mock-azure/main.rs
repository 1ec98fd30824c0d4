//! The double as a program, for clients in any language.

mod child;
mod options;

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use mock_azure::{Authority, DEFAULT_SUBSCRIPTION, Seed, Server, ServerOptions};
use serde_json::json;

use self::options::{Command, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match serve(&Options::parse()).await {
        Ok(code) => code,
        Err(error) => {
            log(&format!("mock-azure: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: &Options) -> io::Result<ExitCode> {
    if let Some(Command::Schema) = &options.command {
        writeln!(io::stdout(), "{:#}", mock_azure::world_schema())?;
        return Ok(ExitCode::SUCCESS);
    }
    let (azure, subscription) = start(options).await?;
    if let Some((seed, one_in)) = options.world.faults {
        let fault = json!({ "effect": { "seeded": { "seed": seed, "one_in": one_in } }, "always": true });
        azure.control("POST", "/_mock/faults", &fault)?;
    }
    if let Some(Command::Run { strict, managed_identity, command }) = &options.command {
        let code = child::run(&azure, &subscription, command, *managed_identity).await?;
        tell_what_was_unknown(&azure);
        let failed = *strict && !azure.unknown_requests().is_empty();
        return Ok(if failed { ExitCode::FAILURE } else { code });
    }
    writeln!(io::stdout(), "{}", azure.uri())?;
    if let (Some(folder), false) = (&options.door.authority, options.door.quiet) {
        tell_the_way(&azure, &folder.join("authority.pem"));
    }
    tokio::signal::ctrl_c().await?;
    Ok(ExitCode::SUCCESS)
}

/// Starts the double. Also returns the subscription that a command is signed in to.
async fn start(options: &Options) -> io::Result<(Server, String)> {
    let (ip, port) = (options.door.bind.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), options.door.port);
    if !ip.is_loopback() {
        log(&format!("WARNING: anyone who can reach {ip} can do everything here, without signing in"));
    }
    let saved = options.world.load.as_deref().map(read).transpose()?;
    let world = options.world()?;
    let listener = TcpListener::bind((ip, port))
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {ip}:{port}: {error}")))?;
    let mut how = ServerOptions::new();
    if !options.door.quiet {
        how = how.log(log);
    }
    if let Some(folder) = &options.door.authority {
        how = how.authority(Authority::in_folder(folder)?);
    }
    if let Some(path) = &options.world.save {
        how = how.save_to(private(path)?);
    }
    let subscription = world["subscriptions"][0].as_str().unwrap_or(DEFAULT_SUBSCRIPTION).to_owned();
    let azure = match saved {
        Some(saved) => Server::load(&saved, listener, how).await?,
        None => {
            let text = world.to_string();
            Seed::from_text(&text).map_err(io::Error::other)?.serve(listener, how.world(text)).await?
        }
    };
    Ok((azure, subscription))
}

fn read(path: &Path) -> io::Result<String> {
    fs::read_to_string(path)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// Creates an empty file that only its owner can read, in place of an existing one that others may be able to read, or
/// have open. A device or pipe is written to as it is.
fn private(path: &Path) -> io::Result<File> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return OpenOptions::new().write(true).open(path).map_err(named);
    }
    // A link stays, and leads to the new file.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder).map_err(named)?;
    file.persist(&path).map_err(|error| named(error.error))
}

/// Prints the variables to set in a shell.
fn tell_the_way(azure: &Server, certificate: &Path) {
    log("programs started with these variables use this double instead of Azure:");
    for (name, value) in azure.environment(certificate) {
        log(&format!("export {name}='{value}'"));
    }
}

/// Prints the command's requests that the double did not know, since the command may have ignored the failure.
fn tell_what_was_unknown(azure: &Server) {
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for request in azure.unknown_requests().iter().chain(&azure.foreign_requests()) {
        *unknown.entry(format!("{request:?}")).or_default() += 1;
    }
    if !unknown.is_empty() {
        log("these requests are unknown to mock-azure:");
    }
    for (request, times) in unknown {
        log(&format!("  {request}{}", if times > 1 { format!(" ({times} times)") } else { String::new() }));
    }
}

/// Ignores errors: a log that nobody reads is no reason to stop.
fn log(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
