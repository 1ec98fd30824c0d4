//! Derives what to do about a finding.

use arm_core::wire::instant;
use time::{Duration, OffsetDateTime};

use super::{Finding, ResponsePhase, ResponseStep};
use crate::KeyVaultAlertType;

/// Returns the steps for a finding, in order.
pub(crate) fn steps(finding: &Finding) -> Vec<ResponseStep> {
    if finding.is_sample {
        let text = "This is a sample; nothing really happened. Check that it reached the right people, then dismiss it.";
        return vec![ResponseStep { phase: ResponsePhase::Act, text: text.to_owned() }];
    }
    let facts = Facts::of(finding);
    let step = |phase| move |text| ResponseStep { phase, text };
    let identify = std::iter::once(facts.identify()).map(step(ResponsePhase::Identify));
    let contain = facts.contain().into_iter().map(step(ResponsePhase::Contain));
    let measure = std::iter::once(facts.measure()).map(step(ResponsePhase::Measure));
    let act = facts.act().into_iter().map(step(ResponsePhase::Act));
    identify.chain(contain).chain(measure).chain(act).collect()
}

/// The facts that the steps mention.
struct Facts<'a> {
    finding: &'a Finding,
    vaults: String,
    caller: &'a str,
    span: String,
    /// Whether every call was refused, as far as is known.
    refused: bool,
}

/// The second that contains the instant.
fn whole(instant: OffsetDateTime) -> OffsetDateTime {
    instant.replace_nanosecond(0).unwrap_or(instant)
}

/// The first whole second that is not before the instant, so that a span up to it loses nothing.
fn whole_after(instant: OffsetDateTime) -> OffsetDateTime {
    let before = whole(instant);
    if before == instant { instant } else { before.checked_add(Duration::SECOND).unwrap_or(instant) }
}

impl<'a> Facts<'a> {
    fn of(finding: &'a Finding) -> Self {
        let names: Vec<&str> = finding.vaults.iter().map(|vault| vault.name()).collect();
        let span = finding.first.zip(finding.last).map(|(first, last)| {
            format!(" between {} and {}", instant::format(whole(first)), instant::format(whole_after(last)))
        });
        let denied = finding.kind.as_ref().is_some_and(KeyVaultAlertType::is_denied);
        Self {
            finding,
            vaults: if names.is_empty() { "the vault".to_owned() } else { names.join(", ") },
            caller: finding.caller.name().unwrap_or("the caller"),
            span: span.unwrap_or_default(),
            refused: denied && finding.secrets.is_empty(),
        }
    }

    fn identify(&self) -> String {
        let caller = self.caller;
        match self.finding.caller.in_tenant {
            Some(true) => format!(
                "Ask the owner of {caller} whether it was them. Knowing the caller is not a reason to dismiss the \
                 alert: the credentials may be stolen."
            ),
            Some(false) => format!("{caller} belongs to another tenant: find out who gave it access."),
            None => format!(
                "Find out whether {caller} belongs to your tenant. A Microsoft address may still belong to any \
                 customer's machine."
            ),
        }
    }

    fn contain(&self) -> Vec<String> {
        let (vaults, caller, known) = (&self.vaults, self.caller, &self.finding.caller);
        let mut steps = Vec::new();
        if !known.addresses.is_empty() {
            let addresses: Vec<&str> = known.addresses.iter().map(|it| it.address.as_str()).collect();
            let addresses = addresses.join(", ");
            steps.push(format!(
                "If {addresses} is not yours, turn on the firewall of {vaults} and allow only networks that you know."
            ));
        }
        if known.application_id.is_some() || known.object_id.is_some() || known.user_principal_name.is_some()
        {
            steps.push(format!(
                "Reduce or remove the access of {caller} to {vaults}; if it holds a role in the directory, ask \
                 the administrator to reduce it."
            ));
        }
        steps
    }

    fn measure(&self) -> String {
        let (vaults, caller, span) = (&self.vaults, self.caller, &self.span);
        if self.refused {
            return format!(
                "The calls were refused. Make sure that none of {caller}'s calls to other vaults{span} succeeded."
            );
        }
        if self.finding.has_log() {
            let accessed = match self.finding.secrets.len() {
                1 => "1 secret".to_owned(),
                count => format!("{count} secrets"),
            };
            return format!(
                "The log of {vaults} shows {accessed} accessed{span}. Check it for other callers of the same \
                 secrets."
            );
        }
        format!(
            "List the secrets that were accessed in {vaults}{span}, from the vault's log. Without a log, treat \
             every secret in the vault as read."
        )
    }

    fn act(&self) -> Vec<String> {
        if self.refused {
            return Vec::new();
        }
        let secrets = match self.finding.secrets.as_slice() {
            [] => "the secrets that were read".to_owned(),
            secrets => secrets.join(", "),
        };
        vec![
            format!("Rotate {secrets}, also at the issuer, and disable the old versions."),
            "Ask the owners of these credentials to check for their use.".to_owned(),
        ]
    }
}
