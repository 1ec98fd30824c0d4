//! Decodes a captured answer, encodes it again, and tells what was kept, dropped and changed.

mod compare;
mod models;
mod unknowns;

pub use compare::{Difference, Report};
pub use models::{Kind, MODELS, Model, model};
pub use unknowns::with_unknowns;
