//! Turns a Key Vault alert into a finding that can be acted on, without sending any request.

mod finding;
mod respond;

use std::{borrow::Cow, collections::BTreeMap};

use arm_core::{ResourceId, ResourceType};

pub use finding::{Address, Caller, Finding, Missing, ResponsePhase, ResponseStep, VaultAccess};

use crate::{Account, Alert, GeoLocation, KeyVaultAlertType};

impl Finding {
    /// Creates a finding from an alert. `own_tenant` is the id of your tenant, used to tell whether the caller belongs
    /// to it.
    ///
    /// ```
    /// use defender_alerts::{Alert, Finding};
    ///
    /// # let text = r#"{"id":"/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/locations/we/alerts/a",
    /// #   "properties":{"alertType":"KV_TORAccess","entities":[{"type":"ip","address":"203.0.113.7"}]}}"#;
    /// # let alert: Alert = serde_json::from_str(text)?;
    /// let finding = Finding::of(&alert, None);
    /// println!("{:?} called from {:?}", finding.caller.name(), finding.caller.addresses);
    /// for missing in &finding.missing {
    ///     println!("- {missing}");
    /// }
    /// # assert_eq!(finding.caller.name(), Some("203.0.113.7"));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of(alert: &Alert, own_tenant: Option<&str>) -> Self {
        let unreadable = alert.unreadable().into_iter().map(|what| match what.starts_with('\'') {
            true => what,
            false => format!("{what} cannot be read"),
        });
        let mut undecodable: Vec<Missing> = unreadable.map(Missing::Part).collect();
        let entities = alert.entities().unwrap_or_default();
        let mut read = |error: azure_core::Error| undecodable.push(Missing::Part(error.to_string()));
        let properties = Properties(alert.extended_properties().map_err(&mut read).unwrap_or_default());
        let operations = properties.operations();
        let counted = operations.iter().map(|(_, count)| *count).sum::<Option<u64>>();
        let counted = counted.filter(|_| !operations.is_empty());
        let accounts: Vec<&Account<'_>> = entities.iter().filter_map(|entity| entity.as_account()).collect();
        let addresses = entities.iter().filter_map(|entity| entity.as_ip());
        let mut finding = Self {
            alert: alert.id.clone(),
            kind: alert.key_vault_type(),
            title: alert.display_name.to_string(),
            severity: alert.severity.clone(),
            status: alert.status.clone(),
            is_sample: alert.is_sample(),
            vaults: vaults(alert),
            caller: caller(&accounts, &properties, own_tenant),
            operation_count: properties
                .text("operationcount")
                .and_then(|count| count.parse().ok())
                .or(counted),
            operations: operations.into_iter().map(|(name, _)| name).collect(),
            secrets: properties.secrets(),
            first: alert.start_time,
            last: alert.end_time,
            missing: undecodable,
            steps: Vec::new(),
            has_log: false,
        };
        for ip in addresses {
            if let Some(address) = &ip.address {
                finding.add_address(address, ip.location.clone().map(GeoLocation::into_owned));
            }
        }
        if finding.caller.addresses.is_empty()
            && let Some(address) = properties.ending_with("ipaddress")
        {
            finding.add_address(&address, None);
        }
        finding.conclude();
        finding
    }

    /// Adds the accesses in the vault's log that have the caller's object id or address. If the finding has neither,
    /// all accesses are added. If any are added, [`operation_count`](Self::operation_count) becomes their number.
    pub fn with_log<'a>(mut self, log: impl IntoIterator<Item = &'a VaultAccess>) -> Self {
        let object_id = self.caller.object_id.clone();
        let addresses: Vec<String> = self.caller.addresses.iter().map(|it| it.address.clone()).collect();
        let known = object_id.is_some() || !addresses.is_empty();
        let same = |mine: Option<&str>, theirs: &Option<String>| {
            mine.zip(theirs.as_deref()).is_some_and(|(mine, theirs)| mine.eq_ignore_ascii_case(theirs))
        };
        let by_caller = |access: &&VaultAccess| {
            !known
                || same(object_id.as_deref(), &access.object_id)
                || addresses.iter().any(|address| same(Some(address), &access.address))
        };
        let mut count = 0;
        for access in log.into_iter().filter(by_caller) {
            count += 1;
            push_new(&mut self.operations, &access.operation);
            if access.allowed
                && let Some(secret) = &access.secret
            {
                push_new(&mut self.secrets, secret);
            }
            if let Some(address) = &access.address {
                self.add_address(address, None);
            }
            if self.caller.object_id.is_none() {
                self.caller.object_id.clone_from(&access.object_id);
            }
            self.first = Some(self.first.map_or(access.time, |first| first.min(access.time)));
            self.last = Some(self.last.map_or(access.time, |last| last.max(access.time)));
        }
        if count > 0 {
            self.operation_count = Some(count);
            self.has_log = true;
        }
        self.conclude();
        self
    }

    /// Whether the finding includes accesses from the vault's log.
    pub fn has_log(&self) -> bool {
        self.has_log
    }

    fn add_address(&mut self, address: &str, location: Option<GeoLocation<'static>>) {
        if !self.caller.addresses.iter().any(|known| known.address == address) {
            self.caller.addresses.push(Address { address: address.to_owned(), location });
        }
    }

    /// Determines what is missing and what to do, given what is known now.
    fn conclude(&mut self) {
        let caller = &self.caller;
        let application = caller.application_id.is_some();
        let denied = self.kind.as_ref().is_some_and(KeyVaultAlertType::is_denied);
        let unread = self.missing.iter().any(|missing| matches!(missing, Missing::Part(_)));
        let gaps = [
            (caller.user_principal_name.is_none() && application, Missing::UserOfApplication),
            (
                caller.user_principal_name.is_none() && !application && caller.object_id.is_some(),
                Missing::User,
            ),
            (caller.object_id.is_none(), Missing::ObjectId),
            (caller.addresses.is_empty(), Missing::Address),
            (self.operations.is_empty(), Missing::Operations),
            (self.secrets.is_empty() && !denied && !self.has_log, Missing::Secrets),
            (self.first.is_none() || self.last.is_none(), Missing::TimeSpan),
            // The vault may be named in a part that could not be read.
            (self.vaults.is_empty() && !unread, Missing::Vault),
        ];
        self.missing.retain(|missing| matches!(missing, Missing::Part(_)));
        self.missing.extend(gaps.into_iter().filter_map(|(is_missing, what)| is_missing.then_some(what)));
        self.steps = respond::steps(self);
    }
}

