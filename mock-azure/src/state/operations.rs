//! Long-running operations, which a request starts and polls complete.

use serde_json::{Value, json};
use time::Duration;

use crate::{
    http::{Call, Method, Reply, timestamp},
    state::{
        operation_store::{Failure, Operation, Progress},
        world::World,
    },
};

/// Starts an operation on the resource `target` and returns the operation's id.
pub(crate) fn start(
    world: &mut World,
    target: &str,
    effect: impl FnOnce(&mut World, Result<(), &Failure>) -> Option<Value> + Send + 'static,
) -> String {
    let id = world.fresh_id();
    let target = target.to_ascii_lowercase();
    let (since, moved) = (world.now(), world.clock.moved());
    let started = timestamp::precise(since);
    let operations = &mut world.operations;
    let scripted = operations.failures.iter().position(|failure| target.contains(&failure.target));
    let failure = scripted.map(|index| operations.failures.remove(index).failure);
    let polls_left = operations.polls;
    let operation = Operation {
        target,
        started,
        since,
        moved,
        polls_left,
        effect: Some(Box::new(effect)),
        failure,
        progress: Progress::Running,
    };
    operations.all.insert(id.clone(), operation);
    operations.running.push(id.clone());
    id
}

/// The id of the operation that is running on a resource.
pub(crate) fn running_on(world: &World, target: &str) -> Option<String> {
    let operations = &world.operations;
    let on = |id: &&String| {
        operations.all.get(*id).is_some_and(|operation| operation.target.eq_ignore_ascii_case(target))
    };
    operations.running.iter().find(on).cloned()
}

/// Advances an operation by one poll and returns its progress.
fn poll(world: &mut World, id: &str) -> Option<Progress> {
    let operation = world.operations.all.get_mut(id)?;
    if operation.polls_left > 0 {
        operation.polls_left -= 1;
        return Some(Progress::Running);
    }
    let Some(effect) = operation.effect.take() else { return Some(operation.progress.clone()) };
    let failure = operation.failure.clone();
    let body = effect(world, failure.as_ref().map_or(Ok(()), Err));
    let progress = failure.map_or(Progress::Succeeded(body), Progress::Failed);
    world.operations.end(id, progress.clone());
    Some(progress)
}

/// Completes the operations that are due.
pub(crate) fn pass_time(world: &mut World) {
    if world.operations.running.is_empty() {
        return;
    }
    let (now, moved, by_clock) = (world.now(), world.clock.moved(), world.operations.by_clock);
    let pace = world.operations.retry_after.max(1).cast_signed();
    let due = Duration::seconds(i64::from(world.operations.polls).saturating_mul(pace));
    for id in world.operations.running.clone() {
        let Some(operation) = world.operations.all.get_mut(&id) else { continue };
        let by_hand = moved - operation.moved;
        if (by_hand.is_positive() && by_hand >= due) || (by_clock && now - operation.since >= due) {
            operation.polls_left = 0;
            poll(world, &id);
        }
    }
}

/// Counts a read of a resource as a poll of its operation, for clients that poll the resource itself.
pub(crate) fn observe(world: &mut World, call: &Call) {
    if world.operations.running.is_empty() {
        return;
    }
    if !matches!(call.method, Method::Get | Method::Head) {
        return;
    }
    if let Some(id) = running_on(world, &call.key()) {
        poll(world, &id);
    }
}

/// The link that returns `202` until the operation completes, then its final response.
pub(crate) fn location(call: &Call, id: &str) -> String {
    link(call, "operationresults", id)
}

/// The link whose response contains the operation's status.
pub(crate) fn status_link(call: &Call, id: &str) -> String {
    link(call, "operationstatuses", id)
}

fn link(call: &Call, kind: &str, id: &str) -> String {
    let subscription = call.spelled(1);
    call.link(&format!("/subscriptions/{subscription}/{kind}/{id}?api-version={}", call.api_version()))
}

/// `202` with `Location`, the first response of many deletes and actions.
pub(crate) fn accepted(world: &World, call: &Call, id: &str) -> Reply {
    pace(world, Reply::empty(202)).header("location", location(call, id))
}

/// Adds `Retry-After` to a response after which the client polls.
pub(crate) fn pace(world: &World, reply: Reply) -> Reply {
    reply.header("retry-after", world.operations.retry_after.max(1).to_string())
}

/// Answers requests for the two kinds of poll links.
pub(crate) fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (kind, id) = match call.path().as_slice() {
        ["subscriptions", _, kind @ ("operationresults" | "operationstatuses"), id] => {
            ((*kind).to_owned(), (*id).to_owned())
        }
        _ => return None,
    };
    if call.method != Method::Get {
        return None;
    }
    let Some(progress) = poll(world, &id) else {
        return Some(Reply::arm_error(
            404,
            "OperationNotFound",
            format!("The operation '{id}' was not found."),
        ));
    };
    Some(if kind == "operationresults" {
        result(world, call, &id, progress)
    } else {
        status(world, call, &id, progress)
    })
}

fn result(world: &World, call: &Call, id: &str, progress: Progress) -> Reply {
    match progress {
        Progress::Running => {
            let reply = accepted(world, call, id);
            match world.operations.all.get(id) {
                // Recorded: the 202 of a purge has the status in its body.
                Some(operation) if operation.target.contains("/deletedvaults/") => {
                    let created = operation.started.clone();
                    reply.with_body(json!({ "createdDateTime": created, "status": "NotStarted" }))
                }
                _ => reply,
            }
        }
        Progress::Succeeded(Some(body)) => Reply::ok(body),
        Progress::Succeeded(None) => match world.operations.all.get(id) {
            Some(operation) if operation.target.contains("/deletedvaults/") => Reply::ok(json!({
                "createdDateTime": operation.started,
                "lastActionDateTime": timestamp::precise(world.now()),
                "status": "Succeeded",
            })),
            _ => Reply::empty(200),
        },
        Progress::Failed(failure) => match world.operations.all.get(id) {
            // Reported (msrestazure-for-python#157): a status in the body takes precedence over the status code.
            Some(operation) if operation.target.contains("/deletedvaults/") => Reply::ok(json!({
                "createdDateTime": operation.started,
                "lastActionDateTime": timestamp::precise(world.now()),
                "status": "Failed",
                "error": { "code": failure.code, "message": failure.message },
            })),
            _ => Reply::arm_error(409, &failure.code, failure.message),
        },
    }
}

fn status(world: &World, call: &Call, id: &str, progress: Progress) -> Reply {
    let operation = world.operations.all.get(id);
    let started = operation.map(|operation| operation.started.clone());
    // The result of a machine's operation is one level deeper: `properties.output.value` for a run command.
    let of_compute = operation.is_some_and(|operation| operation.target.contains("/microsoft.compute/"));
    let mut body = json!({
        "id": call.id(call.len()),
        "name": id,
        "startTime": started,
        "status": "InProgress",
    });
    match progress {
        Progress::Running => return pace(world, Reply::ok(body)),
        Progress::Succeeded(result) => {
            body["status"] = json!("Succeeded");
            if let Some(result) = result {
                body["properties"] = if of_compute { json!({ "output": result }) } else { result };
            }
        }
        Progress::Failed(failure) => {
            body["status"] = json!("Failed");
            body["error"] = json!({ "code": failure.code, "message": failure.message });
        }
    }
    body["endTime"] = json!(timestamp::precise(world.now()));
    Reply::ok(body)
}
