#![doc = include_str!("../README.md")]

mod client;
mod compose;
mod issuers;
mod kinds;
mod models;
mod proof;

pub use client::KeyedResourcesClient;
pub use issuers::ResourceKeyIssuer;
pub use models::{KeyedResource, Permissions, ResourceKey, ResourceKeys};
