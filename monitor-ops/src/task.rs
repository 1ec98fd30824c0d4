//! What all tasks share: await them, or ask for a dry run.

use std::future::IntoFuture;

use azure_core::Result;
use futures::future::BoxFuture;

/// A task of several requests: reads, decides, writes, verifies. Nothing happens until it is awaited.
///
/// ```
/// # async fn f(task: monitor_ops::Task<u8>) -> azure_core::Result<()> {
/// let would = task.dry_run().await?; // reads, and writes nothing
/// # let _ = would; Ok(()) }
/// ```
#[must_use = "nothing happens until it is awaited"]
pub struct Task<T> {
    run: Box<dyn FnOnce(Mode) -> BoxFuture<'static, Result<T>> + Send>,
    mode: Mode,
}

/// Whether a task may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    DryRun,
}

impl<T> Task<T> {
    pub(crate) fn new<F, Fut>(run: F) -> Self
    where
        F: FnOnce(Mode) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T>> + Send + 'static,
    {
        Self { run: Box::new(move |mode| Box::pin(run(mode))), mode: Mode::Write }
    }

    /// Only shows what it would do.
    pub fn dry_run(mut self) -> Self {
        self.mode = Mode::DryRun;
        self
    }
}

impl<T> std::fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("mode", &self.mode).finish_non_exhaustive()
    }
}

impl<T> IntoFuture for Task<T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self.mode)
    }
}

/// A task's own refusal: nothing was written.
pub(crate) fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Other, message.into()))
}
