#![doc = include_str!("../README.md")]

mod api_version;
mod audit;
mod azure;
mod call;
mod clock;
mod credential;
mod demo;
mod door;
mod duration;
mod fault;
mod filter;
mod host;
mod identity;
mod journal;
mod kql;
mod operation;
mod paging;
mod reply;
mod resources;
mod seed;
mod server;
mod services;
mod timestamp;
mod transport;
mod world;

pub use audit::AuditEvent;
pub use azure::MockAzure;
pub use clock::fast_forward;
pub use fault::Fault;
pub use journal::Recorded;
pub use seed::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, Seed};
pub use services::secrets::SecretVersion;
