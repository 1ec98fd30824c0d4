//! How often a request was tried, and whether it may have changed something despite its failure.

use std::{fmt, time::Duration};

use azure_core::{
    error::ErrorKind,
    http::{Method, StatusCode},
};

/// How often and how long a request was tried before it failed; a source of its error. By default it was not sent, or
/// it is not known how often, and nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tried {
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    /// Whether an attempt may have changed something.
    pub(crate) may_be_applied: bool,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempts: {}, elapsed: {:?}", self.attempts, self.elapsed)
    }
}

impl std::error::Error for Tried {}

impl Tried {
    /// Returns the innermost one, which counted the attempts.
    pub(crate) fn of(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let (mut found, mut next) = (None, Some(error));
        while let Some(error) = next {
            found = error.downcast_ref().copied().or(found);
            next = error.source();
        }
        found
    }

    /// Returns the one of an error whose request was sent, so far as is known.
    pub(crate) fn sent(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        Self::of(error).filter(|tried| tried.attempts > 0)
    }
}

/// Whether a request with this method can change something.
pub(crate) fn changes(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Head)
}

/// Whether a write that ended in this error may have changed something.
///
/// It has not if it was never sent, or if the service refused it: with a 4xx other than 408, a 501 or a 505. It may
/// have if the response could not be read, or was an unexpected success or redirect.
pub(crate) fn leaves_doubt(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::HttpResponse { status, .. } => !is_refusal(*status),
        ErrorKind::Io | ErrorKind::DataConversion => true,
        _ => false,
    }
}

pub(crate) fn is_refusal(status: StatusCode) -> bool {
    matches!(u16::from(status), 400..=407 | 409..=499 | 501 | 505)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_in_doubt_unless_it_was_refused_or_never_left() {
        let answered = |status: u16| {
            leaves_doubt(&ErrorKind::HttpResponse {
                status: status.into(),
                error_code: None,
                raw_response: None,
            })
        };
        for refused in [400, 401, 403, 404, 409, 412, 429, 499, 501, 505] {
            assert!(!answered(refused), "{refused}");
        }
        for unsure in [200, 202, 302, 408, 500, 502, 503, 504, 507] {
            assert!(answered(unsure), "{unsure}");
        }
        assert!(leaves_doubt(&ErrorKind::Io) && leaves_doubt(&ErrorKind::DataConversion));
        assert!(!leaves_doubt(&ErrorKind::Connection) && !leaves_doubt(&ErrorKind::Credential));
    }
}
