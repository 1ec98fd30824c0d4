//! What all tasks share: they can be awaited or previewed.

use std::{
    fmt,
    future::{Future, IntoFuture},
};

use azure_core::{Error, error::ErrorKind};
use futures::future::BoxFuture;
use tracing::Instrument as _;

use crate::ArmErrorExt as _;

/// How many times a task decides before it fails, if its writes are refused because the resource has changed.
const DECISIONS: u32 = 4;

/// Whether a task may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Read, decide, write, verify.
    #[default]
    Write,
    /// Read and decide like [`Write`](Self::Write), but write nothing.
    DryRun,
}

impl Mode {
    /// Whether this is a dry run, which must not write.
    pub fn is_dry_run(self) -> bool {
        self == Self::DryRun
    }
}

/// A task of several requests that reads, decides, writes and verifies. Nothing happens until it is awaited.
///
/// [`dry_run`](Self::dry_run) runs the same code: it reads and decides like a real run, fails if a real run would fail
/// before its first write, and writes nothing. Unless a task's documentation says otherwise, running it again after it
/// was stopped halfway finishes it, and running it again after that writes nothing.
///
/// Tasks with options are builders, such as `EnablePlan`. They are awaited in the same way. `Task::from` converts them,
/// so that a program can handle different builders as one type.
///
/// ```
/// # async fn f(task: arm_core::Task<arm_core::Change<u8>>) -> azure_core::Result<()> {
/// let would = task.dry_run().await?;
/// println!("would be {}", would.verb());
/// # Ok(()) }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Task<T, E = Error> {
    run: Box<dyn FnOnce(Mode) -> BoxFuture<'static, Result<T, E>> + Send>,
    mode: Mode,
}

impl<T, E> Task<T, E> {
    /// Creates a task from a closure, which must not write in [`Mode::DryRun`].
    pub fn new<F, Fut>(run: F) -> Self
    where
        F: FnOnce(Mode) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        Self::named(std::any::type_name::<F>(), run)
    }

    /// Creates a task that runs in its own span, named after the path of its code.
    fn named<F, Fut>(code: &'static str, run: F) -> Self
    where
        F: FnOnce(Mode) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let run = move |mode: Mode| -> BoxFuture<'static, Result<T, E>> {
            let span = tracing::info_span!("task", name = short(code), dry_run = mode.is_dry_run());
            Box::pin(run(mode).instrument(span))
        };
        Self { run: Box::new(run), mode: Mode::Write }
    }

    /// Previews the task: reads and decides like a real run, and writes nothing.
    pub fn dry_run(self) -> Self {
        self.in_mode(Mode::DryRun)
    }

    /// Sets the mode. A task composed of other tasks passes its mode on to them.
    pub fn in_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Maps the result of a successful run.
    pub fn map<U>(self, f: impl FnOnce(T) -> U + Send + 'static) -> Task<U, E>
    where
        T: 'static,
        E: 'static,
    {
        let Self { run, mode } = self;
        Task { run: Box::new(move |mode| Box::pin(async move { run(mode).await.map(f) })), mode }
    }
}

impl<T> Task<T> {
    /// Creates a task whose write carries the ETag of the resource as it was read.
    ///
    /// If the resource has changed since then, the service refuses the write
    /// ([`is_precondition_failed`](crate::ArmErrorExt::is_precondition_failed)), and the task reads and decides again.
    /// After four refusals, it fails with the last one.
    pub fn deciding<F, Fut>(run: F) -> Self
    where
        F: Fn(Mode) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = azure_core::Result<T>> + Send + 'static,
    {
        Self::named(std::any::type_name::<F>(), move |mode| async move {
            let mut decisions = 1;
            loop {
                match run(mode).await {
                    Err(error) if error.is_precondition_failed() && decisions < DECISIONS => decisions += 1,
                    outcome => return outcome,
                }
            }
        })
    }
}

/// Shortens a code path with modules, types and closures to `monitor_ops::EnsureWorkspace` or
/// `monitor_ops::DiagnosticsClient::ensure`.
fn short(name: &str) -> String {
    // The macro's closure is inside a conversion from the builder.
    let builder = name.split_once("From<").and_then(|(_, rest)| rest.split(['>', ',']).next());
    let path = builder.map_or_else(|| without_generics(name), str::to_owned);
    let path = path.split("::{{closure}}").next().unwrap_or_default().trim_start_matches('<');
    let package = path.split("::").next().unwrap_or_default();
    // A method follows its type, which appears as `<impl a::b::Type>` if the method is in another module.
    let mut steps = path.rsplit("::").map(|step| step.trim_end_matches('>'));
    let last = steps.next().unwrap_or_default();
    match steps.next().filter(|of| of.starts_with(char::is_uppercase)) {
        Some(of) => format!("{package}::{of}::{last}"),
        None => format!("{package}::{last}"),
    }
}

