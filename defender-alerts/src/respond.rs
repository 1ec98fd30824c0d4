//! What to do about a finding.

use arm_core::wire::instant;

use crate::{Finding, KeyVaultAlertType};

/// Where in the response a step belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponsePhase {
    /// Find the source.
    Identify,
    /// Stop it.
    Contain,
    /// Find out what was reached.
    Measure,
    /// Make what was reached worthless.
    Act,
}

/// One step of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseStep {
    /// Where it belongs.
    pub phase: ResponsePhase,
    /// What to do.
    pub text: String,
}

/// The steps for a finding, in order.
pub(crate) fn steps(finding: &Finding) -> Vec<ResponseStep> {
    let mut steps = Vec::new();
    let mut step = |phase, text: String| steps.push(ResponseStep { phase, text });
    if finding.is_sample {
        step(
            ResponsePhase::Act,
            "This is a sample: nothing happened. Check that it reached whoever it should, then dismiss it."
                .to_owned(),
        );
        return steps;
    }
    let names: Vec<&str> = finding.vaults.iter().map(|vault| vault.name()).collect();
    let vaults = if names.is_empty() { "the vault".to_owned() } else { names.join(", ") };
    let caller = &finding.caller;
    let name = caller.name().unwrap_or("the caller");

    step(
        ResponsePhase::Identify,
        match caller.in_tenant {
            Some(true) => format!(
                "Ask the owner of {name} whether it was them. Knowing the caller is no reason to dismiss: the credentials may be stolen."
            ),
            Some(false) => format!(
                "{name} is of another tenant ({}): find out who gave it access.",
                caller.tenant_id.as_deref().unwrap_or("unknown")
            ),
            None => format!(
                "Find out whether {name} belongs to your tenant. An address of Microsoft's may still be a stranger's machine."
            ),
        },
    );
    if !caller.addresses.is_empty() {
        let addresses: Vec<&str> = caller.addresses.iter().map(|it| it.address.as_str()).collect();
        let addresses = addresses.join(", ");
        step(
            ResponsePhase::Contain,
            format!(
                "If {addresses} is none of yours, turn on the firewall of {vaults} and allow only networks that you know."
            ),
        );
    }
    if caller.application_id.is_some() || caller.object_id.is_some() || caller.user_principal_name.is_some() {
        step(
            ResponsePhase::Contain,
            format!(
                "Narrow or remove the access of {name} to {vaults}; if it holds a role in the directory, ask the administrator to reduce it."
            ),
        );
    }
    let span = match (finding.first, finding.last) {
        (Some(first), Some(last)) => {
            format!(" between {} and {}", instant::format(first), instant::format(last))
        }
        _ => String::new(),
    };
    if finding.kind.as_ref().is_some_and(KeyVaultAlertType::is_denied) {
        step(
            ResponsePhase::Measure,
            format!(
                "The calls were refused. Make sure that none of {name}'s calls to other vaults{span} succeeded."
            ),
        );
        return steps;
    }
    if finding.has_log() {
        let count = finding.secrets.len();
        step(
            ResponsePhase::Measure,
            format!(
                "The log of {vaults} shows {count} secrets touched{span}. Look there for other callers of the same secrets."
            ),
        );
    } else {
        step(
            ResponsePhase::Measure,
            format!(
                "List the secrets that were touched in {vaults}{span}, from the vault's log. Without a log, count every secret of the vault as read."
            ),
        );
    }
    let secrets =
        if finding.secrets.is_empty() { "what was read".to_owned() } else { finding.secrets.join(", ") };
    step(ResponsePhase::Act, format!("Rotate {secrets}, at the issuer too, and disable the old versions."));
    step(ResponsePhase::Act, "Ask the owners of these credentials to look for their use.".to_owned());
    steps
}
