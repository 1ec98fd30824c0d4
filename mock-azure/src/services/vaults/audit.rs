//! The audit log of all vaults: the events that each would send to a workspace as `AuditEvent`.

use std::{borrow::Cow, collections::VecDeque};

use time::OffsetDateTime;

use super::VaultState;
use crate::{
    http::{Body, Call, Method, Reply, host::Service},
    services::vaults,
    state::{MockAzure, Seed, World},
};

/// The maximum number of events; the oldest are dropped first.
const KEPT: usize = 200_000;
/// The default client address.
pub(super) const CALLER_IP: &str = "203.0.113.7";

/// An operation on a vault or its secrets, keys or certificates, successful or refused.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuditEvent {
    /// When it happened.
    pub time: OffsetDateTime,
    /// `SecretGet`, `SecretList`, .. ; `Authentication` for a request without a valid token.
    pub operation: Cow<'static, str>,
    /// The vault's resource id, as the service spells it.
    pub vault_id: String,
    /// The caller's object id; empty for a request without a valid token.
    pub object_id: String,
    /// The caller's sign-in name; `None` for applications.
    pub upn: Option<String>,
    /// The client id of the calling application, or of the one through which the calling user signed in.
    pub app_id: Option<String>,
    /// The address that the request came from.
    pub caller_ip: String,
    /// The HTTP status of the response.
    pub status: u16,
    /// The secret, certificate or version that was requested or returned, as a URL; `None` for operations on the vault
    /// itself, lists of what it contains, and keys.
    pub secret_id: Option<String>,
    /// The requested URL.
    pub request_uri: String,
    /// The `User-Agent`.
    pub client_info: String,
    /// The client's request id.
    pub correlation_id: String,
    /// Whether role assignments, rather than access policies, control access to this vault.
    pub by_rbac: bool,
}

impl AuditEvent {
    /// Creates an event for a successful operation, such as `SecretGet`, at the given time, authorized by a role, from
    /// the default address of the double's requests. Change its fields as needed, and pass it to [`Seed::audit_event`]
    /// or [`MockAzure::audit_event`].
    pub fn new(
        operation: impl Into<Cow<'static, str>>,
        vault_id: impl ToString,
        time: OffsetDateTime,
    ) -> Self {
        Self {
            time,
            operation: operation.into(),
            vault_id: vault_id.to_string(),
            object_id: String::new(),
            upn: None,
            app_id: None,
            caller_ip: CALLER_IP.to_owned(),
            status: 200,
            secret_id: None,
            request_uri: String::new(),
            client_info: String::new(),
            correlation_id: String::new(),
            by_rbac: true,
        }
    }

    /// Returns the status text, as in the log's `resultSignature`.
    pub fn result_signature(&self) -> &'static str {
        match self.status {
            200 => "OK",
            201 => "Created",
            202 => "Accepted",
            204 => "No Content",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            409 => "Conflict",
            429 => "Too Many Requests",
            _ => "Internal Server Error",
        }
    }
}

/// All events in chronological order.
#[derive(Debug)]
pub(crate) struct AuditLog {
    events: VecDeque<AuditEvent>,
    most: usize,
}

impl Default for AuditLog {
    fn default() -> Self {
        Self { events: VecDeque::new(), most: KEPT }
    }
}

impl AuditLog {
    /// Limits the number of events, for a server that runs for days.
    #[cfg(feature = "server")]
    pub(crate) fn bound(&mut self, most: usize) {
        self.most = most;
    }

    /// The events, oldest first.
    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &AuditEvent> {
        self.events.iter()
    }

    /// Inserts an event by its time, after others with the same time.
    pub(crate) fn push(&mut self, event: AuditEvent) {
        if self.events.len() == self.most {
            self.events.pop_front();
        }
        let later = self.events.iter().rev().take_while(|other| other.time > event.time).count();
        self.events.insert(self.events.len() - later, event);
    }
}

impl Seed {
    /// Adds an event, with its own time, to the vaults' audit log. Log queries find it after
    /// [`log_delay`](Seed::log_delay) if the vault's log was being sent to a workspace at the event's time.
    pub fn audit_event(self, event: AuditEvent) -> Self {
        self.step(move |world| world.states.get_mut::<AuditLog>().push(event))
    }
}

