//! Two roles that take turns, and the check that they can.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use azure_core::Result;

use super::server::Session;
use crate::proof::failure;

/// How many differences an error shows.
const SHOWN: usize = 5;
/// The longest name of a role, unless the server was built differently.
const NAME_LENGTH: usize = 63;

/// Two roles whose names need no quotes in any connection string.
#[derive(Clone)]
pub(super) struct Roles([String; 2]);

impl fmt::Debug for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, other] = &self.0;
        write!(f, "'{one}' and '{other}'")
    }
}

/// The open sessions of each role.
type Sessions = BTreeMap<String, Vec<String>>;

impl Roles {
    pub(super) fn new(names: [&str; 2]) -> Result<Self> {
        let fits = |name: &str| {
            (1..=NAME_LENGTH).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        if names[0] == names[1] || !names.iter().all(|name| fits(name)) {
            return Err(failure(
                "give two different roles whose names have 1 to 63 letters, digits, '_', '-' and '.'"
                    .to_owned(),
            ));
        }
        Ok(Self(names.map(str::to_owned)))
    }

    pub(super) fn names(&self) -> [&str; 2] {
        [&self.0[0], &self.0[1]]
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|role| role == name)
    }

    pub(super) fn other(&self, name: &str) -> Option<&str> {
        match self.names() {
            [one, other] if one == name => Some(other),
            [one, other] if other == name => Some(one),
            _ => None,
        }
    }

    /// Checks that the roles exist, are alike and can be altered. Returns their open sessions.
    pub(super) async fn compare(&self, session: &Session, administrator: &str) -> Result<Sessions> {
        let [one, other] = self.names();
        let statement = include_str!("roles.sql").replace("ROLES", &format!("'{one}', '{other}'"));
        let (mut may, mut found, mut sessions) = (BTreeMap::new(), BTreeSet::new(), Sessions::new());
        for row in session.ask(&statement).await? {
            let [role, kind, text] = <[String; 3]>::try_from(row)
                .map_err(|_| failure("the server returned rows that cannot be read".to_owned()))?;
            match kind.as_str() {
                "found" => drop(found.insert(role)),
                "obstacle" => {
                    let text = arm_core::printable(&text);
                    return Err(failure(format!("the role '{role}' {text}: nothing was changed")));
                }
                "session" => sessions.entry(role).or_default().push(text),
                _ => drop(may.entry(role).or_insert_with(BTreeSet::new).insert(text)),
            }
        }
        if let Some(missing) = self.names().into_iter().find(|name| !found.contains(*name)) {
            return Err(failure(format!(
                "the server has no role '{missing}', or '{administrator}' cannot see it: create it like the other one"
            )));
        }
        let mut all = |role: &str| may.remove(role).unwrap_or_default();
        let (first, second) = (all(one), all(other));
        self.differences(&first, &second).map_or(Ok(sessions), |differences| {
            Err(failure(format!(
                "the roles {self} are not alike, so one could not stand in for the other: {differences}. Grant \
                 both the same, preferably membership in one role that owns everything; nothing was changed"
            )))
        })
    }

    fn differences(&self, first: &BTreeSet<String>, second: &BTreeSet<String>) -> Option<String> {
        let only = |role: &str, own: &BTreeSet<String>, others: &BTreeSet<String>| -> Vec<String> {
            own.difference(others).map(|what| format!("'{role}' has {}", arm_core::printable(what))).collect()
        };
        let [one, other] = self.names();
        let mut found = only(one, first, second);
        found.extend(only(other, second, first));
        let more = found.len().saturating_sub(SHOWN);
        found.truncate(SHOWN);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        (!found.is_empty()).then(|| format!("only {}{more}", found.join("; only ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_need_quotes_are_refused() {
        for names in [["a", "a"], ["", "b"], ["a b", "b"], ["a\"", "b"], ["a'", "b"], ["ä", "b"]] {
            assert!(Roles::new(names).is_err(), "{names:?}");
        }
        let long = "x".repeat(64);
        assert!(Roles::new([&long, "b"]).is_err());
        let roles = Roles::new(["app-a.1", "App_B"]).unwrap();
        assert_eq!(
            (roles.other("app-a.1"), roles.other("App_B"), roles.other("c")),
            (Some("App_B"), Some("app-a.1"), None)
        );
    }

    #[test]
    fn differences_between_two_roles_are_reported_up_to_a_limit() {
        let roles = Roles::new(["a", "b"]).unwrap();
        let set = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        assert_eq!(roles.differences(&set(&["x"]), &set(&["x"])), None);
        let told = roles.differences(&set(&["x", "y"]), &set(&["x", "z"])).unwrap();
        assert_eq!(told, "only 'a' has y; only 'b' has z");
        let told = roles.differences(&set(&["1", "2", "3", "4", "5", "6", "7"]), &set(&[])).unwrap();
        assert!(told.ends_with("only 'a' has 5; and 2 more"), "{told}");
    }
}
