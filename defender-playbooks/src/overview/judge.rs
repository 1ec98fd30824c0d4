//! The result of an overview: the findings, and what could not be read.

use arm_core::SubscriptionId;
use defender_alerts::{PlanState, PostureCoverage};
use defender_pricing::PlanName;

use super::{Overview, Seen};
use crate::findings::{Finding, Findings, NotKnown};

impl Overview {
    /// Returns all findings, each with its subscription, and what could not be read. The result can be written as OCSF,
    /// SARIF or CSV, or checked by a [gate](Findings::fails). An exposed secret is not reported again as a
    /// recommendation.
    pub fn findings(&self) -> Findings {
        let mut findings = Findings::new(self.read_at);
        findings.tenant.clone_from(&self.tenant);
        findings.extend(self.alerts.iter().flatten().map(Finding::of_alert));
        let paths = self.attack_paths.iter().flat_map(|found| &found.paths);
        findings.extend(paths.map(Finding::of_attack_path));
        let secrets = self.secrets.iter().flat_map(|found| &found.findings);
        findings.extend(secrets.map(Finding::of_secret));
        findings.extend(self.recommendations.iter().flatten().filter_map(Finding::of_assessment));
        let seen = self.subscriptions.iter().filter_map(|it| it.seen.as_ref().ok());
        findings.extend(seen.flat_map(|seen| seen.vaults.iter().flatten()).flat_map(Finding::of_vault));
        findings.not_known = self.not_known();
        findings
    }

    /// Returns what could not be read, where the absence of findings proves nothing.
    pub fn not_known(&self) -> Vec<NotKnown> {
        let mut all = Unknown(Vec::new());
        all.0.extend(self.not_listed.clone().map(NotKnown::from));
        if self.subscriptions.is_empty() {
            all.0.push("the scope has no subscription".into());
        }
        for subscription in &self.subscriptions {
            match &subscription.seen {
                Err(error) => all.add(
                    &subscription.id,
                    format!("nothing was read: the subscription does not exist, or is not visible: {error}"),
                ),
                Ok(seen) => self.of_subscription(&subscription.id, seen, &mut all),
            }
        }
        let failed = [
            ("alerts", self.alerts.as_ref().err()),
            ("attack paths", self.attack_paths.as_ref().err()),
            ("exposed secrets", self.secrets.as_ref().err()),
            ("recommendations", self.recommendations.as_ref().err()),
        ];
        for (what, error) in failed {
            all.0.extend(error.map(|error| NotKnown::from(format!("{what} could not be read: {error}"))));
        }
        for coverage in self.attack_paths.iter().flat_map(|found| found.not_covered()) {
            all.posture("attack paths", coverage, &[("Defender CSPM", coverage.cspm)]);
        }
        for coverage in self.secrets.iter().flat_map(|found| found.not_covered()) {
            let scanning = "scanning of machines (AgentlessVmScanning)";
            let both = [("Defender CSPM", coverage.cspm), (scanning, coverage.machine_scanning)];
            all.posture("exposed secrets", coverage, &both);
        }
        if self.secrets.as_ref().is_ok_and(|found| found.coverage.is_empty()) {
            all.0.push("exposed secrets: which plans are on could not be read".into());
        }
        all.0
    }

    fn of_subscription(&self, id: &SubscriptionId, seen: &Seen, all: &mut Unknown) {
        if let Err(error) = &seen.plans {
            all.add(id, format!("the plans could not be read: {error}"));
        }
        if let Err(error) = &seen.vaults {
            all.add(id, format!("the vaults could not be read: {error}"));
        }
        seen.left_out.iter().for_each(|what| all.add(id, what.clone()));
        for vault in seen.vaults.iter().flatten().filter(|vault| vault.is_logged().is_none()) {
            all.add(id, format!("{}: whether it is logged could not be read", vault.vault.name));
        }
        match seen.is_on(&PlanName::KeyVaults) {
            Some(true) => {}
            Some(false) => {
                all.add(id, "alerts: Defender for Key Vault is off, so none are raised".to_owned())
            }
            None if seen.plans.is_ok() => {
                all.add(id, "the service did not list the plan KeyVaults".to_owned())
            }
            None => {}
        }
    }
}

struct Unknown(Vec<NotKnown>);

impl Unknown {
    fn add(&mut self, subscription: &SubscriptionId, what: String) {
        self.0.push(NotKnown::in_subscription(subscription, what));
    }

    fn posture(&mut self, about: &str, coverage: &PostureCoverage, plans: &[(&str, PlanState)]) {
        for (plan, state) in plans {
            let why = match state {
                PlanState::On => continue,
                PlanState::Off => format!("{about}: {plan} is off"),
                PlanState::NotKnown => format!("{about}: whether {plan} is on could not be read"),
            };
            self.add(&coverage.subscription, why);
        }
    }
}
