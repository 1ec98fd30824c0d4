//! Runs parts: first all checks, then the plan and the question, then the changes.

use std::sync::{Arc, atomic::Ordering};

use arm_core::{ArmErrorExt as _, printable_lines};
use azure_core::{Result, error::ErrorKind};
use defender_playbooks::plan::{Applied, DecidedAtApply, Plan};

use crate::{
    Lab, advice, plan,
    preflight::Problems,
    screen::PartState,
    tasks::{PARTS, Part},
};

impl Lab {
    /// Runs one part. Offline, the parts before it run first, silently.
    pub async fn run_alone(&self, part: &Part) -> bool {
        if let Err(error) = self.prepare_for(part).await {
            self.screen.begin(part.name, part.title);
            let line = advice::explain(&error);
            self.screen.step("the parts before it", "failed", line.clone());
            self.screen.fail(&line);
            return false;
        }
        self.run(&[part]).await
    }

    /// Offline, runs the parts before this one silently, because every run starts with a new double.
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

    /// Runs parts: makes a plan, checks what it requires, asks on real Azure, and applies the plan. If there are
    /// problems, it reports all of them and writes nothing. Returns whether all parts succeeded as planned.
    pub async fn run(&self, parts: &[&Part]) -> bool {
        let (plan, problems) = self.screen.wait("what would change", plan::ready_to_run(self, parts)).await;
        if self.dry_run() {
            self.in_the_way(&problems.of_the_place, "missing");
            return self.in_order(parts).await;
        }
        let problems = problems.all();
        if !problems.lines().is_empty() {
            self.in_the_way(&problems, "failed");
            self.screen.fail(&problems.to_string());
            return false;
        }
        let asks_first = |part: &&&Part| !part.writes.is_empty() && !part.asks_itself;
        if !plan.is_empty() && parts.iter().any(|part| asks_first(&part)) {
            let question = format!("{}", printable_lines(&plan.to_string()));
            if let Err(refused) = self.ask(&question) {
                self.screen.begin("question", "The question before anything is written");
                let line = advice::explain(&refused);
                self.screen.step("stopped", "failed", line.clone());
                self.screen.fail(&line);
                return false;
            }
        }
        let (held, applied) = self.carry_out(&plan, parts).await;
        for (step, what) in &applied.differs {
            self.screen.say(&format!("not as planned: {step}: {what}"));
        }
        held && applied.differs.is_empty()
    }

    /// Applies a confirmed plan. Returns whether all parts succeeded, and how much was applied.
    pub(crate) async fn carry_out(&self, plan: &Plan, parts: &[&Part]) -> (bool, Applied) {
        let Ok(applying) = plan.begin(plan).map(Arc::new) else { return (false, Applied::default()) };
        self.go_through(Some(applying.clone()));
        let held = self.in_order(parts).await;
        self.go_through(None);
        (held, applying.applied())
    }

    fn in_the_way(&self, problems: &Problems, outcome: &str) {
        if problems.lines().is_empty() {
            return;
        }
        self.screen.begin("preflight", "Checks before anything is done");
        for problem in problems.lines() {
            self.screen.step("problem", outcome, problem);
        }
    }

    /// Runs parts in order. If a part fails or is skipped, only the parts that need it are skipped.
    async fn in_order(&self, parts: &[&Part]) -> bool {
        let mut missing: Vec<&str> = Vec::new();
        let mut said: Vec<(String, &str)> = Vec::new();
        let mut signed_out = false;
        for part in parts {
            let needed = part.needs.iter().find(|needed| missing.contains(*needed));
            if let Some(needed) = needed {
                self.screen.not_tried(part.name, part.title, &format!("it needs {needed}"));
                missing.push(part.name);
                continue;
            }
            if signed_out {
                self.screen.not_tried(part.name, part.title, "no longer signed in");
                continue;
            }
            self.screen.begin(part.name, part.title);
            // A part whose changes the plan left open decides them now, without the planner.
            let (gate, decides) = (self.planner(), |it: &DecidedAtApply| it.step == part.name);
            if gate.as_ref().is_some_and(|gate| gate.plan().decided_at_apply.iter().any(decides)) {
                self.go_through(None);
            }
            let outcome = (part.run)(self).await;
            self.go_through(gate);
            let Err(error) = outcome else { continue };
            if self.dry_run() && error.is_resource_not_found() {
                let missing = "it depends on what an earlier part creates: run that, then preview again";
                self.screen.step("the rest of this part", "would change", missing);
                continue;
            }
            let mut line = advice::explain(&error);
            match said.iter().find(|(known, _)| *known == line) {
                Some((_, first)) => line = format!("for the same reason as {first}"),
                None => said.push((line.clone(), part.name)),
            }
            self.screen.step("stopped", "failed", line.clone());
            self.screen.fail(&line);
            signed_out = matches!(error.kind(), ErrorKind::Credential);
            missing.push(part.name);
        }
        let record = self.screen.recorded();
        if parts.len() > 1 {
            let count = |state| record.parts.iter().filter(|part| part.state == state).count();
            let (done, failed) = (count(PartState::Done), count(PartState::Failed));
            let not_tried = count(PartState::NotTried);
            self.screen.say("");
            self.screen.say(&format!("{done} done, {failed} failed, {not_tried} not tried"));
        }
        record.parts.iter().all(|part| part.ok)
    }
}
