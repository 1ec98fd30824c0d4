//! Every issuer against the double: rotators that are stopped at any request, lose answers, meet each other, and begin again with the
//! same id, interleaved request by request from a seed. What must hold is checked after every request.
//!
//! `KEYVAULT_ISSUERS_SEEDS=20000 cargo test -p keyvault-issuers --release --test simulation` runs more seeds;
//! `KEYVAULT_ISSUERS_ALL=1` stops every issuer before and after every request, and loses every answer;
//! `KEYVAULT_ISSUERS_SEED=17 cargo test -p keyvault-issuers --test simulation -- --nocapture` shows one.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails
#![allow(clippy::print_stdout, reason = "what a run was like is asked for with --nocapture")]

mod support;

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{Arc, Mutex, MutexGuard},
};

use arm_core::{ArmClient, ArmOptions, ResourceId};
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        ClientOptions, Context, Request,
        policies::{Policy, PolicyResult},
    },
};
use keyvault_issuers::{EntraPasswordIssuer, ResourceKeyIssuer};
use keyvault_ops::{Issuer, Ledger, RotateError, RotateFailure, Rotation, SecretsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, DEFAULT_TENANT, MockAzure};
use support::{VAULT, id, name, seed};
use tokio::sync::Notify;

const APP: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";
const PASSWORD: &str = "old8Q~0123456789012345678901234567abcd";

/// Whose credentials are rotated: the type of a resource, its name, and the key that the secret holds; or an application.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Keys(&'static str, &'static str, &'static str),
    Application,
}

const SUBJECTS: &[Subject] = &[
    Subject::Application,
    Subject::Keys("Microsoft.Storage/storageAccounts", "stlab", "key1"),
    Subject::Keys("Microsoft.DocumentDB/databaseAccounts", "cosmos", "secondaryReadonlyMasterKey"),
    Subject::Keys("Microsoft.ServiceBus/namespaces/authorizationRules", "bus/send", "primaryKey"),
    Subject::Keys("Microsoft.EventHub/namespaces/authorizationRules", "hubs/Root", "secondaryKey"),
    Subject::Keys("Microsoft.CognitiveServices/accounts", "models", "key2"),
    Subject::Keys("Microsoft.Search/searchServices", "search", "primaryKey"),
    Subject::Keys("Microsoft.SignalRService/signalR", "signals", "primaryKey"),
    Subject::Keys("Microsoft.Maps/accounts", "maps", "secondaryKey"),
];

impl Subject {
    fn resource(self) -> Option<ResourceId> {
        match self {
            Self::Keys(kind, resource, _) => Some(id(kind, resource)),
            Self::Application => None,
        }
    }

    /// Whether its issuer can use a credential.
    fn proves(self) -> bool {
        !matches!(self, Self::Keys(kind, ..) if kind.contains("SignalR") || kind.contains("Maps"))
    }

    async fn start(self) -> MockAzure {
        match self {
            Self::Keys(kind, resource, _) => seed().keyed_resource(SUB, "rg", kind, resource).start().await,
            Self::Application => seed().application(APP, CLIENT, "web", PASSWORD).start().await,
        }
    }

    fn first(self, azure: &MockAzure) -> String {
        match self {
            Self::Keys(_, _, key) => azure.resource_key(self.resource().unwrap().as_str(), key).unwrap(),
            Self::Application => PASSWORD.to_owned(),
        }
    }

    fn takes(self, azure: &MockAzure, value: &str) -> bool {
        match self.resource() {
            Some(resource) => azure.takes_key(resource.as_str(), value),
            None => azure.application_takes(CLIENT, value),
        }
    }

    fn issuer(self, arm: &ArmClient) -> Arc<dyn Issuer> {
        match self.resource() {
            Some(resource) => Arc::new(ResourceKeyIssuer::new(arm, resource).unwrap()),
            None => Arc::new(EntraPasswordIssuer::new(arm, DEFAULT_TENANT, APP)),
        }
    }
}

