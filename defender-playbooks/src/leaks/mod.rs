//! Finds leaked secrets in vaults, and takes them to the point where they no longer grant access.

mod close;
mod component;
mod finding;
mod formats;
mod markdown;
mod matches;
mod matching;
mod plan;
mod prevent;
mod read;
mod report;
mod sarif;

pub use close::{Closing, close};
pub use finding::{Leak, Leaked, LeakedHash, Place, Tested};
pub use formats::of_defender;
pub use markdown::to_markdown;
pub use matches::{HowMatched, LeakMatches, SecretMatch, VersionMatch};
pub use matching::{LeaksClient, MatchLeaks};
pub use plan::{LeakPlan, LeakStep, PlannedSecret, SecretFacts};
pub use prevent::{gitleaks_config, pre_commit_entry};
pub use read::{read, read_in};
pub use report::{LeakReport, ReportFormat, Unread};
pub(crate) use sarif::address;
pub use sarif::to_sarif;
