//! The vault: a transport that answers as Key Vault does, late, lost or not at all.

use std::{collections::BTreeMap, future::pending};

use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Method, Request, headers::Headers},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::world::{SecretNow, Shared, Version, World};

pub(crate) const HOST: &str = "kv-sim.vault.azure.net";

#[derive(Debug)]
pub(crate) struct SimVault {
    pub(crate) world: Shared,
    pub(crate) rotator: usize,
}

/// A secret, and what a read says is its current version.
type Looked = (String, Option<Version>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Accident {
    None,
    LostBefore,
    LostAfter,
    Throttled,
    Unavailable,
    Refused,
}

#[async_trait]
impl HttpClient for SimVault {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.headers().iter().all(|(name, _)| name.as_str() != "authorization") {
            let mut headers = Headers::new();
            let challenge = r#"Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net""#;
            headers.insert("www-authenticate", challenge);
            return Ok(AsyncRawResponse::from_bytes(401.into(), headers, ""));
        }
        let (accident, before, after) = {
            let mut world = self.world.lock();
            let accidents = world.rotators[self.rotator].accidents;
            let accident = match world.dice.roll(1_000) {
                _ if !accidents => Accident::None,
                0..10 => Accident::LostBefore,
                10..35 => Accident::LostAfter,
                35..45 => Accident::Throttled,
                45..55 => Accident::Unavailable,
                55..60 => Accident::Refused,
                _ => Accident::None,
            };
            (accident, world.dice.delay(), world.dice.delay())
        };
        sleep(before).await;
        self.world.clone().step(self.rotator).await;
        let lost = || Err(Error::with_message(ErrorKind::Io, "connection reset"));
        let refused = |status: u16, code: &str| answer(status, &error(code, None));
        match accident {
            Accident::LostBefore => {
                self.ambush(request);
                return lost();
            }
            Accident::Throttled | Accident::Unavailable => {
                if request.method() == Method::Put {
                    self.world.lock().rotators[self.rotator].refused += 1;
                }
                let throttled = accident == Accident::Throttled;
                return if throttled { refused(429, "Throttled") } else { refused(503, "ServerBusy") };
            }
            Accident::Refused => return refused(403, "Forbidden"),
            Accident::None | Accident::LostAfter => {}
        }
        let (outcome, looked) = self.act(request);
        sleep(after).await;
        self.world.clone().step(self.rotator).await;
        if accident == Accident::LostAfter {
            self.ambush(request);
            return lost();
        }
        // What is on its way is not known yet: another secret of the same call may be revoked meanwhile.
        if let Some((name, current)) = looked {
            let mut world = self.world.lock();
            let now = world.now();
            let me = &mut world.rotators[self.rotator];
            let told = current.as_ref().filter(|current| current.enabled).map(|current| current.id.clone());
            me.told.insert(name.clone(), (now, told));
            me.refused = 0;
            me.looked.extend(current.map(|current| (name, current.id)));
        }
        outcome
    }
}

impl Shared {
    /// The place where a run may be stopped for good.
    pub(crate) async fn step(self, rotator: usize) {
        let stopped = {
            let mut world = self.lock();
            let me = &mut world.rotators[rotator];
            me.steps += 1;
            (me.steps == me.stop_at).then(|| me.stopped.clone())
        };
        if let Some(stopped) = stopped {
            stopped.notify_one();
            pending::<()>().await;
        }
    }
}

impl SimVault {
    /// Of all moments, just after a set was lost someone sets a value, perhaps with the tags of ours.
    fn ambush(&self, request: &Request) {
        let path = request.url().path().to_owned();
        let (Method::Put, Some(name)) = (request.method(), path.trim_matches('/').strip_prefix("secrets/"))
        else {
            return;
        };
        let mut world = self.world.lock();
        if world.secrets[name].deleted || !world.dice.chance(300) {
            return;
        }
        let copied = match request.body() {
            azure_core::http::Body::Bytes(bytes) if world.dice.chance(500) => {
                tags(&serde_json::from_slice::<Value>(bytes).unwrap()["tags"])
            }
            _ => BTreeMap::new(),
        };
        let value = world.new_credential();
        world.say(|| format!("person: sets {name} to {value} after a set was lost"));
        world.note_write(usize::MAX);
        world.put(name, &value, copied);
    }

    /// The answer, and which version it tells to be current.
    fn act(&self, request: &Request) -> (azure_core::Result<AsyncRawResponse>, Option<Looked>) {
        let path = request.url().path().to_owned();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body: Value = match request.body() {
            azure_core::http::Body::Bytes(bytes) if !bytes.is_empty() => {
                serde_json::from_slice(bytes).unwrap()
            }
            _ => Value::Null,
        };
        let mut guard = self.world.lock();
        let world = &mut *guard;
        world.rotators[self.rotator].has_just_looked = false;
        let late = world.rotators[self.rotator].accidents && world.dice.chance(120);
        let answered = match (request.method(), parts.as_slice()) {
            (Method::Get, ["deletedsecrets", name]) => match world.secrets[*name].deleted {
                true => answer(200, &json!({ "id": format!("https://{HOST}/secrets/{name}") })),
                false => answer(404, &error("SecretNotFound", None)),
            },
            (Method::Get, ["secrets", name]) => {
                let seen = world.seen(name, late);
                let looked = ((*name).to_owned(), seen.current().cloned());
                return (self.read(world, name, &seen), Some(looked));
            }
            (Method::Get, ["secrets", name, "versions"]) => {
                let seen = world.seen(name, late);
                self.list(world, name, &seen)
            }
            (Method::Get, ["secrets", name, version]) => {
                let seen = world.seen(name, late);
                let found = seen.versions.iter().find(|found| found.id == *version && !seen.deleted);
                world.say(|| format!("rotator {}: reads version {version}", self.rotator));
                if found.is_some_and(|found| !found.enabled) {
                    world.rotators[self.rotator].unreadable.insert((*version).to_owned());
                }
                readable(name, found)
            }
            (Method::Put, ["secrets", name]) => self.put(world, name, &body),
            (Method::Patch, ["secrets", name, version]) => self.patch(world, name, version, &body),
            _ => answer(501, &json!({})),
        };
        (answered, None)
    }