/// What happens to the requests of one rotator in its present run.
#[derive(Default)]
struct Fate {
    sent: u64,
    stop_at: u64,
    lose_at: u64,
    lose_answer: bool,
    stopped: Arc<Notify>,
}

struct World {
    subject: Subject,
    azure: Arc<MockAzure>,
    dice: u64,
    fates: Vec<Fate>,
    works: bool,
    violations: Vec<String>,
    log: Vec<String>,
}

impl World {
    fn roll(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    fn current_works(&self) -> bool {
        let versions = self.azure.secret_versions(VAULT, "db");
        let current = versions.iter().find(|version| version.current);
        current.is_some_and(|it| it.enabled && self.subject.takes(&self.azure, &it.value))
    }

    /// After a request: readers of the secret must get a value that works.
    fn check(&mut self, rotator: usize, what: &str) {
        let works = self.current_works();
        if self.works && !works {
            let alone = self.fates.len() == 1;
            self.log.push(format!("{rotator}: the current value is dead after {what}"));
            if alone {
                self.violations.push(format!("alone, and {what} killed the current value"));
            }
        }
        self.works = works;
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<World>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

/// Stands before the double: lets others act first, stops the program, or loses what is said.
#[derive(Clone)]
struct Gate {
    world: Shared,
    rotator: usize,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gate")
    }
}

#[async_trait]
impl Policy for Gate {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let turns = self.world.lock().roll(5);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        let what = format!("{} {}", request.method(), request.url().path());
        let (stops, loses, answer) = {
            let mut world = self.world.lock();
            world.log.push(format!("{}: {what}", self.rotator));
            let fate = &mut world.fates[self.rotator];
            fate.sent += 1;
            if fate.sent == fate.stop_at {
                fate.stopped.notify_one();
            }
            (fate.sent == fate.stop_at, fate.sent == fate.lose_at, fate.lose_answer)
        };
        let lost = || Error::with_message(ErrorKind::Io, "the connection was lost");
        // A program may be stopped before the service hears of it, or after it has acted.
        if stops && !answer {
            pending::<()>().await;
        }
        if loses && !answer {
            return Err(lost());
        }
        let outcome = next[0].send(ctx, request, &next[1..]).await;
        self.world.lock().check(self.rotator, &what);
        if stops {
            pending::<()>().await;
        }
        if loses { Err(lost()) } else { outcome }
    }
}

struct Wish {
    rotator: usize,
    ledger: Option<Ledger>,
    /// Of the first run: at which request it stops, or loses one.
    script: Option<(u64, u64, bool)>,
}

type Outcome = Result<Rotation, RotateError>;

/// Runs a rotation, as often as it is stopped. Answers every outcome, the last one at the end.
async fn rotator(world: Shared, wish: Wish) -> Vec<Outcome> {
    let (azure, subject) = {
        let world = world.lock();
        (world.azure.clone(), world.subject)
    };
    let gate = Arc::new(Gate { world: world.clone(), rotator: wish.rotator });
    let client = ClientOptions { per_try_policies: vec![gate], ..azure.client_options() };
    let arm = ArmClient::new(azure.credential(), Some(ArmOptions::from(client))).unwrap();
    let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
    let mut outcomes = Vec::new();
    for attempt in 0..8 {
        let stopped = {
            let mut world = world.lock();
            let accidents = wish.script.is_none() && attempt < 4;
            let (stop, lose) = (world.roll(100), world.roll(100));
            let (stop, lose) = match (accidents, &wish.script) {
                (true, _) => (if stop < 70 { stop } else { 0 }, if lose < 70 { lose } else { 0 }),
                (false, Some((stop, lose, _))) if attempt == 0 => (*stop, *lose),
                _ => (0, 0),
            };
            let answer = wish.script.map_or_else(|| world.roll(2) == 0, |script| script.2);
            let fate = &mut world.fates[wish.rotator];
            (fate.sent, fate.stop_at, fate.lose_at, fate.lose_answer) = (0, stop, lose, answer);
            fate.stopped.clone()
        };
        // What a program remembers is gone with it.
        let mut rotate =
            secrets.rotate(&name("db")).id(format!("r{}", wish.rotator)).issuer(subject.issuer(&arm));
        if let Some(ledger) = &wish.ledger {
            rotate = rotate.ledger(ledger);
        }
        let outcome = tokio::select! {
            outcome = rotate => outcome,
            () = stopped.notified() => continue,
        };
        let said = match &outcome {
            Ok(rotation) => format!("complete {}: {rotation}", rotation.is_complete()),
            Err(error) => error.to_string(),
        };
        world.lock().log.push(format!("{}: {said}", wish.rotator));
        let ended = match &outcome {
            Ok(_) => true,
            Err(error) => matches!(
                *error.source,
                RotateFailure::Overtaken { .. }
                    | RotateFailure::CurrentCredentialDead { .. }
                    | RotateFailure::ForeignIntent { .. }
                    | RotateFailure::Invalid(_)
            ),
        };
        outcomes.push(outcome);
        if ended {
            break;
        }
    }
    outcomes
}

#[derive(Default)]
struct Ran {
    violations: Vec<String>,
    log: Vec<String>,
    requests: u64,
    ends: Vec<String>,
}

fn run(subject: Subject, seed: u64, rotators: usize, script: Option<(u64, u64, bool)>, ledger: bool) -> Ran {
    mock_azure::fast_forward();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let azure = Arc::new(subject.start().await);
        let first = subject.first(&azure);
        let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
        let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
        secrets.set(&name("db"), first.clone().into()).await.unwrap();
        let world = Shared(Arc::new(Mutex::new(World {
            subject,
            azure: azure.clone(),
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03,
            fates: (0..rotators).map(|_| Fate::default()).collect(),
            works: true,
            violations: Vec::new(),
            log: Vec::new(),
        })));
        let tasks = (0..rotators).map(|at| {
            let wish = Wish { rotator: at, ledger: ledger.then(Ledger::in_memory), script };
            rotator(world.clone(), wish)
        });
        let outcomes = futures::future::join_all(tasks).await;
        let mut world = world.lock();
        judge(&mut world, &outcomes, &first, ledger);
        let last = outcomes.iter().filter_map(|outcomes| outcomes.last());
        let end = |outcome: &Outcome| match outcome {
            Ok(rotation) if rotation.is_complete() => "complete".to_owned(),
            Ok(_) => "incomplete".to_owned(),
            Err(error) => {
                format!("{:?}", error.source).split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
            }
        };
        Ran {
            violations: std::mem::take(&mut world.violations),
            log: std::mem::take(&mut world.log),
            requests: world.fates[0].sent,
            ends: last.map(end).collect(),
        }
    })
}

