//! Runs tasks twice: once to plan them, once to apply the plan.

use std::{
    error::Error as StdError,
    fmt,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use arm_core::{Mode, Task, is_at_or_below};
use azure_core::{Error, Result, error::ErrorKind};

use super::{Changes, DecidedAtApply, Plan, PlanAction, PlannedChange};

/// Plans tasks and applies the plan. The same code runs twice: first with a planner that only calls the tasks' dry
/// runs, then with the planner that [`Plan::begin`] returns.
///
/// ```
/// # use arm_core::{ArmClient, SubscriptionId};
/// # use defender_pricing::{PlanName, PricingClient};
/// use defender_playbooks::plan::Planner;
///
/// async fn work(planner: &Planner, arm: &ArmClient, subscription: &SubscriptionId) -> azure_core::Result<()> {
///     let pricing = PricingClient::new(arm);
///     planner.run("plan KeyVaults", || pricing.enable(subscription, &PlanName::KeyVaults)).await?;
///     planner.run("plan CloudPosture", || pricing.enable(subscription, &PlanName::CloudPosture)).await?;
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
/// # let azure = mock_azure::MockAzure::seed().start().await;
/// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
/// let planner = Planner::new();
/// work(&planner, &arm, &subscription).await?;
/// let plan = planner.plan(); // print it, or keep it as JSON
/// assert_eq!(plan.count().update, 2);
///
/// // Later: look once more, and do exactly that.
/// let now = Planner::new();
/// work(&now, &arm, &subscription).await?;
/// let applying = plan.begin(&now.plan())?;
/// work(&applying, &arm, &subscription).await?;
/// assert!(applying.applied().is_complete());
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct Planner {
    /// The plan being applied; `None` while one is being made.
    applies: Option<Plan>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    planned: Vec<PlannedChange>,
    decided_at_apply: Vec<DecidedAtApply>,
    done: Vec<String>,
    failed: Vec<(String, String)>,
    differs: Vec<(String, String)>,
}

impl Plan {
    /// Returns how a plan made now from the same tasks differs from this one; empty if nothing has changed.
    pub fn moved(&self, now: &Plan) -> Vec<String> {
        let mut steps: Vec<&str> =
            self.changes.iter().chain(&now.changes).map(|it| it.step.as_str()).collect();
        steps.sort_unstable();
        steps.dedup();
        let of = |plan: &Plan, step: &str| -> Vec<PlannedChange> {
            plan.changes.iter().filter(|it| it.step == step).cloned().collect()
        };
        let mut moved: Vec<String> =
            steps.into_iter().flat_map(|step| moved(step, &of(self, step), &of(now, step))).collect();
        if self.decided_at_apply != now.decided_at_apply {
            moved.push("what is decided when the plan is applied is not what was planned".to_owned());
        }
        moved
    }

    /// Returns a planner that applies the plan: run the tasks through it. `now` is a plan made just now from the same
    /// tasks.
    ///
    /// # Errors
    ///
    /// The plan is out of date.
    pub fn begin(&self, now: &Plan) -> std::result::Result<Planner, PlanMoved> {
        match self.moved(now) {
            moved if moved.is_empty() => Ok(Planner::applying(self.clone())),
            moved => Err(PlanMoved { moved }),
        }
    }
}

/// A step of a plan: its name, and the steps it depends on.
#[derive(Debug, Clone)]
pub struct Step {
    name: String,
    after: Option<(String, Vec<PlannedChange>)>,
    besides: Vec<(String, Vec<PlannedChange>)>,
}

impl Step {
    /// Creates a step with this name, which must be unique in the plan.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), after: None, besides: Vec::new() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Declares what this step will change if `step`, an earlier one, creates the resource that this step works on. A
    /// task cannot read a resource that does not exist, so its dry run is then not called. If the earlier step creates
    /// nothing, `changes` are ignored.
    ///
    /// Such changes are less certain than others, and name the step that they depend on. When the plan is applied, the
    /// task's own dry run is called directly before the task: its changes must be among `changes`, or the step is
    /// refused.
    pub fn after(
        mut self,
        step: impl Into<String>,
        changes: impl IntoIterator<Item = PlannedChange>,
    ) -> Self {
        self.after = Some((step.into(), changes.into_iter().collect()));
        self
    }

    /// Declares what else this step will change if `step`, an earlier one, creates another resource for it: for
    /// example, for a step over all vaults in a plan that creates a vault. The task's dry run is still called, and
    /// reports the changes to existing resources.
    ///
    /// As with [`after`](Self::after), such changes name the step that they depend on, and what the task does to the
    /// new resource must be among `changes`. Without this declaration, the step would be refused when the plan is
    /// applied, since its change to the new resource was not planned. Can be called more than once.
    pub fn also_after(
        mut self,
        step: impl Into<String>,
        changes: impl IntoIterator<Item = PlannedChange>,
    ) -> Self {
        self.besides.push((step.into(), changes.into_iter().collect()));
        self
    }
}

impl<T: Into<String>> From<T> for Step {
    fn from(name: T) -> Self {
        Self::new(name)
    }
}

/// The state has changed since the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanMoved {
    /// The differences, one in each element.
    pub moved: Vec<String>,
}

