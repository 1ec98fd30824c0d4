//! The store of ARM resources, which all services share.

use std::collections::BTreeMap;

use serde_json::Value;

/// All ARM resources, as the JSON that a GET returns, by lower-case id.
///
/// The map is ordered, so that everything below a scope is one range.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    by_id: BTreeMap<String, Value>,
}

impl Resources {
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.by_id.get(&id.to_ascii_lowercase())
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Value> {
        self.by_id.get_mut(&id.to_ascii_lowercase())
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(&id.to_ascii_lowercase())
    }

    /// Stores a resource under its own `id`.
    pub(crate) fn put(&mut self, resource: Value) {
        if let Some(id) = resource["id"].as_str() {
            self.by_id.insert(id.to_ascii_lowercase(), resource);
        }
    }

    /// Removes a resource and everything below it: child and extension resources.
    pub(crate) fn remove_tree(&mut self, id: &str) -> Vec<Value> {
        let root = id.to_ascii_lowercase();
        let below: Vec<String> = self.keys_below(&root).collect();
        let mut gone: Vec<Value> = self.by_id.remove(&root).into_iter().collect();
        gone.extend(below.iter().filter_map(|key| self.by_id.remove(key)));
        gone
    }

    /// Everything below a scope, ordered by id.
    pub(crate) fn below(&self, scope: &str) -> impl Iterator<Item = &Value> {
        let prefix = format!("{}/", scope.trim_end_matches('/').to_ascii_lowercase());
        self.by_id
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(_, resource)| resource)
    }

    /// The resources of one type below a scope, ordered by id.
    pub(crate) fn of_type<'a>(&'a self, scope: &str, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.below(scope).filter(move |resource| is_type(resource, kind))
    }

    fn keys_below(&self, root: &str) -> impl Iterator<Item = String> {
        let prefix = format!("{root}/");
        self.by_id
            .range(prefix.clone()..)
            .take_while(move |(key, _)| key.starts_with(&prefix))
            .map(|(key, _)| key.clone())
    }
}

/// The parts of an ARM id.
pub(crate) struct Parts<'a> {
    pub(crate) subscription: &'a str,
    pub(crate) group: Option<&'a str>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(id: &'a str) -> Self {
        let mut segments = id.split('/').filter(|segment| !segment.is_empty());
        let mut next = |name: &str| {
            segments.next().filter(|segment| segment.eq_ignore_ascii_case(name)).and_then(|_| segments.next())
        };
        let subscription = next("subscriptions").unwrap_or_default();
        Self { subscription, group: next("resourceGroups") }
    }
}

/// Whether a resource has this type, ignoring case.
pub(crate) fn is_type(resource: &Value, kind: &str) -> bool {
    resource["type"].as_str().is_some_and(|found| found.eq_ignore_ascii_case(kind))
}
