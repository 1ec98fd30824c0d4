//! What a part of Azure is made of.

use serde_json::Value;
use time::OffsetDateTime;

use crate::http::{Call, Reply, host::Service};

/// A resource type as its service spells it, and the api-versions that it answers, oldest first.
pub(crate) type TypeVersions = (&'static str, &'static [&'static str]);

/// A query option, such as `$filter`, and what it may say.
pub(crate) type QueryOption = (&'static str, Accepts);

/// What a query option may say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accepts {
    /// The surface reads it, and answers 501 to what it does not know.
    Read,
    /// A number from 1.
    Count,
    /// These words, joined by commas.
    Words(&'static [&'static str]),
}

/// A table of Resource Graph, in lower case, such as `securityresources`, and a row of it. A row has
/// `id`, `name`, `type` and `properties`; `tenantId`, `subscriptionId` and `resourceGroup` are added
/// where it lacks them.
pub(crate) type GraphRow = (&'static str, Value);

/// Which kind of host a surface answers at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Management,
    Graph,
    LogAnalytics,
    Login,
    Vault,
    Keyed,
    Identity,
}

impl At {
    pub(crate) fn of(service: &Service) -> Self {
        match service {
            Service::Management => Self::Management,
            Service::Graph => Self::Graph,
            Service::Login => Self::Login,
            Service::LogAnalytics => Self::LogAnalytics,
            Service::Vault(_) => Self::Vault,
            Service::Keyed(_) => Self::Keyed,
            Service::Identity => Self::Identity,
        }
    }
}

/// One part of Azure, in a world `W`.
#[derive(Debug)]
pub(crate) struct Surface<W: 'static> {
    pub(crate) at: At,
    /// The resource types that it answers, with their api-versions; also what permissions are named after.
    pub(crate) types: &'static [TypeVersions],
    /// The query options that it takes, whose names begin with `$`; any other is 501.
    pub(crate) options: &'static [QueryOption],
    /// Lays out what a new subscription has.
    pub(crate) provision: Option<fn(&mut W, &str)>,
    /// What this surface adds to Resource Graph for one subscription, beside the ARM resources that
    /// it keeps in the world, which are in the tables `resources` and `resourcecontainers` anyway. It adds to
    /// other tables, whose names end with `resources`.
    pub(crate) graph_rows: Option<fn(&W, &str) -> Vec<GraphRow>>,
    /// Answers a request, or leaves it to the next surface.
    pub(crate) answer: fn(&mut W, &Call) -> Option<Reply>,
    /// Hears of every answer, at whichever host, once it is settled.
    pub(crate) heard: Option<fn(&mut W, &Call, &Reply)>,
    /// Hears that the resource with this id, and all below it, is about to go for good.
    pub(crate) leaving: Option<fn(&mut W, &str)>,
    /// Takes away what has run out by now; called at most once in a second of the double's clock.
    pub(crate) expire: Option<fn(&mut W, OffsetDateTime)>,
}

impl<W> Surface<W> {
    /// A surface that answers nothing.
    pub(crate) const EMPTY: Self = Self {
        at: At::Management,
        types: &[],
        options: &[],
        provision: None,
        graph_rows: None,
        answer: |_, _| None,
        heard: None,
        leaving: None,
        expire: None,
    };
}