impl fmt::Display for PlanMoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the plan is out of date, make a new one: {}", self.moved.join("; "))
    }
}

impl StdError for PlanMoved {}

impl From<PlanMoved> for Error {
    fn from(moved: PlanMoved) -> Self {
        Self::new(ErrorKind::Other, moved)
    }
}

/// Which steps of a plan were applied, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Steps done as planned.
    pub done: Vec<String>,
    /// Steps that failed or were refused, with the reason. What was done before a failure remains in place.
    pub failed: Vec<(String, String)>,
    /// Steps done, but not as planned, with the differences: the service did something else, or somebody else made
    /// changes at the same time. Members of a planned change that were set in addition are not reported, since the
    /// service sets some itself.
    pub differs: Vec<(String, String)>,
    /// Steps that were not attempted.
    pub not_tried: Vec<String>,
}

impl Applied {
    /// Whether all steps of the plan were done as planned.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.differs.is_empty() && self.not_tried.is_empty()
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, failed, differs, not_tried } = self;
        write!(f, "{} done, {} failed, {} not tried", done.len(), failed.len(), not_tried.len())?;
        if differs.is_empty() { Ok(()) } else { write!(f, ", {} not as planned", differs.len()) }
    }
}

impl Planner {
    /// Creates a planner that makes a plan and writes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn applying(plan: Plan) -> Self {
        Self { applies: Some(plan), state: Mutex::default() }
    }

    /// Whether this planner makes a plan, so that nothing is written.
    pub fn is_planning(&self) -> bool {
        self.applies.is_none()
    }

    /// Returns the plan made so far, or the plan being applied.
    pub fn plan(&self) -> Plan {
        self.applies.clone().unwrap_or_else(|| {
            let state = self.state();
            Plan::of(state.planned.clone(), state.decided_at_apply.clone())
        })
    }

    /// Adds work that is not a task, or whose changes depend on what happens while the plan is applied, such as work on
    /// alerts that are raised. The plan lists it without changes. Does nothing while a plan is applied.
    pub fn decide_at_apply(&self, step: impl Into<String>, what: impl Into<String>) {
        if self.is_planning() {
            let step = DecidedAtApply { step: step.into(), what: what.into() };
            self.state().decided_at_apply.push(step);
        }
    }

    /// Returns which steps of the plan have been applied so far.
    pub fn applied(&self) -> Applied {
        let state = self.state();
        let mut names: Vec<&String> =
            self.applies.iter().flat_map(|plan| &plan.changes).map(|it| &it.step).collect();
        names.dedup();
        let (failed, differs) = (state.failed.clone(), state.differs.clone());
        let named = |steps: &[(String, String)], name: &String| steps.iter().any(|(it, _)| it == name);
        let tried =
            |name: &String| state.done.contains(name) || named(&failed, name) || named(&differs, name);
        let not_tried = names.into_iter().filter(|name| !tried(name)).cloned().collect();
        Applied { done: state.done.clone(), failed, differs, not_tried }
    }

    /// Plans a task, or carries out what was planned for it.
    ///
    /// While a plan is being made, returns the result of the task's dry run, or `None` for a step that depends on a
    /// resource that does not exist yet ([`Step::after`]). While a plan is being applied, the task's dry run is called
    /// once more; if it differs from the plan, the step is refused and nothing is written. If the task then does not do
    /// what was planned, its result is still returned: see [`Applied::differs`].
    ///
    /// # Errors
    ///
    /// Any error of the task, or an error whose source is [`PlanMoved`] if the state has changed.
    pub async fn run<T, E, K>(&self, step: impl Into<Step>, task: impl Fn() -> K) -> Result<Option<T>>
    where
        T: Changes,
        E: Into<Box<dyn StdError + Send + Sync>>,
        K: Into<Task<T, E>>,
    {
        self.run_work(step, |mode| {
            let task: Task<T, E> = task().into();
            async move { task.in_mode(mode).await.map_err(azure) }
        })
        .await
    }

    /// Like [`run`](Self::run), but for work that is not a task and whose future may borrow. In [`Mode::DryRun`],
    /// `work` must write nothing and return what it would do; in [`Mode::Write`], it must do exactly that.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run).
    pub async fn run_work<T, F>(&self, step: impl Into<Step>, work: impl Fn(Mode) -> F) -> Result<Option<T>>
    where
        T: Changes,
        F: Future<Output = Result<T>>,
    {
        let step = step.into();
        match &self.applies {
            None => self.plan_step(step, work).await,
            Some(plan) => {
                let outcome = apply(&step.name, &plan.changes, work).await;
                let mut state = self.state();
                match &outcome {
                    Ok((_, differences)) if differences.is_empty() => state.done.push(step.name),
                    Ok((_, differences)) => state.differs.push((step.name, differences.join("; "))),
                    Err(error) => state.failed.push((step.name, error.to_string())),
                }
                outcome.map(|(done, _)| Some(done))
            }
        }
    }

    async fn plan_step<T, F>(&self, step: Step, work: impl Fn(Mode) -> F) -> Result<Option<T>>
    where
        T: Changes,
        F: Future<Output = Result<T>>,
    {
        let Step { name, after, besides } = step;
        if let Some((earlier, changes)) = after
            && self.is_to_come(&earlier)
        {
            self.push(&name, changes, Some(earlier));
            return Ok(None);
        }
        let result = work(Mode::DryRun).await?;
        self.push(&name, result.changes()?, None);
        for (earlier, changes) in besides {
            if self.is_to_come(&earlier) {
                self.push(&name, changes, Some(earlier));
            }
        }
        Ok(Some(result))
    }

    /// Whether a step creates something that does not exist yet, or depends on one that does.
    fn is_to_come(&self, step: &str) -> bool {
        let state = self.state();
        state.planned.iter().any(|it| it.step == step && it.action == PlanAction::Create)
    }

    fn push(&self, step: &str, changes: Vec<PlannedChange>, after: Option<String>) {
        let mut state = self.state();
        for mut change in changes {
            change.step = step.to_owned();
            change.after.extend(after.clone());
            let change = change.following(&state.planned);
            state.planned.push(change);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Calls the dry run, compares it with the plan, writes, and compares again. Returns what was done, and how it differs
/// from the plan. `all` are the changes of the whole plan.
async fn apply<T, F>(step: &str, all: &[PlannedChange], work: impl Fn(Mode) -> F) -> Result<(T, Vec<String>)>
where
    T: Changes,
    F: Future<Output = Result<T>>,
{
    let look = work(Mode::DryRun).await?;
    let now = look.changes()?;
    let planned: Vec<PlannedChange> = all.iter().filter(|it| it.step == step).cloned().collect();
    let mut moved = moved(step, &planned, &now);
    moved.extend(
        now.iter().filter(|now| is_unknown(now, &planned)).find_map(|now| of_this_plan(step, now, all)),
    );
    if !moved.is_empty() {
        return Err(PlanMoved { moved }.into());
    }
    if !now.iter().any(PlannedChange::is_change) {
        return Ok((look, Vec::new()));
    }
    let done = work(Mode::Write).await?;
    let changes = match done.changes() {
        Ok(changes) => changes,
        Err(error) => return Ok((done, vec![error.to_string()])),
    };
    let differs = |planned: &PlannedChange| match changes.iter().find(|done| planned.is_about(done)) {
        Some(done) => planned.differs_from_done(done),
        None if planned.after.is_empty() => {
            Some(format!("{}: {} was planned, but not done", planned.id, planned.action))
        }
        None => None,
    };
    let mut differences: Vec<String> = planned.iter().filter_map(differs).collect();
    let more = changes.iter().filter(|done| is_unknown(done, &planned));
    differences.extend(more.map(|more| format!("{}: {} was done, but not planned", more.id, more.action)));
    Ok((done, differences))
}

/// How the changes of a step differ now from what was planned.
pub(super) fn moved(step: &str, planned: &[PlannedChange], now: &[PlannedChange]) -> Vec<String> {
    let mut moved = Vec::new();
    for planned in planned {
        let mut same = now.iter().filter(|now| planned.is_about(now)).peekable();
        if same.peek().is_none() && planned.is_change() && planned.after.is_empty() {
            moved.push(format!("{}: {} was planned, but is no longer needed", planned.id, planned.action));
        }
        moved.extend(same.filter_map(|now| planned.moved(now)));
    }
    let more = now.iter().filter(|now| is_unknown(now, planned));
    moved.extend(more.map(|more| format!("{}: {} was not planned", more.id, more.action)));
    moved.into_iter().map(|line| format!("{step}: {line}")).collect()
}

fn is_unknown(now: &PlannedChange, planned: &[PlannedChange]) -> bool {
    now.is_change() && !planned.iter().any(|planned| planned.is_about(now))
}

/// What to do about an unplanned change to a resource that another step of the same plan creates.
fn of_this_plan(step: &str, now: &PlannedChange, all: &[PlannedChange]) -> Option<String> {
    let is_part = |whole: &PlannedChange| whole.id.len() < now.id.len() && is_at_or_below(&now.id, &whole.id);
    let made = all.iter().filter(|it| it.step != step && it.action == PlanAction::Create);
    // The innermost one: a vault rather than its resource group.
    let earlier = made.filter(|it| is_part(it)).max_by_key(|it| it.id.len())?;
    Some(format!(
        "{step}: the step '{}' of this plan creates a resource that did not exist when this step was planned: plan this step \
         separately, after that one is applied, or declare its changes with Step::also_after",
        earlier.step
    ))
}

/// Converts a task's error into the type that all tasks share.
fn azure(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    match error.into().downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => {
            let message = error.to_string();
            Error::with_error(ErrorKind::Other, error, message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlannedSecret;

    /// What a task says that it did, or would do.
    struct Did(Vec<PlannedChange>);

    impl Changes for Did {
        fn changes(&self) -> Result<Vec<PlannedChange>> {
            Ok(self.0.clone())
        }
    }

    #[tokio::test]
    async fn what_was_planned_and_then_not_done_is_told_unless_an_earlier_step_may_have_done_it() {
        for (after, told) in [(None, vec!["/x: delete was planned, but not done"]), (Some("earlier"), vec![])]
        {
            let mut planned = PlannedChange::of::<PlannedSecret>(PlanAction::Delete, "/x");
            planned.step = "clean up".to_owned();
            planned.after = after.map(str::to_owned).into_iter().collect();
            let work = |mode: Mode| {
                let would = if mode.is_dry_run() { vec![planned.clone()] } else { Vec::new() };
                async move { Ok(Did(would)) }
            };
            let (_, differences) = apply("clean up", std::slice::from_ref(&planned), work).await.unwrap();
            assert_eq!(differences, told);
        }
    }

    #[tokio::test]
    async fn what_was_done_in_addition_to_the_plan_is_told() {
        let of = |action, id: &str| {
            let mut change = PlannedChange::of::<PlannedSecret>(action, id);
            change.step = "clean up".to_owned();
            change
        };
        let planned = of(PlanAction::Delete, "/x");
        let done = vec![planned.clone(), of(PlanAction::Delete, "/y"), of(PlanAction::NoChange, "/z")];
        let planner = Planner::applying(Plan::of(vec![planned.clone()], Vec::new()));
        let work = |mode: Mode| {
            let did = if mode.is_dry_run() { vec![planned.clone()] } else { done.clone() };
            async move { Ok(Did(did)) }
        };
        planner.run_work("clean up", work).await.unwrap();
        let told = "/y: delete was done, but not planned".to_owned();
        let applied = planner.applied();
        assert_eq!(applied.differs, [("clean up".to_owned(), told)]);
        assert!(!applied.is_complete());
    }

    #[test]
    fn a_plan_is_applied_only_if_nothing_failed_differs_or_was_not_tried() {
        let done = || Applied { done: vec!["a".to_owned()], ..Applied::default() };
        let why = || vec![("b".to_owned(), "why".to_owned())];
        assert!(done().is_complete());
        assert!(!Applied { failed: why(), ..done() }.is_complete());
        assert!(!Applied { differs: why(), ..done() }.is_complete());
        assert!(!Applied { not_tried: vec!["b".to_owned()], ..done() }.is_complete());
    }
}
