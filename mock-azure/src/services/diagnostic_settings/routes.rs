//! Where logs were sent, and when. A setting sends nothing that happened before it was created.

use time::OffsetDateTime;

/// The tables in which a workspace stores the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `AzureDiagnostics`, for all resource types.
    AzureDiagnostics,
    /// A separate table for each category of a resource type.
    Dedicated,
}

/// A category of a resource and the workspace to which it is sent; ids in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) resource: String,
    pub(crate) workspace: String,
    pub(crate) category: &'static str,
    pub(crate) mode: Mode,
}

#[derive(Debug)]
struct Route {
    setting: String,
    target: Target,
    /// When the route began. `None`: it has always existed.
    from: Option<OffsetDateTime>,
    until: Option<OffsetDateTime>,
}

/// All current and former routes.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    all: Vec<Route>,
}

impl Routes {
    /// Makes a setting send exactly these targets from `at` on.
    pub(super) fn replace(&mut self, setting: &str, targets: Vec<Target>, at: Option<OffsetDateTime>) {
        let setting = setting.to_ascii_lowercase();
        let open = |route: &Route| route.setting == setting && route.until.is_none();
        let fresh: Vec<Target> = targets
            .iter()
            .filter(|target| !self.all.iter().any(|route| open(route) && route.target == **target))
            .cloned()
            .collect();
        for route in self.all.iter_mut().filter(|route| open(route) && !targets.contains(&route.target)) {
            route.until = at;
        }
        let started = |target| Route { setting: setting.clone(), target, from: at, until: None };
        self.all.extend(fresh.into_iter().map(started));
    }

    /// The workspaces and tables to which a record of a resource was sent at a time.
    pub(crate) fn of<'a>(
        &'a self,
        resource: &'a str,
        category: &'a str,
        at: OffsetDateTime,
    ) -> impl Iterator<Item = (&'a str, Mode)> {
        self.all
            .iter()
            .filter(move |route| {
                route.target.resource.eq_ignore_ascii_case(resource) && route.target.category == category
            })
            .filter(move |route| route.from.is_none_or(|from| from <= at))
            .filter(move |route| route.until.is_none_or(|until| at < until))
            .map(|route| (route.target.workspace.as_str(), route.target.mode))
    }
}
