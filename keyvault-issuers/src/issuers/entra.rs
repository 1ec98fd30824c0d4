use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arm_core::{ArmClient, ArmErrorExt as _, Secret, wire::iso_duration};
use async_trait::async_trait;
use azure_core::{Error, Result};
use futures::TryStreamExt as _;
use keyvault_ops::{Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind};
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use crate::{
    AppManagementPolicy, Application, ApplicationsClient, PasswordCredential, client_secret, compose,
    proof::{Verdict, failure, of_secret},
};

/// How long a new password may take to work, and a removed one to stop working.
const SETTLE_TIME: Duration = Duration::from_secs(300);
/// The pause between two checks.
const PAUSE: Duration = Duration::from_secs(5);
/// How many times in a row a new password must work: sign-in has many replicas.
const SUCCESSES: u32 = 3;
/// The lifetime of a password, unless the caller or a policy sets another.
const LIFETIME: Duration = Duration::from_secs(180 * 86_400);
/// The maximum length of a password's name.
const NAME_LENGTH: usize = 100;

/// An issuer of passwords (client secrets) for an application in Microsoft Entra ID.
///
/// **Prefer a federated credential**: it needs no secret at all if the application runs in Azure, Kubernetes, GitHub or
/// another place that Entra ID can trust.
///
/// **Kind**: many. Each password that it adds is named after the rotation's id, by which a later run recognizes it. The
/// value of the secret is the password, or text that contains it, such as JSON; everything else is kept. The password's
/// entry in the service's list is identified by its first three characters, which the list shows, **and** by signing
/// in. If two listed passwords start with these characters, the old one cannot be identified: it is listed in the
/// report instead of being removed. A value whose password does not start with the first three characters of any listed
/// one is refused: it belongs to another application, or its password was removed.
///
/// **Service behavior**: it takes seconds to minutes before a new password works at sign-in or a removed one stops
/// working. Tokens obtained with a password remain valid until they expire, about an hour later. A policy can forbid
/// passwords or limit their lifetime. If the caller may read the policy, a longer lifetime is shortened to the limit;
/// otherwise, the service refuses it.
///
/// **Verification**: before the new value is set, sign-in with it must succeed three times in a row. After the old
/// password is removed, the application must no longer list it, and sign-in with it must be refused. A later run that
/// can no longer read the old value relies on the list.
///
/// | if it stops | what is left |
/// |---|---|
/// | before the password is added | no change |
/// | after that, before it is set | a password that is in no secret; the next run with the same id finds it by its name and removes it |
/// | after it is set | both work |
/// | after the old one is removed | only the new one works |
///
/// A dry run changes nothing. That of a rotation does not call the issuer at all; that of `end_old_versions` reads the
/// application and signs in to identify the passwords.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, secrets: &keyvault_ops::SecretsClient) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use keyvault_issuers::EntraPasswordIssuer;
///
/// let (tenant, application) = ("00000000-0000-0000-0000-0000000000aa", "00000000-0000-0000-0000-0000000000d1");
/// let issuer = Arc::new(EntraPasswordIssuer::new(arm, tenant, application));
/// let rotation = secrets.rotate(&"client-secret".parse()?).issuer(issuer).await?;
/// println!("{rotation}");
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// `Application.ReadWrite.OwnedBy` as an owner of the application, or `Application.ReadWrite.All`.
/// With `Policy.Read.All`, it also checks the policies before it writes anything.
#[derive(Clone)]
pub struct EntraPasswordIssuer {
    client: ApplicationsClient,
    tenant: String,
    object_id: String,
    lifetime: Duration,
    ready: Arc<OnceCell<Ready>>,
    /// The values of known passwords, to check at the end that they are refused.
    values: Arc<Mutex<HashMap<String, Secret>>>,
}

struct Ready {
    client_id: String,
    longest: Option<Duration>,
}

impl std::fmt::Debug for EntraPasswordIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntraPasswordIssuer").field("application", &self.object_id).finish_non_exhaustive()
    }
}

impl EntraPasswordIssuer {
    /// Creates an issuer for the application with this object id, which is not its client id.
    pub fn new(arm: &ArmClient, tenant: &str, object_id: &str) -> Self {
        Self {
            client: ApplicationsClient::new(arm),
            tenant: tenant.to_owned(),
            object_id: object_id.to_owned(),
            lifetime: LIFETIME,
            ready: Arc::default(),
            values: Arc::default(),
        }
    }

    /// Sets how long a new password is valid, unless a policy that the caller may read requires a shorter time.
    /// Default: 180 days.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Checks, once, that the application exists and that no policy forbids passwords.
    async fn ready(&self) -> Result<&Ready> {
        self.ready.get_or_try_init(|| self.check()).await
    }

