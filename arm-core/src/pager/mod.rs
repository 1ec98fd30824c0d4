//! Lists, with one pager for all of them.

mod arm_page;
mod page;

use std::{
    collections::{HashSet, hash_map::RandomState},
    fmt,
    future::Future,
    hash::BuildHasher as _,
    pin::Pin,
    task::{Context, Poll, ready},
};

use azure_core::{Error, Result, http::Url};
use futures::{
    Stream, StreamExt as _,
    future::BoxFuture,
    stream::{FusedStream, poll_fn},
};
use serde::de::DeserializeOwned;

pub use self::page::ListPage;
use self::page::{End, Page, Undecodable, unreadable};
use crate::{ArmClient, ArmRequest};

/// A list as a stream of items. [`into_pages`](Self::into_pages) turns it into a stream of pages.
///
/// - One page is in memory at a time; in a list of an [`ArmRequest`], its items are decoded as they are taken. An empty
///   page with a link does not end the list.
/// - A link to another origin, or to a page that has already been read, is an error and is not followed.
/// - An item that cannot be decoded does not hide others: the other items of its page come first, then an error that
///   names the page and the first such item.
/// - An error ends the stream. Use [`continuation`](Self::continuation) to resume.
#[must_use = "a list is not read before the stream is polled"]
pub struct Pager<T> {
    fetch: Box<dyn Fn(Option<String>) -> Fetching<T> + Send + Sync>,
    state: State<T>,
    continuation: Option<String>,
    pages: usize,
    hasher: RandomState,
    seen: HashSet<u64>,
}

type Fetching<T> = BoxFuture<'static, Result<Box<dyn Page<T>>>>;

enum State<T> {
    /// The page at the continuation has to be fetched next.
    Next,
    Fetching(Fetching<T>),
    Reading(Box<dyn Page<T>>),
    Failed(Error),
    Ended,
}

impl ArmRequest {
    /// Lists every item of every page, as a stream. No request is sent before the stream is polled.
    pub fn pager<T: DeserializeOwned + Send + 'static>(self) -> Pager<T> {
        list(self)
    }
}

impl ArmClient {
    /// Resumes a list at a [`Pager::continuation`].
    ///
    /// The link is checked like any other: if it leads to another origin, the first read fails and no request is sent.
    /// An empty continuation, which marks the end of a list, gives an empty list.
    ///
    /// # Errors
    ///
    /// The continuation is not a link.
    pub fn resume_list<T: DeserializeOwned + Send + 'static>(&self, continuation: &str) -> Result<Pager<T>> {
        if continuation.is_empty() {
            return Ok(Pager::empty());
        }
        let link = self.endpoint().join(continuation)?;
        Ok(list(ArmRequest::follow(self.clone(), link.clone())).continue_at(link))
    }
}

impl<T> Pager<T> {
    fn new(fetch: impl Fn(Option<String>) -> Fetching<T> + Send + Sync + 'static) -> Self {
        Self {
            fetch: Box::new(fetch),
            state: State::Next,
            continuation: None,
            pages: 0,
            hasher: RandomState::new(),
            seen: HashSet::new(),
        }
    }

    /// Returns an empty list, for which no request is sent.
    pub fn empty() -> Self
    where
        T: Send + 'static,
    {
        pages(|_| async { Ok(ListPage::new(Vec::new(), None)) }).continue_at("")
    }

    /// Makes this list start at one of its [`continuation`](Self::continuation)s.
    pub fn continue_at(mut self, continuation: impl Into<String>) -> Self {
        let continuation = continuation.into();
        self.state = if continuation.is_empty() { State::Ended } else { State::Next };
        self.continuation = Some(continuation);
        self.seen.clear();
        self
    }

    /// Returns where to resume, perhaps in another process, with [`continue_at`](Self::continue_at) or
    /// [`ArmClient::resume_list`](crate::ArmClient::resume_list): the page being read or, after an item that could not
    /// be decoded, the next page.
    ///
    /// `None` until the first page has been read to its end. After the last page, an empty string: a list resumed there
    /// has no items.
    pub fn continuation(&self) -> Option<&str> {
        self.continuation.as_deref()
    }

