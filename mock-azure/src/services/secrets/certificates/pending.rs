//! The operation that creates a certificate. Its key exists immediately, the certificate once it is issued or merged.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use time::Duration;

use super::{
    made::{self, Content},
    policy, x509,
};
use crate::{
    http::{Method, Reply},
    services::secrets::{
        SecretState, Visit,
        material::{self, Made},
        refusal,
        store::{Pending, Version},
        version_order,
    },
    state::World,
};

/// The last operation on a certificate, running or completed.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// The version that it creates.
    version: String,
    issuer: String,
    request: Vec<u8>,
    request_id: String,
    cancelled: bool,
    done: bool,
    /// How many more requests find it incomplete.
    left: u32,
    made: Made,
    /// The certificate, if the vault issues it itself.
    issued: Option<Vec<u8>>,
    enabled: bool,
    tags: Option<Map<String, Value>>,
}

impl Operation {
    /// Recorded: the members.
    fn show(&self, visit: &Visit<'_>, name: &str) -> Value {
        let at = visit.url(visit.kind.live, name);
        let mut shown = json!({
            "id": format!("{at}/pending"),
            "issuer": { "name": self.issuer },
            "csr": STANDARD.encode(&self.request),
            "cancellation_requested": self.cancelled,
            "status": if self.done { "completed" } else { "inProgress" },
            "request_id": self.request_id,
        });
        if self.done {
            shown["target"] = json!(at);
        } else if self.issued.is_some() {
            shown["status_details"] = json!(
                "Pending certificate created. Certificate request is in progress. This may take some time based on the \
                 issuer provider. Please check again later."
            );
        } else {
            shown["status_details"] =
                json!("Pending certificate created. Please Perform Merge to complete the request.");
        }
        shown
    }
}

/// Why a new version of a certificate cannot be created now.
pub(super) fn in_the_way(world: &mut World, visit: &Visit<'_>, name: &str) -> Option<Reply> {
    let spelled = visit.call.spelled(1);
    if made::is_taken(world, &visit.vault, name) {
        return Some(Reply::not_implemented(format!(
            "the response for the certificate '{spelled}', because a secret or key with this name already exists"
        )));
    }
    let certificates = visit.secrets(world);
    match certificates.look(name) {
        Some(Pending::Deleting | Pending::Purging) => {
            return Some(refusal::being_deleted(visit.kind, spelled));
        }
        Some(Pending::Recovering) => return Some(refusal::being_recovered(visit.kind, spelled)),
        None => {}
    }
    if certificates.deleted.contains_key(name) {
        return Some(refusal::deleted_but_recoverable(visit.kind, spelled));
    }
    let operation = certificates.live.get(name).and_then(|found| found.operation.as_deref());
    // Recorded by Microsoft's own clients: the refusal of an operation while another is in progress.
    operation.filter(|operation| !operation.done).map(|_| {
        let message = "A new key vault certificate can not be created or imported while a pending key vault \
                       certificate's status is inProgress.";
        refusal::plain(409, "Conflict", message)
    })
}

pub(super) fn create(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    if let Some(refused) = in_the_way(world, visit, name) {
        return refused;
    }
    begin(world, visit, name).unwrap_or_else(|refused| *refused)
}

fn begin(world: &mut World, visit: &Visit<'_>, name: &str) -> Result<Reply, Box<Reply>> {
    let (body, spelled, now) = (visit.call.json(), visit.call.spelled(1), world.now());
    let known = visit.secrets(world).live.get(name).and_then(|found| found.policy.clone());
    let mut base = match &known {
        Some(known) if body["policy"].is_null() => known.clone(),
        _ => policy::defaults(),
    };
    if let Some(known) = known {
        base["attributes"] = known["attributes"].clone();
    }
    if visit.call.api_version() >= "7" && base["x509_props"]["sans"].is_null() {
        base["x509_props"]["sans"] = json!({});
    }
    let policy = policy::laid_over(base, &body["policy"], now.unix_timestamp())?;
    let issuer = policy["issuer"]["name"].as_str().unwrap_or_default().to_owned();
    let is_own = issuer.eq_ignore_ascii_case("Self");
    if !is_own && !issuer.eq_ignore_ascii_case("Unknown") {
        return Err(Box::new(Reply::unknown("issuer", &issuer, &["Self", "Unknown"])));
    }
    let (seed, request_id) = (world.fresh_id(), world.fresh_id().replace('-', ""));
    let made = material::generate(&policy["key_props"], &seed, visit.premium)?;
    let request = x509::request(&made, &policy)?;
    // Recorded: it is valid from ten minutes before its creation.
    let months = policy["x509_props"]["validity_months"].as_u64().unwrap_or_default();
    let (from, to) = (now - Duration::minutes(10), x509::months_later(now, months));
    let mut version = Version::new("", now);
    version.enabled = false;
    (version.not_before, version.expires) = (Some(from.unix_timestamp()), Some(to.unix_timestamp()));

    let (order, left) = (version_order(world), world.states.get::<SecretState>().settling);
    let certificates = visit.secrets(world);
    let id = certificates.next_id(name, order);
    let issued = if is_own { Some(x509::issue(&made, &policy, &id, (from, to))?) } else { None };
    let current = certificates
        .live
        .get(name)
        .and_then(|found| found.version(None))
        .and_then(|(id, version)| version.der.is_some().then(|| id.to_owned()));
    certificates.set_as(spelled, &id, version);
    let Some(certificate) = certificates.live.get_mut(name) else {
        return Err(Box::new(refusal::not_found(visit.kind, spelled)));
    };
    if let Some(current) = current {
        certificate.current = current;
    }
    certificate.policy = Some(policy);
    let operation = Operation {
        version: id,
        issuer,
        request,
        request_id,
        cancelled: false,
        done: false,
        left,
        made,
        issued,
        enabled: body["attributes"]["enabled"].as_bool().unwrap_or(true),
        tags: body["tags"].as_object().cloned(),
    };
    let at = visit.url(visit.kind.live, &certificate.name);
    let link =
        format!("{at}/pending?api-version={}&request_id={}", visit.call.api_version(), operation.request_id);
    let shown = operation.show(visit, &certificate.name);
    certificate.operation = Some(Box::new(operation));
    Ok(Reply::json(202, shown).header("location", link).header("retry-after", "10"))
}

