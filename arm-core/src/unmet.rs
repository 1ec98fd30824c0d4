//! Compares the requested and the actual state, by meaning rather than by spelling.

use std::{error::Error as _, fmt, net::IpAddr};

use azure_core::{Error, error::ErrorKind};
use serde::Serialize;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::wire::iso_duration;

/// A member that differs from what was requested.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unmet {
    /// The path of the member, such as `properties.networkAcls.ipRules[0].value`.
    pub member: String,
    /// The requested value; null for an item of a list that should not be there.
    pub wished: Value,
    /// The actual value; `None` if it is absent.
    pub found: Option<Value>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "{} is {found}, not {}", self.member, self.wished),
            None => write!(f, "{} is missing, expected {}", self.member, self.wished),
        }
    }
}

/// The error of a write that the service accepted, but whose result differs from what was requested.
///
/// Tasks that compare members after a write fail with it if the service shows something other than what they wrote.
/// [`unmet`] finds it in an error.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NotAsWished {
    /// The resource that was written, such as `the vault 'kv-prod'`.
    pub what: String,
    /// The members that differ; at least one.
    pub unmet: Vec<Unmet>,
}

impl fmt::Display for NotAsWished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service accepted the change of {}, but ", self.what)?;
        for (index, unmet) in self.unmet.iter().enumerate() {
            write!(f, "{}{unmet}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for NotAsWished {}

/// Returns the members that the service did not apply, if a [`NotAsWished`] is among the sources of the error;
/// otherwise an empty slice.
///
/// ```
/// # async fn f(task: arm_core::Task<()>) {
/// if let Err(error) = task.await {
///     for unmet in arm_core::unmet(&error) {
///         eprintln!("{}: wished {}", unmet.member, unmet.wished);
///     }
/// }
/// # }
/// ```
pub fn unmet(error: &Error) -> &[Unmet] {
    std::iter::successors(error.source(), |&cause| cause.source())
        .find_map(|cause| cause.downcast_ref::<NotAsWished>())
        .map_or(&[], |differs| &differs.unmet)
}

/// A comparison of the requested and the actual state. Before a write, it decides whether anything needs to be written;
/// after the write, whether the service did what was requested.
///
/// Members that the request does not contain are ignored, and a requested `null` matches an absent member. Services
/// normalize values in their own way, so these are considered equal, unless [`exact`](Self::exact) names their member:
/// texts that differ only in case; `203.0.113.7` and `203.0.113.7/32`; the same instant in two time zones; `PT1H` and
/// `PT60M`. Regions with and without spaces are equal in members named `location`, and an absent list equals an empty
/// one. Each requested item of a list must be present, and no other unless [`partial`](Self::partial) names the list;
/// the order counts only if [`ordered`](Self::ordered) names it.
///
/// ```
/// use arm_core::Wish;
/// use serde_json::json;
///
/// let wish = json!({ "defaultAction": "Deny", "ipRules": [{ "value": "203.0.113.7" }] });
/// let found = json!({ "bypass": "None", "defaultAction": "deny", "ipRules": [{ "value": "203.0.113.7/32" }] });
/// assert!(Wish::new().unmet(&wish, &found).is_empty());
///
/// let open = json!({ "defaultAction": "Allow", "ipRules": [{ "value": "203.0.113.7/32" }] });
/// assert_eq!(Wish::new().unmet(&wish, &open)[0].to_string(), r#"defaultAction is "Allow", not "Deny""#);
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    exact: &'static [&'static str],
    ordered: &'static [&'static str],
    partial: &'static [&'static str],
    ignored: &'static [&'static str],
}

impl Wish {
    /// Creates a comparison without exceptions.
    pub const fn new() -> Self {
        Self { exact: &[], ordered: &[], partial: &[], ignored: &[] }
    }

