//! The interface of a part of Azure.

use serde_json::Value;
use time::OffsetDateTime;

use crate::http::{Call, Reply, host::Service};

/// A resource type in its service's spelling, and the api-versions that it supports, oldest first.
pub(crate) type TypeVersions = (&'static str, &'static [&'static str]);

/// A query option, such as `$filter`, and the values that it accepts.
pub(crate) type QueryOption = (&'static str, Accepts);

/// The values that a query option accepts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Accepts {
    /// The surface parses it, and returns 501 for what it does not know.
    Read,
    /// A positive integer.
    Count,
    /// These words, separated by commas.
    Words(&'static [&'static str]),
}

/// A table of Resource Graph in lower case, such as `securityresources`, and a row of it. A row has `id`, `name`,
/// `type` and `properties`; `tenantId`, `subscriptionId` and `resourceGroup` are added if they are missing.
pub(crate) type GraphRow = (&'static str, Value);

/// The kind of host at which a surface answers.
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

/// A part of Azure, in a world `W`.
#[derive(Debug)]
pub(crate) struct Surface<W: 'static> {
    pub(crate) at: At,
    /// The supported resource types, with their api-versions. Permissions are named after them.
    pub(crate) types: &'static [TypeVersions],
    /// The supported query options that begin with `$`. Any other gets a 501.
    pub(crate) options: &'static [QueryOption],
    /// Sets up the contents of a new subscription.
    pub(crate) provision: Option<fn(&mut W, &str)>,
    /// The rows that this surface adds to Resource Graph for one subscription, in tables whose names end with
    /// `resources`. The ARM resources that it stores in the world are already in the tables `resources` and
    /// `resourcecontainers`.
    pub(crate) graph_rows: Option<fn(&W, &str) -> Vec<GraphRow>>,
    /// Answers a request. `None` leaves it to the next surface.
    pub(crate) answer: fn(&mut W, &Call) -> Option<Reply>,
    /// Called with every final response, at any host.
    pub(crate) heard: Option<fn(&mut W, &Call, &Reply)>,
    /// Called before the resource with this id, and everything below it, is removed for good.
    pub(crate) leaving: Option<fn(&mut W, &str)>,
    /// Removes what has expired. Called at most once per second of the double's clock.
    pub(crate) expire: Option<fn(&mut W, OffsetDateTime)>,
}

impl<W> Surface<W> {
    /// A surface that answers no requests.
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
