use arm_core::{Secret, wire};
use serde::Deserialize;

use super::some;
use crate::leaks::{Leak, Leaked, Place};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Finding {
    #[serde(rename = "RuleID")]
    rule_id: String,
    #[serde(default, with = "wire::secret::option")]
    secret: Option<Secret>,
    #[serde(rename = "Match", default, with = "wire::secret::option")]
    matched: Option<Secret>,
    file: Option<String>,
    start_line: Option<u64>,
    commit: Option<String>,
    link: Option<String>,
    email: Option<String>,
}

impl Finding {
    pub(super) fn leak(self) -> Leak {
        let link = some(self.link);
        let place = Place {
            repository: link.as_deref().and_then(repository),
            commit: some(self.commit),
            file: some(self.file),
            line: self.start_line.filter(|line| *line > 0),
            link,
            ..Place::default()
        };
        let mut leak = Leak::of("gitleaks", self.rule_id, place);
        leak.owner = some(self.email);
        leak.leaked = leaked(self.secret, self.matched);
        leak
    }
}

/// `--redact=N` with N below 100 keeps the beginning, followed by three dots, in `Secret` and in `Match`.
pub(super) fn leaked(secret: Option<Secret>, matched: Option<Secret>) -> Leaked {
    let Some(secret) = secret else { return Leaked::Nothing };
    let shown = secret.expose();
    let is_cut = shown.ends_with("...") && shown.len() > 3;
    if is_cut && matched.is_none_or(|matched| matched.expose().contains(shown)) {
        return Leaked::masked(&secret);
    }
    Leaked::value(secret)
}

/// The repository in a link such as `https://host/owner/name/blob/..`: the part before the file.
fn repository(link: &str) -> Option<String> {
    let end = ["/-/blob/", "/blob/", "/src/commit/"].iter().find_map(|word| link.find(word))?;
    Some(link[..end].to_owned())
}
