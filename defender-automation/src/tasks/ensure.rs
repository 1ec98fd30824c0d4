//! Ensuring that an automation exists as specified.

use arm_core::{Change, Mode, ResourceGroupId, ResourceName, Wish, is_same_region, refuse};
use azure_core::Result;

use crate::{Action, Automation, AutomationSpec, AutomationsClient, Source, Warning};

/// Compares an automation with its spec, except for the fields that the service fills in.
const WISH: Wish = Wish::new().exact(&["description", "expectedValue"]).ignoring(&[
    "id",
    "name",
    "type",
    "etag",
    "systemData",
    "metadata",
]);

/// A task that ensures that an automation exists as specified.
///
/// Reads the automation, merges the spec into it, has the service validate the result, and writes it. Members that this
/// crate does not model, other tags, sources of other events, and other people's actions that need no secret are kept.
/// Somebody else's action that has a secret cannot be kept, because the service does not return the secret: if anything
/// is to be written, the task fails, unless the spec contains that action too, or
/// [`dropping_other_actions`](Self::dropping_other_actions) is set.
///
/// Secrets cannot be compared. If everything else matches, nothing is written, even if a secret has changed: after
/// rotating one, call [`with_new_secrets`](Self::with_new_secrets).
///
/// **If it stops halfway**, the automation may or may not be written; running the task again finishes it. After that,
/// another run writes nothing, unless [`with_new_secrets`](Self::with_new_secrets) is set.
///
/// # Permissions
///
/// Security Admin, and permission to read the trigger of a Logic App.
///
/// # Errors
///
/// Fails without sending a request if an action lacks its secret, or if there is not exactly one scope. If the service
/// considers the automation invalid, the error contains its reason, and nothing is written.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureAutomation {
    client: AutomationsClient,
    group: ResourceGroupId,
    name: ResourceName,
    spec: AutomationSpec,
    new_secrets: bool,
    drop_others: bool,
}

/// The change that was made, or in a dry run would be, and warnings.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AutomationChange {
    /// The change.
    pub change: Change<Automation>,
    /// Warnings about parts that do not do what one would expect.
    pub warnings: Vec<Warning>,
}

impl AutomationsClient {
    /// Ensures that an automation exists as specified, and keeps what others have added. See [`EnsureAutomation`].
    pub fn ensure(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        spec: &AutomationSpec,
    ) -> EnsureAutomation {
        EnsureAutomation::new(self.clone(), group.clone(), name.clone(), spec.clone())
    }
}

impl EnsureAutomation {
    pub(crate) fn new(
        client: AutomationsClient,
        group: ResourceGroupId,
        name: ResourceName,
        spec: AutomationSpec,
    ) -> Self {
        Self { client, group, name, spec, new_secrets: false, drop_others: false }
    }

    /// Writes the secrets again, even if nothing else differs.
    pub fn with_new_secrets(mut self) -> Self {
        self.new_secrets = true;
        self
    }

