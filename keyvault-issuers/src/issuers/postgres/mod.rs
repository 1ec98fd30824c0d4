mod address;
mod roles;
mod server;
mod stored;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError},
    time::Duration,
};

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{Error, Result};
use keyvault_ops::{Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, random_value};

use crate::proof::{Verdict, failure};
use roles::Roles;
use server::{Server, Session, unfit};
use stored::Stored;

/// How long a role without a password may still be able to sign in, for example through a pooler that caches it.
const SETTLE_TIME: Duration = Duration::from_secs(60);
/// The pause between two checks.
const PAUSE: Duration = Duration::from_secs(5);

/// An issuer of passwords for two login roles of a PostgreSQL server, which take turns. Requires the feature
/// `postgres`.
///
/// The secret's value names one of the two roles. A rotation gives the idle role a new password, signs in with it, and
/// stores both its name and its password in the value. Once the rotation's [`Consumers`](keyvault_ops::Consumers), if
/// any, have moved, the password of the other role is removed; until then, the old password works. The two roles should
/// own nothing and be members of one role that owns everything:
///
/// ```sql
/// CREATE ROLE app NOLOGIN;
/// CREATE ROLE app_a LOGIN IN ROLE app;
/// CREATE ROLE app_b LOGIN IN ROLE app;
/// ALTER ROLE app_a SET role = app; -- what either creates belongs to app
/// ALTER ROLE app_b SET role = app;
/// ```
///
/// **Kind**: two slots, named after the roles. The value may be a URL, a JDBC URL, libpq keywords, an Npgsql string or
/// a flat JSON object. Only the user and the password are replaced; every other byte is kept. The role in use is
/// determined by signing in with the value. A value that names another role or another server is refused without being
/// sent anywhere; one that cannot sign in is refused too.
///
/// **Checked first**: that both roles exist, may log in, and have the same attributes, settings, memberships, policies
/// and owned objects in every database; that their grants are the same (the privileges themselves are compared only in
/// the value's database); that the caller may alter them; and that the server does not accept an arbitrary password for
/// them. Differences are reported, and nothing is changed.
///
/// **Service behavior**: a password takes effect immediately. It is sent as a SCRAM-SHA-256 verifier computed by this
/// program, as with `psql`'s `\password`, so that no password is in a statement or in the server's log. A role that
/// loses its password can no longer sign in, but its open sessions continue: see [`end_sessions`](Self::end_sessions).
///
/// **Verification**: before the new value is set, sign-in with it at the address it contains must succeed. After the
/// old role has lost its password, the old value must be refused. Passwords are sent only to this machine, or over TLS
/// with the certificate verified whatever `sslmode` says. A later run that can no longer read the old value relies on
/// the server's confirmation that the password was removed.
///
/// | if it stops | what is left |
/// |---|---|
/// | before the idle role gets a password | no change on the server |
/// | after that, before the new value is set | the idle role has a password that is in no secret; the role in use works. The next run gives the idle role another one |
/// | after the value is set | both roles work |
/// | after the old role loses its password | only the new value works; the next run removes the password once more, which is harmless |
///
/// In a dry run, the issuer sends no requests and changes nothing.
///
/// ```no_run
/// # async fn f(secrets: &keyvault_ops::SecretsClient, administrator: arm_core::Secret) -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use keyvault_issuers::PostgresRoleIssuer;
///
/// // `administrator`: "postgresql://rotator:..@db.contoso.example/shop", from a secret of its own.
/// let issuer = PostgresRoleIssuer::new(&administrator, ["app_a", "app_b"])?;
/// let rotation = secrets.rotate(&"database-url".parse()?).issuer(Arc::new(issuer)).await?;
/// println!("{rotation}");
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// A role that may alter both roles: `CREATEROLE` and, from PostgreSQL 16 on, membership in both roles `WITH ADMIN
/// OPTION`; for [`end_sessions`](Self::end_sessions), also `pg_signal_backend`. It signs in with its own password, and
/// must be able to connect to the database in the value.
#[derive(Clone)]
pub struct PostgresRoleIssuer {
    server: Server,
    roles: Roles,
    end_sessions: bool,
    /// The databases in which the roles have been compared.
    compared: Arc<tokio::sync::Mutex<HashSet<Option<String>>>>,
    /// The values that signed in, by role, to check at the end that they are refused.
    values: Arc<std::sync::Mutex<HashMap<String, Stored>>>,
}

