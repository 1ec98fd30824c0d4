//! The credential of a double's principal.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    http::identity::{self, Principal},
    state::{
        clock::{self, Clock},
        shared::Shared,
        world::World,
    },
};
use async_trait::async_trait;
use azure_core::{
    Error,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
};

/// Returns the sign-in's error code if the principal is no longer allowed to sign in.
pub(crate) type Refused = fn(&World, &Principal) -> Option<&'static str>;

/// Issues a token for the requested audience, immediately and without a network.
#[derive(Debug)]
pub(crate) struct MockCredential {
    pub(crate) tenant: String,
    pub(crate) principal: Principal,
    pub(crate) refused: Refused,
    pub(crate) shared: Shared,
    pub(crate) clock: Clock,
    pub(crate) serials: Arc<AtomicU64>,
    pub(crate) scopes: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl TokenCredential for MockCredential {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let asked = scopes.join(" ");
        if let Some(text) = (self.refused)(&self.shared.lock().world, &self.principal) {
            return Err(Error::with_message(ErrorKind::Credential, text));
        }
        let (now, serial) = (self.clock.of_clients(), self.serials.fetch_add(1, Ordering::Relaxed));
        let audience = identity::audience_of(&asked);
        let token = identity::mint(&self.tenant, &self.principal, &audience, serial, now);
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        // Its holder checks the expiry against the machine's clock, not the double's.
        Ok(AccessToken::new(token, clock::of_this_machine() + identity::TOKEN_LIFETIME))
    }
}
