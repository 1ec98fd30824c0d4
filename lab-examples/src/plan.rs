//! A plan of the lab: what its parts would change, saved to a file, and then applied exactly.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use arm_core::printable_lines;
use azure_core::{Error, Result, error::ErrorKind};
use defender_playbooks::{
    Needs,
    plan::{Plan, Planner},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Lab, advice,
    cli::Options,
    files,
    preflight::Problems,
    state::State,
    tasks::{PARTS, Part},
};

/// The default parts of a plan. Once they have been applied, the next plan is empty.
pub const PLANNED: [&str; 4] = ["task1", "task2", "task3", "task5"];

/// The parts whose changes a plan can predict. The others act on findings and machines that are read only during the
/// run, so a plan only lists what they may write.
const PREDICTED: [&str; 6] = ["task1", "task2", "task3", "task4", "task5", "task6"];

/// The parts that a plan can contain.
pub const PARTS_OF_A_PLAN: [&str; 9] =
    ["task1", "task2", "task3", "task4", "task5", "task6", "break-fix-1", "break-fix-2", "cleanup"];

/// The inputs of a plan, which are needed to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Context {
    live: bool,
    subscription: String,
    location: String,
    resource_group: String,
    vault_prefix: String,
    mail: Vec<String>,
    #[serde(default)]
    confirm_sweep: bool,
    parts: Vec<String>,
    /// The value of the lab's tag.
    run: String,
    vault: Option<String>,
}

impl Context {
    fn of(plan: &Plan) -> std::result::Result<Self, Problems> {
        let context = plan.context.clone().into_iter().collect();
        serde_json::from_value(Value::Object(context))
            .map_err(|error| problem(format!("not a plan of a lab: {error}")))
    }

    fn written(&self) -> Result<BTreeMap<String, Value>> {
        let json = serde_json::to_value(self).and_then(serde_json::from_value);
        json.map_err(|error| Error::new(ErrorKind::DataConversion, error))
    }
}

/// Returns the parts with these names in the lab's order. Without names, those of [`PLANNED`].
pub fn parts(names: &[String]) -> Vec<&'static Part> {
    let wanted = |part: &&Part| match names {
        [] => PLANNED.contains(&part.name),
        names => names.iter().any(|name| name == part.name),
    };
    PARTS.iter().filter(wanted).collect()
}

/// The problems that prevent parts from running.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InTheWay {
    /// Problems of the parts themselves, which prevent planning.
    pub of_the_parts: Problems,
    /// Problems with their requirements: permissions, resource providers, regions, names.
    pub of_the_place: Problems,
}

impl InTheWay {
    /// Returns all problems.
    pub fn all(self) -> Problems {
        let mut all = self.of_the_parts;
        self.of_the_place.lines().iter().for_each(|line| all.add(line));
        all
    }
}

/// Plans what these parts would change, and returns all problems. Writes nothing.
pub async fn ready(lab: &Lab, parts: &[&Part]) -> (Plan, InTheWay) {
    let made = make(lab, parts).await;
    with_needs(lab, parts, made).await
}

/// Like [`ready`], for use before a run, in which the cleanup reads, lists and asks by itself.
pub(crate) async fn ready_to_run(lab: &Lab, parts: &[&Part]) -> (Plan, InTheWay) {
    let made = made_of(lab, parts, &PREDICTED).await;
    with_needs(lab, parts, made).await
}

async fn with_needs(lab: &Lab, parts: &[&Part], (plan, of_the_parts): (Plan, Problems)) -> (Plan, InTheWay) {
    let mut needs = Needs::of(&plan);
    let decided = parts.iter().filter(|part| !PREDICTED.contains(&part.name));
    needs.actions.extend(decided.flat_map(|part| part.actions).map(|action| (*action).to_owned()));
    let mut of_the_place = Problems::default();
    for problem in defender_playbooks::preflight(&lab.azure.arm, lab.subscription(), &needs).await {
        of_the_place.add(problem);
    }
    (plan, InTheWay { of_the_parts, of_the_place })
}

/// Plans what these parts would change, and returns why some cannot be planned, each reason once. Writes nothing.
pub async fn make(lab: &Lab, parts: &[&Part]) -> (Plan, Problems) {
    let cleanup = [CLEANUP];
    // The cleanup can be predicted only alone: what other parts would create does not exist yet.
    let is_alone = matches!(parts, [part] if part.name == CLEANUP);
    made_of(lab, parts, if is_alone { &cleanup } else { &PREDICTED }).await
}

const CLEANUP: &str = "cleanup";

