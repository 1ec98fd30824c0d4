//! What nearly every program needs: `use arm_core::prelude::*;`.
//!
//! Besides `arm-core`, a program depends only on the crates for its services and tokio:
//!
//! ```no_run
//! use arm_core::prelude::*;
//!
//! # async fn f(arm: ArmClient) -> Result<()> {
//! let subscription: SubscriptionId = "00000000-0000-0000-0000-000000000001".parse()?;
//! let path = arm_core::ArmPath::from(&subscription).literal("resourcegroups");
//! let mut groups = arm.get(path, "2024-03-01").pager::<String>();
//! while let Some(group) = groups.try_next().await.inspect_err(|error| {
//!     if error.is_role_missing() {
//!         eprintln!("ask for the role Reader");
//!     }
//! })? {
//!     println!("{group}");
//! }
//! # Ok(()) }
//! ```

pub use azure_core::Error;
pub use futures::{StreamExt, TryStreamExt};

pub use crate::{
    ArmClient, ArmErrorExt, ArmOptions, Change, ManagementGroupId, ResourceGroupId, ResourceId, ResourceName,
    Scope, SubscriptionId,
};

/// A `Result` whose error type defaults to [`Error`]; another can be given, as in `Result<(), Box<dyn
/// std::error::Error>>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;
