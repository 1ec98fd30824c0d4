//! One change of a plan.

use std::fmt;

use arm_core::{Change, printable};
use azure_core::{Error, Result, error::ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::members::{self, Member};

/// The placeholder for a part of an id that is assigned when the plan is applied.
pub(super) const MADE_AT_APPLY: &str = "(known after apply)";

/// Of a longer new value, such as a query, only the beginning is shown; the JSON form contains all of it.
const LONGEST: usize = 240;
const BEGINNING: usize = 120;

/// What happens to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PlanAction {
    /// It is created.
    Create,
    /// Some of its members change.
    Update,
    /// It is deleted.
    Delete,
    /// It is already in the desired state; nothing is written.
    NoChange,
    /// It is only read, but the read has an effect, such as a sweep that raises alerts.
    Read,
}

impl PlanAction {
    /// Returns `create`, `update`, `delete`, `no change` or `read`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::NoChange => "no change",
            Self::Read => "read",
        }
    }
}

/// A kind of resource that a plan can contain, and what is required to write one.
pub trait PlannedKind {
    /// A built-in role that allows writing it.
    const ROLE: &'static str;
    /// The action required to write it.
    const PERMISSION: &'static str;
    /// How it is billed, such as `by the data ingested`; `None` if it costs nothing by itself.
    const BILLED: Option<&'static str> = None;
}

/// A resource that a plan can show, member by member.
pub trait PlannedResource: PlannedKind {
    /// Members whose values are assigned when the resource is written, so that a plan cannot predict them.
    const MADE_AT_APPLY: &'static [&'static str] = &[];
    /// The last path segments of members that the service fills in if the request omits them.
    const OF_THE_SERVICE: &'static [&'static str] = &[];

    /// Returns the full id.
    fn id(&self) -> String;

    /// Returns the content as JSON, without secrets.
    ///
    /// # Errors
    ///
    /// It cannot be serialized as JSON.
    fn shown(&self) -> Result<Value>;

    /// Whether the resource in its current form is billed, if its kind is. Default: `true`.
    fn is_billed(&self) -> bool {
        true
    }
}

/// What will happen to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct PlannedChange {
    /// The step that makes the change, as named by the caller.
    pub step: String,
    /// The action.
    pub action: PlanAction,
    /// The full id, with `(known after apply)` in place of parts that are assigned when the plan is applied.
    pub id: String,
    /// The members that change; for a new resource, all known members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// A built-in role that allows the change.
    pub role: String,
    /// The action that must be allowed, such as `Microsoft.Security/pricings/write`.
    pub permission: String,
    /// How it is billed; `None` if it costs nothing by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed: Option<String>,
    /// The fingerprint of the resource as it was read; `None` if it is not compared, for example because the resource
    /// did not exist or does not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<String>,
    /// Earlier steps of the same plan whose results this step depends on. See [`Step::after`](super::Step::after).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
}

impl PlannedChange {
    /// Creates a change of a resource of this kind, without members. Use it for a [`Step`](super::Step) that depends on
    /// another one, and for your own result types.
    pub fn of<K: PlannedKind>(action: PlanAction, id: impl Into<String>) -> Self {
        Self {
            step: String::new(),
            action,
            id: id.into(),
            members: Vec::new(),
            role: K::ROLE.to_owned(),
            permission: K::PERMISSION.to_owned(),
            billed: K::BILLED.map(str::to_owned),
            read: None,
            after: Vec::new(),
        }
    }

    /// Creates a change that deletes a resource of this kind, with the permission required for that. `as_read` is the
    /// resource as it was read, if known: if it has changed by the time the plan is applied, the step is refused.
    pub fn delete_of<K: PlannedKind>(
        id: impl Into<String>,
        permission: &str,
        as_read: Option<&Value>,
    ) -> Self {
        Self {
            permission: permission.to_owned(),
            billed: None,
            read: as_read.map(members::fingerprint),
            ..Self::of::<K>(PlanAction::Delete, id)
        }
    }

    /// Creates a change for a new resource of this kind, part of whose id is assigned when the plan is applied.
    pub fn create_below<K: PlannedKind>(parent: impl fmt::Display) -> Self {
        Self::below::<K>(PlanAction::Create, parent)
    }

    /// Like [`create_below`](Self::create_below), but for any action, such as an update of resources that an earlier
    /// step of the same plan creates. It covers every resource below this parent that has the action.
    pub fn below<K: PlannedKind>(action: PlanAction, parent: impl fmt::Display) -> Self {
        Self::of::<K>(action, format!("{parent}/{MADE_AT_APPLY}"))
    }

