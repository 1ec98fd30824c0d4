//! The links that long-running operations are polled at.

use crate::state::{Surface, operations};

pub(crate) const SURFACE: Surface = Surface { answer: operations::answer, ..Surface::EMPTY };