    /// Removes the actions that the spec does not contain, with their secrets.
    pub fn dropping_other_actions(mut self) -> Self {
        self.drop_others = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<AutomationChange> {
        let Self { client, group, name, spec, new_secrets, drop_others } = self;
        spec.check(&name)?;
        let warnings = spec.warnings();
        for warning in &warnings {
            tracing::warn!(automation = %name, "{warning}");
        }
        let before = client.get_opt(&group, &name).await?;
        let wanted = match &before {
            Some(before) => merged(&spec, before, drop_others),
            None => spec,
        };
        let mut shown = wanted.shown(before.as_ref());
        if before.is_none() {
            shown.id = format!("{group}/providers/Microsoft.Security/automations/{name}");
            shown.name = name.to_string();
        }
        if let Some(before) = &before
            && shown == *before
            && !new_secrets
        {
            return Ok(AutomationChange { change: Change::Unchanged(shown), warnings });
        }
        keeps_all_secrets(&name, &wanted)?;
        let validation = client.validate(&group, &name, &wanted).await?;
        if !validation.is_valid {
            return refuse(format!(
                "the service would not accept the automation '{name}': {}",
                validation.message
            ));
        }
        let after = match mode {
            Mode::DryRun => shown,
            Mode::Write => {
                client.create_or_update(&group, &name, &wanted).await?;
                let after = client.get(&group, &name).await?;
                WISH.verify(format_args!("the automation '{name}'"), &shown, &after)?;
                after
            }
        };
        let change = match before {
            Some(before) => Change::Updated { before, after },
            None => Change::Created(after),
        };
        Ok(AutomationChange { change, warnings })
    }
}

/// Merges the spec into the existing automation.
fn merged(spec: &AutomationSpec, before: &Automation, drop_others: bool) -> AutomationSpec {
    let mut wanted = AutomationSpec::from(before);
    wanted.is_enabled = spec.is_enabled;
    wanted.tags.extend(spec.tags.clone());
    if spec.description.is_some() {
        wanted.description.clone_from(&spec.description);
    }
    if !is_same_region(&spec.location, &before.location) {
        wanted.location.clone_from(&spec.location);
    }
    let same_scopes = wanted.scopes.len() == spec.scopes.len()
        && wanted.scopes.iter().zip(&spec.scopes).all(|(a, b)| {
            a.scope_path.trim_end_matches('/').eq_ignore_ascii_case(b.scope_path.trim_end_matches('/'))
        });
    if !same_scopes {
        wanted.scopes.clone_from(&spec.scopes);
    }
    let of_others = |source: &Source| !spec.sources.iter().any(|own| own.event_source == source.event_source);
    if !covers(&before.properties.sources, &spec.sources) {
        wanted.sources.retain(of_others);
        wanted.sources.extend(spec.sources.iter().cloned());
    }
    wanted.actions = actions(&spec.actions, &before.properties.actions, drop_others);
    wanted
}

/// Fails if an action of others has a secret: the service does not return it, so writing would clear it.
fn keeps_all_secrets(name: &ResourceName, wanted: &AutomationSpec) -> Result<()> {
    for action in &wanted.actions {
        if let Some(what) = action.missing_secret() {
            return refuse(format!(
                "the automation '{name}' also has the {} action on {}, and writing it would lose {what}: \
                 include that action in the spec, or call dropping_other_actions()",
                action.kind(),
                action.target()
            ));
        }
    }
    wanted.check(name)
}

/// Whether every wanted source exists with the same rules, ignoring fields that only the service sets.
fn covers(stored: &[Source], wanted: &[Source]) -> bool {
    wanted.iter().all(|want| {
        let mut same = stored.iter().filter(|source| source.event_source == want.event_source);
        let rules = |source: &Source| {
            let sets = source.rule_sets.iter().map(|set| {
                let rule = |rule: &crate::Rule| {
                    let path = rule.property_j_path.to_ascii_lowercase();
                    (path, rule.property_type.clone(), rule.operator.clone(), rule.expected_value.clone())
                };
                set.rules.iter().map(rule).collect::<Vec<_>>()
            });
            sets.collect::<Vec<_>>()
        };
        same.any(|source| rules(source) == rules(want))
    })
}

/// Returns the stored actions, completed by the spec's, then the new ones of the spec.
fn actions(own: &[Action], stored: &[Action], drop_others: bool) -> Vec<Action> {
    let mut all = Vec::new();
    for old in stored {
        match own.iter().find(|action| action.is_same_as(old)) {
            Some(action) => {
                let mut action = action.clone();
                action.completed_by(old);
                all.push(action);
            }
            None if drop_others => {}
            None => all.push(old.clone()),
        }
    }
    all.extend(own.iter().filter(|action| !stored.iter().any(|old| old.is_same_as(action))).cloned());
    all
}

arm_core::task!(EnsureAutomation => AutomationChange);

#[cfg(test)]
mod tests {
    use arm_core::SubscriptionId;
    use serde_json::{Value, json};

    use super::*;
    use crate::Rule;

    const SCOPE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001";

    fn stored() -> Value {
        json!({
            "id": "/x", "name": "a", "location": "West Europe", "tags": { "team": "soc", "of": "them" },
            "properties": {
                "description": "theirs", "isEnabled": true,
                "scopes": [{ "scopePath": format!("{}/", SCOPE.to_uppercase()), "description": "all" }],
                "sources": [source("Alerts", "KV_"), source("Assessments", "x")],
                "actions": [
                    { "actionType": "Workspace", "workspaceResourceId": "/THEIRS" },
                    { "actionType": "Workspace", "workspaceResourceId": "/OURS", "new": 1 },
                ],
            },
        })
    }

    fn source(event: &str, word: &str) -> Value {
        let rule = json!({ "propertyJPath": "AlertType", "propertyType": "String", "expectedValue": word,
                           "operator": "Contains" });
        json!({ "eventSource": event, "ruleSets": [{ "rules": [rule] }] })
    }

