//! The state of a double, behind a lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::state::{faults::Faults, recorder::Recorder, world::World};

/// The whole state of a double.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    /// A function that the server calls with one line for each request.
    pub(crate) log: Option<fn(&str)>,
    /// The number of answered requests.
    pub(crate) answered: u64,
}

/// The state behind its lock.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<State>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        let (faults, recorder) = (Faults::default(), Recorder::default());
        Self(Arc::new(Mutex::new(State { world, faults, recorder, log: None, answered: 0 })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
