//! Pages: the interface for reading one, and a page whose items are already decoded.

use std::fmt;

use azure_core::{Error, Result, error::ErrorKind};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{error::Tried, wire};

/// One page of a list.
#[non_exhaustive]
pub struct ListPage<T> {
    /// The items.
    pub items: Vec<T>,
    /// The continuation of the next page; `None` at the end of the list, and `Some("")` if only a decoding error
    /// follows. Poll the stream again before you store it, because an error about an item of this page comes after the
    /// page.
    pub continuation: Option<String>,
    undecodable: Option<Undecodable>,
}

impl<T> ListPage<T> {
    /// Creates a page with the continuation of the next one.
    pub fn new(items: Vec<T>, continuation: Option<String>) -> Self {
        Self { items, continuation, undecodable: None }
    }

    /// Creates a page from items that are still JSON. An item that cannot be decoded does not hide the others: it is
    /// reported after the page, and then the list ends.
    pub fn of_raw(items: &[Box<RawValue>], continuation: Option<String>) -> Self
    where
        T: DeserializeOwned,
    {
        let mut page = Self::new(Vec::with_capacity(items.len()), continuation);
        for (index, item) in items.iter().enumerate() {
            match serde_json::from_str(item.get()) {
                Ok(item) => page.items.push(item),
                Err(error) => {
                    page.undecodable.get_or_insert_with(|| Undecodable::new(index + 1, &error));
                }
            }
        }
        page
    }

    pub(super) fn boxed(self) -> Box<dyn Page<T>>
    where
        T: Send + 'static,
    {
        let continuation = self.continuation.filter(|link| !link.is_empty());
        let end = End { continuation, undecodable: self.undecodable };
        Box::new(Decoded { items: self.items.into_iter(), end })
    }
}

/// Omits links, whose queries may be private.
impl<T: fmt::Debug> fmt::Debug for ListPage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListPage").field("items", &self.items).finish_non_exhaustive()
    }
}

struct Decoded<T> {
    items: std::vec::IntoIter<T>,
    end: End,
}

impl<T: Send> Page<T> for Decoded<T> {
    fn next_item(&mut self) -> Option<T> {
        self.items.next()
    }

    fn end(&mut self) -> Result<End> {
        Ok(std::mem::take(&mut self.end))
    }
}

/// A page that is being read.
pub(super) trait Page<T>: Send {
    /// Returns the next item that can be decoded.
    fn next_item(&mut self) -> Option<T>;

    /// Returns what follows the last item; an error if the page cannot be read to its end.
    fn end(&mut self) -> Result<End>;
}

/// What follows the last item of a page.
#[derive(Debug, Default)]
pub(super) struct End {
    pub(super) continuation: Option<String>,
    pub(super) undecodable: Option<Undecodable>,
}

/// The first item of a page that cannot be decoded, counted from one, and why.
#[derive(Debug)]
pub(super) struct Undecodable {
    pub(super) item: usize,
    pub(super) reason: String,
}

impl Undecodable {
    pub(super) fn new(item: usize, error: &serde_json::Error) -> Self {
        Self { item, reason: wire::without_values(error) }
    }
}

/// Returns the error of a list that cannot be read. Reading it changed nothing.
pub(super) fn unreadable(message: String) -> Error {
    Tried::default().attach(Error::with_message(ErrorKind::DataConversion, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_its_items_and_not_the_link_behind_it() {
        let page = ListPage::new(vec![41, 42], Some("https://host/next?sig=hunter2".to_owned()));
        let shown = format!("{page:?}");
        assert!(shown.contains("[41, 42]") && !shown.contains("hunter2"), "{shown}");
    }
}
