//! From a seed to a running double.

#[cfg(feature = "server")]
use crate::services::vaults::audit::AuditLog;
use crate::{
    app::registry::SURFACES,
    services::subscriptions::Subscriptions,
    state::{MockAzure, Seed, World, fast_forward},
};

/// The number of audit log events that the program keeps.
#[cfg(feature = "server")]
const PROGRAM_AUDIT: usize = 5_000;

impl Seed {
    /// Starts the double in this process, without a socket. Connect clients with
    /// [`client_options`](MockAzure::client_options).
    pub async fn start(self) -> MockAzure {
        let world = build(self);
        fast_forward::follow(&world.clock);
        MockAzure::of(world)
    }
}

/// The error of [`MockAzure::reset`]: the seed's tenant or principal differs from that of the running double.
#[derive(Debug)]
pub struct AnotherTenant(());

impl std::fmt::Display for AnotherTenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "a double keeps its tenant and signed-in principal, since credentials for them have been issued: start \
             another double",
        )
    }
}

impl std::error::Error for AnotherTenant {}

impl MockAzure {
    /// Replaces the state, including resources, clock, faults and recorded requests, with the one that `seed`
    /// describes. Tokens already issued stay valid unless they were revoked.
    ///
    /// # Errors
    ///
    /// The seed has a different tenant or signed-in principal. The double then stays as it is.
    pub fn reset(&self, seed: Seed) -> Result<(), AnotherTenant> {
        let mut state = self.shared.lock();
        #[cfg(feature = "server")]
        let mut world = if state.world.any_token { build_program(seed) } else { build(seed) };
        #[cfg(not(feature = "server"))]
        let mut world = build(seed);
        if world.tenant != self.tenant() || world.signed_in != self.principal {
            return Err(AnotherTenant(()));
        }
        self.clock.follow(&world.clock);
        world.clock = self.clock.clone();
        world.tokens = self.serials.clone();
        world.oldest_token = state.world.oldest_token;
        state.world = world;
        state.faults.clear();
        state.recorder.clear();
        state.answered = 0;
        Ok(())
    }
}

/// Builds the world that a seed describes: every service sets up its part of each subscription.
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

/// Builds the world of the server, whose clients bring their own tokens and do not poll, and which runs for days.
#[cfg(feature = "server")]
pub(crate) fn build_program(seed: Seed) -> World {
    let mut world = build(seed);
    world.any_token = true;
    world.operations.by_clock = true;
    world.states.get_mut::<AuditLog>().bound(PROGRAM_AUDIT);
    world
}