    /// Sets the names of members that are compared exactly, such as queries, display names and descriptions.
    pub const fn exact(mut self, members: &'static [&'static str]) -> Self {
        self.exact = members;
        self
    }

    /// Sets the names of lists whose order matters.
    pub const fn ordered(mut self, members: &'static [&'static str]) -> Self {
        self.ordered = members;
        self
    }

    /// Sets the names of lists that may contain more than was requested.
    pub const fn partial(mut self, members: &'static [&'static str]) -> Self {
        self.partial = members;
        self
    }

    /// Sets the names of members that are not compared, since the service sets them.
    pub const fn ignoring(mut self, members: &'static [&'static str]) -> Self {
        self.ignored = members;
        self
    }

    /// Checks that what was read back after a write matches the request. `what` names the resource in the error.
    ///
    /// # Errors
    ///
    /// [`NotAsWished`] with every member that differs (see [`unmet`]), or one of the two cannot be serialized.
    pub fn verify(
        &self,
        what: impl fmt::Display,
        wished: &impl Serialize,
        found: &impl Serialize,
    ) -> azure_core::Result<()> {
        let json = |value: serde_json::Result<Value>| {
            value.map_err(|error| Error::new(ErrorKind::DataConversion, error))
        };
        let (wished, found) = (json(serde_json::to_value(wished))?, json(serde_json::to_value(found))?);
        match self.unmet(&wished, &found) {
            none if none.is_empty() => Ok(()),
            unmet => Err(Error::new(ErrorKind::Other, NotAsWished { what: what.to_string(), unmet })),
        }
    }

    /// Returns the members that differ from the request.
    pub fn unmet(&self, wished: &Value, found: &Value) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        self.compare("", "", wished, Some(found), &mut unmet);
        unmet
    }

    fn compare(&self, path: &str, name: &str, wished: &Value, found: Option<&Value>, unmet: &mut Vec<Unmet>) {
        match (wished, found) {
            (Value::Object(wished), Some(Value::Object(found))) => {
                for (key, wish) in wished.iter().filter(|(key, _)| !names(self.ignored, key)) {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    let there = found.get(key).or_else(|| {
                        found.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
                    });
                    self.compare(&path, key, wish, there, unmet);
                }
            }
            (Value::Array(wished), Some(Value::Array(found))) if names(self.ordered, name) => {
                if wished.len() != found.len() {
                    return unmet.push(Unmet::new(
                        path,
                        &Value::Array(wished.clone()),
                        Some(found.clone().into()),
                    ));
                }
                for (index, (wish, there)) in wished.iter().zip(found).enumerate() {
                    self.compare(&format!("{path}[{index}]"), name, wish, Some(there), unmet);
                }
            }
            (Value::Array(wished), Some(Value::Array(found))) => {
                self.compare_sets(path, name, wished, found, unmet)
            }
            (wished, found) if self.is_same(name, wished, found) => {}
            (wished, found) => unmet.push(Unmet::new(path, wished, found.cloned())),
        }
    }

    /// Pairs each requested item with an actual item that matches it; items left over on either side are unmet.
    fn compare_sets(
        &self,
        path: &str,
        name: &str,
        wished: &[Value],
        found: &[Value],
        unmet: &mut Vec<Unmet>,
    ) {
        let mut left: Vec<&Value> = found.iter().collect();
        for (index, wish) in wished.iter().enumerate() {
            let meets = |there: &&Value| {
                let mut differences = Vec::new();
                self.compare("", name, wish, Some(there), &mut differences);
                differences.is_empty()
            };
            match left.iter().position(meets) {
                Some(at) => drop(left.remove(at)),
                None => unmet.push(Unmet::new(&format!("{path}[{index}]"), wish, None)),
            }
        }
        if !names(self.partial, name) {
            unmet.extend(left.into_iter().map(|more| Unmet::new(path, &Value::Null, Some(more.clone()))));
        }
    }

    fn is_same(&self, name: &str, wished: &Value, found: Option<&Value>) -> bool {
        match (wished, found) {
            (Value::Null, None | Some(Value::Null)) => true,
            (Value::Array(wished), None | Some(Value::Null)) => wished.is_empty(),
            (Value::Null, Some(Value::Array(found))) => found.is_empty(),
            (Value::String(wished), Some(Value::String(found))) => {
                wished == found
                    || (!names(self.exact, name) && is_same_text(wished, found))
                    || (name.eq_ignore_ascii_case("location") && is_same_region(wished, found))
            }
            (Value::Number(wished), Some(Value::Number(found))) => wished.as_f64() == found.as_f64(),
            (wished, Some(found)) => wished == found,
            _ => false,
        }
    }
}

impl Unmet {
    fn new(member: &str, wished: &Value, found: Option<Value>) -> Self {
        Self { member: member.to_owned(), wished: wished.clone(), found }
    }
}

fn names(members: &[&str], name: &str) -> bool {
    members.iter().any(|member| member.eq_ignore_ascii_case(name))
}

/// Whether two texts usually mean the same to a service: equal ignoring case, or the same address, instant or duration.
pub fn is_same_text(a: &str, b: &str) -> bool {
    let same = |read: fn(&str) -> Option<String>| read(a).is_some_and(|a| read(b).is_some_and(|b| a == b));
    a.eq_ignore_ascii_case(b) || same(address) || same(instant) || same(duration)
}