impl std::fmt::Debug for PostgresRoleIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = self.server.name();
        f.debug_struct("PostgresRoleIssuer")
            .field("server", &server)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

impl PostgresRoleIssuer {
    /// Creates an issuer for these two roles. `administrator` is a connection string for the server with a role that
    /// may alter them, in any of the forms that a value may have.
    ///
    /// # Errors
    ///
    /// The connection string cannot be read, or lacks a host, user or password; or the two roles are the same, include
    /// the administrator's, or have names that are not 1 to 63 letters, digits, `_`, `-` and `.`.
    pub fn new(administrator: &Secret, roles: [&str; 2]) -> Result<Self> {
        let unfit =
            |why: &str| failure(format!("the administrator's connection string cannot be used: {why}"));
        let administrator = Stored::read(administrator).map_err(unfit)?;
        if administrator.addresses.is_empty() {
            return Err(unfit("it names no host"));
        }
        if roles.contains(&administrator.user.as_str()) {
            return Err(unfit(
                "its role is one of the two whose passwords are to be changed: use another one",
            ));
        }
        Ok(Self {
            server: Server::new(administrator),
            roles: Roles::new(roles)?,
            end_sessions: false,
            compared: Arc::default(),
            values: Arc::default(),
        })
    }

    /// Trusts certificates issued by these root certificates, in PEM, and no others. Default: the system's roots.
    ///
    /// # Errors
    ///
    /// The text contains no certificate, or one that cannot be read.
    pub fn root_certificates(mut self, pem: &str) -> Result<Self> {
        self.server.trust(pem)?;
        Ok(self)
    }

    /// Adds another address of the same server, such as that of a pooler. Values with that address are accepted, and
    /// their passwords are sent there.
    pub fn also_at(mut self, host: &str, port: u16) -> Self {
        self.server.also_at(host, port);
        self
    }

    /// Ends the sessions of a role once its password has been removed or replaced: for a leak that is being exploited.
    /// Default: sessions continue, and an idle role that has open sessions is not given a new password.
    pub fn end_sessions(mut self) -> Self {
        self.end_sessions = true;
        self
    }

    /// Reads a value, which must belong to one of the two roles at this server.
    fn read(&self, value: &Secret) -> Result<Stored> {
        let stored = Stored::read(value).map_err(unfit)?;
        if !self.roles.has(&stored.user) {
            return Err(unfit(&format!("its user is not one of the roles {}", self.roles)));
        }
        if !self.server.is_at(&stored.addresses) {
            return Err(unfit(&format!(
                "it belongs to a server other than {}, and is not sent there; if this is another address of the \
                 same server, add it with also_at",
                self.server.name()
            )));
        }
        Ok(stored)
    }

    /// Checks, once for each database, that the roles can take turns.
    async fn compare(&self, stored: &Stored) -> Result<()> {
        let mut compared = self.compared.lock().await;
        if compared.contains(&stored.database) {
            return Ok(());
        }
        let session = self.server.administer(Some(stored)).await?;
        let outcome = self.roles.compare(&session, self.server.administrator()).await;
        session.close().await;
        outcome?;
        // A server can be configured to accept a role without checking its password; then there is nothing to rotate.
        let any = random_value()?;
        for role in self.roles.names() {
            if self.server.sign_in(stored, role, &any).await? == Verdict::Works {
                return Err(failure(format!(
                    "{} accepts any password for the role '{role}': change its authentication (pg_hba.conf) first",
                    self.server.name()
                )));
            }
        }
        compared.insert(stored.database.clone());
        Ok(())
    }

    async fn refused(&self, stored: &Stored) -> Result<Option<String>> {
        match self.server.sign_in(stored, &stored.user, &stored.password).await? {
            Verdict::Works => Ok(None),
            Verdict::Refused(said) => Ok(Some(said)),
        }
    }