    /// Sets the members to those of this value, in place of any earlier ones.
    ///
    /// # Errors
    ///
    /// The value cannot be serialized as JSON.
    pub fn with(mut self, wish: &impl Serialize) -> Result<Self> {
        self.members = members::differing(&Value::Null, &json(wish)?, &[]);
        Ok(self)
    }

    /// Adds a member that changes.
    pub fn member(mut self, name: &str, before: Option<Value>, after: Option<Value>) -> Self {
        self.members.push(Member::changed(name, before.as_ref(), after.as_ref()));
        self
    }

    /// Adds a member whose value is assigned when the plan is applied.
    pub fn made_at_apply(mut self, name: &str) -> Self {
        self.members.push(Member::made_at_apply(name));
        self
    }

    /// Whether this change has an effect: it writes something, or its read has a side effect.
    pub fn is_change(&self) -> bool {
        self.action != PlanAction::NoChange
    }

    /// Converts what a task did, or would do.
    pub(super) fn from_change<R: PlannedResource>(change: &Change<R>) -> Result<Self> {
        let current = change.current();
        let after = current.shown()?;
        let action = match change {
            Change::Created(_) => PlanAction::Create,
            Change::Updated { .. } => PlanAction::Update,
            Change::Unchanged(_) => PlanAction::NoChange,
        };
        let mut planned = Self::of::<R>(action, current.id());
        match change {
            Change::Created(_) => {
                planned.members = members::differing(&Value::Null, &after, R::OF_THE_SERVICE)
            }
            Change::Updated { before, .. } => {
                let before = before.shown()?;
                planned.members = members::differing(&before, &after, R::OF_THE_SERVICE);
                planned.read = Some(members::fingerprint(&before));
            }
            Change::Unchanged(_) => {}
        }
        if !(planned.is_change() && current.is_billed()) {
            planned.billed = None;
        }
        if planned.is_change() {
            let made =
                R::MADE_AT_APPLY.iter().filter(|made| !planned.members.iter().any(|it| it.member == **made));
            let made: Vec<Member> = made.map(|made| Member::made_at_apply(made)).collect();
            planned.members.extend(made);
        }
        Ok(planned)
    }

    /// This change on top of the earlier steps of the same plan: what they already change is no longer part of it.
    pub(super) fn following(mut self, earlier: &[PlannedChange]) -> Self {
        // Resources to be created below the same parent need not be the same one.
        let is_same =
            |it: &&PlannedChange| !self.id_is_made_at_apply() && it.id.eq_ignore_ascii_case(&self.id);
        let earlier: Vec<_> = earlier.iter().filter(|it| it.step != self.step).filter(is_same).collect();
        let mut there = false;
        for before in
            earlier.into_iter().filter(|it| matches!(it.action, PlanAction::Create | PlanAction::Update))
        {
            there = true;
            for member in &mut self.members {
                if let Some(known) = before.members.iter().find(|known| known.member == member.member) {
                    (member.before, member.secret) = (known.after.clone(), member.secret || known.secret);
                }
            }
            if !self.after.contains(&before.step) {
                self.after.push(before.step.clone());
            }
        }
        if !there || matches!(self.action, PlanAction::Delete | PlanAction::NoChange | PlanAction::Read) {
            return self;
        }
        self.members
            .retain(|member| member.secret || !members::same(&member.member, &member.before, &member.after));
        self.members.retain(|member| !member.known_after_apply);
        self.action = if self.members.is_empty() { PlanAction::NoChange } else { PlanAction::Update };
        self.read = None;
        self
    }

    /// How `now` differs from this planned change; `None` if it does not.
    pub(super) fn moved(&self, now: &Self) -> Option<String> {
        let id = &self.id;
        if !self.after.is_empty() {
            return self.is_beyond(now);
        }
        if self.action != now.action {
            return Some(format!("{id}: {} was planned, but it would now be {}", self.action, now.action));
        }
        if let Some((planned, now)) = unequal(&self.members, &now.members) {
            return Some(format!("{id}: {planned} was planned, but it would now be {now}"));
        }
        if self.read.is_some() && self.read != now.read {
            return Some(match self.action {
                PlanAction::Delete => format!("{id}: somebody changed it since it was planned to be deleted"),
                _ => format!("{id}: somebody changed a member that the plan does not touch"),
            });
        }
        None
    }

    /// For a change that depends on an earlier step: whatever is left to do must have been planned, but some of it may
    /// already be done.
    fn is_beyond(&self, now: &Self) -> Option<String> {
        if !now.is_change() {
            return None;
        }
        if self.action != now.action {
            return Some(format!(
                "{}: {} was planned, but it would now be {}",
                self.id, self.action, now.action
            ));
        }
        let known = |member: &&Member| self.members.iter().any(|planned| member.is_as_planned(planned));
        let more = now.members.iter().filter(|_| !self.members.is_empty()).find(|member| !known(member));
        more.filter(|more| !more.known_after_apply).map(|more| format!("{}: {more} was not planned", self.id))
    }

