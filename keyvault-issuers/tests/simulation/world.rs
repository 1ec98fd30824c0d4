//! What all rotators share, and what is checked after each of their requests.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::{gate::Fate, subjects::Estate, support::VAULT};

pub(crate) struct World {
    pub(crate) estate: Arc<Estate>,
    pub(crate) dice: u64,
    pub(crate) fates: Vec<Fate>,
    pub(crate) works: bool,
    pub(crate) was_dead: bool,
    pub(crate) violations: Vec<String>,
    pub(crate) log: Vec<String>,
}

impl World {
    pub(crate) fn new(estate: Estate, seed: u64, rotators: usize) -> Self {
        Self {
            estate: Arc::new(estate),
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03,
            fates: (0..rotators).map(|_| Fate::default()).collect(),
            works: true,
            was_dead: false,
            violations: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    pub(crate) fn current_works(&self) -> bool {
        let versions = self.estate.azure.secret_versions(VAULT, "db");
        let current = versions.iter().find(|version| version.current);
        current.is_some_and(|it| it.enabled && self.estate.takes(&it.value))
    }

    /// After a request: readers of the secret must get a value that works.
    pub(crate) fn check(&mut self, rotator: usize, what: &str) {
        let works = self.current_works();
        if self.works && !works {
            self.was_dead = true;
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
pub(crate) struct Shared(pub(crate) Arc<Mutex<World>>);

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}
