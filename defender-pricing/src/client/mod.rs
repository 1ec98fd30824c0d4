//! The client, with one method for each REST operation.

mod pricings;

pub use pricings::{API_VERSION, PricingClient};