    async fn check(&self) -> Result<Ready> {
        let application = self.client.get(&self.object_id).await?;
        let policy = self.policy().await?;
        let mut longest = None;
        if let Some(policy) = policy {
            if policy.restricts("passwordAddition", &application).next().is_some() {
                return Err(self.forbidden(policy.display_name.as_deref()));
            }
            let lifetimes = policy.restricts("passwordLifetime", &application);
            longest = lifetimes.filter_map(|found| iso_duration::parse(found.max_lifetime.as_deref()?)).min();
        }
        Ok(Ready { client_id: application.app_id, longest })
    }

    /// The effective policy; `None` if the caller may not read it.
    async fn policy(&self) -> Result<Option<AppManagementPolicy>> {
        let own = match self.client.policies(&self.object_id).try_collect::<Vec<_>>().await {
            Ok(own) => own.into_iter().next(),
            Err(error) if error.is_forbidden() => return Ok(None),
            Err(error) => return Err(error),
        };
        match own {
            Some(own) => Ok(Some(own)),
            None => match self.client.default_policy().await {
                Ok(policy) => Ok(Some(policy)),
                Err(error) if error.is_forbidden() => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    fn forbidden(&self, policy: Option<&str>) -> Error {
        let policy = policy.map_or_else(|| "a policy".to_owned(), |name| format!("the policy '{name}'"));
        failure(format!(
            "{policy} forbids passwords for the application {}: let it sign in with a federated credential, which \
             needs no secret, or have the policy changed",
            self.object_id
        ))
    }

    /// Checks that a password that cannot sign in may still belong to this application, since the secret of another
    /// application must not be replaced.
    async fn check_listed(&self, secret: &Secret) -> Result<()> {
        let application = self.client.get(&self.object_id).await?;
        let may_be = |held: &PasswordCredential| {
            held.hint.as_deref().is_none_or(|hint| secret.expose().starts_with(hint))
        };
        if application.password_credentials.iter().any(may_be) {
            return Ok(());
        }
        Err(failure(format!(
            "the value contains none of the passwords of the application {}: it belongs to another application, or \
             its password was removed; set a working one first, or disable this version to have a new one created",
            self.object_id
        )))
    }

    async fn sign_in(&self, secret: &Secret) -> Result<Verdict> {
        let ready = self.ready().await?;
        of_secret(&self.client.arm, &self.tenant, &ready.client_id, secret).await
    }

    /// Explains why adding a password was refused.
    async fn explain(&self, error: Error) -> Error {
        if error.is_code("CredentialTypeNotAllowedAsPerAppPolicy") {
            return self.forbidden(None);
        }
        if error.is_code("CredentialInvalidLifetimeAsPerAppPolicy") {
            let days = self.lifetime.as_secs() / 86_400;
            return failure(format!(
                "a policy forbids passwords for the application {} that are valid for {days} days: \
                 set a shorter lifetime: {error}",
                self.object_id
            ));
        }
        if !error.is_code("Request_BadRequest") && !error.is_code("Directory_QuotaExceeded") {
            return error;
        }
        let Ok(application) = self.client.get(&self.object_id).await else { return error };
        let now = OffsetDateTime::now_utc();
        let all = application.password_credentials;
        let expired = all.iter().filter(|held| held.end_date_time.is_some_and(|end| end < now)).count();
        failure(format!(
            "the application {} already has {} passwords, {expired} of them expired, and accepts no more: remove \
             those that are not in use: {error}",
            self.object_id,
            all.len()
        ))
    }

    /// Waits until the application no longer lists the password.
    async fn see_unlisted(&self, key_id: &str) -> Result<()> {
        let mut waited = Duration::ZERO;
        while lists(&self.client.get(&self.object_id).await?, key_id) {
            if waited >= SETTLE_TIME {
                return Err(failure(format!(
                    "the application {} still lists the password {key_id}, which was removed",
                    self.object_id
                )));
            }
            pause(PAUSE).await;
            waited += PAUSE;
        }
        Ok(())
    }

    /// Waits until sign-in refuses the password, if its value is known.
    async fn see_refused(&self, key_id: &str) -> Result<()> {
        let value = self.values.lock().unwrap_or_else(PoisonError::into_inner).get(key_id).cloned();
        let Some(secret) = value else { return Ok(()) };
        let mut waited = Duration::ZERO;
        while self.sign_in(&secret).await? == Verdict::Works {
            if waited >= SETTLE_TIME {
                let seconds = waited.as_secs();
                return Err(failure(format!(
                    "the application {} can still sign in with the password {key_id}, {seconds} seconds after it was removed",
                    self.object_id
                )));
            }
            pause(PAUSE).await;
            waited += PAUSE;
        }
        Ok(())
    }
}

fn lists(application: &Application, key_id: &str) -> bool {
    application.password_credentials.iter().any(|held| held.key_id.eq_ignore_ascii_case(key_id))
}

/// The name of the password that a rotation adds.
fn name_of(rotation: &str) -> String {
    let name = format!("rotation {rotation}");
    match name.chars().count() {
        0..=NAME_LENGTH => name,
        // The length limit of names is not published.
        _ => format!("rotation {}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, rotation.as_bytes())),
    }
}

async fn pause(duration: Duration) {
    azure_core::sleep(duration.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
}

#[async_trait]
impl Issuer for EntraPasswordIssuer {
    fn kind(&self) -> IssuerKind {
        IssuerKind::Many
    }

    fn settle_time(&self) -> Duration {
        SETTLE_TIME
    }

    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
        let ready = self.ready().await?;
        let old = match request.current {
            Some(current) => Some((current, client_secret::find(current).ok_or_else(|| self.holds_none())?)),
            None => None,
        };
        if let (Some((_, old)), None) = (&old, request.in_use) {
            self.check_listed(old).await?;
        }
        let lifetime = ready.longest.map_or(self.lifetime, |longest| longest.min(self.lifetime));
        let until = OffsetDateTime::now_utc()
            .checked_add(lifetime.try_into().unwrap_or(time::Duration::MAX))
            .ok_or_else(|| failure(format!("a lifetime of {lifetime:?} ends after the year 9999")))?;
        let added = self.client.add_password(&self.object_id, &name_of(request.rotation), until).await;
        let added = match added {
            Ok(added) => added,
            Err(error) => return Err(self.explain(error).await),
        };
        let PasswordCredential { key_id, secret_text: Some(new), .. } = added else {
            return Err(failure(format!(
                "the service did not return the value of the new password of the application {}",
                self.object_id
            )));
        };
        let value = match old {
            Some((current, old)) => compose::replace(current, &old, &new).ok_or_else(|| self.holds_none())?,
            None => new,
        };
        Ok(Credential { id: key_id, value })
    }

    async fn find(&self, rotation: &str) -> Result<Vec<FoundCredential>> {
        let name = name_of(rotation);
        let application = self.client.get(&self.object_id).await?;
        let named = application
            .password_credentials
            .into_iter()
            .filter(|held| held.display_name.as_deref() == Some(&*name));
        Ok(named.map(|held| FoundCredential { id: held.key_id, value: None }).collect())
    }

    async fn identify(&self, value: &Secret) -> Result<Option<String>> {
        self.ready().await?;
        let Some(secret) = client_secret::find(value) else { return Ok(None) };
        let application = self.client.get(&self.object_id).await?;
        let begins = |held: &&PasswordCredential| {
            held.hint.as_deref().is_some_and(|hint| !hint.is_empty() && secret.expose().starts_with(hint))
        };
        let mut candidates = application.password_credentials.iter().filter(begins);
        let (Some(one), None) = (candidates.next(), candidates.next()) else { return Ok(None) };
        match self.sign_in(&secret).await? {
            Verdict::Refused(_) => Ok(None),
            Verdict::Works => {
                let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
                values.insert(one.key_id.clone(), secret);
                Ok(Some(one.key_id.clone()))
            }
        }
    }

    async fn verify(&self, value: &Secret) -> Result<()> {
        let Some(secret) = client_secret::find(value) else { return Err(self.holds_none()) };
        for success in 0..SUCCESSES {
            if success > 0 {
                pause(Duration::from_secs(2)).await;
            }
            if let Verdict::Refused(said) = self.sign_in(&secret).await? {
                return Err(failure(format!(
                    "the application {} cannot sign in with the password: {said}",
                    self.object_id
                )));
            }
        }
        Ok(())
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        match self.client.remove_password(&self.object_id, id).await {
            Ok(()) => {}
            // Either it is gone, or it was added only moments ago and is not known there yet: the list shows which.
            Err(error) if error.is_code("Request_BadRequest") => {
                if lists(&self.client.get(&self.object_id).await?, id) {
                    pause(PAUSE).await;
                    self.client.remove_password(&self.object_id, id).await?;
                }
            }
            Err(error) => return Err(error),
        }
        self.see_unlisted(id).await?;
        self.see_refused(id).await
    }
}

impl EntraPasswordIssuer {
    fn holds_none(&self) -> Error {
        failure(format!(
            "no password can be recognized in the value: first set a working password of the application {} by hand",
            self.object_id
        ))
    }
}
