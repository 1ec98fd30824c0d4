//! Who acts: rotators, a person, consumers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arm_core::{ArmClient, ArmOptions, RetryBudget, Secret};
use azure_core::http::{ClientOptions, Transport};
use futures::StreamExt as _;
use keyvault_ops::{Ledger, Rotate, RotateError, RotateFailure, Rotation, SecretsClient, rotate_many};
use test_kit::AnyToken;
use tokio::time::sleep;

use super::{
    issuer::{SimConsumers, SimIssuer},
    vault::SimVault,
    world::{Consumer, Issued, Kind, Shared, World},
};

/// What a rotator is asked to do, over all runs of one rotation.
pub(crate) struct Wish {
    pub(crate) rotator: usize,
    pub(crate) names: Vec<String>,
    pub(crate) id: String,
    pub(crate) ledger: Option<Ledger>,
    pub(crate) given: Option<String>,
    pub(crate) shows: bool,
    pub(crate) keep: usize,
}

type Outcomes = Vec<(String, Result<Rotation, RotateError>)>;

impl Wish {
    fn rotate(
        &self,
        world: &Shared,
        secrets: &SecretsClient,
        issuer: &Arc<SimIssuer>,
        unlucky: bool,
    ) -> Vec<Rotate> {
        let (kind, consumers, revoke_first) = {
            let world = world.lock();
            let me = &world.rotators[self.rotator];
            (world.kind, me.consumers, me.revoke_first)
        };
        let begun = self.ledger.as_ref().map(|ledger| ledger.unfinished().unwrap()).unwrap_or_default();
        let one = |name: &String| {
            let id = format!("{}-{name}", self.id);
            let found = begun.iter().find(|begun| begun.rotation == id);
            let mut rotate = match found {
                Some(begun) => secrets.resume(begun),
                None => secrets.rotate(&name.parse().unwrap()).id(id),
            };
            if let Some(ledger) = &self.ledger {
                rotate = rotate.ledger(ledger);
            }
            if unlucky && found.is_some() {
                return rotate;
            }
            if kind != Kind::None {
                rotate = rotate.issuer(issuer.clone()).issuer_limit(Duration::from_secs(60));
            } else if let Some(given) = &self.given {
                rotate = rotate.to(Secret::new(given.clone()));
            }
            if consumers {
                let consumers = SimConsumers { world: world.clone(), rotator: self.rotator };
                rotate = rotate.consumers(Arc::new(consumers)).consumers_limit(Duration::from_secs(300));
            }
            if kind == Kind::One {
                rotate = rotate.accept_outage();
            }
            match revoke_first {
                true => rotate.revoke_first(),
                false => rotate.keep_enabled(self.keep),
            }
        };
        self.names.iter().map(one).collect()
    }
}

pub(crate) fn client(world: &Shared, rotator: usize) -> SecretsClient {
    let vault = SimVault { world: world.clone(), rotator };
    let transport = Some(Transport::new(Arc::new(vault)));
    // Waits between attempts are drawn from the system's chance: there are none here.
    let retry = RetryBudget { first_wait: Duration::ZERO, ..RetryBudget::default() };
    let client = ClientOptions { transport, ..ClientOptions::default() };
    let options = ArmOptions { retry, ..ArmOptions::from(client) };
    let arm = ArmClient::new(Arc::new(AnyToken), Some(options)).unwrap();
    SecretsClient::new(&arm, &"kv-sim".parse().unwrap()).unwrap()
}

/// Runs a rotation until it has ended, however often it is stopped.
pub(crate) async fn rotator(world: Shared, wish: Wish) {
    let secrets = client(&world, wish.rotator);
    let issuer = Arc::new(SimIssuer { world: world.clone(), rotator: wish.rotator, shows: wish.shows });
    let begin = world.lock().dice.roll(40_000);
    sleep(Duration::from_millis(begin)).await;
    let mut raised = false;
    for attempt in 0..8 {
        let (stopped, unlucky) = begin_run(&world, &wish, attempt < 5);
        let rotates = wish.rotate(&world, &secrets, &issuer, unlucky);
        let run = async {
            let mut outcomes: Outcomes = Vec::new();
            if rotates.len() == 1 {
                for rotate in rotates {
                    let outcome = rotate.await;
                    world.lock().judge_outcome(&wish, &wish.names[0], &outcome);
                    outcomes.push((wish.names[0].clone(), outcome));
                }
            } else {
                let mut many = rotate_many(rotates, 2);
                while let Some(outcome) = many.next().await {
                    let name = outcome.target.name.to_string();
                    world.lock().judge_outcome(&wish, &name, &outcome.result);
                    outcomes.push((name, outcome.result));
                }
            }
            outcomes
        };
        let outcomes = tokio::select! {
            outcomes = run => outcomes,
            () = stopped.notified() => {
                world.lock().say(|| format!("rotator {}: is stopped", wish.rotator));
                let pause = world.lock().dice.roll(20_000);
                sleep(Duration::from_millis(pause)).await;
                continue;
            }
        };
        raised |= dead_raised(&outcomes);
        // What fails without an accident will fail again.
        if has_ended(&outcomes, unlucky) || attempt >= 5 {
            break;
        }
    }
    world.lock().judge_end(&wish, raised);
}

