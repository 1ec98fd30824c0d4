//! A run of the lab: where it runs, its output, and its state.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    io::IsTerminal as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arm_core::{Change, Mode, ResourceGroupId, SubscriptionId, Task, refuse};
use azure_core::{Error, Result, error::ErrorKind};
use defender_alerts::{AlertsClient, Location};
use defender_playbooks::plan::{Changes, PlannedChange, Planner, Step};
use futures::TryStreamExt as _;
use keyvault_ops::{Ledger, VaultId, VaultsClient};
use monitor_ops::WorkspaceId;

use crate::{
    Azure,
    cli::{Options, Output},
    connect::confirm,
    preflight::{self, Place, Problems},
    screen::Screen,
    state::{Made, State, TAG},
};

/// The context of every task.
#[derive(Debug)]
pub struct Lab {
    /// The connection.
    pub azure: Azure,
    /// The options.
    pub options: Options,
    /// The output.
    pub screen: Screen,
    /// The subscription and principal, as reported by the service at the start.
    pub place: Place,
    state: Mutex<State>,
    asker: Asker,
    pub(crate) preparing: AtomicBool,
    planner: Mutex<Option<Arc<Planner>>>,
    kept: Ledger,
}

/// Answers the questions before a write on real Azure.
struct Asker(Box<Answer>);

type Answer = dyn Fn(&str) -> Result<()> + Send + Sync;

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asker")
    }
}

impl Lab {
    /// Checks the options, connects, checks the subscription, and reads the state of an earlier live run.
    ///
    /// # Errors
    /// The problems that were found. Nothing was written.
    pub async fn connect(options: Options) -> std::result::Result<Self, Problems> {
        let screen = Screen::new(options.output);
        Self::with_screen(options, screen).await
    }

    /// Like [`connect`](Self::connect), with the caller's own screen.
    pub async fn with_screen(options: Options, screen: Screen) -> std::result::Result<Self, Problems> {
        let mut problems = Problems::default();
        let subscription = preflight::options(&options, &mut problems);
        let (true, Some(subscription)) = (problems.is_empty(), subscription) else { return Err(problems) };
        let azure = Azure::to(&options, subscription).await?;
        Self::on(azure, options, screen).await
    }

    /// Like [`with_screen`](Self::with_screen), on an existing connection.
    pub async fn on(azure: Azure, options: Options, screen: Screen) -> std::result::Result<Self, Problems> {
        let mut problems = Problems::default();
        preflight::options(
            &Options { subscription: vec![azure.subscription.to_string()], ..options.clone() },
            &mut problems,
        );
        let state = match options.live {
            true => State::read(&options.state, azure.subscription.as_str())
                .map_err(|error| problems.add(format!("cannot use '{}': {error}", options.state.display())))
                .unwrap_or_default(),
            false => State::of(azure.subscription.as_str()),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let asking = format!("checking {}", azure.subscription);
        let place = Box::pin(preflight::place(&azure, !options.dry_run));
        let place = screen.wait_at_most(&asking, preflight::DEADLINE, place).await?;
        screen.place(azure.subscription.as_str(), &place.tenant, options.live);
        if options.live {
            let Place { name, tenant, who } = &place;
            screen.say(&format!("subscription '{name}' ({}), tenant {tenant}", azure.subscription));
            screen.say(&format!("signed in as {who}, with {}", azure.signed_in_with));
        }
        Ok(Self {
            azure,
            screen,
            place,
            state: Mutex::new(state),
            asker: Asker(Box::new(ask_on_terminal(&options))),
            options,
            preparing: AtomicBool::new(false),
            planner: Mutex::default(),
            kept: Ledger::in_memory(),
        })
    }

    /// Replaces the function that asks before a write on real Azure. An error from it means no.
    pub fn asking(mut self, answer: impl Fn(&str) -> Result<()> + Send + Sync + 'static) -> Self {
        self.asker = Asker(Box::new(answer));
        self
    }

    /// Returns the subscription.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.azure.subscription
    }

    /// Returns the resource group of the lab.
    pub fn group(&self) -> Result<ResourceGroupId> {
        Ok(self.subscription().resource_group(&self.options.resource_group)?)
    }

    /// Returns whether writing is not allowed.
    pub fn dry_run(&self) -> bool {
        self.is_planning() || (self.options.dry_run && !self.preparing.load(Ordering::Relaxed))
    }

