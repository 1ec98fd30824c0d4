//! Tasks of several requests, each in its own file with the method that starts it.

mod enable_system_identity;
mod ensure_registered;
mod ensure_resource_group;
mod ensure_role_assignment;
mod signed_in;

pub use enable_system_identity::EnableSystemIdentity;
pub use ensure_registered::EnsureRegistered;
pub use ensure_resource_group::EnsureResourceGroup;
pub use ensure_role_assignment::EnsureRoleAssignment;
pub use signed_in::{PrincipalSource, SignedInPrincipal};
