//! From a seed to a running double.

#[cfg(feature = "server")]
use crate::services::vaults::audit::AuditLog;
use crate::{
    app::registry::SURFACES,
    services::subscriptions::Subscriptions,
    state::{MockAzure, Seed, World, fast_forward},
};

/// How many events of the audit log a program keeps.
#[cfg(feature = "server")]
const PROGRAM_AUDIT: usize = 5_000;

impl Seed {
    /// Starts the double, for this process: its transport answers without a socket.
    pub async fn start(self) -> MockAzure {
        let world = build(self);
        fast_forward::follow(&world.clock);
        MockAzure::of(world)
    }
}

/// The world that a seed describes: every service lays out what it has in a new subscription.
fn build(seed: Seed) -> World {
    let (mut world, subscriptions, steps) = seed.begin(SURFACES);
    for id in subscriptions {
        if world.states.get_mut::<Subscriptions>().add(&id) {
            for provision in world.surfaces.iter().filter_map(|surface| surface.provision) {
                provision(&mut world, &id);
            }
        }
    }
    for step in steps {
        step(&mut world);
    }
    world
}

/// The world of a program: for clients that bring their own tokens and do not poll, and for days.
#[cfg(feature = "server")]
pub(crate) fn build_program(seed: Seed) -> World {
    let mut world = build(seed);
    world.any_token = true;
    world.operations.by_clock = true;
    world.states.get_mut::<AuditLog>().bound(PROGRAM_AUDIT);
    world
}
