//! The credential that the double hands out.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use time::OffsetDateTime;

use crate::http::identity::{self, Principal};

/// Makes a token for the audience asked for, at once and without a network.
#[derive(Debug)]
pub(crate) struct MockCredential {
    pub(crate) tenant: String,
    pub(crate) principal: Principal,
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
        let (now, serial) = (OffsetDateTime::now_utc(), self.serials.fetch_add(1, Ordering::Relaxed));
        let audience = identity::audience_of(&asked);
        let token = identity::mint(&self.tenant, &self.principal, &audience, serial, now);
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
        Ok(AccessToken::new(token, now + identity::TOKEN_LIFETIME))
    }
}
