//! The double's state, and the building blocks of its services.

mod builder;
pub(crate) mod clock;
mod credential;
pub(crate) mod fast_forward;
pub(crate) mod faults;
mod handle;
mod operation_store;
pub(crate) mod operations;
pub(crate) mod recorder;
mod redaction;
mod resources;
mod shared;
mod states;
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
    shared::{Shared, State},
    surface::{Accepts, At, GraphRow, QueryOption, TypeVersions},
    tracked::{Pages, Place, Tracked, system_data},
    world::{Surface, World, stable_id},
};
