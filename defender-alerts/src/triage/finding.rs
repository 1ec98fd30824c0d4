//! What is known of an alert, what is not, and what to do.

use arm_core::ResourceId;
use azure_core::time::OffsetDateTime;

use crate::{AlertId, AlertStatus, GeoLocation, KeyVaultAlertType, Severity};

/// What an alert says, and the vault's log if available: who did what to which vault, what is unknown, and what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The alert.
    pub alert: AlertId,
    /// The type of Key Vault alert; `None` for alerts of other plans.
    pub kind: Option<KeyVaultAlertType>,
    /// The title.
    pub title: String,
    /// The severity.
    pub severity: Severity,
    /// The current status.
    pub status: AlertStatus,
    /// Whether it is a sample, so nothing really happened.
    pub is_sample: bool,
    /// The vaults.
    pub vaults: Vec<ResourceId>,
    /// The caller.
    pub caller: Caller,
    /// The caller's operations, by the service's names, such as `SecretGet`.
    pub operations: Vec<String>,
    /// The number of operations, if known.
    pub operation_count: Option<u64>,
    /// The secrets that were accessed. The log names them; an alert sometimes does too, as its `target`.
    pub secrets: Vec<String>,
    /// When it started.
    pub first: Option<OffsetDateTime>,
    /// When it ended.
    pub last: Option<OffsetDateTime>,
    /// What is unknown.
    pub missing: Vec<Missing>,
    /// The steps to take, in order.
    pub steps: Vec<ResponseStep>,
    pub(super) has_log: bool,
}

/// The caller.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Caller {
    /// The user, as `name@domain`.
    pub user_principal_name: Option<String>,
    /// The object id of the user or of the application's principal.
    pub object_id: Option<String>,
    /// The application.
    pub application_id: Option<String>,
    /// The tenant of the caller.
    pub tenant_id: Option<String>,
    /// Whether that is your own tenant; `None` if either tenant is unknown.
    pub in_tenant: Option<bool>,
    /// The addresses of the caller.
    pub addresses: Vec<Address>,
}

impl Caller {
    /// The caller's most readable known name.
    pub fn name(&self) -> Option<&str> {
        let id = self.application_id.as_deref().or(self.object_id.as_deref());
        let address = self.addresses.first().map(|address| address.address.as_str());
        self.user_principal_name.as_deref().or(id).or(address)
    }
}

/// An address of the caller.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Address {
    /// The address.
    pub address: String,
    /// The presumed location.
    pub location: Option<GeoLocation>,
}

/// Information that is missing from a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The user: the caller was an application.
    UserOfApplication,
    /// The name of the user, of whom only the object id is known.
    User,
    /// The object id: the traffic came from outside Azure.
    ObjectId,
    /// The address.
    Address,
    /// The operations.
    Operations,
    /// The secrets that were accessed: they are in the vault's log, not in the alert.
    Secrets,
    /// The time of the activity.
    TimeSpan,
    /// The vault.
    Vault,
    /// A part of the alert that could not be decoded, and the reason.
    Part(String),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UserOfApplication => "no user: an application called, and applications have none",
            Self::User => "no user: the alert names only the object id",
            Self::ObjectId => "no object id: the traffic came from outside Azure",
            Self::Address => "no address: the alert does not name one",
            Self::Operations => "no operations: neither the alert nor the log names them",
            Self::Secrets => "no secrets: the alert does not name them, the vault's log does",
            Self::TimeSpan => "no time span: the alert has no times that can be read",
            Self::Vault => "no vault: the alert does not name one",
            Self::Part(reason) => reason,
        })
    }
}

/// One access to a vault, from its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultAccess {
    /// The time.
    pub time: OffsetDateTime,
    /// The operation, by the service's name, such as `SecretGet`.
    pub operation: String,
    /// The secret, if the operation concerns one.
    pub secret: Option<String>,
    /// The caller's object id.
    pub object_id: Option<String>,
    /// The caller's address.
    pub address: Option<String>,
    /// Whether it was allowed.
    pub allowed: bool,
}

/// The phase of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponsePhase {
    /// Find the source.
    Identify,
    /// Stop it.
    Contain,
    /// Find out what was accessed.
    Measure,
    /// Invalidate what was accessed.
    Act,
}

/// One step of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseStep {
    /// The phase.
    pub phase: ResponsePhase,
    /// What to do.
    pub text: String,
}
