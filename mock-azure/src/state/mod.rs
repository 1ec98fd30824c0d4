//! What the double remembers, and what its services are made of.

mod builder;
pub(crate) mod clock;
mod credential;
mod fast_forward;
pub(crate) mod faults;
mod handle;
pub(crate) mod operations;
pub(crate) mod recorder;
mod resources;
mod surface;
pub(crate) mod tracked;
mod world;

pub use self::{
    builder::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, Seed},
    fast_forward::fast_forward,
    handle::MockAzure,
};
pub(crate) use self::{
    resources::{Parts, is_type},
    surface::{Accepts, At, GraphRow, QueryOption, Surface, TypeVersions},
    tracked::Tracked,
    world::{World, stable_id},
};
