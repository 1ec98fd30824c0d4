//! What is known about an alert, what is missing, and what to do.

use arm_core::ResourceId;
use azure_core::time::OffsetDateTime;

use crate::{AlertId, AlertStatus, GeoLocation, KeyVaultAlertType, Severity};

/// The evaluation of an alert and, if available, the vault's log: who did what to which vault, what is unknown, and
/// what to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The id of the alert.
    pub alert: AlertId,
    /// The type of Key Vault alert; `None` for an alert of another plan.
    pub kind: Option<KeyVaultAlertType>,
    /// The title.
    pub title: String,
    /// The severity.
    pub severity: Severity,
    /// The current status.
    pub status: AlertStatus,
    /// Whether the alert is a sample, so that nothing really happened.
    pub is_sample: bool,
    /// The affected vaults.
    pub vaults: Vec<ResourceId>,
    /// The caller.
    pub caller: Caller,
    /// The caller's operations, as the service names them, such as `SecretGet`.
    pub operations: Vec<String>,
    /// The number of operations; `None` if unknown.
    pub operation_count: Option<u64>,
    /// The secrets that were accessed, from the log and from the URLs in the alert's property `target`.
    pub secrets: Vec<String>,
    /// When the activity started.
    pub first: Option<OffsetDateTime>,
    /// When the activity ended.
    pub last: Option<OffsetDateTime>,
    /// The information that is missing.
    pub missing: Vec<Missing>,
    /// The steps to take, in order.
    pub steps: Vec<ResponseStep>,
    pub(super) has_log: bool,
}

/// The caller whose activity an alert reports.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Caller {
    /// The name of the user, as `name@domain`.
    pub user_principal_name: Option<String>,
    /// The object id of the user or service principal.
    pub object_id: Option<String>,
    /// The id of the application.
    pub application_id: Option<String>,
    /// The tenant of the caller.
    pub tenant_id: Option<String>,
    /// Whether the caller belongs to your tenant; `None` if either tenant is unknown.
    pub in_tenant: Option<bool>,
    /// The addresses of the caller.
    pub addresses: Vec<Address>,
}

impl Caller {
    /// Returns the most readable name that is known: the user, the application, the object id or an address. `None` if
    /// nothing is known.
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
    /// The presumed location of the address.
    pub location: Option<GeoLocation<'static>>,
}

/// Information that is missing from a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The user, because the caller was an application.
    UserOfApplication,
    /// The name of the user, since only the object id is known.
    User,
    /// The object id, usually because the traffic came from outside Azure.
    ObjectId,
    /// The address.
    Address,
    /// The operations.
    Operations,
    /// The accessed secrets, which are in the vault's log, not in the alert.
    Secrets,
    /// The time of the activity.
    TimeSpan,
    /// The vault.
    Vault,
    /// A part of the alert that could not be decoded, with the reason.
    Part(String),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UserOfApplication => "no user: the caller was an application",
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

/// One access to a vault, as recorded in the vault's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultAccess {
    /// The time.
    pub time: OffsetDateTime,
    /// The operation, as the service names it, such as `SecretGet`.
    pub operation: String,
    /// The name of the secret; `None` if the operation does not concern one.
    pub secret: Option<String>,
    /// The caller's object id.
    pub object_id: Option<String>,
    /// The caller's address.
    pub address: Option<String>,
    /// Whether the access was allowed.
    pub allowed: bool,
}

/// A phase of the response to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponsePhase {
    /// Find the source of the activity.
    Identify,
    /// Stop the activity.
    Contain,
    /// Find out what was accessed.
    Measure,
    /// Invalidate what was accessed.
    Act,
}

/// A step of the response to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseStep {
    /// The phase.
    pub phase: ResponsePhase,
    /// What to do.
    pub text: String,
}
