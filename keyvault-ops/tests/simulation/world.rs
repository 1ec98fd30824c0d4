//! All that there is in one run: a vault, an issuer, consumers, and what must always hold.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

/// How old an answer may be; the rotation allows for 5 seconds.
const STALE: u64 = 4_000;

/// How old a version may be that a set overwrites unseen: a late read of what was current, and the way of its answer and of the
/// set. Each set that was refused adds its own way.
const UNSEEN: u64 = STALE + 6_000;

/// How long looking at all secrets of a call may take, with late answers.
const LOOKING: u64 = 20_000;

/// Everything by chance comes from here.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    /// True this many times of a thousand.
    pub(crate) fn chance(&mut self, permille: u64) -> bool {
        self.roll(1_000) < permille
    }

    /// Mostly short, sometimes seconds.
    pub(crate) fn delay(&mut self) -> Duration {
        let longest = if self.chance(250) { 2_500 } else { 40 };
        Duration::from_millis(self.roll(longest))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) enabled: bool,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created: u64,
    /// The rotator that set it, if one did, and when.
    pub(crate) by: Option<usize>,
    pub(crate) set: u64,
    /// Until when no one could read it, because it was disabled or its secret deleted.
    pub(crate) hidden_until: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SecretNow {
    pub(crate) versions: Vec<Version>,
    pub(crate) deleted: bool,
}

impl SecretNow {
    pub(crate) fn current(&self) -> Option<&Version> {
        self.versions.last().filter(|_| !self.deleted)
    }

    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.versions.iter().position(|version| version.id == id)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    None,
    Many,
    TwoSlots,
    One,
}

/// A credential at the issuer. A slot is one whose id comes up again.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) rotation: String,
    pub(crate) alive: bool,
    /// Some do not work from the beginning.
    pub(crate) works: bool,
}

pub(crate) struct Consumer {
    pub(crate) secret: String,
    pub(crate) version: String,
    pub(crate) value: String,
}

/// A rotator as the checks see it.
pub(crate) struct Rotator {
    pub(crate) consumers: bool,
    pub(crate) revoke_first: bool,
    pub(crate) accidents: bool,
    /// Of the present run: requests and hooks so far, and at which of them it is stopped.
    pub(crate) steps: u64,
    pub(crate) stop_at: u64,
    pub(crate) stopped: Arc<Notify>,
    pub(crate) listed: BTreeSet<String>,
    pub(crate) listed_enabled: BTreeSet<(String, String)>,
    /// The secrets in which it has set or disabled a version: its listing is over.
    pub(crate) set: BTreeSet<String>,
    pub(crate) looked: BTreeMap<String, String>,
    /// What the last read of each secret said, and when: the version, if it is enabled.
    pub(crate) told: BTreeMap<String, (u64, Option<String>)>,
    /// Older versions of which the vault has told this run that they are disabled: their values cannot be read.
    pub(crate) unreadable: BTreeSet<String>,
    /// How often the present set was refused, and is repeated.
    pub(crate) refused: u64,
    /// When the hook that acts was called.
    pub(crate) called: u64,
    /// The place of the newest version of each secret that `Consumers` said all use.
    pub(crate) moved: BTreeMap<String, usize>,
    /// Whether the last thing that it did was to read a current version.
    pub(crate) has_just_looked: bool,
    /// Versions that it killed within the documented window, and when.
    pub(crate) killed: Vec<(String, String, u64)>,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) kind: Kind,
    pub(crate) secrets: BTreeMap<String, SecretNow>,
    history: Vec<(u64, BTreeMap<String, SecretNow>)>,
    pub(crate) issued: Vec<Issued>,
    pub(crate) consumers: Vec<Consumer>,
    pub(crate) rotators: Vec<Rotator>,
    pub(crate) violations: Vec<String>,
    pub(crate) log: Vec<String>,
    pub(crate) counted: BTreeMap<String, u64>,
    writes: Vec<(u64, usize)>,
    verbose: bool,
    start: Instant,
    made: u64,
}

