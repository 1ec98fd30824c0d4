//! The builder of the double's initial state.

use time::OffsetDateTime;

use crate::{
    http::identity::{Principal, PrincipalKind},
    state::{
        clock::Clock,
        operation_store::{Failure, ScriptedFailure},
        world::{Surface, World},
    },
};

/// The subscription of a double, unless its seed sets [other subscriptions](Seed::subscriptions).
pub const DEFAULT_SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";
/// The tenant of a double, unless its seed sets one.
pub const DEFAULT_TENANT: &str = "00000000-0000-0000-0000-0000000000aa";

pub(crate) type Step = Box<dyn FnOnce(&mut World) + Send>;

/// A builder for the initial state of a double. Each service adds methods for its own resources.
#[must_use = "a seed does nothing until it is started"]
pub struct Seed {
    clock: Clock,
    number: u64,
    tenant: String,
    /// The subscriptions. `default_subscription` tells whether the default one is added to them.
    subscriptions: Vec<String>,
    default_subscription: bool,
    settings: Vec<Step>,
    steps: Vec<Step>,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed")
            .field("tenant", &self.tenant)
            .field("subscriptions", &self.subscriptions)
            .finish_non_exhaustive()
    }
}

impl Seed {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock::default(),
            number: 0,
            tenant: DEFAULT_TENANT.to_owned(),
            subscriptions: Vec::new(),
            default_subscription: true,
            settings: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Adds a subscription. Lists return it after [`DEFAULT_SUBSCRIPTION`].
    pub fn subscription(mut self, id: impl ToString) -> Self {
        self.subscriptions.push(id.to_string());
        self
    }

    /// Sets the complete list of subscriptions. It contains [`DEFAULT_SUBSCRIPTION`] only if `ids` does. Later calls of
    /// [`subscription`](Self::subscription) add to the list.
    pub fn subscriptions(mut self, ids: impl IntoIterator<Item = impl ToString>) -> Self {
        self.subscriptions = ids.into_iter().map(|id| id.to_string()).collect();
        self.default_subscription = false;
        self
    }

    /// Sets the tenant of all subscriptions. Default: [`DEFAULT_TENANT`].
    pub fn tenant(mut self, id: impl ToString) -> Self {
        self.tenant = id.to_string();
        self
    }

    /// Sets the seed of ids, secret versions and everything else that is random: the same number gives the same values.
    /// Default: 0.
    pub fn seed(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Starts the double's clock at this time and stops it there until it is [advanced](crate::MockAzure::advance) or
    /// [runs freely](crate::MockAzure::run_freely). Default: the clock runs and shows the real time.
    ///
    /// With the same start time, the same [`seed`](Seed::seed) and the same requests in the same order, a double gives
    /// the same responses, byte for byte.
    pub fn starts_at(mut self, time: OffsetDateTime) -> Self {
        self.clock = Clock::still_at(time);
        self
    }

    /// Signs in an application instead of a user.
    pub fn signed_in_service_principal(self) -> Self {
        self.setting(|world| {
            world.signed_in = Principal {
                object_id: "00000000-0000-0000-0000-0000000000b2".to_owned(),
                display_name: "lab-automation".to_owned(),
                kind: PrincipalKind::ServicePrincipal {
                    app_id: "00000000-0000-0000-0000-0000000000c2".to_owned(),
                },
            };
        })
    }

    /// Splits lists that the service pages into pages of this size, except where a request gives another size in
    /// `$top`.
    pub fn page_size(self, items: usize) -> Self {
        self.setting(move |world| world.paging.size = Some(items.max(1)))
    }

    /// Inserts an empty page with a next link after the first page of every list that the service pages.
    pub fn empty_pages(self) -> Self {
        self.setting(|world| world.paging.empty_page = true)
    }

    /// Sets how many polls report a long-running operation as still running. Default: 1.
    pub fn operation_polls(self, polls: u32) -> Self {
        self.setting(move |world| world.operations.polls = polls)
    }

    /// Makes the next long-running operation on a resource whose id contains `target` fail.
    pub fn operation_fails(self, target: &str, code: &str, message: &str) -> Self {
        let target = target.to_ascii_lowercase();
        let failure = Failure { code: code.to_owned(), message: message.to_owned() };
        self.setting(move |world| world.operations.failures.push(ScriptedFailure { target, failure }))
    }

    /// Adds a step that runs before the subscriptions are created.
    pub(crate) fn setting(mut self, step: impl FnOnce(&mut World) + Send + 'static) -> Self {
        self.settings.push(Box::new(step));
        self
    }

    /// Adds a step that runs after the subscriptions are created, in the order of the calls.
    pub(crate) fn step(mut self, step: impl FnOnce(&mut World) + Send + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// Builds the world with its settings applied. Also returns the subscriptions to create, and the steps to run
    /// afterwards.
    pub(crate) fn begin(self, surfaces: &'static [Surface]) -> (World, Vec<String>, Vec<Step>) {
        let mut world = World::new(&self.tenant, self.clock, self.number, surfaces);
        for setting in self.settings {
            setting(&mut world);
        }
        let mut subscriptions = self.subscriptions;
        if self.default_subscription {
            subscriptions.insert(0, DEFAULT_SUBSCRIPTION.to_owned());
        }
        (world, subscriptions, self.steps)
    }
}
