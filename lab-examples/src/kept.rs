//! What is written in memory, and can be read again.

use std::{
    io::{Result, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// A writer whose clones write to the same place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Kept {
    fn write(&mut self, text: &[u8]) -> Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(text)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