    /// Whether a plan is being made. Then nothing may be written, and missing resources are those that the plan
    /// creates.
    pub(crate) fn is_planning(&self) -> bool {
        self.planner().is_some_and(|planner| planner.is_planning())
    }

    /// Whether the plan that is being made contains this step.
    pub(crate) fn plans(&self, step: &str) -> bool {
        self.planner().is_some_and(|planner| planner.plan().changes.iter().any(|it| it.step == step))
    }

    pub(crate) fn planner(&self) -> Option<Arc<Planner>> {
        self.planner.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets the planner through which the parts make their changes from now on.
    pub(crate) fn go_through(&self, planner: Option<Arc<Planner>>) {
        *self.planner.lock().unwrap_or_else(PoisonError::into_inner) = planner;
    }

    /// Runs a task in the lab's mode: a dry run only previews it, and applying a plan runs it as planned.
    pub(crate) async fn change<T: Changes, K: Into<Task<T>>>(
        &self,
        step: &str,
        task: impl Fn() -> K,
    ) -> Result<T> {
        match self.step(Step::new(step), task).await? {
            Some(done) => Ok(done),
            None => refuse(format!("the step '{step}' does not depend on any other")),
        }
    }

    /// Like [`change`](Self::change), for a task that can read its resource only after an earlier step. Until then, a
    /// plan contains the changes declared here, and there is no result.
    pub(crate) async fn change_after<T: Changes, K: Into<Task<T>>>(
        &self,
        step: &str,
        earlier: &str,
        declared: impl IntoIterator<Item = PlannedChange>,
        task: impl Fn() -> K,
    ) -> Result<Option<T>> {
        self.step(Step::new(step).after(earlier, declared), task).await
    }

    /// Like [`change`](Self::change), for a step that says itself how it depends on earlier ones.
    pub(crate) async fn step<T: Changes, K: Into<Task<T>>>(
        &self,
        step: Step,
        task: impl Fn() -> K,
    ) -> Result<Option<T>> {
        self.work(step, |mode| task().into().in_mode(mode).into_future()).await
    }

    /// Like [`step`](Self::step), for work that is not a task.
    pub(crate) async fn work<T, F>(&self, step: Step, work: impl Fn(Mode) -> F) -> Result<Option<T>>
    where
        T: Changes,
        F: Future<Output = Result<T>>,
    {
        let name = step.name().to_owned();
        let done = match self.planner() {
            Some(planner) => planner.run_work(step, work).await?,
            None => Some(work(self.mode()).await?),
        };
        // Changes that can no longer be determined are not recorded; the steps show them.
        let changes = done.as_ref().and_then(|done| done.changes().ok()).unwrap_or_default();
        self.screen.changed(&name, &changes);
        Ok(done)
    }

    /// Returns the mode in which tasks run. A dry run only previews them.
    pub fn mode(&self) -> Mode {
        if self.dry_run() { Mode::DryRun } else { Mode::Write }
    }

    /// Returns the verb for a change. In a dry run, it says what would happen.
    pub fn verb<T>(&self, change: &Change<T>) -> &'static str {
        if self.dry_run() && change.is_change() { "would change" } else { change.verb() }
    }

    /// Returns the state that is kept between runs.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state and, if live, saves it to its file.
    pub fn remember(&self, change: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state();
        change(&mut state);
        if self.options.live && !self.dry_run() {
            state.write(&self.options.state).map_err(|error| {
                let message = format!("cannot write '{}': {error}", self.options.state.display());
                Error::with_message(ErrorKind::Io, message)
            })?;
        }
        Ok(())
    }

    /// Returns the tag of resources that the lab creates, with this lab's value.
    pub fn tag(&self) -> Result<BTreeMap<String, String>> {
        if self.state().run.is_empty() {
            let run = uuid::Uuid::new_v4().to_string();
            self.remember(|state| state.run = run)?;
        }
        Ok(BTreeMap::from([(TAG.to_owned(), self.state().run.clone())]))
    }

    /// Returns whether these tags show that this lab created the resource.
    pub fn has_tag(&self, tags: &BTreeMap<String, String>) -> bool {
        let state = self.state();
        !state.run.is_empty() && tags.get(TAG) == Some(&state.run)
    }

