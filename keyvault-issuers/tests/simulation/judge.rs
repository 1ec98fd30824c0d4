//! What must hold in the end.

use std::collections::BTreeSet;

use keyvault_ops::{RotateError, RotateFailure, Rotation};

use crate::{support::VAULT, world::World};

pub(crate) type Outcome = Result<Rotation, RotateError>;

fn report(outcome: &Outcome) -> &Rotation {
    match outcome {
        Ok(rotation) => rotation,
        Err(error) => &error.completed,
    }
}

impl World {
    /// `outcomes`: of each rotator, those of all its runs.
    pub(crate) fn judge(&mut self, outcomes: &[Vec<Outcome>], ledger: bool) {
        let (estate, alone) = (self.estate.clone(), self.fates.len() == 1);
        let mut violations = Vec::new();
        let all = || outcomes.iter().flatten();
        let dead = |outcome: &&Outcome| {
            let error = outcome.as_ref().err();
            error.is_some_and(|error| matches!(*error.source, RotateFailure::CurrentCredentialDead { .. }))
        };
        match all().find(dead) {
            None if !self.current_works() => {
                violations.push("the current value is dead, and no one said so".to_owned());
            }
            Some(Err(said)) if !self.was_dead => violations.push(format!("a false alarm: {said}")),
            _ => {}
        }
        // Every version whose credential is told to be perhaps alive, by a report or the error of a run that stopped.
        let named: BTreeSet<String> = all()
            .map(report)
            .flat_map(|it| it.issuer.unrevoked.iter().chain(&it.later))
            .map(ToString::to_string)
            .collect();
        let orphans: BTreeSet<&str> =
            all().flat_map(|outcome| &report(outcome).issuer.orphans).map(String::as_str).collect();
        let versions = estate.azure.secret_versions(VAULT, "db");
        let current = versions.iter().find(|version| version.current).map(|version| version.value.as_str());
        let credential = |version: &mock_azure::SecretVersion| {
            version.tags.iter().find(|(tag, _)| *tag == "credential").map(|(_, id)| id.clone())
        };
        for (rotator, outcomes) in outcomes.iter().enumerate() {
            let rotation = match outcomes.last() {
                Some(Ok(rotation)) => rotation,
                Some(Err(error)) if alone => {
                    violations.push(format!("rotator {rotator}: {error}"));
                    continue;
                }
                Some(Err(_)) => continue,
                None => {
                    violations.push(format!("rotator {rotator} never ended"));
                    continue;
                }
            };
            if alone && ledger && rotation.is_complete() != self.estate.subject.proves() {
                violations.push(format!("rotator {rotator} was alone, and is not complete: {rotation}"));
            }
            for version in versions.iter().filter(|version| Some(version.value.as_str()) != current) {
                let orphan = credential(version).is_some_and(|id| orphans.contains(id.as_str()));
                if estate.takes(&version.value) && !named.contains(&version.id) && !orphan {
                    let id = &version.id;
                    violations
                        .push(format!("rotator {rotator} ended, and what {id} holds is alive and not named"));
                }
            }
        }
        for (id, rotation) in estate.labelled() {
            let stored = versions.iter().any(|version| credential(version).as_ref() == Some(&id));
            let unknown = format!("what was created for rotation '{rotation}'");
            if !stored && !orphans.contains(id.as_str()) && !orphans.contains(unknown.as_str()) {
                violations.push(format!("{id} of {rotation} is an orphan that no one named"));
            }
        }
        self.violations.extend(violations);
    }
}

/// What the end of a rotator is called in the figures.
pub(crate) fn end(outcome: &Outcome) -> String {
    match outcome {
        Ok(rotation) if rotation.is_complete() => "complete".to_owned(),
        Ok(_) => "incomplete".to_owned(),
        Err(error) => {
            format!("{:?}", error.source).split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
        }
    }
}
