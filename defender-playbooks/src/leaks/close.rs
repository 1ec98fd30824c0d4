use std::collections::BTreeSet;

use serde::Serialize;

use super::{Leak, LeakReport};

/// What a second look says of a leak that was acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Closing {
    /// The place was looked at again, and the leak is there no more.
    Gone,
    /// It is still there. A rotated secret may stand in a repository's history for ever: see whether it is dismissed.
    StillThere,
    /// Its place was not looked at again, or not to the end: nothing is known. For a finding of Defender this is the
    /// state until its next scan.
    WaitingForScan,
}

/// Compares the leaks of a first report with a second one.
///
/// `looked_at` names the repositories and resource ids that the second report covers: a report does not tell where
/// nothing was found. A leak elsewhere waits, and so does every leak that is not seen again while the second report
/// could not be read whole.
pub fn close<'a>(
    first: &'a LeakReport,
    second: &LeakReport,
    looked_at: &BTreeSet<String>,
) -> Vec<(&'a Leak, Closing)> {
    let covered = |leak: &Leak| {
        let resource = leak.place.resource.as_ref().map(|id| id.as_str());
        let names = leak.place.repository.as_deref().into_iter().chain(resource);
        names.into_iter().any(|name| looked_at.iter().any(|it| it.eq_ignore_ascii_case(name)))
    };
    let closing = |leak: &Leak| match () {
        () if second.leaks.iter().any(|again| again.is_again(leak)) => Closing::StillThere,
        () if covered(leak) && second.is_complete() => Closing::Gone,
        () => Closing::WaitingForScan,
    };
    first.leaks.iter().map(|leak| (leak, closing(leak))).collect()
}
