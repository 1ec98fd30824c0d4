//! The links at which long-running operations are polled.

use crate::state::{Surface, operations};

pub(crate) const SURFACE: Surface = Surface { answer: operations::answer, ..Surface::EMPTY };
