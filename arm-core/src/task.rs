//! What all tasks share: they can be awaited, or asked what they would do.

use std::{
    fmt,
    future::{Future, IntoFuture},
};

use azure_core::{Error, error::ErrorKind};
use futures::future::BoxFuture;

/// Whether a task may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Read, decide, write, verify.
    #[default]
    Write,
    /// Read and decide as [`Write`](Self::Write) does, and write nothing.
    DryRun,
}

impl Mode {
    /// Whether this is a dry run, which must not write.
    pub fn is_dry_run(self) -> bool {
        self == Self::DryRun
    }
}

/// A task of several requests: it reads, decides, writes and verifies. Nothing happens until it is awaited.
///
/// Both ways run the same code: [`dry_run`](Self::dry_run) reads what the run reads, decides what the run decides,
/// is refused where the run is refused, and stops before the first write. A task that was stopped halfway is
/// finished by running it again; a run after that writes nothing.
///
/// Tasks with options are builders, such as `EnablePlan`, which are awaited in the same way and become a `Task` by
/// `Task::from`, so that a program can keep tasks of different kinds together.
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
        Self { run: Box::new(move |mode| Box::pin(run(mode))), mode: Mode::Write }
    }

    /// Shows what the task would do, and writes nothing.
    pub fn dry_run(self) -> Self {
        self.in_mode(Mode::DryRun)
    }

    /// Runs in this mode, which a task made of other tasks passes on to them.
    pub fn in_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Maps the result of the task.
    pub fn map<U>(self, f: impl FnOnce(T) -> U + Send + 'static) -> Task<U, E>
    where
        T: 'static,
        E: 'static,
    {
        let Self { run, mode } = self;
        Task::new(move |mode| async move { run(mode).await.map(f) }).in_mode(mode)
    }
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

/// Refuses to go on: nothing was written.
///
/// # Errors
///
/// Always: an error of kind `Other` with this message.
pub fn refuse<T>(message: impl Into<String>) -> azure_core::Result<T> {
    Err(Error::with_message(ErrorKind::Other, message.into()))
}

/// Makes a builder with a method `async fn run(self, mode: Mode) -> Result<T, E>` a task: it can be awaited,
/// has `dry_run` and `in_mode`, and turns into a [`Task`].
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
/// `task!(own dry_run: Builder => T, E)` leaves `dry_run` to the builder, for one that is also handed on before it
/// runs: its `run` writes nothing either when the builder was told so.
#[macro_export]
macro_rules! task {
    (own dry_run: $builder:ty => $output:ty, $error:ty) => {
        impl ::std::convert::From<$builder> for $crate::Task<$output, $error> {
            fn from(builder: $builder) -> Self {
                $crate::Task::new(move |mode| builder.run(mode))
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
        #[allow(unreachable_pub)] // a builder may be private
        impl $builder {
            /// Shows what the task would do: reads and decides as a run does, and writes nothing.
            pub fn dry_run(self) -> $crate::Task<$output, $error> {
                $crate::Task::from(self).dry_run()
            }

            /// Runs in this mode.
            pub fn in_mode(self, mode: $crate::Mode) -> $crate::Task<$output, $error> {
                $crate::Task::from(self).in_mode(mode)
            }
        }

        $crate::task!(own dry_run: $builder => $output, $error);
    };
}

/// Lets a builder with a method `async fn run(self) -> T` be awaited: for one request with options, and for what
/// only reads. What writes after it has read is a [`task!`].
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

    #[test]
    fn a_refusal_is_an_error_with_its_own_words() {
        let refused = refuse::<()>("the name is taken").unwrap_err();
        assert_eq!(refused.to_string(), "the name is taken");
    }
}
