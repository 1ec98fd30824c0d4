//! The values of all secrets of one call, in memory only, so that no rotation revokes a credential that another secret
//! needs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arm_core::Secret;
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Issuer, Rotate};
use crate::{SecretBundle, SecretErrorExt as _, SecretId, SecretRefusal};

/// The secrets of a call; empty for a single rotation.
#[derive(Clone, Default)]
pub(super) struct Beside(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    secrets: BTreeMap<SecretId, Held>,
    /// How many values were added, which shows whether there are new ones since an earlier look.
    added: u64,
    /// Whether any rotation of the call revoked a credential.
    revoked: bool,
}

struct Held {
    rotate: Rotate,
    /// The values of its enabled versions, including earlier ones until its consumers have moved.
    values: Vec<Secret>,
    known: Known,
}

/// Whether the values of a secret are known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All values could be read.
    All,
    /// Nobody can read its current value, because it is disabled or the secret is deleted. Someone may undo that.
    Hidden,
    /// A read failed.
    Not,
}

impl Held {
    fn revokes(&self) -> bool {
        self.rotate.issuer.is_some() && !self.rotate.retire.dry_run
    }
}

impl Beside {
    pub(super) fn new(rotations: &[Rotate]) -> Self {
        let held = |rotate: &Rotate| Held { rotate: rotate.clone(), values: Vec::new(), known: Known::Not };
        let secrets = rotations.iter().map(|rotate| (rotate.target(), held(rotate))).collect();
        Self(Arc::new(Mutex::new(State { secrets, ..State::default() })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, secret: &SecretId, value: &Secret) {
        let mut state = self.state();
        let Some(held) = state.secrets.get_mut(secret) else { return };
        if !held.values.contains(value) {
            held.values.push(value.clone());
            state.added += 1;
        }
    }

    /// Notes that the consumers of a secret have moved, so that only these values are still needed besides the new one.
    pub(super) fn note_moved(&self, secret: &SecretId, values: Vec<Secret>) {
        if let Some(held) = self.state().secrets.get_mut(secret) {
            (held.values, held.known) = (values, Known::All);
        }
    }

    /// Has the values of a secret whose rotation has ended early read again before the next revocation, since somebody
    /// else may be setting it.
    pub(super) fn forget(&self, secret: &SecretId) {
        if let Some(held) = self.state().secrets.get_mut(secret) {
            held.known = Known::Not;
        }
    }

    pub(super) fn note_revoked(&self) {
        self.state().revoked = true;
    }

    pub(super) fn has_revoked(&self) -> bool {
        self.state().revoked
    }

    /// Reads the current version and, if an issuer is to revoke anything, all other enabled ones. Returns the current
    /// version, if it can be read.
    pub(super) async fn read(&self, rotate: &Rotate) -> Option<SecretBundle> {
        let secret = rotate.target();
        let (current, mut known) = match rotate.client.get(&rotate.name).await {
            Ok(current) => (Some(current), Known::All),
            Err(error) => (None, Known::after(&error)),
        };
        if let Some(current) = &current {
            self.note(&secret, &current.value);
        }
        let revokes = self.state().secrets.values().any(Held::revokes);
        if revokes && let Err(error) = self.read_versions(rotate, current.as_ref()).await {
            known = Known::after(&error);
        }
        if let Some(held) = self.state().secrets.get_mut(&secret) {
            held.known = known;
        }
        current
    }

    async fn read_versions(&self, rotate: &Rotate, current: Option<&SecretBundle>) -> Result<()> {
        let current = current.and_then(|current| current.properties.version());
        let mut versions = rotate.client.list_versions(&rotate.name);
        while let Some(version) = versions.try_next().await? {
            let Some(id) = version.version().filter(|id| version.enabled && Some(*id) != current) else {
                continue;
            };
            match rotate.client.get_version(&rotate.name, id).await {
                Ok(found) => self.note(&rotate.target(), &found.value),
                Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the values of the secrets outside this group, and how many values the call knows. Reads those again that
    /// could not be read before; `None` if one of them still cannot be read.
    pub(super) async fn elsewhere(
        &self,
        group: &[SecretId],
        issuer: &Arc<dyn Issuer>,
    ) -> Option<(Vec<Secret>, u64)> {
        let others = |state: &State, known: fn(&Held) -> bool| -> Vec<Rotate> {
            let others = state.secrets.iter().filter(|(secret, held)| !group.contains(secret) && known(held));
            others.map(|(_, held)| held.rotate.clone()).collect()
        };
        let open = others(&self.state(), |held| held.known != Known::All);
        let looks: Vec<_> = open.iter().map(|rotate| self.read(rotate)).collect();
        stream::iter(looks).buffer_unordered(LOOKS).for_each(|_| std::future::ready(())).await;
        let state = self.state();
        let unknown = others(&state, |held| held.known == Known::Not);
        let concerned = |other: &Rotate| other.issuer.as_ref().is_none_or(|other| Arc::ptr_eq(other, issuer));
        if unknown.iter().any(concerned) {
            return None;
        }
        let held = state.secrets.iter().filter(|(secret, _)| !group.contains(secret));
        Some((held.flat_map(|(_, held)| held.values.clone()).collect(), state.added))
    }

    /// How many values the call knows.
    pub(super) fn added(&self) -> u64 {
        self.state().added
    }
}

/// How many secrets are read again concurrently.
const LOOKS: usize = 8;

impl Known {
    fn after(error: &Error) -> Self {
        match error.secret_refusal() {
            Some(SecretRefusal::Disabled | SecretRefusal::SoftDeleted | SecretRefusal::NotFound) => {
                Self::Hidden
            }
            _ => Self::Not,
        }
    }
}

#[cfg(test)]
mod tests {
    use mock_azure::MockAzure;

    use super::*;
    use crate::SecretsClient;

    #[tokio::test]
    async fn a_value_that_another_rotation_of_the_call_has_just_read_makes_the_one_that_revokes_look_again() {
        let arm = test_kit::arm(&MockAzure::seed().start().await);
        let secrets = SecretsClient::new(&arm, &"kv-lab".parse().unwrap()).unwrap();
        let rotations = ["one", "other"].map(|name| secrets.rotate(&name.parse().unwrap()));
        let (beside, other) = (Beside::new(&rotations), rotations[1].target());
        for value in ["old", "new"] {
            let at_the_look = beside.added();
            beside.note(&other, &Secret::new(value));
            assert_ne!(beside.added(), at_the_look, "{value} was not known");
            let at_the_look = beside.added();
            beside.note(&other, &Secret::new(value));
            assert_eq!(beside.added(), at_the_look, "{value} is known");
        }
    }
}