#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<World>>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    pub(crate) fn new(seed: u64, verbose: bool) -> Self {
        Self {
            dice: Dice::new(seed),
            kind: Kind::None,
            secrets: BTreeMap::new(),
            history: Vec::new(),
            issued: Vec::new(),
            consumers: Vec::new(),
            rotators: Vec::new(),
            violations: Vec::new(),
            log: Vec::new(),
            counted: BTreeMap::new(),
            writes: Vec::new(),
            verbose,
            start: Instant::now(),
            made: 0,
        }
    }

    pub(crate) fn now(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    pub(crate) fn say(&mut self, text: impl FnOnce() -> String) {
        if self.verbose {
            let line = format!("{:>8} {}", self.now(), text());
            self.log.push(line);
        }
    }

    pub(crate) fn fresh(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    /// Makes a change, and keeps what was before for reads that are late.
    pub(crate) fn change<T>(&mut self, change: impl FnOnce(&mut Self) -> T) -> T {
        let now = self.now();
        self.history.push((now, self.secrets.clone()));
        let horizon = now.saturating_sub(STALE);
        let old = self.history.iter().filter(|(until, _)| *until < horizon).count();
        self.history.drain(..old);
        let outcome = change(self);
        if let Some((_, before)) = self.history.last() {
            for (name, secret) in before {
                let hidden = secret.versions.iter().filter(|version| secret.deleted || !version.enabled);
                for version in hidden {
                    let now_there = self.secrets.get_mut(name).into_iter().flat_map(|now| &mut now.versions);
                    now_there.filter(|it| it.id == version.id).for_each(|it| it.hidden_until = now);
                }
            }
        }
        outcome
    }

    /// The secrets as a read sees them that may be late.
    pub(crate) fn seen(&mut self, secret: &str, late: bool) -> SecretNow {
        let now = self.secrets.get(secret).cloned().unwrap_or_default();
        if !late {
            return now;
        }
        let at = self.now().saturating_sub(self.dice.roll(STALE));
        let before = self.history.iter().find(|(until, _)| *until > at);
        before.and_then(|(_, secrets)| secrets.get(secret)).cloned().unwrap_or(now)
    }

    pub(crate) fn alive(&self, value: &str) -> bool {
        match self.kind {
            Kind::None => true,
            _ => self.issued.iter().any(|issued| issued.value == value && issued.alive && issued.works),
        }
    }

    /// Whether a reader of the secret gets a value that works.
    pub(crate) fn works(&self, secret: &str) -> bool {
        let current = self.secrets.get(secret).and_then(SecretNow::current);
        current.is_some_and(|current| current.enabled && self.alive(&current.value))
    }

    pub(crate) fn put(&mut self, secret: &str, value: &str, tags: BTreeMap<String, String>) -> Version {
        self.change(|world| {
            world.made += 1;
            // The ids say nothing about their order.
            let id = format!("{:016x}{:016x}", world.dice.roll(u64::MAX), world.made);
            let set = world.now();
            let created = set / 1_000;
            let version = Version {
                id,
                value: value.to_owned(),
                enabled: true,
                tags,
                created,
                by: None,
                set,
                hidden_until: 0,
            };
            world.secrets.entry(secret.to_owned()).or_default().versions.push(version.clone());
            version
        })
    }

    /// Carries out something that a rotator does, and checks what must hold after it.
    pub(crate) fn checked<T>(&mut self, rotator: usize, what: &str, act: impl FnOnce(&mut Self) -> T) -> T {
        let names: Vec<String> = self.secrets.keys().cloned().collect();
        let worked: Vec<bool> = names.iter().map(|name| self.works(name)).collect();
        let lived: Vec<bool> = self.consumers.iter().map(|consumer| self.alive(&consumer.value)).collect();
        self.note_write(rotator);
        let outcome = act(self);
        for (name, worked) in names.iter().zip(worked) {
            if worked && !self.works(name) {
                self.judge_death(rotator, name, what);
            }
        }
        for (at, lived) in lived.into_iter().enumerate() {
            let me = &self.rotators[rotator];
            let Consumer { secret, version, value } = &self.consumers[at];
            let place = |id: &str| self.secrets[secret].place(id);
            let left = me.moved.get(secret).is_some_and(|moved| place(version) < Some(*moved));
            let newer = me.looked.get(secret).is_some_and(|looked| place(version) > place(looked));
            // Another secret of the same call tells only what can be read of it.
            let unseen = self.secrets.len() > 1
                && (me.unreadable.contains(version) || self.was_hidden(rotator, secret, version));
            // Of one credential, a new one ends the old one at once: that was accepted.
            if self.kind == Kind::One && what == "create" {
                continue;
            }
            if lived && !unseen && !self.alive(value) && !left && !newer && !me.revoke_first && me.consumers {
                let holds = self.consumers[at].version.clone();
                self.violation(format!("rotator {rotator}: {what} killed what a consumer uses ({holds})"));
            }
        }
        outcome
    }

    /// Whether no one could read a version when the rotator looked for the last time before its present step.
    fn was_hidden(&self, rotator: usize, secret: &str, version: &str) -> bool {
        let secret = &self.secrets[secret];
        let version = secret.place(version).map(|place| &secret.versions[place]);
        let since = self.rotators[rotator].called.saturating_sub(LOOKING);
        secret.deleted || version.is_some_and(|it| !it.enabled || it.hidden_until >= since)
    }

    /// A set must not overwrite what someone else has set, where a look would have shown it.
    pub(crate) fn judge_set(&mut self, rotator: usize, secret: &str) {
        let me = &self.rotators[rotator];
        let Some(current) = self.secrets[secret].current().filter(|it| it.by != Some(rotator)) else {
            return;
        };
        let age = self.now() - current.set;
        if me.looked.get(secret) != Some(&current.id) && age > UNSEEN * (1 + me.refused) {
            let id = current.id.clone();
            self.violation(format!(
                "rotator {rotator}: sets {secret} over {id}, {age} ms old, without a look"
            ));
        }
    }

    fn judge_death(&mut self, rotator: usize, secret: &str, what: &str) {
        let current = self.secrets[secret].current().map(|current| current.id.clone()).unwrap_or_default();
        let looked = self.rotators[rotator].looked.get(secret).cloned().unwrap_or_default();
        if self.kind == Kind::One && what == "create" {
            return;
        }
        // The documented window: someone made it current after the last look. Of two slots that two rotate at once, and of
        // one credential, someone else may end the new value between its test and the set.
        let ended = match self.kind {
            Kind::TwoSlots => self.rotators.len() > 1 && what == "set",
            Kind::One => what == "set",
            _ => false,
        };
        let hidden = self.secrets.len() > 1 && self.was_hidden(rotator, secret, &current);
        if ended || what.starts_with("revoke") && (looked != current || hidden) {
            self.say(|| format!("rotator {rotator}: the window: {current} of {secret} is dead"));
            let now = self.now();
            self.rotators[rotator].killed.push((secret.to_owned(), current, now));
        } else {
            self.violation(format!(
                "rotator {rotator}: {what} killed the current version {current} of {secret}"
            ));
        }
    }

    pub(crate) fn stats(&mut self, what: &str) {
        *self.counted.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn note_write(&mut self, who: usize) {
        let now = self.now();
        self.writes.push((now, who));
    }

    /// Whether someone else has written within this time.
    pub(crate) fn foreign_write(&self, who: usize, within: u64) -> bool {
        let since = self.now().saturating_sub(within);
        self.writes.iter().any(|(at, writer)| *at >= since && *writer != who)
    }

    pub(crate) fn violation(&mut self, text: String) {
        self.say(|| format!("VIOLATION {text}"));
        self.violations.push(text);
    }
}