/// Advances an operation that the vault completes itself. Called for each request for the certificate.
pub(super) fn proceed(world: &mut World, visit: &Visit<'_>, name: &str, rest: &[&str]) {
    if visit.call.method == Method::Post && matches!(rest, ["create" | "import"]) {
        return;
    }
    let found = visit.secrets(world).live.get_mut(name).and_then(|found| found.operation.as_deref_mut());
    let Some(operation) = found.filter(|operation| !operation.done && !operation.cancelled) else { return };
    let Some(der) = operation.issued.clone() else { return };
    if operation.left > 0 {
        operation.left -= 1;
        return;
    }
    complete(world, visit, name, der);
}

fn complete(world: &mut World, visit: &Visit<'_>, name: &str, der: Vec<u8>) {
    let now = world.now().unix_timestamp();
    let Some(certificate) = visit.secrets(world).live.get_mut(name) else { return };
    let Some(operation) = certificate.operation.as_deref_mut() else { return };
    operation.done = true;
    let operation = operation.clone();
    let Some(version) = certificate.versions.get_mut(&operation.version) else { return };
    if let Some((from, to)) = x509::period(&der) {
        (version.not_before, version.expires) = (Some(from), Some(to));
    }
    (version.enabled, version.created, version.updated) = (operation.enabled, now, now);
    version.tags.clone_from(&operation.tags);
    version.der = Some(der);
    certificate.current.clone_from(&operation.version);
    let (spelled, version) = (certificate.name.clone(), version.clone());
    let policy = certificate.policy.clone().unwrap_or_default();
    let content_type = policy["secret_props"]["contentType"].as_str().unwrap_or_default().to_owned();
    let content = Content::Made { content_type, exportable: policy["key_props"]["exportable"] != false };
    made::put(world, &visit.vault, (&spelled, &operation.version), &version, &operation.made, &content);
}

pub(super) fn route(world: &mut World, visit: &Visit<'_>, name: &str, rest: &[&str]) -> Option<Reply> {
    let (method, spelled) = (visit.call.method, visit.call.spelled(1));
    if !matches!(
        (method, rest),
        (Method::Get | Method::Patch | Method::Delete, []) | (Method::Post, ["merge"])
    ) {
        return None;
    }
    let certificates = visit.secrets(world);
    let found = certificates.live.get_mut(name).and_then(|found| found.operation.as_deref_mut());
    let Some(operation) = found else {
        let message = format!("Pending certificate not found: {spelled}");
        return Some(refusal::plain(404, "PendingCertificateNotFound", message));
    };
    Some(match method {
        Method::Post => merge(world, visit, name),
        Method::Delete => {
            let (shown, version) = (operation.show(visit, spelled), operation.version.clone());
            forget(world, visit, name, &version);
            Reply::ok(shown)
        }
        // Reported: a completed operation cannot be canceled.
        Method::Patch if operation.done => {
            refusal::plain(403, "Forbidden", "Pending status must be in progress to allow update.")
        }
        Method::Patch => {
            if let Some(cancelled) = visit.call.json()["cancellation_requested"].as_bool() {
                operation.cancelled = cancelled;
            }
            Reply::ok(operation.show(visit, spelled))
        }
        _ if operation.done => Reply::ok(operation.show(visit, spelled)),
        _ => Reply::ok(operation.show(visit, spelled)).header("retry-after", "10"),
    })
}

/// Recorded: nothing remains of a certificate that was not issued.
fn forget(world: &mut World, visit: &Visit<'_>, name: &str, version: &str) {
    let certificates = visit.secrets(world);
    let Some(certificate) = certificates.live.get_mut(name) else { return };
    certificate.operation = None;
    if certificate.versions.get(version).is_some_and(|version| version.der.is_none()) {
        certificate.versions.remove(version);
    }
    if certificate.versions.is_empty() {
        certificates.live.remove(name);
    }
}

/// Recorded: the refusal of a chain without a certificate for the request's key.
fn merge(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let certificate = visit.secrets(world).live.get(name);
    let operation = certificate.and_then(|found| found.operation.as_deref());
    let Some(operation) = operation.filter(|operation| !operation.done && operation.issued.is_none()) else {
        return Reply::not_implemented("the response to a merge when none is pending");
    };
    let chain = visit.call.json()["x5c"].as_array().cloned().unwrap_or_default();
    let mut chain = chain.iter().filter_map(|one| STANDARD.decode(one.as_str()?).ok());
    let Some(leaf) = chain.find(|der| x509::is_for(der, &operation.made)) else {
        return refusal::bad_parameter("Unable to parse X5c certificate chain and locate leaf certificate");
    };
    complete(world, visit, name, leaf);
    match visit.secrets(world).live.get(name) {
        // Documented: 201.
        Some(found) => Reply::json(201, visit.bundle(found, &found.current)),
        None => refusal::not_found(visit.kind, visit.call.spelled(1)),
    }
}
