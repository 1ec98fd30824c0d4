//! The handle of a running double.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, Transport},
};
use wiremock::MockServer;

use crate::{
    app::dispatch::Shared,
    http::identity::Principal,
    services::role_assignments,
    state::{builder::Seed, clock::Clock, credential::MockCredential, faults::Fault, recorder::Recorded},
    transport::Loopback,
};

/// A running double of Azure. Dropping it stops it. Several can run side by side.
pub struct MockAzure {
    pub(crate) clock: Clock,
    pub(crate) server: MockServer,
    pub(crate) shared: Shared,
    pub(crate) loopback: Arc<Loopback>,
    pub(crate) tenant: String,
    pub(crate) principal: Principal,
    pub(crate) serials: Arc<AtomicU64>,
    pub(crate) scopes: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for MockAzure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockAzure")
            .field("uri", &self.uri())
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl MockAzure {
    /// Begins to describe a double.
    pub fn seed() -> Seed {
        Seed::new()
    }

    /// A credential of the signed-in principal. Its tokens are unsigned JSON web tokens for the
    /// audience asked for.
    pub fn credential(&self) -> Arc<dyn TokenCredential> {
        self.credential_in(&self.tenant)
    }

    /// A credential of the same principal in another tenant, which the double refuses.
    pub fn credential_in(&self, tenant: &str) -> Arc<dyn TokenCredential> {
        Arc::new(MockCredential {
            tenant: tenant.to_owned(),
            principal: self.principal.clone(),
            serials: self.serials.clone(),
            clock: self.clock.clone(),
            scopes: self.scopes.clone(),
        })
    }

    /// Options whose transport sends `https://management.azure.com`, vault, Graph, log and sign-in
    /// hosts here. All else in them is azure_core's default. A request for any other host is kept in
    /// [`foreign_requests`](Self::foreign_requests) and refused as a failed connection.
    pub fn client_options(&self) -> ClientOptions {
        let transport = Transport::new(self.loopback.clone());
        ClientOptions { transport: Some(transport), ..ClientOptions::default() }
    }

    /// The address on this machine, such as `http://127.0.0.1:40123`.
    pub fn uri(&self) -> String {
        self.server.uri()
    }

    /// The tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The object id of the signed-in principal.
    pub fn signed_in(&self) -> &str {
        &self.principal.object_id
    }

    /// Every request so far, in order.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().journal.requests.clone()
    }

    /// The requests that the double does not know, answered 501.
    pub fn unknown_requests(&self) -> Vec<Recorded> {
        self.shared.lock().journal.unknown.clone()
    }

    /// The requests for hosts that are not Azure's, which the transport refused to send.
    pub fn foreign_requests(&self) -> Vec<Recorded> {
        self.shared.lock().journal.foreign.clone()
    }

    /// The scopes for which tokens were asked of the credential, in order.
    pub fn token_requests(&self) -> Vec<String> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        let journal = &mut self.shared.lock().journal;
        journal.requests.clear();
        journal.unknown.clear();
        journal.foreign.clear();
    }

    /// Adds a fault.
    pub fn inject(&self, fault: Fault) {
        self.shared.lock().faults.arm(fault);
    }

    /// Ends all faults.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Cuts the line at the `n`-th request from now (1 is the next): that request and all after it
    /// are lost before the service acts, until [`clear_faults`](Self::clear_faults). This is what a
    /// service sees when a program stops there. To lose one request only, inject
    /// `Fault::reset().skip(n - 1)`.
    pub fn interrupt_at(&self, n: u64) {
        self.inject(Fault::reset().skip(n.saturating_sub(1)).always());
    }

    /// Refuses, with 401, all tokens handed out so far; new ones are good.
    pub fn revoke_tokens(&self) {
        self.shared.lock().world.revoke_tokens();
    }

    /// Whether a principal holds a role (by name or GUID) at a scope or above it, and the assignment
    /// has propagated.
    pub fn has_role(&self, principal: &str, role: &str, scope: &str) -> bool {
        role_assignments::has_role(&mut self.shared.lock().world, principal, role, scope)
    }

    pub(crate) fn log_to(&self, log: Option<fn(&str)>) {
        let mut state = self.shared.lock();
        state.log = log;
        state.journal.discard = true;
    }
}
