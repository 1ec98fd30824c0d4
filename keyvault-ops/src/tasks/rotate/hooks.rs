//! Calls to the user's own code, each with a time limit.

use std::{future::Future, sync::Arc, time::Duration};

use arm_core::Secret;
use azure_core::Result;

use super::{
    Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, RotateFailure, error::Step,
};
use crate::SecretId;

/// An issuer, and the time limit of each of its hooks.
#[derive(Clone)]
pub(in crate::tasks) struct Hooks {
    pub(in crate::tasks) issuer: Arc<dyn Issuer>,
    pub(in crate::tasks) limit: Duration,
}

impl Hooks {
    pub(in crate::tasks) fn kind(&self) -> IssuerKind {
        self.issuer.kind()
    }

    pub(super) async fn create(&self, request: CredentialRequest<'_>) -> Step<Credential> {
        within(self.limit, "create", self.issuer.create(request)).await
    }

    pub(super) async fn find(&self, rotation: &str) -> Step<Vec<FoundCredential>> {
        match self.kind() {
            IssuerKind::Many => within(self.limit, "find", self.issuer.find(rotation)).await,
            _ => Ok(Vec::new()),
        }
    }

    pub(in crate::tasks) async fn identify(&self, value: &Secret) -> Step<Option<String>> {
        within(self.limit, "identify", self.issuer.identify(value)).await
    }

    /// Retries a failing test for as long as a new credential may take to work.
    pub(in crate::tasks) async fn verify(&self, value: &Secret) -> Step {
        let settle_time = self.issuer.settle_time();
        let (mut wait, mut waited) = (Duration::from_secs(1), Duration::ZERO);
        loop {
            match self.verify_once(value).await {
                Err(RotateFailure::Hook(_)) if waited < settle_time => {
                    let wait_now = wait.min(settle_time.saturating_sub(waited));
                    pause(wait_now).await;
                    waited += wait_now;
                    wait = (wait * 2).min(Duration::from_secs(15));
                }
                outcome => return outcome,
            }
        }
    }

    pub(super) async fn verify_once(&self, value: &Secret) -> Step {
        within(self.limit, "verify", self.issuer.verify(value)).await
    }

    pub(in crate::tasks) async fn revoke(&self, id: &str) -> Step {
        within(self.limit, "revoke", self.issuer.revoke(id)).await
    }
}

pub(in crate::tasks) async fn wait_until_moved(
    consumers: &dyn Consumers,
    limit: Duration,
    to: &SecretId,
) -> Step {
    within(limit, "wait_until_moved", consumers.wait_until_moved(to)).await
}

async fn within<T>(limit: Duration, hook: &'static str, call: impl Future<Output = Result<T>>) -> Step<T> {
    match tokio::time::timeout(limit, call).await {
        Ok(outcome) => outcome.map_err(RotateFailure::Hook),
        Err(_) => Err(RotateFailure::HookTimedOut { hook, limit }),
    }
}

pub(super) async fn pause(duration: Duration) {
    azure_core::sleep(duration.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
}