/// What must hold in the end.
fn judge(world: &mut World, outcomes: &[Vec<Outcome>], first: &str, ledger: bool) {
    let (subject, azure) = (world.subject, world.azure.clone());
    let mut violations = Vec::new();
    let all = || outcomes.iter().flatten();
    let raised = all().any(|outcome| {
        outcome
            .as_ref()
            .is_err_and(|error| matches!(*error.source, RotateFailure::CurrentCredentialDead { .. }))
    });
    if !world.current_works() && !raised {
        violations.push("the current value is dead, and no one said so".to_owned());
    }
    let reports = || {
        all().map(|outcome| match outcome {
            Ok(rotation) => rotation,
            Err(error) => &*error.completed,
        })
    };
    let named_versions: Vec<String> =
        reports().flat_map(|report| &report.issuer.unrevoked).map(ToString::to_string).collect();
    let orphans: Vec<&String> = reports().flat_map(|report| &report.issuer.orphans).collect();
    let versions = azure.secret_versions(VAULT, "db");
    for (rotator, outcomes) in outcomes.iter().enumerate() {
        match outcomes.last() {
            Some(Ok(rotation)) => {
                let holding = versions.iter().find(|version| version.value == first);
                let named = holding.is_some_and(|version| named_versions.contains(&version.id));
                if subject.takes(&azure, first) && !named && !orphans.iter().any(|id| first.contains(*id)) {
                    violations.push(format!(
                        "rotator {rotator} ended, and the old credential is alive and not named"
                    ));
                }
                if world.fates.len() == 1 && ledger && rotation.is_complete() != subject.proves() {
                    violations.push(format!("rotator {rotator} was alone, and is not complete: {rotation}"));
                }
            }
            Some(Err(error)) if world.fates.len() == 1 => {
                violations.push(format!("rotator {rotator}: {error}"))
            }
            Some(Err(_)) => {}
            None => violations.push(format!("rotator {rotator} never ended")),
        }
    }
    for (key_id, label) in azure.application_passwords(APP) {
        let tagged = |version: &mock_azure::SecretVersion| {
            version.tags.iter().any(|(tag, id)| tag == "credential" && *id == key_id)
        };
        let label = label.unwrap_or_default();
        let Some(rotation) = label.strip_prefix("rotation ") else { continue };
        let stored = versions.iter().any(tagged);
        let unknown = format!("what was created for rotation '{rotation}'");
        if !stored && !orphans.iter().any(|id| **id == key_id || **id == unknown) {
            violations.push(format!("{key_id} of {rotation} is an orphan that no one named"));
        }
    }
    world.violations.extend(violations);
}

