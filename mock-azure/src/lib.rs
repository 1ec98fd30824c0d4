#![doc = include_str!("../README.md")]

mod app;
mod http;
mod kql;
#[cfg(feature = "server")]
mod server;
mod services;
mod state;
mod transport;
#[cfg(feature = "server")]
mod world_file;

pub use app::AnotherTenant;
#[cfg(feature = "server")]
pub use server::{Authority, Server, ServerOptions};
pub use services::{
    secrets::SecretVersion,
    vaults::audit::AuditEvent,
    virtual_machines::{Files, Script, ScriptOutput},
};
pub use state::{
    DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, MockAzure, Seed, fast_forward, faults::Fault, recorder::Recorded,
};
#[cfg(feature = "server")]
pub use world_file::{WorldError, world_from_text, world_schema};
