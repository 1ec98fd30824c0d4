//! Collections of values whose names the service spells in more than one way.

use std::{borrow::Cow, fmt};

use arm_core::{
    ResourceId,
    wire::{Deferred, Node, Tape},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Additional data of an assessment, sub-assessment or attack path, as names and values.
///
/// The service spells names in camel or Pascal case, and sometimes writes nested JSON as a string. Names are matched
/// ignoring case, and the data is written back as it was read.
///
/// ```
/// use defender_alerts::AdditionalData;
///
/// let data: AdditionalData = serde_json::from_str(r#"{"SecretType":"password","Data":"{\"filePath\":\"/etc/app\"}"}"#)?;
/// assert_eq!(data.text("secretType").as_deref(), Some("password"));
/// assert_eq!(data.text("FilePath").as_deref(), Some("/etc/app"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AdditionalData(Deferred<Bag>);

#[derive(Clone, Default, PartialEq)]
struct Bag {
    fields: Map<String, Value>,
    /// The value, if it was not an object.
    came: Option<Value>,
}

impl fmt::Debug for AdditionalData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bag { fields, came } = self.0.get();
        f.debug_struct("AdditionalData").field("fields", fields).field("came", came).finish()
    }
}

impl Serialize for Bag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.came {
            Some(came) => came.serialize(serializer),
            None => self.fields.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Object(fields) => Self { fields, came: None },
            Value::Null => Self::default(),
            Value::String(text) => {
                Self { fields: object_in(&text).unwrap_or_default(), came: Some(text.into()) }
            }
            came => Self { fields: Map::new(), came: Some(came) },
        })
    }
}

/// Returns the JSON object in a string.
fn object_in(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim();
    text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten()
}

impl AdditionalData {
    fn fields(&self) -> &Map<String, Value> {
        &self.0.get().fields
    }

    /// Runs a decoder of the text. The strings that it borrows from the text share the text.
    pub(super) fn sharing<T>(&self, decode: impl FnOnce() -> T) -> T {
        self.0.sharing(decode)
    }

    /// Returns a value at the top level by name, ignoring case.
    pub fn get(&self, name: &str) -> Option<&Value> {
        value_of(self.fields(), name)
    }

    /// Returns a value by name, ignoring case, at the top level or in an object nested up to 8 levels deep, even if
    /// that object is written as a string. Lists are not searched.
    pub fn find(&self, name: &str) -> Option<Value> {
        find(self.fields(), name, 0)
    }

    /// Like [`find`](Self::find), but returns the value as a string; `None` if it is null.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.find(name)? {
            Value::String(text) => Some(text),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    /// Returns all values at the top level, with their names as the service spells them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields().iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the fields as the text of a JSON object.
    pub(super) fn written(&self) -> Cow<'_, str> {
        match self.0.text().filter(|text| text.starts_with('{')) {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(Value::from(self.fields().clone()).to_string()),
        }
    }

    /// Whether the data is omitted from a write.
    pub(crate) fn is_absent(&self) -> bool {
        self.is_empty() && self.0.get().came.is_none()
    }

    /// Whether there are no readable values.
    pub fn is_empty(&self) -> bool {
        self.fields().is_empty()
    }
}