#[test]
fn a_rotation_alone_can_be_stopped_and_lose_an_answer_at_any_request_and_harms_no_one() {
    let (mut runs, whole) = (0, number("KEYVAULT_ISSUERS_ALL").is_some());
    for (at, subject) in SUBJECTS.iter().enumerate() {
        let smooth = run(*subject, 0, 1, Some((0, 0, false)), true);
        assert!(smooth.violations.is_empty(), "{subject:?}: {:#?} {:#?}", smooth.violations, smooth.log);
        // The first two stand for the two issuers; the others differ by a row of a table.
        let step = if whole || at < 2 { 1 } else { 4 };
        for at in (1..=smooth.requests).step_by(step) {
            let scripts = [(at, 0, true), (at, 0, false), (0, at, true)];
            for (stop, lose, answer) in scripts.into_iter().take(if whole { 3 } else { 1 + step % 2 }) {
                let ran = run(*subject, at, 1, Some((stop, lose, answer)), true);
                let which = format!("{subject:?} stop {stop} lose {lose} answered {answer}");
                assert!(ran.violations.is_empty(), "{which}: {:#?} {:#?}", ran.violations, ran.log);
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
    assert!(runs > 150);
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a seed stands for.
fn of_seed(seed: u64) -> Ran {
    let subject = SUBJECTS[seed as usize % SUBJECTS.len()];
    let rest = seed / SUBJECTS.len() as u64;
    run(subject, seed, 1 + rest as usize % 2, None, !rest.is_multiple_of(3))
}

#[test]
fn whatever_happens_no_rotator_leaves_a_dead_value_unsaid_or_a_credential_unnamed() {
    if let Some(seed) = number("KEYVAULT_ISSUERS_SEED") {
        let ran = of_seed(seed);
        println!("{}", ran.log.join("\n"));
        assert!(ran.violations.is_empty(), "seed {seed}: {:#?}", ran.violations);
        return;
    }
    let seeds = number("KEYVAULT_ISSUERS_SEEDS").unwrap_or(120);
    let (mut failed, mut ends) = (BTreeMap::new(), BTreeMap::<String, u64>::new());
    for seed in 0..seeds {
        let ran = of_seed(seed);
        ran.ends.into_iter().for_each(|end| *ends.entry(end).or_default() += 1);
        if !ran.violations.is_empty() {
            failed.insert(seed, ran.violations);
        }
    }
    println!("{seeds} seeds: {ends:?}");
    let shown: Vec<_> = failed.iter().take(8).collect();
    assert!(
        failed.is_empty(),
        "{} of {seeds} failed; show one with KEYVAULT_ISSUERS_SEED: {shown:#?}",
        failed.len()
    );
    if seeds >= 100 {
        assert!(ends.contains_key("complete") && ends.contains_key("Overtaken"), "rotators meet: {ends:?}");
    }
}