fn dead_raised(outcomes: &Outcomes) -> bool {
    outcomes.iter().any(|(_, outcome)| {
        outcome
            .as_ref()
            .is_err_and(|error| matches!(*error.source, RotateFailure::CurrentCredentialDead { .. }))
    })
}

fn has_ended(outcomes: &Outcomes, unlucky: bool) -> bool {
    outcomes.iter().all(|(_, outcome)| match outcome.as_ref().map_err(|error| &*error.source) {
        Ok(_) | Err(RotateFailure::Overtaken { .. } | RotateFailure::CurrentCredentialDead { .. }) => true,
        Err(RotateFailure::Invalid(_)) => !unlucky,
        Err(_) => false,
    })
}

fn begin_run(world: &Shared, wish: &Wish, accidents: bool) -> (Arc<tokio::sync::Notify>, bool) {
    let mut world = world.lock();
    let stop_at = if accidents && world.dice.chance(450) { 1 + world.dice.roll(70) } else { 0 };
    let unlucky = accidents && world.dice.chance(60);
    world.say(|| {
        format!("rotator {}: runs {} (stops at {stop_at}, unlucky {unlucky})", wish.rotator, wish.id)
    });
    let me = &mut world.rotators[wish.rotator];
    me.accidents = accidents;
    me.stop_at = stop_at;
    me.steps = 0;
    me.listed.clear();
    me.listed_enabled.clear();
    me.set.clear();
    me.looked.clear();
    me.unreadable.clear();
    me.moved.clear();
    (me.stopped.clone(), unlucky)
}

impl World {
    /// Checks what a run says, when it says it.
    fn judge_outcome(&mut self, wish: &Wish, name: &str, outcome: &Result<Rotation, RotateError>) {
        match outcome {
            Ok(rotation) => {
                self.say(|| {
                    format!("rotator {}: complete {}: {rotation}", wish.rotator, rotation.is_complete())
                });
                if rotation.is_complete() {
                    self.stats("complete");
                    self.judge_complete(wish, name, rotation);
                } else {
                    self.stats("incomplete");
                }
            }
            Err(error) => {
                self.say(|| format!("rotator {}: {error}", wish.rotator));
                let kind = format!("{:?}", error.source);
                let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
                self.stats(&kind);
            }
        }
    }

    fn judge_complete(&mut self, wish: &Wish, name: &str, rotation: &Rotation) {
        let own = rotation.current.as_ref().unwrap().as_str().to_owned();
        let who = format!("rotator {} on {name}", wish.rotator);
        let versions = self.secrets[name].versions.clone();
        let Some(own_version) = versions.iter().find(|version| version.id == own) else {
            return self.violation(format!("{who}: {own} does not exist"));
        };
        if !self.foreign_write(wish.rotator, 60_000) && !self.secrets[name].deleted {
            let enabled: Vec<_> = versions.iter().filter(|version| version.enabled).collect();
            // Those of one second are not told apart: they are kept together.
            let seconds: BTreeSet<u64> = enabled.iter().map(|version| version.created).collect();
            if seconds.len() > wish.keep || !own_version.enabled || versions.last().unwrap().id != own {
                self.violation(format!("{who}: complete, with {} enabled", enabled.len()));
            }
        }
        let listed = self.rotators[wish.rotator].listed_enabled.clone();
        let replaced = rotation.previous.as_ref().and_then(|previous| {
            versions.iter().find(|version| version.id == previous.as_str() && version.id != own)
        });
        if replaced.is_some_and(|replaced| replaced.value == own_version.value) {
            self.violation(format!("{who}: complete, with the value of before"));
        }
        if self.kind == Kind::None {
            return;
        }
        if wish.keep == 1 {
            for (id, value) in listed.iter().filter(|(id, value)| *id != own && *value != own_version.value) {
                if versions.iter().any(|version| version.id == *id) && self.alive(value) {
                    self.violation(format!("{who}: complete, and the credential of {id} is alive"));
                }
            }
        }
        let rotation = format!("{}-{name}", wish.id);
        let stored = |value: &str| {
            let others = self.secrets.iter().filter(|(other, _)| *other != name);
            others.flat_map(|(_, secret)| &secret.versions).any(|version| version.value == value)
        };
        let orphan = self.issued.iter().find(|issued| {
            let own = issued.value == own_version.value || stored(&issued.value);
            issued.rotation == rotation && issued.alive && !own
        });
        if let Some(orphan) = orphan.filter(|_| self.kind == Kind::Many).cloned() {
            self.violation(format!("{who}: complete, and {} is an orphan", orphan.id));
        }
    }

