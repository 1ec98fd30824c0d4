//! The scopes of plans.

use crate::{
    http::{Call, Reply},
    state::World,
};

const MACHINES: &[(&str, &str)] = &[
    ("microsoft.compute", "virtualmachines"),
    ("microsoft.compute", "virtualmachinescalesets"),
    ("microsoft.hybridcompute", "machines"),
];

/// A subscription, or one of its machines. There is no plan of a single vault.
pub(super) enum Scope {
    Subscription(String),
    Machine(String),
}

impl Scope {
    pub(super) fn of_subscription(id: &str) -> Self {
        Self::Subscription(format!("/subscriptions/{id}"))
    }

    /// Reads the scope of a request from its first segments.
    pub(super) fn read(world: &World, call: &Call, segments: usize) -> Result<Self, Box<Reply>> {
        let path = call.path();
        let id = call.id(segments);
        match &path[..segments] {
            ["subscriptions", _] => Ok(Self::Subscription(id)),
            ["subscriptions", _, "resourcegroups", _, "providers", namespace, kind, _]
                if MACHINES.contains(&(namespace, kind)) =>
            {
                match world.resources.get(&id) {
                    Some(machine) => Ok(Self::Machine(machine["id"].as_str().unwrap_or(&id).to_owned())),
                    None => {
                        let kind = format!("{}/{}/{}", call.spelled(5), call.spelled(6), call.spelled(7));
                        Err(Box::new(Reply::resource_not_found(&kind, call.spelled(3))))
                    }
                }
            }
            // Documented: subscriptions and machines have plans; vaults do not.
            _ => {
                let message = format!(
                    "The scope '{id}' does not support pricings. Use a subscription, a virtual machine, a virtual \
                     machine scale set or an Azure Arc machine."
                );
                Err(Box::new(Reply::arm_error(400, "InvalidUrlConfiguration", message)))
            }
        }
    }

    pub(super) fn id(&self) -> &str {
        match self {
            Self::Subscription(id) | Self::Machine(id) => id,
        }
    }

    pub(super) fn is_machine(&self) -> bool {
        matches!(self, Self::Machine(_))
    }

    /// The subscription itself, or the one that contains the machine.
    pub(super) fn subscription(&self) -> Self {
        Self::of_subscription(self.id().split('/').nth(2).unwrap_or_default())
    }

    /// The key for state about the subscription.
    pub(super) fn key(&self) -> String {
        self.subscription().id().to_ascii_lowercase()
    }

    /// The id of a plan at this scope.
    pub(super) fn id_of(&self, plan: &str) -> String {
        format!("{}/providers/{}/{plan}", self.id(), super::TYPE)
    }
}
