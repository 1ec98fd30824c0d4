//! Stands between a rotator and all that it talks to: lets others act first, stops the program, or loses what is said.

use std::{
    fmt,
    future::{Future, pending},
    sync::Arc,
};

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
};
use keyvault_ops::{Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, SecretId};
use tokio::sync::Notify;

use crate::world::Shared;

/// What happens to the requests of one rotator in its present run.
#[derive(Default)]
pub(crate) struct Fate {
    pub(crate) sent: u64,
    pub(crate) stop_at: u64,
    pub(crate) lose_at: u64,
    /// How many are lost from there on.
    pub(crate) lose: u64,
    /// Whether it happens only after the other side has acted.
    pub(crate) acted: bool,
    pub(crate) stopped: Arc<Notify>,
}

/// The gate of one rotator. Requests, logins and statements go through it, and so does each call of a hook.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) world: Shared,
    pub(crate) rotator: usize,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

impl Gate {
    /// Lets the other side act. `None`: it was not asked, or its answer was lost. Does not return if the program is stopped.
    pub(crate) async fn pass<T>(&self, what: &str, act: impl Future<Output = T>) -> Option<T> {
        let turns = self.world.lock().roll(5);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        let (stops, loses, acted) = {
            let mut world = self.world.lock();
            world.log.push(format!("{}: {what}", self.rotator));
            let fate = &mut world.fates[self.rotator];
            fate.sent += 1;
            let outage = fate.lose_at..fate.lose_at + fate.lose;
            let (stops, loses) = (fate.sent == fate.stop_at, outage.contains(&fate.sent));
            if stops && !fate.acted {
                fate.stopped.notify_one();
            }
            (stops, loses, fate.acted)
        };
        if stops && !acted {
            pending::<()>().await;
        }
        if loses && !acted {
            return None;
        }
        let outcome = act.await;
        self.world.lock().check(self.rotator, what);
        if stops {
            self.world.lock().fates[self.rotator].stopped.notify_one();
            pending::<()>().await;
        }
        (!loses).then_some(outcome)
    }
}

fn lost<T>() -> Result<T> {
    Err(Error::with_message(ErrorKind::Io, "the connection was lost"))
}

#[async_trait]
impl Policy for Gate {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let what = format!("{} {}", request.method(), request.url().path());
        self.pass(&what, next[0].send(ctx, request, &next[1..])).await.unwrap_or_else(lost)
    }
}

#[cfg(feature = "postgres")]
#[async_trait]
impl crate::support::postgres::Door for Gate {
    async fn pass(&self, what: &str, act: futures::future::BoxFuture<'_, ()>) -> bool {
        Gate::pass(self, what, act).await.is_some()
    }
}

/// An issuer each of whose hooks goes through the gate as well.
pub(crate) struct Hooked {
    pub(crate) issuer: Arc<dyn Issuer>,
    pub(crate) gate: Gate,
}

#[async_trait]
impl Issuer for Hooked {
    fn kind(&self) -> IssuerKind {
        self.issuer.kind()
    }

    fn settle_time(&self) -> std::time::Duration {
        self.issuer.settle_time()
    }

    fn proves(&self) -> bool {
        self.issuer.proves()
    }

    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
        self.gate.pass("hook create", self.issuer.create(request)).await.unwrap_or_else(lost)
    }

    async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>> {
        self.gate.pass("hook find", self.issuer.find(rotation)).await.unwrap_or_else(lost)
    }

    async fn identify(&self, value: &Secret) -> Result<Option<String>> {
        self.gate.pass("hook identify", self.issuer.identify(value)).await.unwrap_or_else(lost)
    }

    async fn verify(&self, value: &Secret) -> Result<()> {
        self.gate.pass("hook verify", self.issuer.verify(value)).await.unwrap_or_else(lost)
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        self.gate.pass("hook revoke", self.issuer.revoke(id)).await.unwrap_or_else(lost)
    }
}

#[async_trait]
impl Consumers for Gate {
    async fn wait_until_moved(&self, _: &SecretId) -> Result<()> {
        self.pass("hook wait_until_moved", async { Ok(()) }).await.unwrap_or_else(lost)
    }
}