impl MockAzure {
    /// Adds an event to the vaults' audit log, like [`Seed::audit_event`].
    pub fn audit_event(&self, event: AuditEvent) {
        self.shared.lock().world.states.get_mut::<AuditLog>().push(event);
    }

    /// Returns the operations in the vaults' audit log, in chronological order: the last 200,000, or 5,000 of a served
    /// double.
    pub fn audit_events(&self) -> Vec<AuditEvent> {
        self.shared.lock().world.states.get::<AuditLog>().events().cloned().collect()
    }
}

/// Records a request to a vault or its secrets, with its response; ignores all other requests.
pub(crate) fn record(world: &mut World, call: &Call, reply: &Reply) {
    let Some(operation) = operation(call, reply.status) else { return };
    let Some((vault_id, by_rbac)) = vaults::audited(world, call) else { return };
    let event = AuditEvent {
        time: world.now(),
        operation: operation.into(),
        vault_id,
        object_id: call.caller.object_id.clone(),
        upn: call.caller.upn.clone(),
        app_id: call.caller.app_id.clone(),
        caller_ip: world.states.get::<VaultState>().caller_ip().to_owned(),
        status: reply.status,
        secret_id: secret_id(call, reply),
        request_uri: call.url(),
        client_info: call.header("user-agent").unwrap_or_default().to_owned(),
        correlation_id: call.header("x-ms-client-request-id").unwrap_or_default().to_owned(),
        by_rbac,
    };
    world.states.get_mut::<AuditLog>().push(event);
}

fn operation(call: &Call, status: u16) -> Option<&'static str> {
    match &call.host.service {
        Service::Vault(_) if status == 401 => Some("Authentication"),
        Service::Vault(_) => of_secrets(call).or_else(|| of_keys(call)).or_else(|| of_certificates(call)),
        Service::Management => of_vaults(call),
        _ => None,
    }
}

fn of_secrets(call: &Call) -> Option<&'static str> {
    Some(match (call.method, call.path().as_slice()) {
        (Method::Get, ["secrets"]) => "SecretList",
        (Method::Get, ["secrets", _, "versions"]) => "SecretListVersions",
        (Method::Get, ["secrets", _] | ["secrets", _, _]) => "SecretGet",
        (Method::Put, ["secrets", _]) => "SecretSet",
        (Method::Patch, ["secrets", _] | ["secrets", _, _]) => "SecretUpdate",
        (Method::Delete, ["secrets", _]) => "SecretDelete",
        (Method::Post, ["secrets", "restore"]) => "SecretRestore",
        (Method::Post, ["secrets", _, "backup"]) => "SecretBackup",
        (Method::Get, ["deletedsecrets"]) => "SecretListDeleted",
        (Method::Get, ["deletedsecrets", _]) => "SecretGetDeleted",
        (Method::Delete, ["deletedsecrets", _]) => "SecretPurge",
        (Method::Post, ["deletedsecrets", _, "recover"]) => "SecretRecover",
        _ => return None,
    })
}

/// Documented: the names of the operations.
fn of_keys(call: &Call) -> Option<&'static str> {
    Some(match (call.method, call.path().as_slice()) {
        (Method::Get, ["keys"]) => "KeyList",
        (Method::Get, ["keys", _, "versions"]) => "KeyListVersions",
        (Method::Get, ["keys", _, "rotationpolicy"]) => "KeyRotationPolicyGet",
        (Method::Put, ["keys", _, "rotationpolicy"]) => "KeyRotationPolicySet",
        (Method::Get, ["keys", _] | ["keys", _, _]) => "KeyGet",
        (Method::Put, ["keys", _]) => "KeyImport",
        (Method::Patch, ["keys", ..]) => "KeyUpdate",
        (Method::Delete, ["keys", _]) => "KeyDelete",
        (Method::Post, ["keys", "restore"]) => "KeyRestore",
        (Method::Post, ["keys", _, "create"]) => "KeyCreate",
        (Method::Post, ["keys", _, "backup"]) => "KeyBackup",
        (Method::Post, ["keys", _, "rotate"]) => "KeyRotate",
        (Method::Post, ["keys", _, .., "sign"]) => "KeySign",
        (Method::Post, ["keys", _, .., "verify"]) => "KeyVerify",
        (Method::Get, ["deletedkeys"]) => "KeyListDeleted",
        (Method::Get, ["deletedkeys", _]) => "KeyGetDeleted",
        (Method::Delete, ["deletedkeys", _]) => "KeyPurge",
        (Method::Post, ["deletedkeys", _, "recover"]) => "KeyRecover",
        _ => return None,
    })
}

