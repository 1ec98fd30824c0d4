//! Lists: the one pager.

use std::{
    collections::{HashSet, hash_map::RandomState},
    future::Future,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        ItemIterator, RawResponse,
        pager::{Page, PagerContinuation, PagerOptions, PagerResult, PagerState},
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{ArmRequest, wire};

/// A list, as a stream of items; [`into_pages`](ItemIterator::into_pages) makes it a stream of pages.
///
/// - One page is in memory at a time, decoded once. An empty page with a link goes on.
/// - A link to another origin is an error, and nothing is sent there; so is a link to a page that was
///   read before.
/// - An item that cannot be decoded hides no other: the rest of its page comes first, then an error that
///   names page and item, and the stream ends. [`continuation`](ItemIterator::continuation) then is where
///   to go on behind that page, with [`ArmClient::resume_list`](crate::ArmClient::resume_list); behind the
///   last page it is empty, and so is the list that goes on there.
pub type Pager<T> = ItemIterator<ListPage<T>>;

/// One page of a list.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListPage<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page is; nothing on the last.
    pub continuation: Option<String>,
    undecodable: Option<(usize, String)>,
}

impl<T> ListPage<T> {
    /// A page, and where the next one is.
    pub fn new(items: Vec<T>, continuation: Option<String>) -> Self {
        Self { items, continuation: continuation.filter(|link| !link.is_empty()), undecodable: None }
    }

    /// Decodes `value` and `nextLink` of an answer.
    fn decode(response: &RawResponse) -> Result<Self>
    where
        T: DeserializeOwned,
    {
        let whole = match wire::decode::<Wire<T>>(response) {
            Ok(page) => return Ok(Self::new(page.value, page.next_link)),
            Err(error) => error,
        };
        // Find the item at fault, so that its neighbours are not lost with it.
        let Ok(raw) = wire::decode::<Wire<Box<RawValue>>>(response) else { return Err(whole) };
        let page = Self::of_raw(&raw.value, raw.next_link);
        if page.undecodable.is_none() { Err(whole) } else { Ok(page) }
    }

    /// A page of items that are still JSON. One that cannot be decoded hides no other: it is reported
    /// behind the page, and the list then ends.
    pub fn of_raw(items: &[Box<RawValue>], continuation: Option<String>) -> Self
    where
        T: DeserializeOwned,
    {
        let mut page = Self::new(Vec::with_capacity(items.len()), continuation);
        for (index, item) in items.iter().enumerate() {
            match serde_json::from_str(item.get()) {
                Ok(item) => page.items.push(item),
                Err(error) => {
                    page.undecodable.get_or_insert((index, wire::without_values(&error)));
                }
            }
        }
        page
    }
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
struct Wire<T> {
    #[serde(deserialize_with = "wire::without_nulls")]
    value: Vec<T>,
    #[serde(rename = "nextLink", alias = "@odata.nextLink", default)]
    next_link: Option<String>,
}

#[async_trait]
impl<T: Send> Page for ListPage<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    async fn into_items(self) -> Result<Self::IntoIter> {
        Ok(self.items.into_iter())
    }
}

/// A list whose pages come from a function: its argument is nothing for the first page, then the
/// continuation of the page before. For services that page in a way of their own.
pub fn pages<T, F, Fut>(fetch: F) -> Pager<T>
where
    T: Send + 'static,
    F: Fn(Option<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ListPage<T>>> + Send + 'static,
{
    pages_from(None, fetch)
}

/// The same, for a list whose first page has a link as well: one back to it is a circle.
fn pages_from<T, F, Fut>(start: Option<String>, fetch: F) -> Pager<T>
where
    T: Send + 'static,
    F: Fn(Option<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ListPage<T>>> + Send + 'static,
{
    let mut reading = Reading::default();
    reading.seen.extend(start.map(|link| reading.hasher.hash_one(link)));
    let (fetch, reading) = (Arc::new(fetch), Arc::new(Mutex::new(reading)));
    ItemIterator::new(
        move |state, _: PagerOptions<'static>| {
            let (fetch, reading) = (fetch.clone(), reading.clone());
            Box::pin(async move {
                let continuation = match state {
                    PagerState::Initial => None,
                    PagerState::More(continuation) => Some(String::from(continuation)),
                };
                lock(&reading).begin(continuation.as_deref())?;
                let mut page = fetch(continuation).await?;
                let failed = lock(&reading).end(page.undecodable.take());
                // Behind the last page stands nothing but the error that it left.
                let next = page.continuation.clone().or(failed.then(String::new));
                Ok(match next {
                    Some(next) => {
                        PagerResult::More { response: page, continuation: PagerContinuation::Token(next) }
                    }
                    None => PagerResult::Done { response: page },
                })
            })
        },
        None,
    )
}

/// How far a list has been read.
#[derive(Default)]
struct Reading {
    pages: usize,
    hasher: RandomState,
    seen: HashSet<u64>,
    failed: Option<Error>,
}

impl Reading {
    /// Before a page is fetched: an error that the page before left, or a link that leads back.
    fn begin(&mut self, continuation: Option<&str>) -> Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.pages += 1;
        let Some(continuation) = continuation else { return Ok(()) };
        if self.seen.insert(self.hasher.hash_one(continuation)) {
            return Ok(());
        }
        let message = format!(
            "page {} of the list links to a page that was read before: it would never end",
            self.pages - 1
        );
        Err(Error::with_message(ErrorKind::DataConversion, message))
    }

    /// After a page: whether an item of it is to be reported before the next page.
    fn end(&mut self, undecodable: Option<(usize, String)>) -> bool {
        self.failed = undecodable.map(|(index, reason)| {
            let message =
                format!("item {} of page {} of the list cannot be decoded: {reason}", index + 1, self.pages);
            Error::with_message(ErrorKind::DataConversion, message)
        });
        self.failed.is_some()
    }
}

fn lock(reading: &Mutex<Reading>) -> std::sync::MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A list in ARM's form: `value` and `nextLink`.
pub(crate) fn list<T: DeserializeOwned + Send + 'static>(first: ArmRequest) -> Pager<T> {
    pages_from(first.url().ok().map(String::from), move |continuation| {
        let first = first.clone();
        async move {
            let request = match continuation {
                None => first,
                Some(link) => ArmRequest::follow(first.arm().clone(), link.parse()?),
            };
            let (what, url) = (request.to_string(), request.url()?);
            let response = request.send().await?;
            let mut page = ListPage::decode(&response).map_err(|error| {
                let message = format!("{what}: {error}");
                error.with_context(message)
            })?;
            // A link that is none is reported when it is followed: this page's items come first.
            page.continuation = page.continuation.map(|link| url.join(&link).map_or(link, String::from));
            Ok(page)
        }
    })
}

/// A list that has nothing left.
pub(crate) fn ended<T: Send + 'static>() -> Pager<T> {
    pages(|_| async { Ok(ListPage::new(Vec::new(), None)) })
}
