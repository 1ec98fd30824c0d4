//! Lists the alerts of many subscriptions at once, from Resource Graph.

use azure_core::Result;
use futures::{StreamExt as _, TryStreamExt as _, future::ready, stream::BoxStream};
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table, any_of, column},
};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Map, Value};

use crate::{Alert, AlertsClient};

impl AlertsClient {
    /// Streams the alerts of a tenant, management groups or any number of subscriptions, from Resource Graph.
    ///
    /// Resource Graph can be minutes behind, and silently omits everything that the caller may not read.
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/read`.
    pub fn list_across(&self, scope: impl Into<GraphScope>) -> BoxStream<'static, Result<Alert>> {
        self.across(alerts(), scope.into())
    }

    /// Streams the Key Vault alerts of a scope like [`list_across`](Self::list_across), filtered by the service with
    /// the rule of [`list_key_vault`](Self::list_key_vault).
    ///
    /// ```
    /// # use mock_azure::MockAzure;
    /// # use arm_core::{ArmClient, SubscriptionId};
    /// use defender_alerts::AlertsClient;
    /// use futures::TryStreamExt as _;
    /// use resource_ops::GraphScope;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
    /// # let azure = MockAzure::seed().alerts(&subscription, 10).start().await;
    /// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
    /// let mut alerts = AlertsClient::new(&arm).list_key_vault_across(GraphScope::Tenant);
    /// while let Some(alert) = alerts.try_next().await? {
    ///     println!("{} {}", alert.id.subscription(), alert.display_name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn list_key_vault_across(&self, scope: impl Into<GraphScope>) -> BoxStream<'static, Result<Alert>> {
        let alert_type = || column("properties.AlertType").to_text();
        let resources = column("properties.ResourceIdentifiers").to_text();
        let query = alerts().filter(any_of([
            alert_type().starts_with("KV_"),
            alert_type().starts_with("SIMULATED_KV_"),
            resources.contains("/Microsoft.KeyVault/vaults/"),
        ]));
        self.across(query, scope.into()).try_filter(|alert| ready(alert.is_key_vault())).boxed()
    }

    #[inline]
    fn across(&self, query: GraphQuery, scope: GraphScope) -> BoxStream<'static, Result<Alert>> {
        let rows = ResourceGraphClient::new(self.arm()).rows::<Row>(&query, scope);
        rows.map_ok(|Row(alert)| alert).boxed()
    }
}

fn alerts() -> GraphQuery {
    GraphQuery::table(Table::SecurityResources).of_type("microsoft.security/locations/alerts")
}

/// An alert in Resource Graph, where names are in Pascal case.
struct Row(Alert);

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut row = Map::deserialize(deserializer)?;
        if let Some(properties) = row.get_mut("properties") {
            *properties = in_camel_case(properties.take());
        }
        serde_json::from_value(Value::Object(row)).map(Self).map_err(D::Error::custom)
    }
}

fn in_camel_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(field).collect(),
        Value::Array(items) => items.into_iter().map(in_camel_case).collect(),
        other => other,
    }
}

fn field((name, value): (String, Value)) -> (String, Value) {
    let name = match name.as_str() {
        "TimeGenerated" => "timeGeneratedUtc".to_owned(),
        "ProcessingEndTime" => "processingEndTimeUtc".to_owned(),
        _ => {
            let mut chars = name.chars();
            let first = chars.next().map(|first| first.to_ascii_lowercase());
            first.into_iter().chain(chars).collect()
        }
    };
    // Names in these two are data of the alert, not part of its format.
    let own = name == "extendedProperties" || name == "supportingEvidence";
    (name, if own { value } else { in_camel_case(value) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_read_as_the_alert_that_the_list_has_and_the_names_of_its_evidence_stay() {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/locations/we/alerts/a";
        let evidence = json!({ "Title": "Callers", "Columns": ["Name"], "Rows": [[{ "Name": "ada" }]] });
        let Row(alert) = serde_json::from_value(json!({ "id": id, "properties": {
            "AlertType": "KV_TORAccess",
            "TimeGenerated": "2026-03-01T12:00:00Z",
            "ProcessingEndTime": "2026-03-01T12:01:00Z",
            "Entities": [{ "Type": "ip", "Address": "203.0.113.7", "Location": { "City": "Kiel" } }],
            "ExtendedProperties": { "Client IP Address": "203.0.113.7" },
            "SupportingEvidence": evidence,
        } }))
        .unwrap();

        assert_eq!(alert.alert_type, "KV_TORAccess");
        assert!(alert.time_generated.is_some() && alert.processing_end_time > alert.time_generated);
        let entities = alert.entities().unwrap();
        assert_eq!(entities[0].as_ip().unwrap().address.as_deref(), Some("203.0.113.7"));
        assert_eq!(entities[0].fields().unwrap()["location"]["city"], "Kiel");
        assert!(alert.extended_properties().unwrap().contains_key("Client IP Address"));
        let table = crate::SupportingEvidence::Table {
            title: "Callers".into(),
            columns: vec!["Name".into()],
            rows: vec![vec![r#"{"Name":"ada"}"#.into()]],
        };
        assert_eq!(alert.supporting_evidence().unwrap(), Some(table));
        assert_eq!(serde_json::to_value(&alert).unwrap()["properties"]["supportingEvidence"], evidence);
    }
}
