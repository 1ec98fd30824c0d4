//! Defender plans.

use crate::services::Surface;

pub(crate) const SURFACE: Surface = Surface::EMPTY;

#[derive(Debug, Default)]
pub(crate) struct PricingState;
