//! The links that long-running operations are polled at.

use crate::{operation, services::Surface};

pub(crate) const SURFACE: Surface = Surface { answer: operation::answer, ..Surface::EMPTY };
