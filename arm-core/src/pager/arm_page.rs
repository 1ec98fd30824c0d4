//! Pages in ARM's form: `value` and `nextLink`. Old versions of some services return a bare list.

use std::{borrow::Cow, marker::PhantomData};

use azure_core::{
    Bytes, Error, Result,
    http::{RawResponse, Url},
};
use bytestring::ByteString;
use serde::{
    Deserialize,
    de::{DeserializeOwned, Error as _, IgnoredAny},
};
use serde_json::{Deserializer, value::RawValue};

use super::page::{End, ListPage, Page, Undecodable, unreadable};
use crate::{ArmErrorExt as _, ArmRequest, error::Tried, wire};

/// Reads the response to a request for a page. Its items are decoded as they are taken.
pub(super) fn read<T>(response: RawResponse, request: ArmRequest, tried: Tried) -> Result<Box<dyn Page<T>>>
where
    T: DeserializeOwned + Send + 'static,
{
    let about = |error: Error| {
        let message = format!("{request}: {error}");
        tried.attach(error.reworded(message))
    };
    let (_, headers, body) = response.deconstruct();
    let text = wire::into_text(Bytes::from(body)).map_err(about)?;
    if let Some(begin) = first_item(&text) {
        let page =
            PageText { text, begin, at: begin, items: 0, undecodable: None, request, item: PhantomData };
        return Ok(Box::new(page));
    }
    let page: Wire<Box<RawValue>> = wire::decode_text(&text, &headers).map_err(about)?;
    Ok(ListPage::of_raw(&page.value, next_page(&request.url()?, page.next_link)).boxed())
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Wire<T> {
    #[serde(deserialize_with = "wire::without_nulls")]
    value: Vec<T>,
    #[serde(rename = "nextLink", alias = "@odata.nextLink", default)]
    next_link: Option<String>,
}

/// Returns the position of the first item; `None` if the page has no list.
fn first_item(page: &str) -> Option<usize> {
    if let Some(items) = trimmed(page).strip_prefix('[') {
        return Some(page.len() - items.len());
    }
    let mut rest = trimmed(page).strip_prefix('{')?;
    loop {
        let (key, behind) = first_value::<Cow<'_, str>>(rest)?.ok()?;
        let value = behind.strip_prefix(':')?;
        if key == "value" {
            let items = trimmed(value).strip_prefix('[')?;
            return Some(page.len() - items.len());
        }
        let (IgnoredAny, behind) = first_value(value)?.ok()?;
        rest = behind.strip_prefix(',')?;
    }
}

/// A page whose items are decoded as they are taken.
struct PageText<T> {
    text: ByteString,
    /// Where the items begin.
    begin: usize,
    /// The position after the last item that was taken.
    at: usize,
    /// The number of items that were taken.
    items: usize,
    undecodable: Option<Undecodable>,
    request: ArmRequest,
    item: PhantomData<fn() -> T>,
}

impl<T> PageText<T> {
    /// Returns the unread rest, without the comma before the next item; `None` at the end.
    fn next_value(&self) -> Option<&str> {
        let rest = trimmed(&self.text[self.at..]);
        match self.items {
            0 => Some(rest).filter(|rest| !rest.starts_with(']')),
            _ => rest.strip_prefix(','),
        }
    }

    /// Moves past an item, behind which so many bytes are left. `None` if the page may be truncated there, since then
    /// the item may be truncated too.
    fn pass(&mut self, left: usize) -> Option<()> {
        let at = self.text.len() - left;
        self.text[at..].starts_with([',', ']']).then(|| {
            self.at = at;
            self.items += 1;
        })
    }
}

impl<T: DeserializeOwned> Page<T> for PageText<T> {
    fn next_item(&mut self) -> Option<T> {
        while let Some(rest) = self.next_value() {
            // Items are large, and most are read here: the fewer hands they go through, the better.
            if !trimmed(rest).starts_with('n')
                && let Some((item, behind)) = wire::first_value(rest)
            {
                let left = trimmed(behind).len();
                self.pass(left)?;
                return Some(item);
            }
            let (item, left) = match first_value(rest)? {
                Ok((item, behind)) => (Ok(item), behind.len()),
                Err(error) => (Err(error), first_value::<IgnoredAny>(rest)?.ok()?.1.len()),
            };
            self.pass(left)?;
            match item {
                Ok(Some(item)) => return Some(item),
                Ok(None) => {}
                Err(error) => {
                    self.undecodable.get_or_insert_with(|| Undecodable::new(self.items, &error));
                }
            }
        }
        None
    }

    fn end(&mut self) -> Result<End> {
        let rest = trimmed(&self.text[self.at..]);
        // At the end of the items, decode the page without them. If it is broken, decode all of it for an error with
        // the location.
        let text = match rest.starts_with(']') {
            true => Cow::Owned(format!("{}{rest}", &self.text[..self.begin])),
            false => Cow::Borrowed(&*self.text),
        };
        let broken = || serde_json::Error::custom("broken list");
        let end = match (trimmed(&text).starts_with('['), &text) {
            (_, Cow::Borrowed(text)) => serde_json::from_str(text).and_then(|_: IgnoredAny| Err(broken())),
            (true, text) => serde_json::from_str(text).map(|_: Vec<IgnoredAny>| None),
            (false, text) => serde_json::from_str(text).map(|page: Wire<IgnoredAny>| page.next_link),
        };
        let next_link = end.map_err(|error: serde_json::Error| {
            let message =
                format!("{}: the response cannot be decoded: {}", self.request, wire::without_values(&error));
            unreadable(message)
        })?;
        Ok(End {
            continuation: next_page(&self.request.url()?, next_link),
            undecodable: self.undecodable.take(),
        })
    }
}

/// Returns the value at the beginning of a text, and the rest.
fn first_value<'de, T: Deserialize<'de>>(text: &'de str) -> Option<serde_json::Result<(T, &'de str)>> {
    if let Some((value, behind)) = wire::first_value(text) {
        return Some(Ok((value, trimmed(behind))));
    }
    let mut values = Deserializer::from_str(text).into_iter();
    let value = values.next()?;
    Some(value.map(|value| (value, trimmed(&text[values.byte_offset()..]))))
}

/// Returns the link to the next page. An invalid link is an error only when it is followed, after this page's items.
fn next_page(url: &Url, link: Option<String>) -> Option<String> {
    let link = link.filter(|link| !link.is_empty())?;
    Some(url.join(&link).map_or(link, String::from))
}

/// Removes leading JSON whitespace.
fn trimmed(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\n', '\r'])
}
