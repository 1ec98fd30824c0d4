//! Everything that the double remembers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    app::registry::SURFACES,
    http::{
        identity::{Principal, PrincipalKind},
        paging::Paging,
    },
    services::{
        States,
        vaults::{self, audit::AuditLog},
    },
    state::{
        clock::Clock,
        operations::{self, Operations},
        resources::Resources,
    },
};

/// The state of one double. Services share the resources and own one struct each in `states`.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tenant: String,
    pub(crate) clock: Clock,
    /// What ids and random choices come from.
    pub(crate) seed: u64,
    pub(crate) signed_in: Principal,
    pub(crate) resources: Resources,
    pub(crate) operations: Operations,
    pub(crate) paging: Paging,
    pub(crate) states: States,
    /// What was done to vaults and secrets.
    pub(crate) audit: AuditLog,
    /// Accept tokens of other issuers too, as the program on a port does.
    pub(crate) any_token: bool,
    /// Counts the tokens handed out; shared with the credential.
    pub(crate) tokens: Arc<AtomicU64>,
    /// Tokens with a lower number have been revoked.
    pub(crate) oldest_token: u64,
    ids: u64,
    /// The second in which what had run out was last taken away.
    swept: i64,
}

impl World {
    pub(crate) fn new(tenant: &str, clock: Clock, seed: u64) -> Self {
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
            audit: AuditLog::default(),
            any_token: false,
            tokens: Arc::default(),
            oldest_token: 0,
            ids: 0,
            swept: i64::MIN,
        }
    }

    /// Adds a subscription; every service then lays out what a new subscription has.
    pub(crate) fn add_subscription(&mut self, id: &str) {
        if !self.states.subscriptions.add(id) {
            return;
        }
        for surface in SURFACES {
            if let Some(provision) = surface.provision {
                provision(self, id);
            }
        }
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// A GUID that no one else has, and that is the same in every run with the same seed.
    pub(crate) fn fresh_id(&mut self) -> String {
        self.ids += 1;
        let text = format!("{}/{}", self.tenant, self.ids);
        self.seeded_id(&text)
    }

    /// A GUID derived from a text and the seed.
    pub(crate) fn seeded_id(&self, text: &str) -> String {
        stable_id(&format!("{}/{text}", self.seed))
    }

    /// Lets happen what the clock says has happened since the last request.
    pub(crate) fn catch_up(&mut self) {
        operations::pass_time(self);
        let now = self.now();
        if self.swept != now.unix_timestamp() {
            self.swept = now.unix_timestamp();
            vaults::purge_expired(self, now);
        }
    }

    /// The number of the next token.
    pub(crate) fn next_token(&self) -> u64 {
        self.tokens.fetch_add(1, Ordering::Relaxed)
    }

    /// From now on, tokens handed out earlier are refused.
    pub(crate) fn revoke_tokens(&mut self) {
        self.oldest_token = self.tokens.load(Ordering::Relaxed);
    }
}

/// A GUID derived from a text.
pub(crate) fn stable_id(text: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).to_string()
}