async fn made_of(lab: &Lab, parts: &[&Part], predicted: &[&str]) -> (Plan, Problems) {
    let planner = Arc::new(Planner::new());
    lab.go_through(Some(planner.clone()));
    lab.screen.mute(true);
    let (mut problems, mut missing, mut said) = (Problems::default(), Vec::new(), Vec::new());
    for part in parts {
        if !predicted.contains(&part.name) {
            planner.decide_at_apply(part.name, part.writes);
            continue;
        }
        if part.needs.iter().any(|needed| missing.contains(needed)) {
            missing.push(part.name);
            continue;
        }
        let Err(error) = (part.run)(lab).await else { continue };
        missing.push(part.name);
        let line = advice::explain(&error);
        if !said.contains(&line) {
            problems.add(format!("{}: {line}", part.name));
            said.push(line);
        }
    }
    lab.screen.mute(false);
    lab.go_through(None);
    let mut plan = planner.plan();
    let State { run, vault, .. } = lab.state().clone();
    let Options { live, location, resource_group, vault_prefix, mail, confirm_sweep, .. } =
        lab.options.clone();
    let parts = parts.iter().map(|part| part.name.to_owned()).collect();
    let subscription = lab.subscription().to_string();
    let context = Context {
        live,
        subscription,
        location,
        resource_group,
        vault_prefix,
        mail,
        confirm_sweep,
        parts,
        run,
        vault,
    };
    match context.written() {
        Ok(context) => plan.context = context,
        Err(error) => problems.add(advice::explain(&error)),
    }
    (plan, problems)
}

/// Reads a plan from a file, and sets the options with which it was made.
///
/// # Errors
/// The file cannot be read, it is not a plan of a lab, or the options contradict it.
pub fn read(file: &Path, options: &mut Options) -> std::result::Result<Plan, Problems> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).map_err(|error| problem(format!("cannot read '{shown}': {error}")))?;
    let plan = Plan::from_json(&text).map_err(|error| problem(format!("'{shown}': {error}")))?;
    let context = Context::of(&plan)?;
    let mut problems = Problems::default();
    if context.live != options.live {
        problems.add(match context.live {
            true => "this plan is for real Azure: apply it with --live",
            false => "this plan was made offline: apply it without --live",
        });
    }
    if options.subscription.iter().any(|named| !named.eq_ignore_ascii_case(&context.subscription)) {
        problems.add(format!(
            "this plan is for the subscription {}, but --subscription names another",
            context.subscription
        ));
    }
    if !problems.lines().is_empty() {
        return Err(problems);
    }
    options.subscription = vec![context.subscription];
    options.location = context.location;
    options.resource_group = context.resource_group;
    options.vault_prefix = context.vault_prefix;
    options.mail = context.mail;
    options.confirm_sweep = context.confirm_sweep;
    Ok(plan)
}

/// Applies a plan exactly. Returns whether everything was done as planned.
///
/// # Errors
/// The plan is out of date, something that it requires is missing, or the answer to the question was no. Nothing was
/// written.
pub async fn apply(lab: &Lab, plan: &Plan) -> std::result::Result<bool, Problems> {
    let Context { parts: names, run, vault, .. } = Context::of(plan)?;
    let parts = parts(&names);
    {
        // The names that the plan generated, unless this lab has names of its own.
        let mut state = lab.state();
        let is_other = |known: &str, planned: &str| !known.is_empty() && known != planned;
        let planned_vault = vault.as_deref().unwrap_or_default();
        if is_other(&state.run, &run) || is_other(state.vault.as_deref().unwrap_or_default(), planned_vault) {
            let message =
                "the lab has created other resources since this plan, see its state file; make a new plan";
            return Err(problem(message));
        }
        state.run = run;
        state.vault = vault;
    }
    let (now, problems) = lab.screen.wait("what would change", ready(lab, &parts)).await;
    if !problems.of_the_parts.lines().is_empty() {
        return Err(problems.all());
    }
    plan.begin(&now).map_err(moved)?;
    if !problems.of_the_place.lines().is_empty() {
        return Err(problems.of_the_place);
    }
    if plan.is_empty() {
        lab.screen.say("no changes");
        return Ok(true);
    }
    if lab.options.dry_run {
        lab.screen.say("the plan is still valid; nothing was written");
        return Ok(true);
    }
    lab.ask(&printable_lines(&plan.to_string()))?;
    // From here on, the names belong to the lab. They are recorded before any resource has them.
    lab.remember(|_| ())?;
    let (held, applied) = lab.carry_out(plan, &parts).await;
    lab.screen.say(&format!("changes: {applied}"));
    for step in &applied.not_tried {
        lab.screen.say(&format!("  not tried: {step}"));
    }
    for (step, what) in &applied.differs {
        lab.screen.say(&format!("  not as planned: {step}: {what}"));
    }
    Ok(held && applied.is_complete())
}

fn moved(moved: defender_playbooks::plan::PlanMoved) -> Problems {
    let mut problems = Problems::default();
    problems.add("the plan is out of date: make a new one");
    moved.moved.into_iter().for_each(|line| problems.add(line));
    problems
}

fn problem(line: impl Into<String>) -> Problems {
    let mut problems = Problems::default();
    problems.add(line);
    problems
}

/// Saves a plan to a file.
///
/// # Errors
/// The file cannot be written.
pub fn keep(plan: &Plan, file: &Path) -> std::result::Result<(), Problems> {
    let json = plan.to_json()?;
    files::replace(file, json.as_bytes())
        .map_err(|error| problem(format!("--out: cannot write '{}': {error}", file.display())))
}