impl From<Map<String, Value>> for AdditionalData {
    fn from(fields: Map<String, Value>) -> Self {
        Self(Deferred::from(Bag { fields, came: None }))
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for AdditionalData {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(values: I) -> Self {
        Self::from(values.into_iter().map(|(name, value)| (name.into(), value.into())).collect::<Map<_, _>>())
    }
}

/// Returns a value by name, ignoring case.
pub(super) fn value_of<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let exact = fields.get(name);
    exact.or_else(|| fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The maximum depth to which nested objects are searched.
const DEEPEST: usize = 8;

fn find(fields: &Map<String, Value>, name: &str, depth: usize) -> Option<Value> {
    if let Some(found) = value_of(fields, name) {
        return Some(found.clone());
    }
    if depth == DEEPEST {
        return None;
    }
    fields.values().find_map(|value| match value {
        Value::Object(inner) => find(inner, name, depth + 1),
        Value::String(text) => find(&object_in(text)?, name, depth + 1),
        _ => None,
    })
}

/// Finds what [`AdditionalData::text`] finds, in an object that is still text. If several nested objects have the member,
/// the first in the text is taken, not the first by name.
pub(super) fn text_within(object: Node<'_, '_>, name: &str) -> Option<String> {
    text_in(object, name, 0)?
}

/// Returns `Some(None)` if the value is null.
fn text_in(object: Node<'_, '_>, name: &str, depth: usize) -> Option<Option<String>> {
    if let Some(found) = object.get(name) {
        let other = || (!found.is_null()).then(|| found.as_str().to_owned());
        return Some(found.scalar().map(Cow::into_owned).or_else(other));
    }
    if depth == DEEPEST {
        return None;
    }
    object.members().find_map(|(_, value)| match value.text() {
        Some(text) if text.trim_ascii_start().starts_with('{') => {
            text_in(Tape::of(&text).ok()?.root(), name, depth + 1)
        }
        Some(_) => None,
        None => text_in(value, name, depth + 1),
    })
}

arm_core::open_enum! {
    /// Where a resource runs.
    pub enum ResourceSource {
        /// In Azure.
        Azure = "Azure",
        /// On a machine outside the cloud.
        OnPremise = "OnPremise",
        /// In a SQL server on a machine outside the cloud.
        OnPremiseSql = "OnPremiseSql",
        /// In AWS.
        Aws = "Aws",
        /// In Google Cloud.
        Gcp = "Gcp",
    }
}

/// The resource of an assessment or finding. The names of its fields, and their case, depend on source and model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceDetails(AdditionalData);

impl ResourceDetails {
    /// Creates the details of a resource in Azure.
    pub fn azure(id: &ResourceId) -> Self {
        Self([("source", "Azure".to_owned()), ("id", id.to_string())].into_iter().collect())
    }

    /// Creates the details of a resource from its source and the fields of that source, such as `machineName`.
    pub fn of(source: &ResourceSource, fields: AdditionalData) -> Self {
        let mut fields = fields.0.into_inner().fields;
        fields.insert("source".to_owned(), source.as_str().into());
        Self(AdditionalData::from(fields))
    }

    /// Returns where the resource runs; `Unknown` with an empty string if the service does not say.
    pub fn source(&self) -> ResourceSource {
        ResourceSource::from(self.0.text("source").unwrap_or_default())
    }

    /// Returns the id as the service wrote it, which is not necessarily an Azure resource id.
    pub fn id(&self) -> Option<&str> {
        self.0.get("id").and_then(Value::as_str)
    }

    /// Returns the id; `None` if there is none, or if it is not an Azure resource id.
    pub fn resource_id(&self) -> Option<ResourceId> {
        self.id()?.parse().ok()
    }

    /// Returns the type, such as `microsoft.compute/virtualmachines`: the one that the newer model writes, or else the
    /// type in the id.
    pub fn resource_type(&self) -> Option<String> {
        self.0.text("resourceType").or_else(|| Some(self.resource_id()?.resource_type().to_string()))
    }

    /// Returns all fields.
    pub fn fields(&self) -> &AdditionalData {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bags_of_any_case_and_nesting_are_read_and_written_back_unchanged() {
        let text = r#"{"Data":"{\"Inner\":{\"TOKEN\":7}}","list":[1],"secrettype":"ssh"}"#;
        let data: AdditionalData = serde_json::from_str(text).unwrap();
        assert_eq!(data.text("token").as_deref(), Some("7"));
        assert_eq!(data.text("SecretType").as_deref(), Some("ssh"));
        assert_eq!((data.find("nothing"), data.get("token")), (None, None));
        assert_eq!(serde_json::to_string(&data).unwrap(), text);
        for empty in ["{}", "[]", "1", r#""not json""#, r#""{\"a\": 1}""#] {
            let data: AdditionalData = serde_json::from_str(empty).unwrap();
            assert!(data.is_empty() || data.text("A").as_deref() == Some("1"), "{empty}");
            assert_eq!(
                serde_json::to_string(&data).unwrap(),
                empty,
                "what is no object goes back as it came"
            );
        }
        assert!(serde_json::from_str::<AdditionalData>("null").unwrap().is_empty());
    }

    /// Creates a value this many levels below the top, in objects or in objects written as strings.
    fn nested(levels: usize, as_text: bool) -> Value {
        (0..levels).fold(
            json!({ "token": 7 }),
            |inner, _| json!({ "Data": if as_text { inner.to_string().into() } else { inner } }),
        )
    }

    #[test]
    fn a_value_is_found_down_to_the_deepest_level_and_not_below() {
        for as_text in [false, true] {
            for (levels, found) in [(0, true), (1, true), (DEEPEST, true), (DEEPEST + 1, false)] {
                let value = nested(levels, as_text);
                let data: AdditionalData = serde_json::from_value(value.clone()).unwrap();
                assert_eq!(data.find("TOKEN").is_some(), found, "{value}");
                let text = value.to_string();
                let within = text_within(Tape::of(&text).unwrap().root(), "token");
                assert_eq!(within.as_deref(), found.then_some("7"), "{value}");
            }
        }
    }

    #[test]
    fn what_a_bag_holds_is_shown_and_so_is_what_came_in_its_place() {
        let shown = |sent: Value| format!("{:?}", serde_json::from_value::<AdditionalData>(sent).unwrap());
        assert!(shown(json!({ "filePath": "/etc/app" })).contains("/etc/app"));
        assert!(shown(json!(["odd"])).contains("odd"));
    }

    #[test]
    fn resource_details_of_both_models_are_read() {
        const VM: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm";
        let old: ResourceDetails =
            serde_json::from_str(&format!(r#"{{"source":"Azure","id":"{VM}"}}"#)).unwrap();
        let new =
            format!(r#"{{"Source":"Azure","Id":"{VM}","ResourceType":"microsoft.compute/virtualmachines"}}"#);
        let new: ResourceDetails = serde_json::from_str(&new).unwrap();
        assert_eq!(old.resource_id(), new.resource_id());
        assert_eq!((old.source(), new.source()), (ResourceSource::Azure, ResourceSource::Azure));
        assert!(old.resource_type().unwrap().eq_ignore_ascii_case(&new.resource_type().unwrap()));
    }
}
