//! Defender plans.

use crate::services::{At, Surface};

pub(crate) const SURFACE: Surface =
    Surface { at: At::Management, types: &[], provision: None, answer: |_, _| None };

#[derive(Debug, Default)]
pub(crate) struct PricingState;
