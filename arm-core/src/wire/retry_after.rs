use std::time::Duration;

use azure_core::{
    http::headers::{HeaderName, Headers, RETRY_AFTER, RETRY_AFTER_MS, X_MS_RETRY_AFTER_MS},
    time::{OffsetDateTime, parse_rfc7231},
};

use super::header;

/// Returns how long the service asks to wait. Negative and invalid values are ignored.
pub(crate) fn retry_after(headers: &Headers) -> Option<Duration> {
    let text = |name: &HeaderName| header(headers, name).map(str::trim);
    let milliseconds = [X_MS_RETRY_AFTER_MS, RETRY_AFTER_MS]
        .iter()
        .find_map(|name| text(name)?.parse().ok())
        .map(Duration::from_millis);
    milliseconds.or_else(|| {
        let value = text(&RETRY_AFTER)?;
        let seconds = value.parse().ok().map(Duration::from_secs);
        seconds.or_else(|| {
            let until = parse_rfc7231(value).ok()? - OffsetDateTime::now_utc();
            Some(until.try_into().unwrap_or(Duration::ZERO))
        })
    })
}