    /// The spec, merged into what is stored, as JSON.
    fn written(change: impl FnOnce(&mut AutomationSpec), drop_others: bool) -> Value {
        let action = |id: &str| {
            serde_json::from_value(json!({ "actionType": "Workspace", "workspaceResourceId": id })).unwrap()
        };
        let mut spec = AutomationSpec::builder()
            .location("westeurope")
            .scopes(&SCOPE.trim_start_matches("/subscriptions/").parse::<SubscriptionId>().unwrap())
            .sources([serde_json::from_value(source("Alerts", "KV_")).unwrap()])
            .actions([action("/ours")])
            .build();
        change(&mut spec);
        let before: Automation = serde_json::from_value(stored()).unwrap();
        serde_json::to_value(merged(&spec, &before, drop_others)).unwrap()
    }

    /// What is stored, without the fields that are never written, after a change.
    fn expected(change: impl FnOnce(&mut Value)) -> Value {
        let mut expected = stored();
        expected.as_object_mut().unwrap().retain(|name, _| name != "id" && name != "name");
        change(&mut expected);
        expected
    }

    #[test]
    fn what_is_there_in_other_words_stays_in_them() {
        assert_eq!(written(|_| {}, false), expected(|_| {}));
    }

    #[test]
    fn each_part_that_differs_is_written_and_everything_else_stays() {
        let tags = |spec: &mut AutomationSpec| spec.tags = [("team".into(), "we".into())].into();
        assert_eq!(written(tags, false), expected(|all| all["tags"]["team"] = json!("we")));
        let description = |spec: &mut AutomationSpec| spec.description = Some("ours".to_owned());
        assert_eq!(
            written(description, false),
            expected(|all| all["properties"]["description"] = json!("ours"))
        );
        let off = |spec: &mut AutomationSpec| spec.is_enabled = false;
        assert_eq!(written(off, false), expected(|all| all["properties"]["isEnabled"] = json!(false)));
        let location = |spec: &mut AutomationSpec| spec.location = "northeurope".to_owned();
        assert_eq!(written(location, false), expected(|all| all["location"] = json!("northeurope")));
        let other = "/subscriptions/00000000-0000-0000-0000-000000000002";
        let scope = |spec: &mut AutomationSpec| other.clone_into(&mut spec.scopes[0].scope_path);
        assert_eq!(
            written(scope, false),
            expected(|all| all["properties"]["scopes"] = json!([{ "scopePath": other }]))
        );
        let rules = |spec: &mut AutomationSpec| {
            spec.sources = vec![serde_json::from_value(source("Alerts", "SQL_")).unwrap()];
        };
        assert_eq!(
            written(rules, false),
            expected(|all| {
                all["properties"]["sources"] = json!([source("Assessments", "x"), source("Alerts", "SQL_")]);
            })
        );
    }

    #[test]
    fn own_actions_are_added_once_and_those_of_others_go_only_if_asked() {
        let ours = json!({ "actionType": "Workspace", "workspaceResourceId": "/OURS", "new": 1 });
        let new = json!({ "actionType": "Workspace", "workspaceResourceId": "/new" });
        let two = |spec: &mut AutomationSpec| spec.actions.push(serde_json::from_value(new.clone()).unwrap());
        let theirs = &stored()["properties"]["actions"][0];
        assert_eq!(
            written(two, false),
            expected(|all| all["properties"]["actions"] = json!([theirs, ours, new]))
        );
        assert_eq!(written(two, true), expected(|all| all["properties"]["actions"] = json!([ours, new])));
    }

    #[test]
    fn a_source_covers_only_the_same_rules_of_the_same_event() {
        let read = |source: Value| serde_json::from_value::<Source>(source).unwrap();
        let stored = [read(source("Alerts", "KV_")), read(source("Assessments", "x"))];
        assert!(covers(&stored, &[read(source("Assessments", "x")), read(source("Alerts", "KV_"))]));
        assert!(covers(&stored, &[]));
        for missing in [source("Assessments", "KV_"), source("SubAssessments", "x"), source("Alerts", "kv_")]
        {
            assert!(!covers(&stored, &[read(missing.clone())]), "{missing}");
            assert!(!covers(&stored, &[read(source("Alerts", "KV_")), read(missing)]));
        }
        let mut more = read(source("Alerts", "KV_"));
        let mut empty = more.rule_sets[0].clone();
        empty.rules.clear();
        more.rule_sets.push(empty);
        assert!(!covers(&stored, &[more]));
        let mut other_case = read(source("Alerts", "KV_"));
        other_case.rule_sets[0].rules = vec![Rule::text("ALERTTYPE").contains("KV_")];
        assert!(covers(&stored, &[other_case]));
    }
}