    /// Returns the tags for a resource that is about to be written. They are empty unless the resource was not found or
    /// already has the lab's tag.
    pub(crate) fn tags_for(
        &self,
        found: Option<&BTreeMap<String, String>>,
    ) -> Result<BTreeMap<String, String>> {
        match found {
            Some(tags) if !self.has_tag(tags) => Ok(BTreeMap::new()),
            _ => self.tag(),
        }
    }

    /// Records that the lab's tag was written to a resource that had not been found. If the resource turned out to
    /// exist, somebody else created it first: it does not belong to the lab, whatever its tags.
    pub(crate) fn tagged<T>(&self, id: &str, was_found: bool, change: &Change<T>) -> Result<()> {
        if was_found || self.dry_run() || matches!(change, Change::Created(_)) {
            return Ok(());
        }
        self.remember(|state| {
            state.doubtful.insert(id.to_ascii_lowercase());
        })
    }

    /// Records a resource without tags that the lab created. Called after it was written.
    pub(crate) fn made(&self, made: Made) -> Result<()> {
        self.remember(|state| {
            state.made.retain(|known| !known.id().eq_ignore_ascii_case(&made.id()));
            state.made.push(made);
        })
    }

    /// Records a change of a resource that does not belong to the lab.
    pub(crate) fn changed(&self, id: &str, what: impl Into<String>) -> Result<()> {
        self.remember(|state| {
            state.changed.entry(id.to_owned()).or_default().insert(what.into());
        })
    }

    /// Returns the lab's vault. An error if Task 1 has not created it yet.
    pub fn vault(&self) -> Result<VaultId> {
        let Some(name) = self.state().vault.clone() else {
            let message = "there is no lab vault yet: run task1 first";
            return Err(Error::with_message(ErrorKind::Other, message));
        };
        Ok(VaultId::new(&self.group()?, &name.parse()?)?)
    }

    /// Returns whether this is a dry run without a vault. Steps inside the vault can then only be named.
    pub async fn vault_is_to_come(&self) -> Result<bool> {
        if !self.dry_run() {
            return Ok(false);
        }
        Ok(VaultsClient::new(&self.azure.arm).get_opt(&self.vault()?).await?.is_none())
    }

    /// Returns the id of the lab's workspace.
    pub fn workspace(&self) -> Result<WorkspaceId> {
        Ok(WorkspaceId::new(&self.group()?, "law-kv-defender")?)
    }

    /// Opens the ledger of rotations: in a file if live, in memory if offline.
    pub fn ledger(&self) -> Result<Ledger> {
        if self.dry_run() {
            return Ok(Ledger::in_memory());
        }
        if !self.options.live {
            return Ok(self.kept.clone());
        }
        Ledger::append_to(&self.options.ledger).map_err(|error| {
            let message = format!("cannot write the ledger '{}': {error}", self.options.ledger.display());
            Error::with_message(ErrorKind::Io, message)
        })
    }

    /// The content of an offline run's ledger.
    pub(crate) fn kept_ledger(&self) -> Vec<u8> {
        self.kept.contents().unwrap_or_default()
    }

    /// Returns the region of Defender's data, taken from an existing alert, or the lab's region if there is no alert.
    pub async fn alert_location(&self) -> Result<Location> {
        let mut alerts = AlertsClient::new(&self.azure.arm).list(self.subscription());
        match alerts.try_next().await? {
            Some(alert) => Ok(alert.id.location().parse()?),
            None => Ok(self.options.location.parse()?),
        }
    }

    /// Asks before something is written on real Azure. The answer no is an error.
    pub(crate) fn ask(&self, what: &str) -> Result<()> {
        if !self.options.live || self.options.dry_run || self.options.yes {
            return Ok(());
        }
        let Place { name, tenant, who } = &self.place;
        let subscription = self.subscription();
        let with = &self.azure.signed_in_with;
        let question = self.screen.fit(&format!(
            "  subscription '{name}' ({subscription}), tenant {tenant}\n  signed in as {who}, with {with}\n{what}"
        ));
        (self.asker.0)(&format!("{question}\n  Continue? [y/N] "))
    }
}

fn ask_on_terminal(options: &Options) -> impl Fn(&str) -> Result<()> + Send + Sync + use<> {
    let is_for_a_machine = options.output != Output::Text;
    move |question| {
        if is_for_a_machine || !std::io::stdin().is_terminal() {
            let message = "this writes to a real subscription: pass --yes to write, or --dry-run to preview";
            return Err(Error::with_message(ErrorKind::Other, message));
        }
        confirm(question)
    }
}
