//! The time of one double, which everything in it follows.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use time::{Duration, OffsetDateTime};

/// What the clock of this machine shows. Nothing else in the crate asks it.
pub(crate) fn of_this_machine() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// The clock of one double; clones are the same clock.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Mutex<Hands>>);

#[derive(Debug)]
struct Hands {
    /// What it showed when it was last set, stopped or let go.
    at: OffsetDateTime,
    /// Since when it has run; nothing while it stands still.
    running: Option<Instant>,
    /// How far it was moved by hand.
    moved: Duration,
    /// How much of the time that has passed was waited for by clients that did not really wait.
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
    /// Shows the real time, and runs.
    fn default() -> Self {
        let (moved, skipped) = (Duration::ZERO, Duration::ZERO);
        let hands = Hands { at: of_this_machine(), running: Some(Instant::now()), moved, skipped };
        Self(Arc::new(Mutex::new(hands)))
    }
}

impl Clock {
    /// Shows this time, and stands still.
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

    /// The time as the clients know it, who do not see the waits pass that they skip: by it, their tokens
    /// expire.
    pub(crate) fn of_clients(&self) -> OffsetDateTime {
        let hands = self.hands();
        hands.now().saturating_sub(hands.skipped)
    }

    /// How far it was moved by hand so far.
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

    /// Shows this time, as if it had run until then.
    #[cfg(feature = "server")]
    pub(crate) fn show(&self, time: OffsetDateTime) {
        let mut hands = self.hands();
        hands.at = time;
        hands.running = hands.running.map(|_| Instant::now());
    }

    /// From now on, this clock is as that one.
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

    /// A client has waited until now and does not really wait: it is at least that late.
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

/// A clock that goes with its double.
#[derive(Debug)]
pub(super) struct WeakClock(Weak<Mutex<Hands>>);

impl WeakClock {
    pub(super) fn upgrade(&self) -> Option<Clock> {
        self.0.upgrade().map(Clock)
    }
}