    fn read(&self, world: &mut World, name: &str, seen: &SecretNow) -> azure_core::Result<AsyncRawResponse> {
        world
            .say(|| format!("rotator {}: reads {name}: {:?}", self.rotator, seen.current().map(|it| &it.id)));
        world.rotators[self.rotator].has_just_looked = true;
        readable(name, seen.current())
    }

    fn list(&self, world: &mut World, name: &str, seen: &SecretNow) -> azure_core::Result<AsyncRawResponse> {
        if seen.deleted {
            return answer(404, &error("SecretNotFound", None));
        }
        world.say(|| format!("rotator {}: lists {name}: {} versions", self.rotator, seen.versions.len()));
        let me = &mut world.rotators[self.rotator];
        let older = seen.versions.iter().rev().skip(1).filter(|version| !version.enabled);
        me.unreadable.extend(older.map(|version| version.id.clone()));
        if !me.set.contains(name) {
            me.listed.extend(seen.versions.iter().map(|version| version.id.clone()));
            // The answer to the last list counts: one before may have been lost.
            me.listed_enabled.retain(|(id, _)| seen.place(id).is_none());
            let enabled = seen.versions.iter().filter(|version| version.enabled);
            me.listed_enabled.extend(enabled.map(|version| (version.id.clone(), version.value.clone())));
        }
        let items: Vec<Value> = seen.versions.iter().map(|version| shown(name, version, false)).collect();
        answer(200, &json!({ "value": items, "nextLink": null }))
    }

    fn put(&self, world: &mut World, name: &str, body: &Value) -> azure_core::Result<AsyncRawResponse> {
        if world.secrets[name].deleted {
            return answer(409, &error("Conflict", Some("ObjectIsDeletedButRecoverable")));
        }
        let value = body["value"].as_str().unwrap().to_owned();
        world.rotators[self.rotator].set.insert(name.to_owned());
        world.judge_set(self.rotator, name);
        let mut version =
            world.checked(self.rotator, "set", |world| world.put(name, &value, tags(&body["tags"])));
        version.by = Some(self.rotator);
        if let Some(set) = world.secrets.get_mut(name).and_then(|secret| secret.versions.last_mut()) {
            set.by = version.by;
        }
        // What the crate makes up is drawn from the system's chance.
        let said = if value.contains('-') && value.len() < 20 { value.as_str() } else { "a random value" };
        world.say(|| format!("rotator {}: sets {name} to {said}: {}", self.rotator, version.id));
        answer(200, &shown(name, &version, true))
    }

    fn patch(
        &self,
        world: &mut World,
        name: &str,
        id: &str,
        body: &Value,
    ) -> azure_core::Result<AsyncRawResponse> {
        let place = world.secrets[name].place(id).filter(|_| !world.secrets[name].deleted);
        let Some(place) = place else { return answer(404, &error("SecretNotFound", None)) };
        let enabled = body["attributes"]["enabled"].as_bool();
        world.say(|| format!("rotator {}: patches {id}: {body}", self.rotator));
        if enabled == Some(false) && !world.rotators[self.rotator].listed.contains(id) {
            world.violation(format!("rotator {}: disables {id}, set after it had listed", self.rotator));
        }
        if enabled == Some(false) {
            // What is listed from now on is listed to report.
            world.rotators[self.rotator].set.insert(name.to_owned());
        }
        let version = world.checked(self.rotator, "disable", |world| {
            world.change(|world| {
                let version = &mut world.secrets.get_mut(name).unwrap().versions[place];
                version.enabled = enabled.unwrap_or(version.enabled);
                if body["tags"].is_object() {
                    version.tags = tags(&body["tags"]);
                }
                version.clone()
            })
        });
        answer(200, &shown(name, &version, false))
    }
}

fn tags(tags: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(tags.clone()).unwrap_or_default()
}

fn readable(name: &str, version: Option<&Version>) -> azure_core::Result<AsyncRawResponse> {
    match version {
        None => answer(404, &error("SecretNotFound", None)),
        Some(version) if !version.enabled => answer(403, &error("Forbidden", Some("SecretDisabled"))),
        Some(version) => answer(200, &shown(name, version, true)),
    }
}

fn shown(name: &str, version: &Version, value: bool) -> Value {
    let mut shown = json!({
        "id": format!("https://{HOST}/secrets/{name}/{}", version.id),
        "attributes": { "enabled": version.enabled, "created": 1_700_000_000 + version.created },
        "tags": version.tags,
    });
    if value {
        shown["value"] = json!(version.value);
    }
    shown
}

fn error(code: &str, inner: Option<&str>) -> Value {
    let inner = inner.map(|code| json!({ "code": code }));
    json!({ "error": { "code": code, "message": "as simulated", "innererror": inner } })
}

fn answer(status: u16, body: &Value) -> azure_core::Result<AsyncRawResponse> {
    Ok(AsyncRawResponse::from_bytes(status.into(), Headers::new(), body.to_string()))
}
