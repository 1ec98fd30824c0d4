//! The links that long-running operations are polled at.

use crate::{
    operation,
    services::{At, Surface},
};

pub(crate) const SURFACE: Surface =
    Surface { at: At::Management, types: &[], provision: None, answer: operation::answer };
