//! The vault's firewall.

use arm_core::Mode;
use azure_core::Result;
use keyvault_ops::{
    IpRule, NetworkAction, NetworkBypass, NetworkRules, VaultId, VaultPatch, VaultPatchProperties,
    VaultsClient,
};
use serde::{Deserialize, Serialize};

use super::report::Step;

/// A vault's firewall before and during a containment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NarrowedNetwork {
    /// The rules before the containment.
    pub before: NetworkRules,
    /// The rules during the containment.
    pub contained: NetworkRules,
}

impl NarrowedNetwork {
    pub(super) fn plan(before: Option<&NetworkRules>, keep: &[String]) -> Self {
        let before = written_out(before);
        let mut contained = before.clone();
        contained.bypass = Some(NetworkBypass::AzureServices);
        contained.default_action = Some(NetworkAction::Deny);
        contained.virtual_network_rules.clear();
        // Addresses that already have a rule keep its spelling, so that a second run finds no difference.
        let spelled = |address: &String| {
            before
                .ip_rules
                .iter()
                .find(|rule| is_same(&rule.value, address))
                .cloned()
                .unwrap_or_else(|| IpRule::new(in_cidr(address)))
        };
        contained.ip_rules = keep.iter().map(spelled).collect();
        Self { before, contained }
    }

    pub(super) async fn apply(&self, vaults: &VaultsClient, vault: &VaultId, mode: Mode) -> Result<Step> {
        let now = written_out(vaults.get(vault).await?.properties.network_acls.as_ref());
        if is_equal(&now, &self.contained) {
            return Ok(Step::Unchanged);
        }
        if !is_equal(&now, &self.before) {
            return Ok(Step::Left("it was changed after the plan was made: make a new plan"));
        }
        write(vaults, vault, &self.contained, mode).await
    }

    /// Undoes the containment's changes. What somebody else has added or removed since is kept.
    pub(super) async fn undo(&self, vaults: &VaultsClient, vault: &VaultId, mode: Mode) -> Result<Step> {
        let now = written_out(vaults.get(vault).await?.properties.network_acls.as_ref());
        let wished = self.undone(&now);
        if is_equal(&now, &wished) {
            return Ok(Step::Unchanged);
        }
        write(vaults, vault, &wished, mode).await
    }

    fn undone(&self, now: &NetworkRules) -> NetworkRules {
        let mut wished = now.clone();
        if now.default_action == self.contained.default_action {
            wished.default_action = self.before.default_action.clone();
        }
        if now.bypass == self.contained.bypass {
            wished.bypass = self.before.bypass.clone();
        }
        merge(&mut wished.ip_rules, &self.before.ip_rules, &self.contained.ip_rules, |one, other| {
            is_same(&one.value, &other.value)
        });
        merge(
            &mut wished.virtual_network_rules,
            &self.before.virtual_network_rules,
            &self.contained.virtual_network_rules,
            |one, other| one.id.eq_ignore_ascii_case(&other.id),
        );
        wished
    }
}

/// Removes what the containment added, and restores what it removed.
fn merge<T: Clone>(now: &mut Vec<T>, before: &[T], contained: &[T], same: impl Fn(&T, &T) -> bool) {
    let has = |list: &[T], one: &T| list.iter().any(|other| same(one, other));
    now.retain(|one| has(before, one) || !has(contained, one));
    let taken: Vec<T> = before.iter().filter(|one| !has(contained, one) && !has(now, one)).cloned().collect();
    now.extend(taken);
}

async fn write(vaults: &VaultsClient, vault: &VaultId, rules: &NetworkRules, mode: Mode) -> Result<Step> {
    if mode.is_dry_run() {
        return Ok(Step::Done);
    }
    let properties = VaultPatchProperties::builder().network_acls(rules.clone()).build();
    vaults.update(vault, &VaultPatch::builder().properties(properties).build()).await?;
    let after = vaults.get(vault).await?;
    match is_equal(&written_out(after.properties.network_acls.as_ref()), rules) {
        true => Ok(Step::Done),
        false => arm_core::refuse("the vault has other rules than were written"),
    }
}

/// Without any rules, any network may connect. An undo must write this explicitly, since omitting the rules changes
/// nothing.
fn written_out(rules: Option<&NetworkRules>) -> NetworkRules {
    let mut rules = rules.cloned().unwrap_or_default();
    rules.default_action.get_or_insert(NetworkAction::Allow);
    rules.bypass.get_or_insert(NetworkBypass::AzureServices);
    rules
}

/// Whether the rules have the same effect: the order and spelling of addresses do not matter.
fn is_equal(one: &NetworkRules, other: &NetworkRules) -> bool {
    fn texts(values: impl Iterator<Item = String>) -> Vec<String> {
        let mut texts: Vec<String> = values.map(|text| text.to_ascii_lowercase()).collect();
        texts.sort();
        texts
    }
    let key = |rules: &NetworkRules| {
        let addresses = texts(rules.ip_rules.iter().map(|rule| in_cidr(&rule.value)));
        let subnets = texts(rules.virtual_network_rules.iter().map(|rule| rule.id.clone()));
        (rules.default_action.clone(), rules.bypass.clone(), addresses, subnets)
    };
    key(one) == key(other)
}

fn is_same(one: &str, other: &str) -> bool {
    in_cidr(one) == in_cidr(other)
}

fn in_cidr(address: &str) -> String {
    if address.contains('/') { address.to_owned() } else { format!("{address}/32") }
}
