//! Whose credentials are rotated: every issuer, and of the one that goes by a table every row.

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions, ResourceId};
use azure_core::http::{ClientOptions, policies::Policy};
#[cfg(feature = "postgres")]
use keyvault_issuers::PostgresRoleIssuer;
use keyvault_issuers::{EntraPasswordIssuer, ResourceKeyIssuer, WebhookIssuer};
use keyvault_ops::{Issuer, IssuerKind};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, DEFAULT_TENANT, MockAzure};

#[cfg(feature = "postgres")]
use crate::support::postgres::{ADMINISTRATOR, LEAKED, Postgres};
use crate::{
    gate::{Gate, Hooked},
    support::{
        id, seed,
        service::{ADDRESS, Hook, KEY, Service},
    },
};

const APP: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";
const PASSWORD: &str = "old8Q~0123456789012345678901234567abcd";

#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    Application,
    /// Two roles of PostgreSQL.
    #[cfg(feature = "postgres")]
    Roles,
    /// The user's own service, with as many credentials as it makes.
    ServiceOfMany,
    /// The user's own service, with two slots.
    ServiceOfTwo,
    /// The type of a resource, its name, and the key that the secret holds.
    Keys(&'static str, &'static str, &'static str),
}

/// Those that stand for an issuer of their own come first; the others differ by a row of a table.
pub(crate) const SUBJECTS: &[Subject] = &[
    Subject::Application,
    Subject::ServiceOfMany,
    Subject::ServiceOfTwo,
    Subject::Keys("Microsoft.Storage/storageAccounts", "stlab", "key1"),
    #[cfg(feature = "postgres")]
    Subject::Roles,
    Subject::Keys("Microsoft.DocumentDB/databaseAccounts", "cosmos", "primaryMasterKey"),
    Subject::Keys("Microsoft.DocumentDB/databaseAccounts", "cosmos", "secondaryReadonlyMasterKey"),
    Subject::Keys("Microsoft.ServiceBus/namespaces/authorizationRules", "bus/send", "primaryKey"),
    Subject::Keys("Microsoft.EventHub/namespaces/authorizationRules", "hubs/Root", "secondaryKey"),
    Subject::Keys("Microsoft.CognitiveServices/accounts", "models", "key2"),
    Subject::Keys("Microsoft.Search/searchServices", "search", "primaryKey"),
    Subject::Keys("Microsoft.Cache/redis", "cache", "primaryKey"),
    Subject::Keys("Microsoft.SignalRService/signalR", "signals", "primaryKey"),
    Subject::Keys("Microsoft.SignalRService/webPubSub", "pubsub", "secondaryKey"),
    Subject::Keys("Microsoft.Maps/accounts", "maps", "secondaryKey"),
    Subject::Keys("Microsoft.Batch/batchAccounts", "batch", "primary"),
    Subject::Keys("Microsoft.EventGrid/topics", "topic", "key1"),
    Subject::Keys("Microsoft.EventGrid/domains", "domain", "key2"),
];

/// How many of them stand for an issuer of their own.
pub(crate) const OWN: usize = if cfg!(feature = "postgres") { 5 } else { 4 };

/// Types whose keys cannot be used here.
const LISTED: &[&str] = &["Cache", "SignalR", "Maps", "Batch", "EventGrid"];

/// A subject that has begun.
pub(crate) struct Estate {
    pub(crate) subject: Subject,
    pub(crate) azure: MockAzure,
    service: Arc<Service>,
    #[cfg(feature = "postgres")]
    postgres: Option<Arc<Postgres>>,
    /// What the secret holds at the beginning.
    pub(crate) first: String,
}

impl Estate {
    pub(crate) async fn start(subject: Subject) -> Self {
        let mut seed = seed();
        match subject {
            Subject::Keys(kind, resource, _) => seed = seed.keyed_resource(SUB, "rg", kind, resource),
            Subject::Application => seed = seed.application(APP, CLIENT, "web", PASSWORD),
            _ => {}
        }
        let azure = seed.start().await;
        let service = Service { two_slots: matches!(subject, Subject::ServiceOfTwo), ..Service::default() };
        service.held.lock().unwrap().extend([
            ("key1".into(), "leaked-value".into(), String::new(), true),
            ("key2".into(), "idle-value".into(), String::new(), service.two_slots),
        ]);
        #[cfg(feature = "postgres")]
        let postgres = match subject {
            Subject::Roles => Some(Postgres::start().await),
            _ => None,
        };
        let first = match subject {
            Subject::Keys(_, _, key) => {
                azure.resource_key(subject.resource().unwrap().as_str(), key).unwrap()
            }
            Subject::Application => PASSWORD.to_owned(),
            Subject::ServiceOfMany | Subject::ServiceOfTwo => "leaked-value".to_owned(),
            // It names no host: each rotator comes by a door of its own.
            #[cfg(feature = "postgres")]
            Subject::Roles => format!("user=app_a password={LEAKED} dbname=shop"),
        };
        Self {
            subject,
            azure,
            service: Arc::new(service),
            #[cfg(feature = "postgres")]
            postgres,
            first,
        }
    }