    fn value_of(&self, role: &str) -> Option<Stored> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).get(role).cloned()
    }

    /// Waits until the old value of a role that has lost its password is refused, if that value is known.
    async fn see_refused(&self, role: &str) -> Result<()> {
        let Some(stored) = self.value_of(role) else { return Ok(()) };
        let mut waited = Duration::ZERO;
        while self.refused(&stored).await?.is_none() {
            if waited >= SETTLE_TIME {
                return Err(failure(format!(
                    "{} still accepts the old password of the role '{role}', {} seconds after it was removed",
                    self.server.name(),
                    waited.as_secs()
                )));
            }
            azure_core::sleep(PAUSE.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
            waited += PAUSE;
        }
        Ok(())
    }

    fn gone(&self) -> Error {
        failure("the current value cannot be read, so the role in use is unknown".to_owned())
    }
}

#[async_trait]
impl Issuer for PostgresRoleIssuer {
    fn kind(&self) -> IssuerKind {
        IssuerKind::TwoSlots
    }

    async fn create(&self, request: CredentialRequest<'_>) -> Result<Credential> {
        let stored = self.read(request.current.ok_or_else(|| self.gone())?)?;
        if request.in_use.is_some_and(|role| role != stored.user) {
            return Err(self.gone());
        }
        let idle = self.roles.other(&stored.user).ok_or_else(|| self.gone())?;
        let password = random_value()?;
        let value = stored.with(idle, &password);
        let value = value.ok_or_else(|| unfit("the user in it cannot be replaced"))?;
        let session = self.server.administer(Some(&stored)).await?;
        let outcome = self.give(&session, idle, &password).await;
        session.close().await;
        outcome.map(|()| Credential { id: idle.to_owned(), value })
    }

    async fn find(&self, _rotation: &str) -> Result<Vec<FoundCredential>> {
        Ok(Vec::new())
    }

    async fn identify(&self, value: &Secret) -> Result<Option<String>> {
        let Ok(stored) = self.read(value) else { return Ok(None) };
        self.compare(&stored).await?;
        if self.refused(&stored).await?.is_some() {
            return Ok(None);
        }
        let role = stored.user.clone();
        self.values.lock().unwrap_or_else(PoisonError::into_inner).insert(role.clone(), stored);
        Ok(Some(role))
    }

    async fn verify(&self, value: &Secret) -> Result<()> {
        let stored = self.read(value)?;
        match self.refused(&stored).await? {
            None => Ok(()),
            Some(said) => Err(failure(format!("the role '{}' cannot sign in: {said}", stored.user))),
        }
    }

    async fn revoke(&self, id: &str) -> Result<()> {
        if !self.roles.has(id) {
            return Err(failure(format!("'{id}' is not one of the roles {}", self.roles)));
        }
        let session = self.server.administer(self.value_of(id).as_ref()).await?;
        let outcome = self.take(&session, id).await;
        session.close().await;
        outcome?;
        self.see_refused(id).await
    }
}

impl PostgresRoleIssuer {
    /// Gives the idle role a password, after checking again that it is not in use.
    async fn give(&self, session: &Session, role: &str, password: &Secret) -> Result<()> {
        let sessions = self.roles.compare(session, self.server.administrator()).await?;
        if let Some(open) = sessions.get(role).filter(|_| !self.end_sessions) {
            return Err(failure(format!(
                "the role '{role}' is idle in the vault but has {} open sessions, such as one {}: \
                 end them, or call end_sessions()",
                open.len(),
                open.first().map(String::as_str).unwrap_or_default()
            )));
        }
        // Not a password, but the verifier that the server stores to check one.
        let verifier = postgres_protocol::password::scram_sha_256(password.expose().as_bytes());
        session.ask(&format!("ALTER ROLE \"{role}\" PASSWORD '{verifier}'")).await?;
        self.end(session, role).await
    }

    async fn take(&self, session: &Session, role: &str) -> Result<()> {
        session.ask(&format!("ALTER ROLE \"{role}\" PASSWORD NULL")).await?;
        self.end(session, role).await
    }

    async fn end(&self, session: &Session, role: &str) -> Result<()> {
        if !self.end_sessions {
            return Ok(());
        }
        let statement = format!(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = '{role}'"
        );
        session.ask(&statement).await.map(drop)
    }
}
