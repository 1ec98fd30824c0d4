//! The examples do what they say: each one checks it at its end.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

#[path = "../examples/entra.rs"]
mod entra;
#[cfg(feature = "postgres")]
#[path = "../examples/postgres.rs"]
mod postgres;
#[path = "../examples/storage.rs"]
mod storage;

#[test]
fn a_storage_key_that_was_found_on_a_disk_dies() {
    storage::main().unwrap();
}

#[test]
fn a_client_secret_that_was_found_in_a_repository_dies() {
    entra::main().unwrap();
}

#[cfg(feature = "postgres")]
#[test]
fn a_database_url_that_was_found_in_a_log_dies() {
    postgres::main().unwrap();
}