    /// How `done` differs from this planned change; `None` if it does not.
    pub(super) fn differs_from_done(&self, done: &Self) -> Option<String> {
        let id = &self.id;
        let was_done_before = !self.after.is_empty() && done.action == PlanAction::NoChange;
        if self.action != done.action && !was_done_before {
            return Some(format!("{id}: {} was planned, {} was done", self.action, done.action));
        }
        let done_as_planned = |planned: &&Member| {
            planned.known_after_apply
                || planned.secret
                || !self.after.is_empty()
                || done.members.iter().any(|done| done.is_as_planned(planned))
        };
        let missing = self.members.iter().find(|planned| !done_as_planned(planned))?;
        Some(format!("{id}: {missing} was planned, but not done"))
    }

    fn id_is_made_at_apply(&self) -> bool {
        self.id.contains(MADE_AT_APPLY)
    }

    /// Whether both are about the same resource. An id that is assigned when the plan is applied stands for any
    /// resource with the same action.
    pub(super) fn is_about(&self, other: &Self) -> bool {
        if (self.id_is_made_at_apply() || other.id_is_made_at_apply())
            && self.action != other.action
            && self.is_change()
            && other.is_change()
        {
            return false;
        }
        matches(&self.id, &other.id) || matches(&other.id, &self.id)
    }
}

/// Whether an id matches a pattern that contains a placeholder for each part assigned when the plan is applied.
fn matches(pattern: &str, id: &str) -> bool {
    let (pattern, id) = (pattern.to_ascii_lowercase(), id.to_ascii_lowercase());
    let Some((known, end)) = pattern.rsplit_once(MADE_AT_APPLY) else { return pattern == id };
    let Some(mut rest) = id.strip_suffix(end) else { return false };
    for (at, part) in known.split(MADE_AT_APPLY).enumerate() {
        rest = match rest.split_once(part) {
            Some((before, after)) if at > 0 || before.is_empty() => after,
            _ => return false,
        };
    }
    true
}

/// The first member that is in only one of the lists, or differs between them.
fn unequal(planned: &[Member], now: &[Member]) -> Option<(String, String)> {
    let nothing = || "nothing".to_owned();
    let find =
        |all: &[Member], name: &str| all.iter().find(|it| it.member.eq_ignore_ascii_case(name)).cloned();
    for member in planned {
        match find(now, &member.member) {
            Some(now) if member.known_after_apply || now.known_after_apply => {}
            Some(now)
                if now.is_as_planned(member)
                    && members::same(&member.member, &now.before, &member.before) => {}
            Some(now) => return Some((member.to_string(), now.to_string())),
            None => return Some((member.to_string(), nothing())),
        }
    }
    let more = now.iter().find(|now| find(planned, &now.member).is_none())?;
    Some((nothing(), more.to_string()))
}

pub(super) fn json(value: &impl Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::new(ErrorKind::DataConversion, error))
}

impl fmt::Display for PlanAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| printable(&value.to_string()).into_owned();
        let name = printable(&self.member);
        match (&self.before, &self.after) {
            _ if self.known_after_apply => write!(f, "{name}: {MADE_AT_APPLY}"),
            _ if self.secret => write!(f, "{name}: (secret)"),
            (Some(before), Some(after)) => write!(f, "{name}: {} -> {}", text(before), text(after)),
            (Some(before), None) => write!(f, "{name}: {} -> (gone)", text(before)),
            (None, Some(after)) => write!(f, "{name}: {}", beginning(text(after))),
            (None, None) => write!(f, "{name}"),
        }
    }
}

/// Shortens a long text to its beginning and its length.
fn beginning(text: String) -> String {
    let size = text.chars().count();
    match text.char_indices().nth(BEGINNING) {
        Some((at, _)) if size > LONGEST => format!("{} .. ({size} characters)", text[..at].trim_end()),
        _ => text,
    }
}

impl fmt::Display for PlannedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.action {
            PlanAction::Create => '+',
            PlanAction::Update => '~',
            PlanAction::Delete => '-',
            PlanAction::NoChange => '=',
            PlanAction::Read => '>',
        };
        write!(f, "{mark} {} {}", self.action, printable(&self.id))?;
        if !self.is_change() {
            return Ok(());
        }
        self.members.iter().try_for_each(|member| write!(f, "\n    {member}"))?;
        write!(f, "\n    needs {} ({})", self.role, self.permission)?;
        self.billed.iter().try_for_each(|billed| write!(f, "; billed {billed}"))?;
        if !self.after.is_empty() {
            write!(f, "; after {}", printable(&self.after.join(", ")))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
