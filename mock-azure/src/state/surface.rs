//! What a part of Azure is made of.

use serde_json::Value;

use crate::{
    http::{Call, Reply, host::Service},
    state::world::World,
};

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

/// Which kind of host a surface answers at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Management,
    Graph,
    LogAnalytics,
    Login,
    Vault,
}

impl At {
    pub(crate) fn of(service: &Service) -> Option<Self> {
        match service {
            Service::Management => Some(Self::Management),
            Service::Graph => Some(Self::Graph),
            Service::Login => Some(Self::Login),
            Service::LogAnalytics => Some(Self::LogAnalytics),
            Service::Vault(_) => Some(Self::Vault),
        }
    }
}

/// One part of Azure.
pub(crate) struct Surface {
    pub(crate) at: At,
    /// The resource types that it answers, with their api-versions; also what permissions are named after.
    pub(crate) types: &'static [TypeVersions],
    /// The query options that it takes, whose names begin with `$`; any other is 501.
    pub(crate) options: &'static [QueryOption],
    /// Lays out what a new subscription has.
    pub(crate) provision: Option<fn(&mut World, &str)>,
    /// What this surface adds to Resource Graph for one subscription, beside the ARM resources that
    /// it keeps in the world, which are in the tables `resources` and `resourcecontainers` anyway. It adds to
    /// other tables, whose names end with `resources`.
    pub(crate) graph_rows: Option<fn(&World, &str) -> Vec<GraphRow>>,
    /// Answers a request, or leaves it to the next surface.
    pub(crate) answer: fn(&mut World, &Call) -> Option<Reply>,
}

impl Surface {
    /// A surface that answers nothing.
    pub(crate) const EMPTY: Self = Self {
        at: At::Management,
        types: &[],
        options: &[],
        provision: None,
        graph_rows: None,
        answer: |_, _| None,
    };
}

/// A table of Resource Graph, in lower case, such as `securityresources`, and a row of it. A row has
/// `id`, `name`, `type` and `properties`; `tenantId`, `subscriptionId` and `resourceGroup` are added
/// where it lacks them.
pub(crate) type GraphRow = (&'static str, Value);
