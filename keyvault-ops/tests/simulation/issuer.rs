//! The issuer and the consumers of a run: slow, hanging, refusing, and sometimes returning what is in use.

use std::{future::pending, time::Duration};

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{Error, Result, error::ErrorKind};
use keyvault_ops::{Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, SecretId};
use tokio::time::sleep;

use super::world::{Issued, Kind, Shared, World};

pub(crate) struct SimIssuer {
    pub(crate) world: Shared,
    pub(crate) rotator: usize,
    /// Whether values are shown again.
    pub(crate) shows: bool,
}

fn failure(text: &str) -> Error {
    Error::with_message(ErrorKind::Other, text.to_owned())
}

impl SimIssuer {
    /// Runs a hook, which may fail or hang, before it acts or after.
    async fn hook<T>(&self, act: impl FnOnce(&mut World) -> Result<T>) -> Result<T> {
        let (before, after, fate) = {
            let mut world = self.world.lock();
            let now = world.now();
            world.rotators[self.rotator].called = now;
            let accidents = world.rotators[self.rotator].accidents;
            let fate = if accidents { world.dice.roll(1_000) } else { 999 };
            let slow = accidents && world.dice.chance(60);
            let before = world.dice.delay() * if slow { 15 } else { 1 };
            (before, world.dice.delay(), fate)
        };
        sleep(before).await;
        self.world.clone().step(self.rotator).await;
        match fate {
            0..10 => return Err(failure("the issuer is being maintained")),
            10..18 => pending::<()>().await,
            _ => {}
        }
        let outcome = {
            let mut world = self.world.lock();
            let outcome = act(&mut world);
            world.rotators[self.rotator].has_just_looked = false;
            outcome
        };
        sleep(after).await;
        self.world.clone().step(self.rotator).await;
        match fate {
            18..30 => Err(failure("the issuer did not answer")),
            30..38 => pending().await,
            _ => outcome,
        }
    }
}

#[async_trait]
impl Issuer for SimIssuer {
    fn kind(&self) -> IssuerKind {
        match self.world.lock().kind {
            Kind::TwoSlots => IssuerKind::TwoSlots,
            Kind::One => IssuerKind::One,
            _ => IssuerKind::Many,
        }
    }

    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
        let rotation = request.rotation.to_owned();
        let (current, in_use) = (request.current.cloned(), request.in_use.map(str::to_owned));
        self.hook(move |world| {
            if world.dice.chance(15)
                && let (Some(value), Some(id)) = (&current, &in_use)
            {
                return Ok(Credential { id: id.clone(), value: value.clone() });
            }
            let works = !world.dice.chance(30);
            let value = world.fresh("value");
            let id = match world.kind {
                Kind::TwoSlots if in_use.as_deref() == Some("key1") => "key2".to_owned(),
                Kind::TwoSlots => "key1".to_owned(),
                _ => world.fresh("key"),
            };
            world.say(|| format!("rotator {}: creates {id} = {value} (works: {works})", self.rotator));
            let (slots, one) = (world.kind == Kind::TwoSlots, world.kind == Kind::One);
            let issued = Issued { id: id.clone(), value: value.clone(), rotation, alive: true, works };
            world.checked(self.rotator, if slots { "revoke by create" } else { "create" }, |world| {
                if slots {
                    world.issued.iter_mut().filter(|old| old.id == id).for_each(|old| old.alive = false);
                }
                if one {
                    world.issued.iter_mut().for_each(|old| old.alive = false);
                }
                world.issued.push(issued);
            });
            Ok(Credential { id, value: Secret::new(value) })
        })
        .await
    }

    async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>> {
        self.hook(|world| {
            let found = world.issued.iter().filter(|issued| issued.rotation == rotation && issued.alive);
            let shown = |issued: &Issued| FoundCredential {
                id: issued.id.clone(),
                value: self.shows.then(|| Secret::new(issued.value.clone())),
            };
            Ok(found.map(shown).collect())
        })
        .await
    }

    async fn identify(&self, value: &Secret) -> Result<Option<String>> {
        self.hook(|world| {
            let found = world.issued.iter().find(|issued| issued.value == value.expose() && issued.alive);
            Ok(found.map(|issued| issued.id.clone()))
        })
        .await
    }

    async fn verify(&self, value: &Secret) -> Result<()> {
        self.hook(|world| match world.alive(value.expose()) {
            true => Ok(()),
            false => Err(failure("the credential is refused")),
        })
        .await
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        // What is read of another secret of the same call from here on comes too late.
        let looked = self.world.lock().rotators[self.rotator].looked.clone();
        self.hook(|world| {
            let held = world.issued.iter().rfind(|issued| issued.id == id).map(|issued| issued.value.clone());
            let stored = world.secrets.values().flat_map(|secret| &secret.versions);
            let stored = stored.filter(|version| Some(&version.value) == held.as_ref()).count() > 0;
            // Of a group, others of the same call act in between.
            if stored && world.secrets.len() == 1 && !world.rotators[self.rotator].has_just_looked {
                world.violation(format!(
                    "rotator {}: revokes {id} without a look directly before",
                    self.rotator
                ));
            }
            // Of all moments, just now someone sets the value again.
            let ambush = world.rotators[self.rotator].accidents && world.dice.chance(40);
            if ambush
                && let Some(value) = world.issued.iter().find(|it| it.id == id).map(|it| it.value.clone())
            {
                world.say(|| format!("person: sets {value} again"));
                world.note_write(usize::MAX);
                let name = world.secrets.keys().next().unwrap().clone();
                world.put(&name, &value, std::collections::BTreeMap::new());
            }
            world.say(|| format!("rotator {}: revokes {id}", self.rotator));
            let since = std::mem::replace(&mut world.rotators[self.rotator].looked, looked);
            world.checked(self.rotator, "revoke", |world| {
                world
                    .issued
                    .iter_mut()
                    .filter(|issued| issued.id == id)
                    .for_each(|issued| issued.alive = false);
            });
            world.rotators[self.rotator].looked = since;
            Ok(())
        })
        .await
    }
}

/// Says that the consumers have moved when none uses an older version.
pub(crate) struct SimConsumers {
    pub(crate) world: Shared,
    pub(crate) rotator: usize,
}

#[async_trait]
impl Consumers for SimConsumers {
    async fn wait_until_moved(&self, to: &SecretId) -> Result<()> {
        let version = to.version.as_ref().unwrap().as_str();
        loop {
            self.world.clone().step(self.rotator).await;
            {
                let mut world = self.world.lock();
                if world.rotators[self.rotator].accidents && world.dice.chance(3) {
                    return Err(failure("app 'web' does not answer"));
                }
                let secret = &world.secrets[to.name.as_str()];
                let place = secret.place(version);
                let mut mine = world.consumers.iter().filter(|consumer| consumer.secret == to.name.as_str());
                if mine.all(|consumer| secret.place(&consumer.version) >= place) {
                    let moved = (to.name.to_string(), place.unwrap_or_default());
                    world.rotators[self.rotator].moved.extend([moved]);
                    return Ok(());
                }
            }
            sleep(Duration::from_secs(1)).await;
        }
    }
}
