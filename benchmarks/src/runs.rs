//! Takes measurements in rounds. Each round runs every piece of work once.

use std::{process::Command, time::Instant};

/// The figures of one piece of work, round by round.
pub(crate) struct Runs(Vec<f64>);

impl Runs {
    pub(crate) fn median(&self) -> f64 {
        quartiles(&self.0)[1]
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    /// The quartiles of the comparison with a floor, round by round.
    pub(crate) fn beside(&self, floor: &Self, compare: impl Fn(f64, f64) -> f64) -> [f64; 3] {
        let compared: Vec<f64> =
            self.0.iter().zip(&floor.0).map(|(ours, floor)| compare(*ours, *floor)).collect();
        quartiles(&compared)
    }
}

/// The lower quartile, the median and the upper quartile.
fn quartiles(figures: &[f64]) -> [f64; 3] {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |quarter: usize| {
        let place = (sorted.len() - 1) as f64 * quarter as f64 / 4.0;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    [1, 2, 3].map(at)
}

/// A figure that was measured once, or is known.
impl From<f64> for Runs {
    fn from(figure: f64) -> Self {
        Self(vec![figure])
    }
}

/// Runs several pieces of work in `rounds` rounds. Each piece returns one or more figures per round.
pub(crate) fn rounds<const N: usize, const M: usize>(
    rounds: usize,
    works: [&dyn Fn() -> [f64; M]; N],
) -> [[Runs; M]; N] {
    let mut runs = [(); N].map(|()| [(); M].map(|()| Runs(Vec::new())));
    for _ in 0..rounds {
        for (runs, work) in runs.iter_mut().zip(works) {
            runs.iter_mut().zip(work()).for_each(|(runs, figure)| runs.0.push(figure));
        }
    }
    runs
}

/// The milliseconds from start to end of a program, which must succeed.
pub(crate) fn wall(command: &mut Command) -> f64 {
    let since = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    since.elapsed().as_secs_f64() * 1e3
}

/// The average microseconds of one of `times` calls, each of which must succeed.
pub(crate) fn each(times: u32, work: impl Fn() -> bool) -> f64 {
    let since = Instant::now();
    for _ in 0..times {
        assert!(work());
    }
    since.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}
