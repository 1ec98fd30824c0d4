//! Selecting the secrets of a vault that are due for rotation.

use std::{fmt, sync::Arc, time::Duration};

use azure_core::Result;
use futures::TryStreamExt as _;
use time::OffsetDateTime;

use crate::{Issuer, SecretName, SecretProperties, SecretsClient};

/// A task that lists the secrets that are due for rotation. It changes nothing, and reads no value unless
/// [`issued_by`](Self::issued_by) is set.
///
/// A secret is due if it has all the requested tags, contains a credential of the requested issuer, and meets at least
/// one of the other requested conditions: it is named, older than a given age, or expires soon. If no such condition is
/// requested, only tags and issuer decide; without any condition, no secret is due. Disabled secrets and those of
/// certificates are never due.
///
/// # Permissions
///
/// `list`; with an issuer, also `get`.
///
/// ```
/// # async fn f(secrets: &keyvault_ops::SecretsClient, issuer: std::sync::Arc<dyn keyvault_ops::Issuer>) -> azure_core::Result<()> {
/// use std::time::Duration;
/// use futures::StreamExt as _;
/// use keyvault_ops::{Rotations, rotate_many};
///
/// let day = Duration::from_secs(86_400);
/// let due = secrets.due().issued_by(issuer.clone()).older_than(90 * day).expiring_within(14 * day).await?;
/// due.iter().for_each(|secret| println!("{secret}"));
/// let rotations = due.iter().map(|secret| secrets.rotate(&secret.name).issuer(issuer.clone()));
/// let report: Rotations = rotate_many(rotations, 4).collect().await;
/// println!("{report}");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct DueSecrets {
    client: SecretsClient,
    tags: Vec<(String, Option<String>)>,
    named: Vec<SecretName>,
    older_than: Option<Duration>,
    expiring_within: Option<Duration>,
    issuer: Option<Arc<dyn Issuer>>,
}

impl fmt::Debug for DueSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DueSecrets")
            .field("vault", &self.client.host())
            .field("tags", &self.tags)
            .field("named", &self.named)
            .field("older_than", &self.older_than)
            .field("expiring_within", &self.expiring_within)
            .finish_non_exhaustive()
    }
}

/// A secret that is due, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DueSecret {
    /// The secret.
    pub name: SecretName,
    /// All reasons that apply.
    pub reasons: Vec<DueReason>,
}

/// Why a secret is due.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DueReason {
    /// It is one of the secrets passed to [`named`](DueSecrets::named).
    Named,
    /// It has the requested tags, and no name, age or expiry was requested.
    Tagged,
    /// It contains this credential of the requested issuer.
    Issued(String),
    /// Its current version was set at this time.
    Old(OffsetDateTime),
    /// Its current version expires or expired at this time.
    Expiring(OffsetDateTime),
}

impl fmt::Display for DueSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        for (at, reason) in self.reasons.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { ", " })?;
            match reason {
                DueReason::Named => f.write_str("named"),
                DueReason::Tagged => f.write_str("tagged"),
                DueReason::Issued(id) => write!(f, "contains {id}"),
                DueReason::Old(set) => write!(f, "set on {}", set.date()),
                DueReason::Expiring(expires) => write!(f, "expires on {}", expires.date()),
            }?;
        }
        Ok(())
    }
}

impl SecretsClient {
    /// Selects the vault's secrets due for rotation. See [`DueSecrets`].
    pub fn due(&self) -> DueSecrets {
        DueSecrets {
            client: self.clone(),
            tags: Vec::new(),
            named: Vec::new(),
            older_than: None,
            expiring_within: None,
            issuer: None,
        }
    }
}

impl DueSecrets {
    /// Selects only secrets with this tag and value. If called repeatedly, a secret must have all of these tags.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((name.into(), Some(value.into())));
        self
    }

    /// Selects only secrets with this tag, whatever its value.
    pub fn tagged(mut self, name: impl Into<String>) -> Self {
        self.tags.push((name.into(), None));
        self
    }

    /// Selects secrets with these names, for example from findings.
    pub fn named(mut self, names: impl IntoIterator<Item = SecretName>) -> Self {
        self.named.extend(names);
        self
    }

    /// Selects secrets whose current version was set at least this long ago. A version without a date does not count as
    /// old.
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// Selects secrets whose current version expires within this time, or has expired.
    pub fn expiring_within(mut self, time: Duration) -> Self {
        self.expiring_within = Some(time);
        self
    }

    /// Selects only secrets whose current value contains a credential of this issuer. This reads the values of the
    /// secrets that are otherwise due, or of all secrets if there is no other condition, and has the issuer
    /// [identify](Issuer::identify) each of them.
    pub fn issued_by(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    async fn run(self) -> Result<Vec<DueSecret>> {
        let now = OffsetDateTime::now_utc();
        let mut due = Vec::new();
        let mut secrets = self.client.list();
        while let Some(secret) = secrets.try_next().await? {
            let Some(mut reasons) = self.reasons(&secret, now) else { continue };
            if let Some(issuer) = &self.issuer {
                let value = self.client.get(secret.name()).await?.value;
                let Some(id) = issuer.identify(&value).await? else { continue };
                reasons.push(DueReason::Issued(id));
            }
            if !reasons.is_empty() {
                due.push(DueSecret { name: secret.name().clone(), reasons });
            }
        }
        Ok(due)
    }

    /// Returns why a secret is due, apart from its issuer; `None` if it is not due.
    fn reasons(&self, secret: &SecretProperties, now: OffsetDateTime) -> Option<Vec<DueReason>> {
        let has = |(name, value): &(String, Option<String>)| {
            secret.tags.get(name).is_some_and(|held| value.as_ref().is_none_or(|value| value == held))
        };
        if !secret.enabled || secret.managed || !self.tags.iter().all(has) {
            return None;
        }
        let is_old = |set: &OffsetDateTime| {
            self.older_than.is_some_and(|age| now - *set >= age.try_into().unwrap_or(time::Duration::MAX))
        };
        let ends = |expires: &OffsetDateTime| {
            self.expiring_within
                .is_some_and(|left| *expires - now <= left.try_into().unwrap_or(time::Duration::MAX))
        };
        let unasked = self.named.is_empty() && self.older_than.is_none() && self.expiring_within.is_none();
        let only_tags = unasked && !self.tags.is_empty();
        let named = self.named.contains(secret.name()).then_some(DueReason::Named);
        let old = secret.created.filter(is_old).map(DueReason::Old);
        let expiring = secret.expires.filter(ends).map(DueReason::Expiring);
        let reasons = [named, only_tags.then_some(DueReason::Tagged), old, expiring];
        let reasons: Vec<DueReason> = reasons.into_iter().flatten().collect();
        (unasked || !reasons.is_empty()).then_some(reasons)
    }
}

arm_core::awaited!(DueSecrets => Result<Vec<DueSecret>>);
