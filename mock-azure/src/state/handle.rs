//! The handle of a running double.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use azure_core::credentials::TokenCredential;
use time::OffsetDateTime;

use crate::{
    http::identity::Principal,
    state::{
        builder::Seed,
        clock::Clock,
        credential::{MockCredential, Refused},
        faults::Fault,
        recorder::Recorded,
        shared::Shared,
        world::World,
    },
};

/// A running double of Azure. Several can run in parallel. A clone is a handle to the same double.
#[derive(Clone)]
pub struct MockAzure {
    pub(crate) clock: Clock,
    pub(crate) shared: Shared,
    tenant: String,
    pub(crate) principal: Principal,
    pub(crate) serials: Arc<AtomicU64>,
    scopes: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for MockAzure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockAzure").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl MockAzure {
    pub(crate) fn of(world: World) -> Self {
        let (tenant, principal) = (world.tenant.clone(), world.signed_in.clone());
        let (serials, clock) = (world.tokens.clone(), world.clock.clone());
        Self { clock, shared: Shared::new(world), tenant, principal, serials, scopes: Arc::default() }
    }

    /// Returns a builder for the initial state of a double.
    pub fn seed() -> Seed {
        Seed::new()
    }

    /// Returns a credential of the signed-in principal. Its tokens are unsigned JSON web tokens for the requested
    /// audience.
    pub fn credential(&self) -> Arc<dyn TokenCredential> {
        self.credential_in(&self.tenant)
    }

    /// Returns a credential of the same principal in another tenant. The double refuses its tokens, unless it is
    /// served.
    pub fn credential_in(&self, tenant: &str) -> Arc<dyn TokenCredential> {
        self.credential_for(tenant, self.principal.clone(), |_, _| None)
    }

    pub(crate) fn credential_for(
        &self,
        tenant: &str,
        principal: Principal,
        refused: Refused,
    ) -> Arc<dyn TokenCredential> {
        Arc::new(MockCredential {
            tenant: tenant.to_owned(),
            principal,
            refused,
            shared: self.shared.clone(),
            serials: self.serials.clone(),
            clock: self.clock.clone(),
            scopes: self.scopes.clone(),
        })
    }

    /// Returns the time on the double's clock.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Advances the double's clock, whether or not it is running. Everything due in that time takes effect before the
    /// next request: long-running operations complete, role assignments propagate, log records arrive, tokens expire,
    /// and soft-deleted resources are purged if their retention has ended.
    pub fn advance(&self, by: std::time::Duration) {
        self.clock.advance(by.try_into().unwrap_or(time::Duration::MAX));
    }

    /// Sets the double's clock. Moving it forward is the same as [`advance`](Self::advance); moving it back undoes
    /// nothing.
    pub fn set_time(&self, time: OffsetDateTime) {
        self.clock.set(time);
    }

    /// Stops the double's clock at the current time.
    pub fn freeze(&self) {
        self.clock.freeze();
    }

    /// Lets the double's clock run from its current time, at normal speed.
    pub fn run_freely(&self) {
        self.clock.run();
    }

    /// Returns whether the double's clock is running.
    pub fn is_running_freely(&self) -> bool {
        self.clock.is_running()
    }

    /// Returns the tenant id.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Returns the object id of the signed-in principal.
    pub fn signed_in(&self) -> &str {
        &self.principal.object_id
    }

    /// Returns all requests so far, in order. A served double keeps only the last thousand.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorder.requests.iter().cloned().collect()
    }

    /// Returns the [requests](Self::requests) that would change something, whether or not they were accepted.
    pub fn writes(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| !request.is_read()).collect()
    }

    /// Returns the requests that the double did not know; each got a 501. A served double keeps only the first
    /// thousand.
    pub fn unknown_requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorder.unknown.clone()
    }

    /// Returns the requests for hosts that do not belong to Azure and, in this process, those without TLS. They were
    /// refused. A served double keeps only the first thousand.
    pub fn foreign_requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorder.foreign.clone()
    }

    /// Returns the scopes for which tokens were requested from the credential, in order.
    pub fn token_requests(&self) -> Vec<String> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Clears the recorded requests.
    pub fn clear_requests(&self) {
        self.shared.lock().recorder.clear();
    }

    /// Adds a fault. If several match a request, only the first of them that is not used up takes effect.
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.arm(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Drops the connection at the `n`-th request from now (1 is the next), as if the program had stopped there: that
    /// request and all later ones are lost before the service acts, until [`clear_faults`](Self::clear_faults). To lose
    /// only one request, inject `Fault::reset().skip(n - 1)`.
    pub fn interrupt_at(&self, n: u64) {
        self.inject(Fault::reset().skip(n.saturating_sub(1)).always());
    }

    /// Revokes all tokens issued so far: requests with them get a 401. New tokens are valid.
    pub fn revoke_tokens(&self) {
        self.shared.lock().world.revoke_tokens();
    }
}
