//! Lists that are split into pages.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::http::{
    request::Call,
    response::{Body, Reply},
};

const SKIP_TOKEN: &str = "$skiptoken";

/// How lists are split.
#[derive(Debug, Clone, Default)]
pub(crate) struct Paging {
    /// The number of items on a page. `None`: each list's own default.
    pub(crate) size: Option<usize>,
    /// Whether the first page is followed by an empty one with a next link.
    pub(crate) empty_page: bool,
}

/// Returns one page of a list. The first request may have `$top`; later ones have an opaque token.
pub(crate) fn page<'a>(
    paging: &Paging,
    call: &Call,
    default_size: usize,
    items: impl Iterator<Item = &'a Value>,
) -> Reply {
    page_of(paging, call, default_size, items, Value::clone)
}

/// Like [`page`], for items that are converted to JSON only if they are on the requested page.
pub(crate) fn page_of<T>(
    paging: &Paging,
    call: &Call,
    default_size: usize,
    items: impl Iterator<Item = T>,
    show: impl Fn(T) -> Value,
) -> Reply {
    let top = call.query("$top").and_then(|top| top.parse::<usize>().ok()).filter(|top| *top > 0);
    let size = top.or(paging.size).unwrap_or(default_size);
    let Some(place) = Place::of(call) else {
        return Reply::not_implemented("the skip token of this request: it issued no such token");
    };
    let mut rest = items.skip(place.offset).peekable();
    if place.empty && rest.peek().is_some() {
        let next = Place { empty: false, ..place }.link(call);
        return Reply::ok(json!({ "value": [], "nextLink": next }));
    }
    let value: Vec<Value> = rest.by_ref().take(size).map(show).collect();
    let mut body = json!({ "value": value });
    if rest.peek().is_some() {
        let empty = paging.empty_page && place.offset == 0;
        body["nextLink"] = json!(Place { offset: place.offset + size, empty }.link(call));
    }
    Reply::ok(body)
}

/// Like [`page`], for a list in which every page with items has a next link, so that the last page is empty.
pub(crate) fn page_then_empty(
    paging: &Paging,
    call: &Call,
    default_size: usize,
    items: impl Iterator<Item = Value>,
) -> Reply {
    let mut reply = page_of(paging, call, default_size, items, |item| item);
    if let (Some(place), Body::Json(body)) = (Place::of(call), &mut reply.body) {
        let count = body["value"].as_array().map_or(0, Vec::len);
        let first = call.query(SKIP_TOKEN).is_none();
        if body["nextLink"].is_null() && (first || count > 0) {
            body["nextLink"] = json!(Place { offset: place.offset + count, empty: false }.link(call));
        }
    }
    reply
}

/// Where in a list a page begins, and whether an empty page precedes it.
#[derive(Clone, Copy)]
struct Place {
    offset: usize,
    empty: bool,
}

impl Place {
    fn of(call: &Call) -> Option<Self> {
        let Some(token) = call.query(SKIP_TOKEN) else { return Some(Self { offset: 0, empty: false }) };
        let (empty, digits) = match token.strip_prefix("e-") {
            Some(digits) => (true, digits),
            None => (false, token.strip_prefix("p-")?),
        };
        Some(Self { offset: usize::from_str_radix(digits, 36).ok()?, empty })
    }

    fn link(self, call: &Call) -> String {
        let mut path = format!("{}?", call.raw_path());
        for (name, value) in call.query_pairs().iter().filter(|(name, _)| !is_token(name)) {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC);
            path.push_str(&format!("{name}={value}&"));
        }
        let mark = if self.empty { 'e' } else { 'p' };
        call.link(&format!("{path}%24skiptoken={mark}-{}", base36(self.offset)))
    }
}

fn is_token(name: &str) -> bool {
    name.eq_ignore_ascii_case(SKIP_TOKEN)
}

fn base36(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.iter().rev().collect();
        }
    }
}
