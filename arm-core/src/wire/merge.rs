//! Merges three JSON values: the original, the model read from it, and the changed model.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The locations, as JSON pointers, that were left out to read the rest.
pub(super) type Unread = BTreeSet<String>;

/// Returns the original, changed where `now` differs from `before`. Names of members are compared ignoring case, and
/// keep their original spelling. The error names the location of a value that would be overwritten although it could
/// not be read.
pub(super) fn merge(original: Value, before: &Value, now: Value, unread: &Unread) -> Result<Value, String> {
    Merge { unread }.values(&mut String::new(), original, before, now)
}

/// Adds a step to a JSON pointer.
pub(super) fn push(place: &mut String, step: &str) {
    place.push('/');
    place.push_str(&step.replace('~', "~0").replace('/', "~1"));
}

struct Merge<'a> {
    unread: &'a Unread,
}

impl Merge<'_> {
    fn values(
        &self,
        place: &mut String,
        original: Value,
        before: &Value,
        now: Value,
    ) -> Result<Value, String> {
        if *before == now {
            // Members that the model always writes are written even if the service left them out.
            return Ok(match (original, now) {
                (Value::Object(original), Value::Object(now)) => {
                    self.objects(place, original, before.as_object(), now)?
                }
                (original, _) => original,
            });
        }
        match (original, now) {
            (Value::Object(original), Value::Object(now)) => {
                self.objects(place, original, before.as_object(), now)
            }
            (Value::Array(original), Value::Array(now)) => {
                self.lists(place, original, before.as_array().map_or(&[], Vec::as_slice), now)
            }
            (_, now) => Ok(now),
        }
    }

    fn objects(
        &self,
        place: &mut String,
        original: Map<String, Value>,
        before: Option<&Map<String, Value>>,
        mut now: Map<String, Value>,
    ) -> Result<Value, String> {
        let empty = Map::new();
        let before = before.unwrap_or(&empty);
        let spelled: Vec<String> = original.keys().cloned().collect();
        // A name of the model refers to the member with the same spelling or, if there is none, to the first that
        // differs only in case.
        let ours = |fields: &Map<String, Value>, name: &str| {
            if fields.contains_key(name) {
                return Some(name.to_owned());
            }
            let other = fields.keys().find(|key| key.eq_ignore_ascii_case(name))?;
            let taken = spelled.iter().any(|spelled| spelled == other);
            let first = spelled.iter().find(|spelled| spelled.eq_ignore_ascii_case(other))?;
            (!taken && first == name).then(|| other.clone())
        };
        let mut merged = Map::new();
        for (name, came) in original {
            let length = place.len();
            push(place, &name);
            let was = ours(before, &name).and_then(|key| before.get(&key));
            let is = ours(&now, &name).and_then(|key| now.remove(&key));
            let unread = self.unread.contains(place.as_str());
            let kept = match (was, is) {
                (None, None) => (unread || !came.is_null()).then_some(came),
                (Some(was), Some(is)) if !unread || *was == is => Some(self.values(place, came, was, is)?),
                (Some(_), None) if !unread => None,
                (None, Some(is)) if !unread && is_blank(&came) => Some(is),
                _ => return Err(refusal(place)),
            };
            merged.extend(kept.map(|kept| (name, kept)));
            place.truncate(length);
        }
        // The names left over refer to no member of the original.
        for (name, is) in now {
            if let Some(other) = merged.keys().find(|key| key.eq_ignore_ascii_case(&name)) {
                push(place, other);
                return Err(refusal(place));
            }
            merged.insert(name, is);
        }
        Ok(Value::Object(merged))
    }

    /// Merges each item with its original: an equal item, one with the same identity, or the one at the same index.
    /// Items that could not be read are kept, after the others.
    fn lists(
        &self,
        place: &mut String,
        original: Vec<Value>,
        before: &[Value],
        now: Vec<Value>,
    ) -> Result<Value, String> {
        let at = |index: usize| format!("{place}/{index}");
        let (unread, mut read): (Vec<_>, Vec<_>) =
            original.into_iter().enumerate().partition(|(index, _)| self.unread.contains(&at(*index)));
        if read.len() != before.len() {
            read.retain(|(_, item)| !item.is_null());
        }
        if read.len() != before.len() {
            return Err(refusal(place));
        }
        let mut came: Vec<Option<(usize, Value)>> = read.into_iter().map(Some).collect();
        let from = pair(before, &now);
        let mut merged = Vec::new();
        for (is, from) in now.into_iter().zip(from) {
            let item = match from.and_then(|from| came[from].take().zip(before.get(from))) {
                Some(((index, came), was)) => {
                    let length = place.len();
                    push(place, &index.to_string());
                    let item = self.values(place, came, was, is)?;
                    place.truncate(length);
                    item
                }
                None => is,
            };
            merged.push(item);
        }
        merged.extend(unread.into_iter().map(|(_, item)| item));
        Ok(Value::Array(merged))
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    }
}

fn refusal(place: &str) -> String {
    format!(
        "the value at '{place}' could not be read and would be overwritten: change it with the tool that set it"
    )
}

/// Returns, for each item of `now`, the index of its original in `before`.
fn pair(before: &[Value], now: &[Value]) -> Vec<Option<usize>> {
    let mut from: Vec<Option<usize>> = vec![None; now.len()];
    let mut free: Vec<bool> = vec![true; before.len()];
    let same_name = |a: &Value, b: &Value| identity(a).is_some() && identity(a) == identity(b);
    let passes: [&dyn Fn(usize, usize) -> bool; 3] =
        [&|was, is| before[was] == now[is], &|was, is| same_name(&before[was], &now[is]), &|was, is| {
            was == is && before.len() == now.len() && identity(&now[is]).is_none()
        }];
    for same in passes {
        for (is, from) in from.iter_mut().enumerate().filter(|(_, from)| from.is_none()) {
            *from = (0..before.len()).find(|was| free[*was] && same(*was, is));
            if let Some(was) = *from {
                free[was] = false;
            }
        }
    }
    from
}

/// Returns the members that identify an item within its list.
fn identity(item: &Value) -> Option<Vec<&str>> {
    const NAMES: &[&str] = &[
        "id",
        "name",
        "category",
        "categoryGroup",
        "objectId",
        "scopePath",
        "eventSource",
        "field",
        "value",
    ];
    let names: Vec<&str> = NAMES.iter().filter_map(|name| item.get(name)?.as_str()).collect();
    (!names.is_empty()).then_some(names)
}
