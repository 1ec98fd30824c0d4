//! What the tests share.

use mock_azure::{MockAzure, Recorded};
use monitor_ops::WorkspaceId;
pub(crate) use test_kit::*;

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId::new(&group(), "law-sec").unwrap()
}

pub(crate) fn writes(azure: &MockAzure) -> Vec<Recorded> {
    azure.writes()
}