/// Removes the generic arguments that follow a name, such as the closures that a method is called with.
fn without_generics(path: &str) -> String {
    let (mut out, mut depth, mut before) = (String::new(), 0, ':');
    for at in path.chars() {
        match at {
            '<' if depth > 0 || before.is_alphanumeric() => depth += 1,
            '>' if depth > 0 && before != '-' => depth -= 1,
            _ if depth == 0 => out.push(at),
            _ => {}
        }
        before = at;
    }
    out
}

impl<T, E> fmt::Debug for Task<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl<T, E> IntoFuture for Task<T, E> {
    type Output = Result<T, E>;
    type IntoFuture = BoxFuture<'static, Result<T, E>>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self.mode)
    }
}

/// Returns an error with this message, to refuse a task before anything is written.
///
/// # Errors
///
/// Always: an error of kind `Other`.
pub fn refuse<T>(message: impl Into<String>) -> azure_core::Result<T> {
    Err(Error::with_message(ErrorKind::Other, message.into()))
}

/// Turns a builder with a method `async fn run(self, mode: Mode) -> Result<T, E>` into a task: it can be awaited, gets
/// `dry_run` and `in_mode`, and converts into a [`Task`].
///
/// ```
/// use arm_core::{Change, Mode, Task};
///
/// #[derive(Debug)]
/// pub struct EnsureNumber(u8);
///
/// impl EnsureNumber {
///     async fn run(self, mode: Mode) -> azure_core::Result<Change<u8>> {
///         if mode.is_dry_run() { /* write nothing */ }
///         Ok(Change::Unchanged(self.0))
///     }
/// }
///
/// arm_core::task!(EnsureNumber => Change<u8>);
///
/// # async fn f() -> azure_core::Result<()> {
/// let would = EnsureNumber(1).dry_run().await?;
/// let done = EnsureNumber(1).await?;
/// # let _ = (would, done); Ok(()) }
/// ```
///
/// `task!(own dry_run: Builder => T, E)` is for a builder that defines `dry_run` itself and stores its mode. The
/// builder also has a method `mode(&self) -> Mode`, and its `run` writes nothing if that is a dry run.
///
/// `task!(deciding Builder => T)` is for a builder whose write carries an ETag and whose `run` takes `&self`: see
/// [`Task::deciding`].
#[macro_export]
macro_rules! task {
    (deciding $builder:ty => $output:ty) => {
        $crate::task!(@modes $builder => $output, $crate::__Error);
        $crate::task!(@awaited $builder => $output, $crate::__Error, |builder| {
            let builder = ::std::sync::Arc::new(builder);
            $crate::Task::deciding(move |mode| {
                let builder = ::std::sync::Arc::clone(&builder);
                async move { builder.run(mode).await }
            })
        });
    };
    (own dry_run: $builder:ty => $output:ty, $error:ty) => {
        $crate::task!(@awaited $builder => $output, $error, |builder| {
            let mode = builder.mode();
            $crate::Task::new(move |mode| builder.run(mode)).in_mode(mode)
        });
    };
    (@awaited $builder:ty => $output:ty, $error:ty, |$own:ident| $task:expr) => {
        impl ::std::convert::From<$builder> for $crate::Task<$output, $error> {
            #[inline]
            fn from($own: $builder) -> Self {
                $task
            }
        }

        $crate::awaited!($builder => ::std::result::Result<$output, $error>, |builder| {
            ::std::future::IntoFuture::into_future($crate::Task::from(builder))
        });
    };
    ($builder:ty => $output:ty) => {
        $crate::task!($builder => $output, $crate::__Error);
    };
    ($builder:ty => $output:ty, $error:ty) => {
        $crate::task!(@modes $builder => $output, $error);
        $crate::task!(@awaited $builder => $output, $error, |builder| {
            $crate::Task::new(move |mode| builder.run(mode))
        });
    };
    (@modes $builder:ty => $output:ty, $error:ty) => {
        #[allow(unreachable_pub)] // the builder may be private
        impl $builder {
            /// Previews the task: reads and decides like a real run, and writes nothing.
            #[inline]
            pub fn dry_run(self) -> $crate::Task<$output, $error> {
                $crate::Task::from(self).dry_run()
            }

            /// Sets the mode.
            #[inline]
            pub fn in_mode(self, mode: $crate::Mode) -> $crate::Task<$output, $error> {
                $crate::Task::from(self).in_mode(mode)
            }
        }
    };
}

