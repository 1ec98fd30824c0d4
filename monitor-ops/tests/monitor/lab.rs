//! What the tests share.

use monitor_ops::WorkspaceId;
pub(crate) use test_kit::*;

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId::new(&group(), "law-sec").unwrap()
}