/// Whether two texts name the same region, ignoring case and spaces, such as `West Europe` and `westeurope`.
pub fn is_same_region(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    plain(a) == plain(b)
}

/// Normalizes an address or network; a single address becomes a network of one address.
fn address(text: &str) -> Option<String> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let all: u8 = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(all), |bits| bits.parse().ok().filter(|bits| *bits <= all))?;
    Some(format!("{address}/{bits}"))
}

fn instant(text: &str) -> Option<String> {
    let instant = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(instant.unix_timestamp_nanos().to_string())
}

fn duration(text: &str) -> Option<String> {
    let duration = iso_duration::parse(text)?;
    Some(duration.as_nanos().to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ArmErrorExt as _;

    const WISH: Wish = Wish::new().exact(&["query"]).ordered(&["dimensions"]).partial(&["tags"]);

    #[test]
    fn spelling_makes_no_difference_where_the_service_chooses_it() {
        let wished = json!({
            "ipRules": [{ "value": "203.0.113.7" }, { "value": "198.51.100.0/24" }],
            "virtualNetworkRules": [{ "id": "/subscriptions/A/resourceGroups/Net/subnets/One" }],
            "sku": { "name": "PerGB2018" }, "expires": "2027-01-01T00:00:00Z", "count": 1, "gone": null, "none": [],
        });
        let found = json!({
            "ipRules": [{ "value": "198.51.100.0/24" }, { "value": "203.0.113.7/32" }],
            "virtualNetworkRules": [{ "id": "/subscriptions/a/resourcegroups/net/subnets/one", "state": "Succeeded" }],
            "sku": { "name": "pergb2018" }, "expires": "2027-01-01T01:00:00.0000000+01:00", "count": 1.0, "other": true,
        });
        assert_eq!(WISH.unmet(&wished, &found), []);
    }

    #[test]
    fn each_member_that_was_ignored_is_named() {
        let wished =
            json!({ "enabled": true, "actions": { "groups": ["a"] }, "query": "T", "dimensions": [1, 2] });
        let found =
            json!({ "enabled": false, "actions": { "groups": [] }, "query": "t", "dimensions": [2, 1] });
        let unmet = WISH.unmet(&wished, &found);
        let members: Vec<&str> = unmet.iter().map(|unmet| unmet.member.as_str()).collect();
        assert_eq!(members, ["actions.groups[0]", "dimensions[0]", "dimensions[1]", "enabled", "query"]);
        assert_eq!(WISH.unmet(&wished, &json!({})).len(), 4);
    }

    #[test]
    fn a_list_that_holds_more_than_was_wished_is_unmet_unless_it_may() {
        let unmet = WISH.unmet(&json!({ "ipRules": [1] }), &json!({ "ipRules": [1, 2] }));
        assert_eq!(unmet[0].to_string(), "ipRules is 2, not null");
        assert_eq!(WISH.unmet(&json!({ "tags": ["a"] }), &json!({ "tags": ["b", "a"] })), []);
    }

    #[test]
    fn a_verified_write_names_every_member_that_the_service_did_not_take_over() {
        let wish = json!({ "location": "West Europe", "properties": { "enabled": true, "window": "PT60M", "etag": 1 } });
        let found = json!({ "location": "westeurope", "properties": { "enabled": false, "window": "PT1H", "etag": 2 } });
        let verifying = WISH.ignoring(&["etag"]);
        let error = verifying.verify("the rule 'r'", &wish, &found).unwrap_err();
        let told =
            "the service accepted the change of the rule 'r', but properties.enabled is false, not true";
        assert_eq!(error.to_string(), told);
        assert_eq!(super::unmet(&error).len(), 1);
        let error = error.reworded(format!("rule 1 of 3: {told}")).with_context("installing rules");
        assert_eq!(super::unmet(&error).len(), 1);
        assert!(verifying.verify("it", &found, &found).is_ok());
        assert!(super::unmet(&Error::with_message(ErrorKind::Other, "another")).is_empty());
    }

    #[test]
    fn one_item_meets_one_wish_only() {
        let unmet = WISH.unmet(&json!({ "ids": ["a", "A"] }), &json!({ "ids": ["a"] }));
        assert_eq!(unmet.len(), 1);
        assert_eq!(unmet[0].member, "ids[1]");
    }

    #[test]
    fn addresses_are_compared_as_addresses_and_nothing_else_is() {
        assert!(is_same_text("2001:db8::1", "2001:DB8:0::1/128"));
        assert!(!is_same_text("203.0.113.7", "203.0.113.7/24"));
        assert!(!is_same_text("203.0.113.7/33", "203.0.113.7/34"));
    }
}
