//! Lists, with at most 25 items on a page.

use std::ops::Bound::{Excluded, Unbounded};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Visit, certificates::is_listed, deleted, refusal};
use crate::{http::Reply, state::World};

const MOST: usize = 25;

pub(super) fn secrets(world: &mut World, visit: &Visit<'_>) -> Reply {
    let page = match Page::of(world, visit) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let secrets = visit.secrets(world);
    let after = secrets.live.range::<str, _>((page.start(), Unbounded));
    let after = after.filter(|(_, secret)| secret.version(None).is_some_and(|(_, it)| is_listed(visit, it)));
    page.show(visit, after.map(|(key, secret)| (key.as_str(), visit.item(secret, None))))
}

pub(super) fn versions(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let page = match Page::of(world, visit) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let spelled = visit.call.spelled(1);
    let secret = visit.secrets(world).live.get(name);
    let Some(secret) = secret else { return refusal::not_found(visit.kind, spelled) };
    let after = secret.versions.range::<str, _>((page.start(), Unbounded));
    let after = after.filter(|(_, version)| is_listed(visit, version));
    page.show(visit, after.map(|(id, _)| (id.as_str(), visit.item(secret, Some(id)))))
}

pub(super) fn deleted(world: &mut World, visit: &Visit<'_>) -> Reply {
    let page = match Page::of(world, visit) {
        Ok(page) => page,
        Err(refused) => return *refused,
    };
    let secrets = visit.secrets(world);
    let settling = &secrets.settling;
    let after = secrets
        .deleted
        .range::<str, _>((page.start(), Unbounded))
        .filter(|(key, _)| settling.get(*key).is_none_or(|settling| settling.left == 0));
    let shown = after
        .map(|(key, found)| (key.as_str(), deleted::describe(visit, visit.item(&found.secret, None), found)));
    page.show(visit, shown)
}

/// The requested page.
struct Page {
    size: usize,
    /// Everything up to this key was on earlier pages.
    after: Option<String>,
    /// This page is empty, and the next one begins after the same key.
    empty: bool,
    /// The next page is empty.
    empty_next: bool,
}

impl Page {
    fn of(world: &World, visit: &Visit<'_>) -> Result<Self, Box<Reply>> {
        let size = match visit.call.query("maxresults").map(str::parse::<usize>) {
            None => MOST,
            Some(Ok(size)) if (1..=MOST).contains(&size) => size,
            Some(_) => {
                // Documented: from 1 to 25.
                let message = format!("Property maxresults must be between 1 and {MOST}.");
                return Err(Box::new(refusal::bad_parameter(message)));
            }
        };
        let size = world.paging.size.map_or(size, |seeded| seeded.min(size));
        let Some(token) = visit.call.query("$skiptoken") else {
            return Ok(Self { size, after: None, empty: false, empty_next: world.paging.empty_page });
        };
        let marker = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = marker.as_deref().and_then(|marker| marker.split_once('!'));
        let Some((kind @ ("next" | "empty"), after)) = parts else {
            return Err(Box::new(Reply::not_implemented(
                "the skip token of this request: it issued no such token",
            )));
        };
        Ok(Self { size, after: Some(after.to_owned()), empty: kind == "empty", empty_next: false })
    }

    fn start(&self) -> std::ops::Bound<&str> {
        self.after.as_deref().map_or(Unbounded, Excluded)
    }

    fn show<'k>(&self, visit: &Visit<'_>, items: impl Iterator<Item = (&'k str, Value)>) -> Reply {
        let mut items = items.peekable();
        if self.empty && items.peek().is_some() {
            let next = link(visit, "next", self.after.as_deref().unwrap_or_default());
            return Reply::ok(json!({ "value": [], "nextLink": next }));
        }
        let shown: Vec<(&str, Value)> = items.by_ref().take(self.size).collect();
        let last = shown.last().map(|(key, _)| *key).unwrap_or_default();
        let kind = if self.empty_next { "empty" } else { "next" };
        let next = items.peek().is_some().then(|| link(visit, kind, last));
        let value: Vec<Value> = shown.into_iter().map(|(_, item)| item).collect();
        Reply::ok(json!({ "value": value, "nextLink": next }))
    }
}

/// The next link. Like the service's, it contains the port, which clients must not mistake for a different host.
fn link(visit: &Visit<'_>, kind: &str, after: &str) -> String {
    let call = visit.call;
    let token = URL_SAFE_NO_PAD.encode(format!("{kind}!{after}"));
    let port = if call.authority.contains(':') { "" } else { ":443" };
    let mut link = format!("https://{}{port}{}?", call.authority, call.raw_path());
    for (name, value) in
        call.query_pairs().iter().filter(|(name, _)| !name.eq_ignore_ascii_case("$skiptoken"))
    {
        let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
        link.push_str(&format!("{name}={value}&"));
    }
    link + "$skiptoken=" + &token
}
