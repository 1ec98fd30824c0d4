//! Many rotations, each with its own outcome.

use std::{collections::HashSet, sync::Arc};

use arm_core::{Outcome, Secret};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

use super::{
    Rotate, RotateError, RotateFailure, RotateStep, Rotation,
    beside::Beside,
    member::Member,
    run::rotate_group,
    wish::{REPLACES, ROTATED},
};
use crate::SecretId;

/// Runs many rotations, several at a time, for example one for each exposed secret.
///
/// **Secrets with the same value form a group**, whatever their names and vaults: all of them get the same new value,
/// and only then is the old credential revoked, once (except with [`IssuerKind::One`](crate::IssuerKind::One), where
/// the new one replaces it). If one of them cannot be set, no old version in the group is disabled and no old
/// credential revoked, and the others report this ([`RotateFailure::Group`]). Use the same issuer (clones of one `Arc`)
/// for a whole group; different ones are refused. Values are compared only in memory. Secrets given different values by
/// [`Rotate::to`] do not form a group.
///
/// **A credential that another secret in the call contains is not revoked** before that secret has moved: with an
/// issuer, the values of all enabled versions of all secrets are read before the first one is rotated. A credential in
/// several secrets is revoked by the last one to move; the others list it as not revoked, and are not complete. A
/// disabled or deleted secret is checked again directly before each revocation; a secret whose rotation has failed is
/// checked again before the next revocation. If a secret cannot be read for another reason, no credential that it might
/// contain is revoked.
///
/// Every secret has exactly one outcome, in no particular order; a failure never stops another group. A secret listed
/// twice is rotated once, with the options of its first entry. Dropping the stream cancels the rotations in progress
/// and starts no more; the same call with the same [`id`](Rotate::id)s finishes them.
///
/// A rotation does not close the finding of a scanner that reported the secret: the next scan does.
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
    let rotations: Vec<Rotate> =
        rotations.into_iter().filter(|rotate| named.insert(rotate.target())).collect();
    let concurrency = concurrency.max(1);
    let beside = Beside::new(&rotations);
    stream::once(groups(rotations, concurrency, beside.clone()))
        .flat_map(move |groups| {
            let beside = beside.clone();
            stream::iter(groups).map(move |group| run(group, beside.clone())).buffer_unordered(concurrency)
        })
        .flat_map(stream::iter)
        .boxed()
}

/// Rotations of secrets that hold the same value.
struct SameValue {
    value: Option<Secret>,
    rotations: Vec<Rotate>,
}

/// Reads all secrets before any is changed, so that no credential in another one is revoked, and groups those with the
/// same value.
async fn groups(rotations: Vec<Rotate>, concurrency: usize, beside: Beside) -> Vec<SameValue> {
    let alone = rotations.len() == 1;
    let valued: Vec<(Option<Secret>, Rotate)> = stream::iter(rotations)
        .map(|rotate| {
            let beside = beside.clone();
            async move { (if alone { None } else { old_value(&rotate, &beside).await }, rotate) }
        })
        .buffered(concurrency)
        .collect()
        .await;
    let mut groups: Vec<SameValue> = Vec::new();
    for (value, rotate) in valued {
        let joins = |group: &&mut SameValue| {
            group.value.is_some() && group.value == value && group.rotations[0].value == rotate.value
        };
        match groups.iter_mut().find(joins) {
            Some(group) => group.rotations.push(rotate),
            None => groups.push(SameValue { value, rotations: vec![rotate] }),
        }
    }
    groups
}

/// The value that a rotation replaces: the current one or, if the rotation has already set that, the previous one.
/// `None` if it cannot be read; the rotation itself then reports why.
async fn old_value(rotate: &Rotate, beside: &Beside) -> Option<Secret> {
    let current = beside.read(rotate).await?;
    let tags = &current.properties.tags;
    if tags.get(ROTATED).is_none_or(|rotation| *rotation != rotate.id) {
        return Some(current.value);
    }
    let before = tags.get(REPLACES)?.parse().ok()?;
    let before = rotate.client.get_version(&rotate.name, &before).await.ok()?.value;
    beside.note(&rotate.target(), &before);
    Some(before)
}

async fn run(group: SameValue, beside: Beside) -> Vec<Outcome<SecretId, Rotation, RotateError>> {
    let targets: Vec<SecretId> = group.rotations.iter().map(Rotate::target).collect();
    let outcomes = match same_issuer(&group.rotations) {
        true => rotate_group(group.rotations, beside).await,
        false => group.rotations.into_iter().map(|rotate| Err(refused(rotate))).collect(),
    };
    targets.into_iter().zip(outcomes).map(|(target, result)| Outcome { target, result }).collect()
}

fn same_issuer(rotations: &[Rotate]) -> bool {
    rotations.windows(2).all(|pair| match (&pair[0].issuer, &pair[1].issuer) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    })
}

fn refused(rotate: Rotate) -> RotateError {
    let reason = "other secrets in this call have the same value but another issuer: give all of them clones of \
                  the same one";
    RotateError {
        completed: Box::new(Member::new(rotate, Beside::default()).done),
        step: RotateStep::Snapshot,
        source: Box::new(RotateFailure::Invalid(reason.to_owned())),
    }
}
