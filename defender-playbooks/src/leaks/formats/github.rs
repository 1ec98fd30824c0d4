use arm_core::{Secret, wire};
use serde::Deserialize;

use super::some;
use crate::leaks::{Leak, Leaked, Place, Tested};

#[derive(Deserialize)]
pub(super) struct Alert {
    secret_type: String,
    #[serde(default, with = "wire::secret::option")]
    secret: Option<Secret>,
    state: Option<String>,
    resolution: Option<String>,
    validity: Option<String>,
    html_url: Option<String>,
    repository: Option<Repository>,
    first_location_detected: Option<Location>,
    assigned_to: Option<User>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
}

#[derive(Deserialize)]
struct User {
    login: Option<String>,
}

#[derive(Deserialize, Default)]
struct Location {
    path: Option<String>,
    start_line: Option<u64>,
    commit_sha: Option<String>,
}

impl Alert {
    pub(super) fn leak(self) -> Leak {
        let location = self.first_location_detected.unwrap_or_default();
        let named = self.repository.and_then(|repository| some(repository.full_name));
        let place = Place {
            repository: named.or_else(|| self.html_url.as_deref().and_then(of_address)),
            commit: some(location.commit_sha),
            file: some(location.path),
            line: location.start_line,
            link: some(self.html_url),
            ..Place::default()
        };
        let mut leak = Leak::of("github", self.secret_type, place);
        leak.tested = match self.validity.as_deref() {
            Some("active") => Tested::Works,
            Some("inactive") => Tested::Dead,
            Some("unknown") => Tested::Unclear,
            _ => Tested::Not,
        };
        let resolved = self.state.as_deref() == Some("resolved");
        // Closing an alert as "won't fix" does not mean that the leak is harmless.
        leak.dismissed = resolved && self.resolution.as_deref() != Some("wont_fix");
        leak.owner = self.assigned_to.and_then(|user| some(user.login));
        leak.leaked = self.secret.map_or(Leaked::Nothing, Leaked::value);
        leak
    }
}

/// The owner and name in a URL such as `https://host/owner/name/security/secret-scanning/1`.
fn of_address(address: &str) -> Option<String> {
    let (_, path) = address.split_once("://")?.1.split_once('/')?;
    path.split_once("/security/").map(|(repository, _)| repository.to_owned())
}
