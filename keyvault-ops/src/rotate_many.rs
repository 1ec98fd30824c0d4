//! Many rotations, each with its own outcome.

use std::collections::HashSet;

use arm_core::Outcome;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use crate::{Rotate, RotateError, Rotation, SecretId};

/// Carries out many rotations, some at a time, such as one for each secret that was found exposed.
///
/// Every secret has exactly one outcome, in no particular order; a failure never ends the rest. A secret that is named
/// twice is rotated once, as it was named first. Dropping the stream stops what is in flight and starts nothing more;
/// what was stopped can be taken up again by its [`id`](Rotate::id).
///
/// A rotation does not close a finding: the next scan does. Until then, report it as waiting for the scan.
///
/// ```
/// # async fn f(secrets: &keyvault_ops::SecretsClient, found: Vec<keyvault_ops::SecretName>) {
/// use futures::StreamExt as _;
///
/// let rotations = found.iter().map(|name| secrets.rotate(name).reason("found on a disk"));
/// let mut outcomes = keyvault_ops::rotate_many(rotations, 4);
/// while let Some(outcome) = outcomes.next().await {
///     match outcome.result {
///         Ok(rotation) => println!("{rotation}"),
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// # }
/// ```
pub fn rotate_many<'a>(
    rotations: impl IntoIterator<Item = Rotate>,
    concurrency: usize,
) -> BoxStream<'a, Outcome<SecretId, Rotation, RotateError>> {
    let mut named = HashSet::new();
    let rotations: Vec<(SecretId, Rotate)> = rotations
        .into_iter()
        .map(|rotate| {
            let vault_host = rotate.client.host().to_owned();
            (SecretId { vault_host, name: rotate.name.clone(), version: None }, rotate)
        })
        .filter(|(target, _)| named.insert(target.clone()))
        .collect();
    stream::iter(rotations)
        .map(|(target, rotate)| async move { Outcome { target, result: rotate.await } })
        .buffer_unordered(concurrency.max(1))
        .boxed()
}
