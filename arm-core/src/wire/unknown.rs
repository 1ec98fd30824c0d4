use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The fields of a resource that its type does not model, kept so that they can be written back.
///
/// Add it as a flattened field to types that are read, changed and written back:
///
/// ```
/// use arm_core::wire::UnknownFields;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Plan {
///     name: String,
///     #[serde(flatten)]
///     unknown: UnknownFields,
/// }
///
/// let sent = r#"{"name":"KeyVaults","invented":{"kept":true}}"#;
/// let plan: Plan = serde_json::from_str(sent)?;
/// assert_eq!(plan.unknown.get("invented").unwrap()["kept"], true);
/// assert_eq!(serde_json::to_string(&plan)?, sent);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnknownFields(Map<String, Value>);

impl UnknownFields {
    /// Returns a field by its exact name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Returns all fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
