//! The clock of a double, which determines every time in it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use time::{Duration, OffsetDateTime};

/// The time on the machine's clock. Nothing else in the crate reads that clock.
pub(crate) fn of_this_machine() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The clock of a double. Clones are the same clock.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    /// The time at which it was last set, stopped or started.
    at: OffsetDateTime,
    /// Since when it has been running. `None` if it is stopped.
    running: Option<Instant>,
    /// How far it was moved by `advance` and `set`.
    moved: Duration,
    /// The total length of skipped waits.
    skipped: Duration,
}

impl Hands {
    fn now(&self) -> OffsetDateTime {
        let run = self.running.map_or(std::time::Duration::ZERO, |since| since.elapsed());
        self.at.saturating_add(run.try_into().unwrap_or(Duration::MAX))
    }

    fn forward(&mut self, by: Duration) {
        self.at = self.at.saturating_add(by);
    }
}

impl Default for Clock {
    /// Runs and shows the real time.
    fn default() -> Self {
        let (moved, skipped) = (Duration::ZERO, Duration::ZERO);
        let hands = Hands { at: of_this_machine(), running: Some(Instant::now()), moved, skipped };
        Self(Arc::new(Mutex::new(hands)))
    }
}

impl Clock {
    /// Creates a clock that is stopped at this time.
    pub(crate) fn still_at(time: OffsetDateTime) -> Self {
        let clock = Self::default();
        clock.freeze();
        clock.hands().at = time;
        clock
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.hands().now()
    }

    /// The time as clients know it, without the waits that they skipped. It determines when their tokens expire.
    pub(crate) fn of_clients(&self) -> OffsetDateTime {
        let hands = self.hands();
        hands.now().saturating_sub(hands.skipped)
    }

    /// How far it was moved by `advance` and `set`.
    pub(crate) fn moved(&self) -> Duration {
        self.hands().moved
    }

    pub(super) fn advance(&self, by: Duration) {
        let mut hands = self.hands();
        hands.moved = hands.moved.saturating_add(by);
        hands.forward(by);
    }

    pub(super) fn set(&self, time: OffsetDateTime) {
        let by = time - self.now();
        self.advance(by);
    }

    pub(super) fn freeze(&self) {
        let mut hands = self.hands();
        hands.at = hands.now();
        hands.running = None;
    }

    pub(crate) fn is_running(&self) -> bool {
        self.hands().running.is_some()
    }

    /// Sets the time as if the clock had run until then.
    #[cfg(feature = "server")]
    pub(crate) fn show(&self, time: OffsetDateTime) {
        let mut hands = self.hands();
        hands.at = time;
        hands.running = hands.running.map(|_| Instant::now());
    }

    /// Takes over the state of another clock.
    pub(crate) fn follow(&self, other: &Self) {
        let (at, running) = {
            let other = other.hands();
            (other.now(), other.running.is_some())
        };
        *self.hands() =
            Hands { at, running: running.then(Instant::now), moved: Duration::ZERO, skipped: Duration::ZERO };
    }

    pub(super) fn run(&self) {
        let mut hands = self.hands();
        hands.at = hands.now();
        hands.running = Some(Instant::now());
    }

    /// Moves the clock to the end of a skipped wait, unless it is already later.
    pub(super) fn skip_to(&self, until: OffsetDateTime) {
        let mut hands = self.hands();
        let by = until - hands.now();
        if by.is_positive() {
            hands.skipped = hands.skipped.saturating_add(by);
            hands.forward(by);
        }
    }

    pub(super) fn downgrade(&self) -> WeakClock {
        WeakClock(Arc::downgrade(&self.0))
    }
}

/// A reference that does not keep the clock alive.
#[derive(Debug)]
pub(super) struct WeakClock(Weak<Mutex<Hands>>);

impl WeakClock {
    pub(super) fn upgrade(&self) -> Option<Clock> {
        self.0.upgrade().map(Clock)
    }
}