    /// What was killed within the window, and is still current, must have been raised.
    fn judge_end(&mut self, wish: &Wish, raised: bool) {
        let rotator = wish.rotator;
        for (secret, id, at) in std::mem::take(&mut self.rotators[rotator].killed) {
            self.stats("window");
            let current = self.secrets[&secret].current().filter(|current| current.enabled);
            let still = current.is_some_and(|current| current.id == id);
            // A secret beside the group is not read again for that: see `rotate_many`. What someone has hidden, and
            // brings back later, cannot be read.
            let told = match self.rotators[rotator].told.get(&secret) {
                Some((read, told)) if *read > at => told.as_ref() == Some(&id),
                _ => wish.names.len() == 1,
            };
            if still && !self.works(&secret) && !raised && told {
                self.violation(format!("rotator {rotator}: killed the current {id} and did not say so"));
            }
        }
    }
}

/// Sets good and bad values, disables, enables, deletes and recovers.
pub(crate) async fn person(world: Shared, names: Vec<String>) {
    let actions = world.lock().dice.roll(9);
    for _ in 0..actions {
        let wait = world.lock().dice.roll(25_000);
        sleep(Duration::from_millis(wait)).await;
        let mut world = world.lock();
        let name = names[world.dice.roll(names.len() as u64) as usize].clone();
        let action = world.dice.roll(100);
        world.act_as_person(&name, action);
    }
}

impl World {
    fn act_as_person(&mut self, name: &str, action: u64) {
        self.say(|| format!("person: action {action} on {name}"));
        self.note_write(usize::MAX);
        let versions = self.secrets[name].versions.len() as u64;
        let deleted = self.secrets[name].deleted;
        match action {
            _ if deleted => self.change(|world| world.secrets.get_mut(name).unwrap().deleted = false),
            0..25 => {
                let value = self.new_credential();
                self.put(name, &value, BTreeMap::new());
            }
            25..35 => {
                let value = self.fresh("bad");
                self.put(name, &value, BTreeMap::new());
            }
            // By hand in the portal: an old value again, with the tags of the version before.
            35..70 => {
                let back = 1 + self.dice.roll(versions.min(3));
                let old = self.secrets[name].versions[(versions - back.min(versions)) as usize].clone();
                let tags =
                    self.secrets[name].versions.last().map(|last| last.tags.clone()).unwrap_or_default();
                self.put(name, &old.value, tags);
            }
            70..95 => {
                let at = self.dice.roll(versions) as usize;
                let enable = action >= 88;
                self.change(|world| world.secrets.get_mut(name).unwrap().versions[at].enabled = enable);
            }
            _ => self.change(|world| world.secrets.get_mut(name).unwrap().deleted = true),
        }
    }

    pub(crate) fn new_credential(&mut self) -> String {
        let value = self.fresh("value");
        let id = match self.kind {
            Kind::TwoSlots => return self.other_slot(),
            // By hand too, there is only one: what it was before ends.
            Kind::One => {
                self.issued.iter_mut().for_each(|old| old.alive = false);
                self.fresh("key")
            }
            _ => self.fresh("key"),
        };
        let issued = Issued { id, value: value.clone(), rotation: String::new(), alive: true, works: true };
        self.issued.push(issued);
        value
    }

    fn other_slot(&mut self) -> String {
        let alive: Vec<String> =
            self.issued.iter().filter(|issued| issued.alive).map(|issued| issued.value.clone()).collect();
        match alive.is_empty() {
            // Only a rotation that does harm comes to this.
            true => self.fresh("bad"),
            false => alive[self.dice.roll(alive.len() as u64) as usize].clone(),
        }
    }
}

/// Reads now and then, and uses what it has read.
pub(crate) async fn consumer(world: Shared, secret: String, at: usize) {
    loop {
        {
            let mut guard = world.lock();
            let world = &mut *guard;
            let current = world.secrets[&secret].current().filter(|current| current.enabled).cloned();
            if let Some(current) = current {
                let read = Consumer { secret: secret.clone(), version: current.id, value: current.value };
                world.consumers[at] = read;
            }
        }
        let pause = world.lock().dice.roll(20_000);
        sleep(Duration::from_millis(500 + pause)).await;
    }
}
