//! What a process costs.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Instant,
};

/// Milliseconds that this process has spent on processors, in all its threads.
pub(crate) fn cpu() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux: /proc tells the CPU time");
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default()
    };
    threads.map(|thread| of(thread.unwrap())).sum::<f64>() / 1e6
}

/// The most memory that this process has had, in MiB.
pub(crate) fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

/// This program again, with other arguments.
pub(crate) fn again(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments);
    command
}

/// A server in a process of its own, and the line that it said where it listens. It ends with this value.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start() -> Self {
        let mut child = again(&["serve"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().to_owned() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