    /// Returns the list as a stream of whole pages, the first of which is the rest of the current page. A truncated
    /// page is an error, and none of its remaining items are returned.
    pub fn into_pages(mut self) -> impl FusedStream<Item = Result<ListPage<T>>> + Send + Unpin
    where
        T: 'static,
    {
        let mut begun = matches!(self.state, State::Reading(_));
        poll_fn(move |cx| {
            if !std::mem::take(&mut begun) {
                match ready!(self.poll_page(cx)) {
                    Some(Ok(())) => {}
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
            }
            Poll::Ready(Some(self.whole_page()))
        })
        .fuse()
    }

    /// Returns the next item of the page being read.
    fn next_item(&mut self) -> Option<T> {
        match &mut self.state {
            State::Reading(page) => page.next_item(),
            _ => None,
        }
    }

    /// Returns all remaining items of the page being read.
    fn whole_page(&mut self) -> Result<ListPage<T>> {
        let items = std::iter::from_fn(|| self.next_item()).collect();
        self.leave_page()?;
        let ended = matches!(self.state, State::Ended);
        Ok(ListPage::new(items, self.continuation.clone().filter(|_| !ended)))
    }

    /// Leaves the page being read and fetches the next one. `None` after the last page.
    fn poll_page(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<()>>> {
        loop {
            match &mut self.state {
                State::Next => self.state = self.fetch_page(),
                State::Fetching(page) => match ready!(page.as_mut().poll(cx)) {
                    Ok(page) => {
                        self.state = State::Reading(page);
                        return Poll::Ready(Some(Ok(())));
                    }
                    Err(error) => self.state = State::Failed(error),
                },
                State::Reading(_) => {
                    if let Err(error) = self.leave_page() {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                State::Failed(_) | State::Ended => {
                    let ended = std::mem::replace(&mut self.state, State::Ended);
                    return Poll::Ready(match ended {
                        State::Failed(error) => Some(Err(error)),
                        _ => None,
                    });
                }
            }
        }
    }

    fn fetch_page(&mut self) -> State<T> {
        let link = self.continuation.as_ref();
        if link.is_some_and(|link| !self.seen.insert(self.hasher.hash_one(link))) {
            // No page is known from which to resume.
            self.continuation = Some(String::new());
            return failed(format!(
                "page {} of the list links to a page that has already been read, so the list would never end",
                self.pages
            ));
        }
        self.pages += 1;
        State::Fetching((self.fetch)(self.continuation.clone()))
    }

    fn leave_page(&mut self) -> Result<()> {
        let State::Reading(page) = &mut self.state else { return Ok(()) };
        let end = page.end();
        self.state = State::Ended;
        let End { continuation, undecodable } = end?;
        self.state = match (undecodable, &continuation) {
            (Some(Undecodable { item, reason }), _) => {
                failed(format!("item {item} of page {} of the list cannot be decoded: {reason}", self.pages))
            }
            (None, Some(_)) => State::Next,
            (None, None) => State::Ended,
        };
        self.continuation = Some(continuation.unwrap_or_default());
        Ok(())
    }
}

fn failed<T>(message: String) -> State<T> {
    State::Failed(unreadable(message))
}

impl<T> Stream for Pager<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        loop {
            if let Some(item) = self.next_item() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.poll_page(cx)) {
                Some(Ok(())) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<T> FusedStream for Pager<T> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}

/// Omits links, whose queries may be private.
impl<T> fmt::Debug for Pager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager").field("pages", &self.pages).finish_non_exhaustive()
    }
}

/// Creates a list whose pages come from a function, for services with their own form of paging. The function's argument
/// is `None` for the first page, then the continuation of the previous page.
pub fn pages<T, F, Fut>(fetch: F) -> Pager<T>
where
    T: Send + 'static,
    F: Fn(Option<String>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<ListPage<T>>> + Send + 'static,
{
    Pager::new(move |continuation| {
        let page = fetch(continuation);
        Box::pin(async { Ok(page.await?.boxed()) })
    })
}

/// Creates a list in ARM's form: `value` and `nextLink`.
pub(crate) fn list<T: DeserializeOwned + Send + 'static>(first: ArmRequest) -> Pager<T> {
    let first = first.with_url();
    let start = first.url().ok();
    let mut pager = Pager::new(move |continuation| {
        let first = first.clone();
        Box::pin(async move {
            let mut request = match continuation {
                None => first,
                Some(link) => {
                    let refused = |error| unreadable(format!("{first}: the link to the next page: {error}"));
                    ArmRequest::follow(first.arm().clone(), Url::parse(&link).map_err(refused)?)
                }
            };
            let (response, tried) = request.sent().await?;
            arm_page::read(response, request, tried)
        })
    });
    // The first page has a link too: a link back to it is a loop.
    pager.seen.extend(start.map(|link| pager.hasher.hash_one(link.as_str())));
    pager
}
