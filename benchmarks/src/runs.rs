//! How figures are taken: in rounds, in each of which every work has its turn.

use std::{process::Command, time::Instant};

/// What one work gave, round by round.
pub(crate) struct Runs(Vec<f64>);

impl Runs {
    /// The least: what other programs of the machine add is not ours.
    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(0.0, f64::max)
    }

    /// The middle half of the ratios to a floor, round by round; `None` for a figure that was taken once.
    pub(crate) fn spread(&self, floor: &Self) -> Option<(f64, f64)> {
        let mut ratios: Vec<f64> = self.0.iter().zip(&floor.0).map(|(ours, floor)| ours / floor).collect();
        ratios.sort_by(f64::total_cmp);
        let quarter = ratios.len() / 4;
        (quarter > 0).then(|| (ratios[quarter], ratios[ratios.len() - 1 - quarter]))
    }
}

/// A figure that was taken once, or is known.
impl From<f64> for Runs {
    fn from(figure: f64) -> Self {
        Self(vec![figure])
    }
}

/// What several works gave in `rounds` rounds, each of them one or more figures.
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

/// Milliseconds from start to end of a program that must succeed.
pub(crate) fn wall(command: &mut Command) -> f64 {
    let since = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    since.elapsed().as_secs_f64() * 1e3
}

/// Microseconds of one of `times` calls, each of which must succeed.
pub(crate) fn each(times: u32, work: impl Fn() -> bool) -> f64 {
    let since = Instant::now();
    for _ in 0..times {
        assert!(work());
    }
    since.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}
