//! Generates Rust types from schemas, in the style of the crates' models.

use std::{collections::BTreeSet, fmt::Write as _};

use heck::{ToSnakeCase as _, ToUpperCamelCase as _};
use serde_json::Value;

use crate::specification::{Schema, Specification, first_sentence};

/// The types that a response requires and that the crate does not have yet.
#[derive(Debug, Default)]
pub(crate) struct Types {
    /// Their declarations, dependents first.
    pub(crate) text: String,
    /// Their names, in the same order.
    pub(crate) names: Vec<String>,
    imports: BTreeSet<&'static str>,
}

const KEYWORDS: &[&str] = &["type", "match", "ref", "use", "move", "in", "for", "where", "as", "fn", "mod"];

impl Types {
    /// Returns the Rust type of a schema, and declares the types it requires that are not `known`.
    pub(crate) fn of(
        &mut self,
        specification: &mut Specification,
        schema: &Schema,
        name: &str,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<String, String> {
        let schema = specification.resolve(schema)?;
        let value = &schema.value;
        Ok(match value["type"].as_str() {
            Some("string") if value["enum"].is_array() => {
                let name = value["x-ms-enum"]["name"].as_str().unwrap_or(name).to_upper_camel_case();
                self.declare_enum(&name, value, known);
                name
            }
            Some("string") if value["format"] == "date-time" => "OffsetDateTime".to_owned(),
            Some("string") => "String".to_owned(),
            Some("boolean") => "bool".to_owned(),
            Some("integer") => "i64".to_owned(),
            Some("number") => "f64".to_owned(),
            Some("array") => {
                let one = name.strip_suffix('s').unwrap_or(name);
                let items = schema.child(&value["items"]);
                format!("Vec<{}>", self.of(specification, &items, one, known)?)
            }
            _ if value["properties"].is_object() || value["allOf"].is_array() => {
                let name = schema.name.as_deref().unwrap_or(name).to_upper_camel_case();
                self.declare_struct(specification, &name, &schema, known)?;
                name
            }
            _ if value["additionalProperties"].is_object() => {
                self.imports.insert("std::collections::BTreeMap");
                let inner = schema.child(&value["additionalProperties"]);
                format!("BTreeMap<String, {}>", self.of(specification, &inner, name, known)?)
            }
            _ => "serde_json::Value".to_owned(),
        })
    }

    fn declare_enum(&mut self, name: &str, schema: &Value, known: &dyn Fn(&str) -> bool) {
        if known(name) || self.names.iter().any(|declared| declared == name) {
            return;
        }
        self.names.push(name.to_owned());
        self.imports.insert("arm_core::open_enum");
        let mut text = format!("\nopen_enum! {{\n    /// {}.\n    pub enum {name} {{\n", doc(schema, name));
        for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let told = schema["x-ms-enum"]["values"].as_array().into_iter().flatten();
            let told = told.into_iter().find(|value| value["value"] == word).map(first_sentence);
            let told = told.filter(|text| !text.is_empty()).unwrap_or_else(|| format!("`{word}`"));
            let variant = word.to_upper_camel_case();
            let _ = write!(text, "        /// {told}.\n        {variant} = \"{word}\",\n");
        }
        text.push_str("    }\n}\n");
        self.text.push_str(&text);
    }

    fn declare_struct(
        &mut self,
        specification: &mut Specification,
        name: &str,
        schema: &Schema,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<(), String> {
        if known(name) || self.names.iter().any(|declared| declared == name) {
            return Ok(());
        }
        self.names.push(name.to_owned());
        let mut text = format!(
            "\n/// {}.\n#[derive(Debug, Clone, PartialEq, Deserialize)]\n#[serde(rename_all = \"camelCase\")]\n\
             #[non_exhaustive]\npub struct {name} {{\n",
            doc(&schema.value, name)
        );
        let mut inner = Types::default();
        inner.names.clone_from(&self.names);
        for (member, required, property) in members(specification, schema)? {
            let shape = specification.resolve(&property)?;
            let told = match first_sentence(&property.value) {
                empty if empty.is_empty() => doc(&shape.value, &member),
                told => told,
            };
            let wanted = format!("{name}{}", member.to_upper_camel_case());
            let kind = inner.of(specification, &property, &wanted, known)?;
            let field = member.to_snake_case();
            let field = if KEYWORDS.contains(&field.as_str()) { format!("r#{field}") } else { field };
            let _ = writeln!(text, "    /// {told}.");
            let (attribute, kind) = shape_of(&kind, required);
            if kind.contains("OffsetDateTime") {
                inner.imports.insert("time::OffsetDateTime");
            }
            if attribute.contains("wire::") {
                inner.imports.insert("arm_core::wire");
            }
            let _ = writeln!(text, "{attribute}    pub {field}: {kind},");
        }
        text.push_str("}\n");
        self.text.push_str(&text);
        self.text.push_str(&inner.text);
        self.names = inner.names;
        self.imports.extend(inner.imports);
        Ok(())
    }

    /// Returns a source file with these types.
    pub(crate) fn file(&self) -> String {
        let mut head = String::new();
        let mut own: Vec<&str> =
            self.imports.iter().filter_map(|path| path.strip_prefix("arm_core::")).collect();
        own.sort_unstable();
        if self.imports.contains("std::collections::BTreeMap") {
            head.push_str("use std::collections::BTreeMap;\n\n");
        }
        match own.as_slice() {
            [] => {}
            [one] => _ = writeln!(head, "use arm_core::{one};"),
            several => _ = writeln!(head, "use arm_core::{{{}}};", several.join(", ")),
        }
        head.push_str("use serde::Deserialize;\n");
        if self.imports.contains("time::OffsetDateTime") {
            head.push_str("use time::OffsetDateTime;\n");
        }
        head + &self.text
    }
}

/// All members of an object, including those of `allOf`: the name, whether the service always sends it, and the schema.
pub(crate) fn members(
    specification: &mut Specification,
    schema: &Schema,
) -> Result<Vec<(String, bool, Schema)>, String> {
    let mut all = Vec::new();
    for base in schema.value["allOf"].as_array().into_iter().flatten() {
        let base = specification.resolve(&schema.child(base))?;
        all.extend(members(specification, &base)?);
    }
    let required: Vec<&str> =
        schema.value["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (member, property) in schema.value["properties"].as_object().into_iter().flatten() {
        all.push((member.clone(), required.contains(&member.as_str()), schema.child(property)));
    }
    Ok(all)
}

/// The attribute and the type of a field. A missing or null list or map is empty; a missing or null scalar is `None`.
fn shape_of(kind: &str, required: bool) -> (String, String) {
    let default = "#[serde(default, deserialize_with = \"wire::null_as_default\")]\n";
    match kind {
        list if list.starts_with("Vec<") => (
            "    #[serde(default, deserialize_with = \"wire::without_nulls\")]\n".to_owned(),
            kind.to_owned(),
        ),
        map if map.starts_with("BTreeMap<") => (format!("    {default}"), kind.to_owned()),
        "OffsetDateTime" if required => {
            ("    #[serde(with = \"wire::instant\")]\n".to_owned(), kind.to_owned())
        }
        "OffsetDateTime" => (
            "    #[serde(default, with = \"wire::instant::option\")]\n".to_owned(),
            format!("Option<{kind}>"),
        ),
        _ if required => (String::new(), kind.to_owned()),
        _ => ("    #[serde(default)]\n".to_owned(), format!("Option<{kind}>")),
    }
}

fn doc(schema: &Value, name: &str) -> String {
    match first_sentence(schema) {
        empty if empty.is_empty() => format!("`{name}`"),
        text => text,
    }
}
