//! How time is taken.

use std::{process::Command, time::Instant};

/// Milliseconds from start to end of a program that must succeed.
pub(crate) fn wall(command: &mut Command) -> f64 {
    let since = Instant::now();
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    since.elapsed().as_secs_f64() * 1e3
}

/// The least of what each of several works gave in `rounds` rounds, one after the other in each round.
pub(crate) fn least<const N: usize>(rounds: usize, mut works: [&mut dyn FnMut() -> f64; N]) -> [f64; N] {
    let mut least = [f64::INFINITY; N];
    for _ in 0..rounds {
        for (least, work) in least.iter_mut().zip(&mut works) {
            *least = least.min(work());
        }
    }
    least
}
