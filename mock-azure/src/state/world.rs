//! The double's whole state.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    http::{
        identity::{Principal, PrincipalKind},
        paging::Paging,
    },
    state::{clock::Clock, operation_store::Operations, resources::Resources, states::States, surface},
};

/// One part of Azure.
pub(crate) type Surface = surface::Surface<World>;

/// The state of a double. Services share the resources, and can store other state in `states`.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tenant: String,
    pub(crate) clock: Clock,
    /// The seed of ids and random choices.
    pub(crate) seed: u64,
    pub(crate) signed_in: Principal,
    pub(crate) resources: Resources,
    pub(crate) operations: Operations<Self>,
    pub(crate) paging: Paging,
    pub(crate) states: States,
    /// All parts of Azure, in the order in which they are tried.
    pub(crate) surfaces: &'static [Surface],
    /// Whether tokens of other issuers are accepted too, as in the server.
    pub(crate) any_token: bool,
    /// The number of issued tokens, shared with the credential.
    pub(crate) tokens: Arc<AtomicU64>,
    /// Tokens with a lower number are revoked.
    pub(crate) oldest_token: u64,
    ids: u64,
    /// The second in which expired state was last removed.
    swept: i64,
}

impl World {
    pub(crate) fn new(tenant: &str, clock: Clock, seed: u64, surfaces: &'static [Surface]) -> Self {
        Self {
            tenant: tenant.to_owned(),
            clock,
            seed,
            signed_in: Principal {
                object_id: "00000000-0000-0000-0000-0000000000b1".to_owned(),
                display_name: "Lab User".to_owned(),
                kind: PrincipalKind::User { upn: "lab.user@contoso.example".to_owned() },
            },
            resources: Resources::default(),
            operations: Operations::default(),
            paging: Paging::default(),
            states: States::default(),
            surfaces,
            any_token: false,
            tokens: Arc::default(),
            oldest_token: 0,
            ids: 0,
            swept: i64::MIN,
        }
    }

    /// Removes a resource and everything below it for good, after notifying all parts of Azure.
    pub(crate) fn remove(&mut self, id: &str) -> Vec<Value> {
        for leaving in self.surfaces.iter().filter_map(|surface| surface.leaving) {
            leaving(self, id);
        }
        self.resources.remove_tree(id)
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// A new unique GUID, the same in every run with the same seed.
    pub(crate) fn fresh_id(&mut self) -> String {
        self.ids += 1;
        self.seeded_id(&format!("{}/{}", self.tenant, self.ids))
    }

    /// A GUID derived from a text and the seed.
    pub(crate) fn seeded_id(&self, text: &str) -> String {
        stable_id(&format!("{}/{text}", self.seed))
    }

    /// Removes what has expired since the last request.
    pub(crate) fn expire(&mut self) {
        let now = self.now();
        if self.swept == now.unix_timestamp() {
            return;
        }
        self.swept = now.unix_timestamp();
        for expire in self.surfaces.iter().filter_map(|surface| surface.expire) {
            expire(self, now);
        }
    }

    /// A new etag in the format of Azure's services.
    pub(crate) fn fresh_etag(&mut self) -> String {
        format!("\"{}\"", self.fresh_id())
    }

    /// The number of the next token.
    pub(crate) fn next_token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed)
    }

    /// Revokes all tokens issued so far.
    pub(crate) fn revoke_tokens(&mut self) {
        self.oldest_token = self.tokens.load(Ordering::Relaxed);
    }
}

/// A GUID derived from a text.
pub(crate) fn stable_id(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
}