/// Documented: the names of the operations.
fn of_certificates(call: &Call) -> Option<&'static str> {
    Some(match (call.method, call.path().as_slice()) {
        (Method::Get, ["certificates", "contacts"]) => "CertificateContactsGet",
        (Method::Put, ["certificates", "contacts"]) => "CertificateContactsSet",
        (Method::Delete, ["certificates", "contacts"]) => "CertificateContactsDelete",
        (Method::Get, ["certificates", "issuers"]) => "CertificateIssuersList",
        (Method::Get, ["certificates", "issuers", _]) => "CertificateIssuerGet",
        (Method::Put, ["certificates", "issuers", _]) => "CertificateIssuerSet",
        (Method::Patch, ["certificates", "issuers", _]) => "CertificateIssuerUpdate",
        (Method::Delete, ["certificates", "issuers", _]) => "CertificateIssuerDelete",
        (Method::Get, ["certificates"]) => "CertificateList",
        (Method::Get, ["certificates", _, "versions"]) => "CertificateListVersions",
        (Method::Get, ["certificates", _, "policy"]) => "CertificatePolicyGet",
        (Method::Patch, ["certificates", _, "policy"]) => "CertificatePolicyUpdate",
        (Method::Get, ["certificates", _, "pending"]) => "CertificatePendingGet",
        (Method::Patch, ["certificates", _, "pending"]) => "CertificatePendingUpdate",
        (Method::Delete, ["certificates", _, "pending"]) => "CertificatePendingDelete",
        (Method::Post, ["certificates", _, "pending", "merge"]) => "CertificatePendingMerge",
        (Method::Get, ["certificates", _] | ["certificates", _, _]) => "CertificateGet",
        (Method::Post, ["certificates", "restore"]) => "CertificateRestore",
        (Method::Post, ["certificates", _, "create"]) => "CertificateCreate",
        (Method::Post, ["certificates", _, "import"]) => "CertificateImport",
        (Method::Post, ["certificates", _, "backup"]) => "CertificateBackup",
        (Method::Patch, ["certificates", ..]) => "CertificateUpdate",
        (Method::Delete, ["certificates", _]) => "CertificateDelete",
        (Method::Get, ["deletedcertificates"]) => "CertificateListDeleted",
        (Method::Get, ["deletedcertificates", _]) => "CertificateGetDeleted",
        (Method::Delete, ["deletedcertificates", _]) => "CertificatePurge",
        (Method::Post, ["deletedcertificates", _, "recover"]) => "CertificateRecover",
        _ => return None,
    })
}

fn of_vaults(call: &Call) -> Option<&'static str> {
    let path = call.path();
    let [_, _, "resourcegroups", _, "providers", "microsoft.keyvault", "vaults", _, rest @ ..] =
        path.as_slice()
    else {
        return None;
    };
    Some(match (call.method, rest) {
        (Method::Get, []) => "VaultGet",
        (Method::Put, []) if call.property("createMode") == "recover" => "VaultRecover",
        (Method::Put, []) => "VaultPut",
        (Method::Patch, []) => "VaultPatch",
        (Method::Delete, []) => "VaultDelete",
        (Method::Put, ["accesspolicies", _]) => "VaultAccessPolicyChangedEventGridNotification",
        _ => return None,
    })
}

/// The id in the response, which includes the version; otherwise the one in the path.
fn secret_id(call: &Call, reply: &Reply) -> Option<String> {
    if !matches!(call.host.service, Service::Vault(_)) {
        return None;
    }
    if let Body::Json(body) = &reply.body
        && let Some(id) = body["id"].as_str()
    {
        return Some(id.to_owned());
    }
    match call.path().as_slice() {
        ["secrets" | "deletedsecrets", "restore"] => None,
        ["secrets" | "deletedsecrets", _, ..] => {
            let version = match call.path().as_slice() {
                [_, _, "versions" | "backup" | "recover"] | [_, _] => 2,
                _ => 3,
            };
            Some(call.link(&format!("/secrets{}", &call.id(version)[call.id(1).len()..])))
        }
        _ => None,
    }
}