/// Makes a builder with a method `async fn run(self) -> T` awaitable. Use it for a single request with options, and for
/// tasks that only read. For a task that writes after reading, use [`task!`].
///
/// ```
/// #[derive(Debug)]
/// pub struct Count(Vec<u8>);
///
/// impl Count {
///     async fn run(self) -> usize {
///         self.0.len()
///     }
/// }
///
/// arm_core::awaited!(Count => usize);
///
/// # async fn f() { assert_eq!(Count(vec![1, 2]).await, 2); }
/// ```
#[macro_export]
macro_rules! awaited {
    ($builder:ty => $output:ty) => {
        $crate::awaited!($builder => $output, |builder| ::std::boxed::Box::pin(builder.run()));
    };
    ($builder:ty => $output:ty, |$own:ident| $future:expr) => {
        impl ::std::future::IntoFuture for $builder {
            type Output = $output;
            type IntoFuture =
                ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = Self::Output> + ::std::marker::Send>>;

            #[inline]
            fn into_future(self) -> Self::IntoFuture {
                let $own = self;
                $future
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    };

    use super::*;

    #[derive(Debug)]
    struct Raise(Arc<AtomicU8>);

    impl Raise {
        async fn run(self, mode: Mode) -> azure_core::Result<u8> {
            let next = self.0.load(Ordering::SeqCst) + 1;
            if !mode.is_dry_run() {
                self.0.store(next, Ordering::SeqCst);
            }
            Ok(next)
        }
    }

    crate::task!(Raise => u8);

    #[tokio::test]
    async fn a_dry_run_tells_what_the_run_does_and_writes_nothing() -> azure_core::Result<()> {
        let number = Arc::new(AtomicU8::new(0));
        assert_eq!(Raise(number.clone()).dry_run().await?, 1);
        assert_eq!(number.load(Ordering::SeqCst), 0);
        assert_eq!(Raise(number.clone()).await?, 1);
        assert_eq!(number.load(Ordering::SeqCst), 1);
        Ok(())
    }

    #[tokio::test]
    async fn a_task_hands_its_mode_on_also_when_its_result_is_mapped() -> azure_core::Result<()> {
        let number = Arc::new(AtomicU8::new(0));
        let inner = number.clone();
        let outer = Task::new(move |mode| Raise(inner).in_mode(mode).into_future());
        assert_eq!(outer.map(|next| next.to_string()).dry_run().await?, "1");
        assert_eq!(number.load(Ordering::SeqCst), 0);
        assert_eq!(Task::from(Raise(number.clone())).dry_run().map(u16::from).await?, 1);
        assert_eq!(number.load(Ordering::SeqCst), 0, "mapping a dry run does not make it a run");
        Ok(())
    }

    #[tokio::test]
    async fn what_was_changed_since_it_was_read_is_decided_again_a_few_times() {
        let stale = || {
            let headers = azure_core::http::headers::Headers::new();
            crate::error::of_response(azure_core::http::RawResponse::from_bytes(412.into(), headers, "{}"))
        };
        for (changed, outcome) in [(0, Some(1)), (3, Some(4)), (4, None)] {
            let decided = Arc::new(AtomicU8::new(0));
            let counted = decided.clone();
            let task = Task::deciding(move |_| {
                let decision = counted.fetch_add(1, Ordering::SeqCst) + 1;
                async move { if decision > changed { Ok(decision) } else { Err(stale()) } }
            });
            assert_eq!(task.await.ok(), outcome, "changed {changed} times");
            assert_eq!(decided.load(Ordering::SeqCst), outcome.unwrap_or(4));
        }
        let refused = Task::<u8>::deciding(|_| async { refuse("no") }).await.unwrap_err();
        assert_eq!(refused.to_string(), "no");
    }

    #[test]
    fn a_span_names_the_builder_or_the_method_that_made_the_task() {
        for (name, shown) in [
            (
                "monitor_ops::tasks::x::<impl monitor_ops::client::C>::ensure::{{closure}}",
                "monitor_ops::C::ensure",
            ),
            (
                "defender_playbooks::coverage::CoverageClient::fix::{{closure}}",
                "defender_playbooks::CoverageClient::fix",
            ),
            ("contract_tests::tasks::run::{{closure}}", "contract_tests::run"),
            (
                "a::b::<impl a::C<a::D>>::assign<x::Y::{{closure}}, fn() -> u8>::{{closure}}::{{closure}}",
                "a::C::assign",
            ),
            (
                "<arm_core::task::Task<u8> as core::convert::From<keyvault_ops::tasks::rotate::Rotate>>::from::{{closure}}",
                "keyvault_ops::Rotate",
            ),
            (
                "arm_core::task::<impl core::convert::From<a::b::Do> for arm_core::task::Task<u8, E>>::from::{{closure}}",
                "a::Do",
            ),
        ] {
            assert_eq!(short(name), shown);
        }
    }

    #[test]
    fn a_refusal_is_an_error_with_its_own_words() {
        let refused = refuse::<()>("the name is taken").unwrap_err();
        assert_eq!(refused.to_string(), "the name is taken");
    }
}