    /// Whether a value works where it was issued.
    pub(crate) fn takes(&self, value: &str) -> bool {
        match self.subject {
            Subject::Keys(..) => self.azure.takes_key(self.subject.resource().unwrap().as_str(), value),
            Subject::Application => self.azure.application_takes(CLIENT, value),
            Subject::ServiceOfMany | Subject::ServiceOfTwo => self.service.takes(value),
            #[cfg(feature = "postgres")]
            Subject::Roles => {
                let member = |name: &str| {
                    value.split(' ').find_map(|part| part.strip_prefix(name)).unwrap_or_default()
                };
                self.postgres.as_ref().unwrap().takes(member("user="), member("password="))
            }
        }
    }

    /// The credentials that were created for a rotation, labelled with its id, and work: their ids and that label.
    pub(crate) fn labelled(&self) -> Vec<(String, String)> {
        let labelled =
            |(id, label): (String, Option<String>)| Some((id, label?.strip_prefix("rotation ")?.to_owned()));
        let mut all: Vec<_> =
            self.azure.application_passwords(APP).into_iter().filter_map(labelled).collect();
        if matches!(self.subject, Subject::ServiceOfMany) {
            let held = self.service.held.lock().unwrap();
            let made = held.iter().filter(|held| held.3 && !held.2.is_empty());
            all.extend(made.map(|held| (held.0.clone(), held.2.clone())));
        }
        all
    }

    /// A connection of a rotator, all of whose requests go through its gate.
    pub(crate) fn arm(&self, gate: &Gate) -> ArmClient {
        let policies: Vec<Arc<dyn Policy>> =
            vec![Arc::new(gate.clone()), Arc::new(Hook(self.service.clone()))];
        let client = ClientOptions { per_try_policies: policies, ..self.azure.client_options() };
        ArmClient::new(self.azure.credential(), Some(ArmOptions::from(client))).unwrap()
    }

    /// The issuer of a rotator whose program has just started.
    pub(crate) async fn issuer(&self, arm: &ArmClient, gate: &Gate) -> Hooked {
        let webhook = |kind| WebhookIssuer::new(arm, ADDRESS.parse().unwrap(), KEY.into(), kind).unwrap();
        let issuer: Arc<dyn Issuer> = match self.subject {
            Subject::Keys(..) => {
                Arc::new(ResourceKeyIssuer::new(arm, self.subject.resource().unwrap()).unwrap())
            }
            Subject::Application => Arc::new(EntraPasswordIssuer::new(arm, DEFAULT_TENANT, APP)),
            Subject::ServiceOfMany => Arc::new(webhook(IssuerKind::Many)),
            Subject::ServiceOfTwo => Arc::new(webhook(IssuerKind::TwoSlots)),
            #[cfg(feature = "postgres")]
            Subject::Roles => {
                let port = self.postgres.as_ref().unwrap().door(Arc::new(gate.clone())).await;
                let administrator =
                    format!("host=localhost port={port} user=rotator password='{ADMINISTRATOR}' dbname=shop");
                Arc::new(PostgresRoleIssuer::new(&administrator.into(), ["app_a", "app_b"]).unwrap())
            }
        };
        Hooked { issuer, gate: gate.clone() }
    }
}

impl Subject {
    fn resource(self) -> Option<ResourceId> {
        match self {
            Self::Keys(kind, resource, _) => Some(id(kind, resource)),
            _ => None,
        }
    }

    /// Whether its issuer can use a credential.
    pub(crate) fn proves(self) -> bool {
        !matches!(self, Self::Keys(kind, ..) if LISTED.iter().any(|listed| kind.contains(listed)))
    }
}
