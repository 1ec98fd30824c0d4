//! A run of the lab: where it works, what it shows, what it remembers.

use std::{
    io::IsTerminal as _,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arm_core::{ArmErrorExt as _, Change, Mode, ResourceGroupId, SubscriptionId};
use azure_core::{Error, Result, error::ErrorKind};
use defender_alerts::{AlertsClient, Location};
use futures::TryStreamExt as _;
use keyvault_ops::{Ledger, VaultId, VaultsClient};
use monitor_ops::WorkspaceId;

use crate::{
    Azure, advice,
    cli::{Options, Output},
    connect::confirm,
    kept::Kept,
    screen::Screen,
    state::State,
    tasks::{PARTS, Part},
};

/// What every task gets.
#[derive(Debug)]
pub struct Lab {
    /// Where it works.
    pub azure: Azure,
    /// What it was told.
    pub options: Options,
    /// What it shows.
    pub screen: Screen,
    state: Mutex<State>,
    asked: Mutex<bool>,
    preparing: AtomicBool,
    kept: Kept,
}

impl Lab {
    /// Connects, and reads what an earlier live run left.
    pub async fn connect(options: Options) -> Result<Self> {
        let screen = Screen::new(options.output);
        Self::with_screen(options, screen).await
    }

    /// The same with a screen of the caller's.
    pub async fn with_screen(options: Options, screen: Screen) -> Result<Self> {
        let azure = Azure::connect(&options).await?;
        let state = match options.live {
            true => State::read(&options.state, azure.subscription.as_str()).map_err(|error| {
                let message =
                    format!("cannot read '{}': {error}; mend or delete it", options.state.display());
                Error::with_message(ErrorKind::Io, message)
            })?,
            false => State { subscription: azure.subscription.to_string(), ..State::default() },
        };
        Ok(Self {
            azure,
            options,
            screen,
            state: Mutex::new(state),
            asked: Mutex::new(false),
            preparing: AtomicBool::new(false),
            kept: Kept::default(),
        })
    }

    /// The subscription.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.azure.subscription
    }

    /// The resource group of the lab.
    pub fn group(&self) -> Result<ResourceGroupId> {
        Ok(self.subscription().resource_group(&self.options.resource_group)?)
    }

    /// Whether nothing may be written.
    pub fn dry_run(&self) -> bool {
        self.options.dry_run && !self.preparing.load(Ordering::Relaxed)
    }

    /// How tasks run: only shown in a dry run.
    pub fn mode(&self) -> Mode {
        if self.dry_run() { Mode::DryRun } else { Mode::Write }
    }

    /// The word for a change: of a dry run, what would happen.
    pub fn verb<T>(&self, change: &Change<T>) -> &'static str {
        if self.dry_run() && change.is_change() { "would change" } else { change.verb() }
    }

    /// What is remembered between runs.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers something, in the file when live.
    pub fn remember(&self, change: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state();
        change(&mut state);
        if self.options.live && !self.options.dry_run {
            state.write(&self.options.state).map_err(|error| {
                let message = format!("cannot write '{}': {error}", self.options.state.display());
                Error::with_message(ErrorKind::Io, message)
            })?;
        }
        Ok(())
    }

    /// The vault of the lab; an error where Task 1 has not made it yet.
    pub fn vault(&self) -> Result<VaultId> {
        let Some(name) = self.state().vault.clone() else {
            let message = "there is no lab vault yet: run task1 first";
            return Err(Error::with_message(ErrorKind::Other, message));
        };
        Ok(VaultId::new(&self.group()?, &name.parse()?)?)
    }

    /// Whether this is a dry run before there is a vault: what is done in it can then only be named.
    pub async fn vault_is_to_come(&self) -> Result<bool> {
        if !self.dry_run() {
            return Ok(false);
        }
        Ok(VaultsClient::new(&self.azure.arm).get_opt(&self.vault()?).await?.is_none())
    }

    /// The workspace of the lab.
    pub fn workspace(&self) -> Result<WorkspaceId> {
        Ok(WorkspaceId::new(&self.group()?, "law-kv-defender")?)
    }

    /// Where rotations are recorded: the ledger file when live, memory offline.
    pub fn ledger(&self) -> Result<Ledger> {
        if self.dry_run() {
            return Ok(Ledger::new(std::io::sink()));
        }
        if !self.options.live {
            return Ok(Ledger::new(self.kept.clone()));
        }
        Ledger::append_to(&self.options.ledger).map_err(|error| {
            let message = format!("cannot write the ledger '{}': {error}", self.options.ledger.display());
            Error::with_message(ErrorKind::Io, message)
        })
    }

    /// What was recorded offline.
    pub(crate) fn kept_ledger(&self) -> Vec<u8> {
        self.kept.text()
    }

    /// The region of Defender's data, read off an alert that is there.
    pub async fn alert_location(&self) -> Result<Location> {
        let mut alerts = AlertsClient::new(&self.azure.arm).list(self.subscription());
        match alerts.try_next().await? {
            Some(alert) => Ok(alert.id.location().parse()?),
            None => Ok(self.options.location.parse()?),
        }
    }

    /// Runs one part; offline, what comes before it runs first, unseen.
    pub async fn run_alone(&self, part: &Part) -> bool {
        if let Err(error) = self.prepare_for(part).await {
            self.screen.begin(part.name, part.title);
            let line = advice::explain(&error);
            self.screen.step("what comes before it", "failed", line.clone());
            self.screen.fail(&line);
            return false;
        }
        self.run(&[part]).await
    }

    /// Offline, every run begins with a new double: the parts before this one run first, unseen.
    async fn prepare_for(&self, part: &Part) -> Result<()> {
        if self.options.live {
            return Ok(());
        }
        self.screen.mute(true);
        self.preparing.store(true, Ordering::Relaxed);
        let mut outcome = Ok(());
        for earlier in PARTS.iter().take_while(|earlier| earlier.name != part.name) {
            outcome = (earlier.run)(self).await;
            if outcome.is_err() {
                break;
            }
        }
        self.preparing.store(false, Ordering::Relaxed);
        self.screen.mute(false);
        outcome
    }

    /// Runs parts in order; a part that fails does not keep the next from trying. Whether all of them hold.
    pub async fn run(&self, parts: &[&Part]) -> bool {
        let mut ok = true;
        for part in parts {
            self.screen.begin(part.name, part.title);
            let outcome = match self.ask_first(part, parts) {
                Ok(()) => (part.run)(self).await,
                refused => refused,
            };
            let Err(error) = outcome else { continue };
            if self.dry_run() && error.is_not_found() {
                let missing = "it depends on what an earlier part makes: run that, then look again";
                self.screen.step("the rest of this part", "would change", missing);
            } else {
                let line = advice::explain(&error);
                self.screen.step("stopped", "failed", line.clone());
                self.screen.fail(&line);
                ok = false;
            }
        }
        ok && self.screen.recorded().parts.iter().all(|part| part.ok)
    }

    /// Before the first write on real Azure: says where and what, and asks.
    fn ask_first(&self, part: &Part, parts: &[&Part]) -> Result<()> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.options.live || self.options.dry_run || self.options.yes || *asked || part.writes.is_empty()
        {
            return Ok(());
        }
        let stop = |message: &str| Err(Error::with_message(ErrorKind::Other, message.to_owned()));
        if !std::io::stdin().is_terminal() || self.options.output == Output::Json {
            return stop("this part writes to a real subscription: say --yes, or --dry-run to look first");
        }
        let writes = parts.iter().filter(|part| !part.writes.is_empty());
        let writes: Vec<String> = writes.map(|part| format!("    {}: {}", part.name, part.writes)).collect();
        confirm(&format!(
            "  subscription {}, signed in with {}\n  will be written:\n{}\n  Go on? [y/N] ",
            self.subscription(),
            self.azure.signed_in_with,
            writes.join("\n")
        ))?;
        *asked = true;
        Ok(())
    }
}
