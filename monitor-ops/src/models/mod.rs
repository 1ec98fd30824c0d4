//! One file for each resource.

mod action_group;
mod alert_rule;
mod diagnostic_setting;
mod incident;
mod query;
mod query_rule;
mod receiver;
mod resource;
mod sentinel;
mod vault_operation;
mod workspace;

pub use action_group::*;
pub use alert_rule::*;
pub use diagnostic_setting::*;
pub use incident::*;
pub use query::*;
pub use query_rule::*;
pub use receiver::*;
pub use resource::*;
pub use sentinel::*;
pub use vault_operation::*;
pub use workspace::*;
