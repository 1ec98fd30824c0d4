//! Error messages: complete, without repetition, and without the queries of URLs.

use std::{borrow::Cow, error::Error as _};

use azure_core::Error;

use super::Tried;
use crate::NotAsWished;

/// See [`ArmErrorExt::reworded`](super::ArmErrorExt::reworded).
pub(super) fn reworded(error: Error, message: String) -> Error {
    let kind = error.kind().clone();
    let mut error = error;
    let cause = loop {
        match error.into_inner() {
            Err(_) => break None,
            Ok(inner) => match inner.downcast::<Error>() {
                Ok(below) => error = *below,
                Err(cause) => break Some(cause),
            },
        }
    };
    // Callers read `NotAsWished`, so it is kept even if the message repeats it.
    match cause.filter(|cause| cause.is::<NotAsWished>() || adds_to(&message, cause.as_ref())) {
        Some(cause) => Error::with_error(kind, cause, message),
        None => Error::with_message(kind, message),
    }
}

impl Tried {
    /// Attaches itself to an error, and keeps the error's message with those of its causes.
    pub(crate) fn attach(self, error: Error) -> Error {
        let message = with_causes(&error);
        Error::with_error(error.kind().clone(), self, message)
    }

    /// Marks an error of an operation that has already been started.
    pub(crate) fn begun(error: Error) -> Error {
        Self { may_be_applied: true, ..Self::of(&error).unwrap_or_default() }.attach(error)
    }
}

/// Whether a cause and its sources say something that the message does not. A chain that contains a URL never counts.
fn adds_to(message: &str, cause: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(cause);
    while let Some(cause) = next {
        let text = cause.to_string();
        if message.contains(&text) || text.contains("://") {
            return false;
        }
        next = cause.source();
    }
    true
}

/// Returns the message, followed by those of the causes that add something; without the queries of URLs, which may be
/// private.
pub(crate) fn with_causes(error: &Error) -> String {
    let mut message = without_url(&error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = without_url(&error.to_string());
        // `Tried` is already part of the message, or adds nothing.
        if !error.is::<Tried>() && !text.is_empty() && !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

/// Removes reqwest's ` for url (https://..)`, and the queries of other URLs.
fn without_url(text: &str) -> String {
    let Some((before, url)) = text.split_once(" for url (") else {
        return without_queries(text).into_owned();
    };
    format!("{before}{}", url.rsplit_once(')').map_or("", |(_, after)| after))
}

/// Replaces the queries of URLs, which may contain signatures and tokens, with `?..`.
pub(crate) fn without_queries(text: &str) -> Cow<'_, str> {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some((before, url)) = rest.split_once("://") {
        let end = url.find(|c: char| c.is_whitespace() || "\"'<>`|\\^{}".contains(c)).unwrap_or(url.len());
        let (url, behind) = url.split_at(end);
        shown.push_str(before);
        shown.push_str("://");
        match url.split_once('?') {
            Some((place, _)) => {
                shown.push_str(place);
                shown.push_str("?..");
            }
            None => shown.push_str(url),
        }
        rest = behind;
    }
    match shown.is_empty() {
        true => Cow::Borrowed(text),
        false => Cow::Owned(shown + rest),
    }
}

#[cfg(test)]
mod tests {
    use azure_core::error::ErrorKind;

    use super::*;
    use crate::ArmErrorExt as _;

    #[test]
    fn a_url_is_cut_out_of_a_message_whatever_stands_around_and_in_it() {
        let url = " for url (https://host/a?f=name in (A,B)&sig=hunter2)";
        assert_eq!(without_url(&format!("error sending request{url}")), "error sending request");
        assert_eq!(
            without_url(&format!("status (404 Not Found){url}: more")),
            "status (404 Not Found): more"
        );
        assert_eq!(without_url("cut off for url (https://host/?sig=hun"), "cut off");
        assert_eq!(without_url("connection refused (os error 111)"), "connection refused (os error 111)");
    }

    #[test]
    fn no_query_of_a_url_is_left_in_a_text() {
        let text = "see https://a/b?sig=hunter2, 'https://c?x=1' or https://d/e? why?";
        assert_eq!(without_queries(text), "see https://a/b?.. 'https://c?..' or https://d/e?.. why?");
        assert_eq!(without_queries("is it? yes"), "is it? yes");
    }

    /// An error whose source is the next one.
    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl std::fmt::Display for Layer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Layer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|below| below as _)
        }
    }

    #[test]
    fn each_cause_adds_what_those_above_it_do_not_say() {
        let texts =
            ["connect", "", "no route to host (https://host/?sig=hunter2)", "connect", "os error 113"];
        let layers = texts.into_iter().rev().fold(None, |below, text| Some(Box::new(Layer(text, below))));
        let error = Error::with_error(ErrorKind::Io, *layers.unwrap(), "sending");
        assert_eq!(with_causes(&error), "sending: connect: no route to host (https://host/?..: os error 113");
        let tried =
            Tried { attempts: 3, ..Tried::default() }.attach(Error::with_message(ErrorKind::Io, "cut off"));
        assert_eq!(with_causes(&tried), "cut off");
    }

    #[test]
    fn other_words_keep_what_is_known_and_repeat_nothing() {
        let tried = Tried { attempts: 3, may_be_applied: true, ..Tried::default() };
        let error = tried.attach(Error::with_message(ErrorKind::Io, "cut off")).reworded("PUT /x: cut off");
        let error = error.with_context("once more").reworded("setting x: PUT /x: cut off");
        assert_eq!((error.attempts(), error.may_have_been_applied()), (Some(3), true));
        assert_eq!(
            (error.to_string().as_str(), error.kind()),
            ("setting x: PUT /x: cut off", &ErrorKind::Io)
        );
        let mut cause = error.source();
        while let Some(below) = cause {
            assert!(!error.to_string().contains(&below.to_string()), "{below}");
            cause = below.source();
        }
        let refused = std::io::Error::other("no https://host/?sig=1");
        assert!(Error::new(ErrorKind::Io, refused).reworded("sending").source().is_none());
    }
}
