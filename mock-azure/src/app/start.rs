//! From a seed to a running double.

use crate::{
    app::registry::SURFACES,
    services::subscriptions::Subscriptions,
    state::{MockAzure, Seed, World, fast_forward},
};

impl Seed {
    /// Starts the double, for this process: its transport answers without a socket.
    pub async fn start(self) -> MockAzure {
        let world = build(self);
        fast_forward::follow(&world.clock);
        MockAzure::of(world)
    }
}

/// The world that a seed describes: every service lays out what it has in a new subscription.
pub(crate) fn build(seed: Seed) -> World {
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
