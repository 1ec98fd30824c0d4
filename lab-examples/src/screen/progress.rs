//! Shows the progress of running work and the time left.

use std::{fmt::Write, future::Future, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::Screen;

impl Screen {
    /// Shows that work is in progress until it is done.
    pub async fn wait<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        self.under_way(what, None, work).await
    }

    /// Like [`wait`](Self::wait), for work with a time limit: counts down the time left.
    pub async fn wait_at_most<T>(&self, what: &str, limit: Duration, work: impl Future<Output = T>) -> T {
        self.under_way(what, Some(limit), work).await
    }

    async fn under_way<T>(&self, what: &str, limit: Option<Duration>, work: impl Future<Output = T>) -> T {
        if !self.progress || self.is_muted() {
            return work.await;
        }
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {msg} {time}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        spinner.set_style(style.with_key("time", move |state: &ProgressState, line: &mut dyn Write| {
            // Ignored, since it is redrawn in a moment.
            line.write_str(&time(state.elapsed(), limit)).unwrap_or_default();
        }));
        spinner.set_message(format!("{what} .."));
        spinner.enable_steady_tick(Duration::from_millis(100));
        let done = work.await;
        spinner.finish_and_clear();
        done
    }

    /// Creates a progress bar for work of a known size. It is hidden if there is no terminal.
    pub fn bar(&self, what: &str, size: u64) -> ProgressBar {
        let target = if self.progress && !self.is_muted() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(size), target);
        bar.set_message(what.to_owned());
        if let Ok(style) = ProgressStyle::with_template("  {msg} {bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        bar
    }
}

/// The elapsed time, or the time left.
fn time(elapsed: Duration, limit: Option<Duration>) -> String {
    match limit {
        None => words(elapsed),
        Some(limit) => match limit.checked_sub(elapsed) {
            // Rounds up to the next second.
            Some(left) => format!("{} left", words(left + Duration::from_millis(999))),
            None => "time is up".to_owned(),
        },
    }
}

fn words(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_with_a_limit_counts_down_and_other_work_counts_up() {
        let at = |seconds: f64, limit: Option<u64>| {
            time(Duration::from_secs_f64(seconds), limit.map(Duration::from_secs))
        };
        assert_eq!(at(0.0, Some(60)), "1 min 0 s left");
        assert_eq!(at(0.2, Some(60)), "1 min 0 s left");
        assert_eq!(at(15.0, Some(60)), "45 s left");
        assert_eq!(at(59.5, Some(60)), "1 s left");
        assert_eq!(at(60.0, Some(60)), "0 s left");
        assert_eq!(at(61.0, Some(60)), "time is up");
        assert_eq!(at(75.0, None), "1 min 15 s");
    }
}
