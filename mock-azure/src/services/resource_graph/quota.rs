//! The quota of queries for a user.

use std::time::Duration;

use time::OffsetDateTime;

const QUERIES: u32 = 15;
const PERIOD: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) struct Quota {
    queries: u32,
    period: Duration,
    enforced: bool,
    spent: u32,
    since: Option<OffsetDateTime>,
}

impl Default for Quota {
    fn default() -> Self {
        Self { queries: QUERIES, period: PERIOD, enforced: false, spent: 0, since: None }
    }
}

impl Quota {
    pub(super) fn enforced(queries: u32, period: Duration) -> Self {
        Self { queries: queries.max(1), period, enforced: true, ..Self::default() }
    }

    /// Counts a query. Returns the headers of the response and, if the quota is used up, the number of seconds after
    /// which to retry.
    pub(super) fn spend(
        &mut self,
        now: OffsetDateTime,
        for_others: bool,
    ) -> ([(&'static str, String); 2], Option<u64>) {
        let since = match self.since.filter(|since| now - *since < self.period) {
            Some(since) => since,
            None => {
                self.spent = 0;
                *self.since.insert(now)
            }
        };
        let enforced = self.enforced || for_others;
        let over = enforced && self.spent >= self.queries;
        if !over {
            self.spent += 1;
        }
        // If no query is refused, the quota must not look used up either.
        let left = self.queries.saturating_sub(self.spent).max(u32::from(!enforced));
        let rest = self.period.saturating_sub((now - since).unsigned_abs());
        let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
        let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        let headers =
            [("x-ms-user-quota-remaining", left.to_string()), ("x-ms-user-quota-resets-after", clock)];
        (headers, over.then_some(seconds))
    }
}