fn push_new(list: &mut Vec<String>, text: &str) {
    if !list.iter().any(|known| known.eq_ignore_ascii_case(text)) {
        list.push(text.to_owned());
    }
}

/// Returns the vaults among the resources and entities.
fn vaults(alert: &Alert) -> Vec<ResourceId> {
    let mut vaults: Vec<ResourceId> = Vec::new();
    let entities = alert.entities().unwrap_or_default();
    let in_entities = entities.into_iter().filter_map(|entity| match entity.kind {
        crate::EntityKind::AzureResource(id) => id,
        _ => None,
    });
    for id in alert.resources().into_iter().chain(in_entities) {
        if id.is(&ResourceType::VAULT) && !vaults.contains(&id) {
            vaults.push(id);
        }
    }
    vaults
}

fn caller(accounts: &[&Account<'_>], properties: &Properties<'_>, own_tenant: Option<&str>) -> Caller {
    let user = accounts.iter().find(|account| account.name.is_some());
    let any = user.or_else(|| accounts.first());
    let application = accounts.iter().find_map(|account| account.app_id.clone()).map(Cow::into_owned);
    let tenant_id = any.and_then(|account| account.tenant_id.clone()).map(Cow::into_owned);
    let tenants = tenant_id.as_deref().zip(own_tenant);
    Caller {
        user_principal_name: user
            .and_then(|user| user.user_principal_name())
            .or_else(|| properties.ending_with("userprincipalname")),
        object_id: any
            .and_then(|account| account.object_id.clone())
            .map(Cow::into_owned)
            .or_else(|| properties.text("userobjectid"))
            .or_else(|| properties.ending_with("objectid")),
        application_id: application.or_else(|| properties.ending_with("applicationid")),
        in_tenant: tenants.map(|(theirs, own)| theirs.eq_ignore_ascii_case(own)),
        tenant_id,
        addresses: Vec::new(),
    }
}

/// Extended properties, by name, ignoring case, spaces and punctuation. Some alert types put words before the
/// documented names, as in `attacker IP Address` and `suspicious Operations`.
struct Properties<'a>(BTreeMap<Cow<'a, str>, Cow<'a, str>>);

impl Properties<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.find(|key| key == name)
    }

    /// Returns the property with this name, or else one whose name ends with it.
    fn ending_with(&self, name: &str) -> Option<String> {
        self.text(name).or_else(|| self.find(|key| key.ends_with(name)))
    }

    fn find(&self, is: impl Fn(&str) -> bool) -> Option<String> {
        let plain = |text: &str| {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect::<String>()
        };
        let values =
            self.0.iter().filter(|(key, _)| is(&plain(key))).map(|(_, value)| value.trim().to_owned());
        values.into_iter().find(|value| !value.is_empty())
    }

    /// Returns the operations, with their counts if given: `SecretGet, VaultGet` or `[SecretGet:2, VaultGet:2]`.
    fn operations(&self) -> Vec<(String, Option<u64>)> {
        let text = self.ending_with("operations").unwrap_or_default();
        let words = text.trim_matches(['[', ']']).split([',', ';']).map(|word| word.trim().trim_matches('"'));
        let counted = words.filter(|word| !word.is_empty()).map(|word| match word.rsplit_once(':') {
            Some((name, count)) => match count.trim().parse() {
                Ok(count) => (name.trim().to_owned(), Some(count)),
                Err(_) => (word.to_owned(), None),
            },
            None => (word.to_owned(), None),
        });
        counted.collect()
    }

    /// Returns the secrets whose URLs are in the target.
    fn secrets(&self) -> Vec<String> {
        let mut secrets = Vec::new();
        let text = self.ending_with("target").unwrap_or_default();
        for (at, mark) in text.match_indices("/secrets/") {
            let end = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
            let name = text[at + mark.len()..].split(end).next().unwrap_or_default();
            if !name.is_empty() {
                push_new(&mut secrets, name);
            }
        }
        secrets
    }
}
