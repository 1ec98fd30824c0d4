#![doc = include_str!("../README.md")]

mod client;
mod client_secret;
mod compose;
mod issuers;
mod kinds;
mod models;
mod proof;

pub use client::{ApplicationsClient, KeyedResourcesClient};
#[cfg(feature = "postgres")]
pub use issuers::PostgresRoleIssuer;
pub use issuers::{EntraPasswordIssuer, ResourceKeyIssuer, WebhookIssuer};
pub use models::{
    AppManagementPolicy, AppRestrictions, Application, KeyedResource, PasswordCredential,
    PasswordRestriction, Permissions, ResourceKey, ResourceKeys,
};
