//! Logs of resources, sent where they should go.

use std::collections::BTreeSet;

use arm_core::{ArmErrorExt as _, Change, Fleet, Outcome, ResourceId, ResourceName, Scope};
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use typed_builder::TypedBuilder;

use crate::{
    DestinationType, DiagnosticCategory, DiagnosticProperties, DiagnosticSetting, DiagnosticsClient,
    SettingEntry, Sink, Task, WorkspaceId,
    task::{Mode, refuse},
    vault,
};

/// How many settings a resource can have.
const LIMIT: usize = 5;

/// What shall be sent where.
#[derive(Debug, Clone, PartialEq, TypedBuilder)]
pub struct DiagnosticSpec {
    /// The name of the setting that is made, or that was made by an earlier run.
    pub name: ResourceName,
    /// Where logs go.
    pub sink: Sink,
    /// Which logs, and metrics (`AllMetrics`).
    #[builder(setter(into))]
    pub categories: Vec<Category>,
    /// The tables, for a workspace. Of a vault it cannot be read back, so an existing setting keeps its own.
    #[builder(default, setter(strip_option))]
    pub destination: Option<DestinationType>,
    /// Whether a setting of this name that sends somewhere else may be changed to send here as well. Otherwise
    /// it is left alone, and the task refuses.
    #[builder(default)]
    pub change_existing: bool,
}

impl DiagnosticSpec {
    /// The audit logs (group `audit`) to a workspace, in a setting named `audit-to-log-analytics`.
    pub fn audit_to(workspace: &WorkspaceId) -> Result<Self> {
        Ok(Self {
            name: "audit-to-log-analytics".parse()?,
            sink: Sink::Workspace(workspace.as_resource().clone()),
            categories: vec![Category::group("audit")],
            destination: None,
            change_existing: false,
        })
    }
}

/// A category, or a group of categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Category {
    /// One, such as `AuditEvent` or `AllMetrics`.
    Named(String),
    /// All in a group: `audit` or `allLogs`.
    Group(String),
}

impl Category {
    /// One category.
    pub fn named(name: impl Into<String>) -> Self {
        Self::Named(name.into())
    }

    /// A group.
    pub fn group(name: impl Into<String>) -> Self {
        Self::Group(name.into())
    }
}

impl DiagnosticsClient {
    /// Makes sure that a resource sends what it should.
    ///
    /// Looks at all settings first: what any of them sends there already, by name or in a group, is not sent
    /// twice, which the service would refuse with 409. The rest goes into the setting of the spec's name; settings
    /// of other names are never changed. Groups and single categories are not mixed.
    ///
    /// The change is of the setting that sends it, or of one of those that do.
    ///
    /// **If it stops halfway**, the setting was written or not; running it again finishes it. Run again when all
    /// holds, it writes nothing.
    ///
    /// **Permissions**: reading and writing diagnostic settings, and
    /// `Microsoft.OperationalInsights/workspaces/sharedKeys/action` on the workspace (Log Analytics Contributor).
    /// **Errors**: it refuses when the resource lacks the category, when five settings are there, and when the
    /// setting of this name sends somewhere else.
    pub fn ensure(&self, resource: &ResourceId, spec: &DiagnosticSpec) -> Task<Change<DiagnosticSetting>> {
        let (client, resource, spec) = (self.clone(), resource.clone(), spec.clone());
        Task::new(move |mode| async move { client.ensure_one(&resource, &spec, mode).await })
    }

    /// [`ensure`](Self::ensure) for many resources, eight at a time. Each has its own outcome; one that fails
    /// ends none of the others.
    pub fn ensure_many(
        &self,
        resources: impl IntoIterator<Item = ResourceId>,
        spec: &DiagnosticSpec,
    ) -> Task<Vec<Outcome<ResourceId, Change<DiagnosticSetting>>>> {
        let (client, spec) = (self.clone(), spec.clone());
        let resources: Vec<ResourceId> = resources.into_iter().collect();
        Task::new(move |mode| async move { Ok(client.run_many(resources, spec, mode).await) })
    }

    /// [`ensure`](Self::ensure) for every vault of a subscription or resource group.
    pub fn ensure_vaults(
        &self,
        scope: impl Into<Scope>,
        spec: &DiagnosticSpec,
    ) -> Task<Vec<Outcome<ResourceId, Change<DiagnosticSetting>>>> {
        let (client, scope, spec) = (self.clone(), scope.into(), spec.clone());
        Task::new(move |mode| async move {
            let vaults: Vec<vault::Vault> = vault::list(&client.arm, &scope)?.try_collect().await?;
            let ids = vaults.into_iter().map(|vault| vault.id).collect();
            Ok(client.run_many(ids, spec, mode).await)
        })
    }

    async fn run_many(
        self,
        resources: Vec<ResourceId>,
        spec: DiagnosticSpec,
        mode: Mode,
    ) -> Vec<Outcome<ResourceId, Change<DiagnosticSetting>>> {
        let work = move |resource: ResourceId| {
            let (client, spec) = (self.clone(), spec.clone());
            async move { client.ensure_one(&resource, &spec, mode).await }
        };
        Fleet::new(resources).run(work).collect().await
    }

    async fn ensure_one(
        &self,
        resource: &ResourceId,
        spec: &DiagnosticSpec,
        mode: Mode,
    ) -> Result<Change<DiagnosticSetting>> {
        let about = |error: Error| {
            let message = format!("diagnostics of {resource}: {error}");
            error.with_context(message)
        };
        let categories: Vec<DiagnosticCategory> =
            self.categories(resource).try_collect().await.map_err(about)?;
        let settings: Vec<DiagnosticSetting> = self.list(resource).try_collect().await.map_err(about)?;
        let (before, wanted) = match decide(&categories, &settings, spec).map_err(about)? {
            Decision::Sent(setting) => return Ok(Change::Unchanged(*setting)),
            Decision::Write { before, after } => (before, *after),
        };
        let after = match mode {
            Mode::DryRun => wanted.clone(),
            Mode::Write => match self.create_or_update(resource, &spec.name, &wanted).await {
                Ok(written) => written,
                Err(error) if error.is_conflict() => {
                    // Someone else was faster: perhaps all is sent now.
                    let settings: Vec<DiagnosticSetting> = self.list(resource).try_collect().await?;
                    match decide(&categories, &settings, spec) {
                        Ok(Decision::Sent(setting)) => return Ok(Change::Unchanged(*setting)),
                        _ => return Err(about(error)),
                    }
                }
                Err(error) => return Err(about(error)),
            },
        };
        let known = Known(&categories);
        if !known.sent_by(&wanted.properties).is_subset(&known.sent_by(&after.properties)) {
            return refuse(format!(
                "diagnostics of {resource}: the service accepted the setting, but shows less in it"
            ));
        }
        Ok(match before {
            Some(before) => Change::Updated { before: *before, after },
            None => Change::Created(after),
        })
    }
}

/// What is to be done.
#[derive(Debug)]
enum Decision {
    Sent(Box<DiagnosticSetting>),
    Write { before: Option<Box<DiagnosticSetting>>, after: Box<DiagnosticSetting> },
}

/// The categories of a resource, and what groups hold.
struct Known<'a>(&'a [DiagnosticCategory]);

impl Known<'_> {
    fn named(&self, name: &str) -> Option<String> {
        self.0.iter().find(|known| known.name.eq_ignore_ascii_case(name)).map(|known| known.name.clone())
    }

    fn group(&self, name: &str) -> BTreeSet<String> {
        let holds = |known: &&DiagnosticCategory| {
            known.properties.category_groups.iter().any(|group| group.eq_ignore_ascii_case(name))
        };
        self.0.iter().filter(holds).map(|known| known.name.clone()).collect()
    }

    fn of_entry(&self, entry: &SettingEntry) -> BTreeSet<String> {
        match (&entry.category_group, &entry.category) {
            (Some(group), _) => self.group(group),
            // A category that the resource no longer lists is sent all the same.
            (None, Some(name)) => [self.named(name).unwrap_or_else(|| name.clone())].into(),
            (None, None) => BTreeSet::new(),
        }
    }

    fn sent_by(&self, setting: &DiagnosticProperties) -> BTreeSet<String> {
        let entries = setting.logs.iter().chain(&setting.metrics);
        entries.filter(|entry| entry.enabled).flat_map(|entry| self.of_entry(entry)).collect()
    }

    fn is_metric(&self, name: &str) -> bool {
        let found = self.0.iter().find(|known| known.name == name);
        found.is_some_and(|known| known.properties.category_type == crate::CategoryType::Metrics)
    }

    fn wanted(&self, categories: &[Category]) -> Result<BTreeSet<String>> {
        let mut all = BTreeSet::new();
        for category in categories {
            let (what, found) = match category {
                Category::Named(name) => (name, self.named(name).into_iter().collect()),
                Category::Group(name) => (name, self.group(name)),
            };
            if found.is_empty() {
                let names: Vec<&str> = self.0.iter().map(|known| known.name.as_str()).collect();
                return refuse(format!(
                    "the resource cannot send '{what}'; it can send {}",
                    names.join(", ")
                ));
            }
            all.extend(found);
        }
        Ok(all)
    }
}

fn decide(
    categories: &[DiagnosticCategory],
    settings: &[DiagnosticSetting],
    spec: &DiagnosticSpec,
) -> Result<Decision> {
    let known = Known(categories);
    let wanted = known.wanted(&spec.categories)?;
    let here: Vec<&DiagnosticSetting> =
        settings.iter().filter(|setting| spec.sink.is_of(&setting.properties)).collect();
    let sent: BTreeSet<String> = here.iter().flat_map(|setting| known.sent_by(&setting.properties)).collect();
    let missing: BTreeSet<String> = wanted.difference(&sent).cloned().collect();
    if missing.is_empty() {
        let sends = |setting: &&&DiagnosticSetting| !known.sent_by(&setting.properties).is_disjoint(&wanted);
        return match here.iter().find(sends) {
            Some(setting) => Ok(Decision::Sent(Box::new((*setting).clone()))),
            None => refuse("no category to send was named"),
        };
    }
    let own = settings.iter().find(|setting| setting.name.eq_ignore_ascii_case(spec.name.as_str()));
    let mut after = match own {
        Some(own) if spec.sink.is_of(&own.properties) => own.clone(),
        Some(own) if spec.change_existing => {
            let mut own = own.clone();
            spec.sink.add_to(&mut own.properties);
            own
        }
        Some(own) => {
            return refuse(format!(
                "the setting '{}' exists and does not send to {}; choose another name, or allow it to be changed",
                own.name, spec.sink
            ));
        }
        None if settings.len() >= LIMIT => {
            let names: Vec<&str> = settings.iter().map(|setting| setting.name.as_str()).collect();
            return refuse(format!(
                "the resource has {LIMIT} settings, and cannot have more: {}; delete one first",
                names.join(", ")
            ));
        }
        None => {
            let mut setting = DiagnosticSetting::new(DiagnosticProperties::default());
            setting.properties.log_analytics_destination_type = spec.destination.clone();
            spec.sink.add_to(&mut setting.properties);
            setting
        }
    };
    let others: BTreeSet<String> = here
        .iter()
        .filter(|setting| own.is_none_or(|own| own.name != setting.name))
        .flat_map(|setting| known.sent_by(&setting.properties))
        .collect();
    add(&known, &mut after.properties, &missing, &spec.categories, &others);
    if let Some(twice) = known.sent_by(&after.properties).intersection(&others).next() {
        return refuse(format!(
            "'{twice}' is sent to {} by another setting already; the setting '{}' cannot send it there as well",
            spec.sink, spec.name
        ));
    }
    Ok(Decision::Write { before: own.cloned().map(Box::new), after: Box::new(after) })
}

/// Adds categories to a setting: by their group where that is possible, else one by one.
fn add(
    known: &Known<'_>,
    setting: &mut DiagnosticProperties,
    missing: &BTreeSet<String>,
    asked: &[Category],
    others: &BTreeSet<String>,
) {
    let mut left: BTreeSet<String> = missing.iter().filter(|name| !known.is_metric(name)).cloned().collect();
    let by_name = setting.logs.iter().any(|entry| entry.category_group.is_none());
    for category in asked {
        let Category::Group(group) = category else { continue };
        let held = known.group(group);
        if !by_name && held.is_disjoint(others) && !held.is_disjoint(&left) {
            left.retain(|name| !held.contains(name));
            let same = |entry: &&mut SettingEntry| {
                entry.category_group.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(group))
            };
            match setting.logs.iter_mut().find(same) {
                Some(entry) => entry.enabled = true,
                None => setting.logs.push(SettingEntry::group(group.as_str())),
            }
        }
    }
    if !left.is_empty() {
        by_names(known, setting);
        left.iter().for_each(|name| switch_on(&mut setting.logs, name));
    }
    for name in missing.iter().filter(|name| known.is_metric(name)) {
        switch_on(&mut setting.metrics, name);
    }
}

/// Lays the groups of a setting out as single categories: the two cannot be mixed.
fn by_names(known: &Known<'_>, setting: &mut DiagnosticProperties) {
    let (groups, mut names): (Vec<_>, Vec<_>) =
        setting.logs.drain(..).partition(|entry| entry.category_group.is_some());
    for group in groups.iter().filter(|group| group.enabled) {
        known.of_entry(group).iter().for_each(|name| switch_on(&mut names, name));
    }
    setting.logs = names;
}

fn switch_on(entries: &mut Vec<SettingEntry>, name: &str) {
    let same = |entry: &&mut SettingEntry| {
        entry.category.as_deref().is_some_and(|category| category.eq_ignore_ascii_case(name))
    };
    match entries.iter_mut().find(same) {
        Some(entry) => entry.enabled = true,
        None => entries.push(SettingEntry::category(name)),
    }
}

/// Whether a setting sends vault operations (`AuditEvent`, or a group that holds it) to a sink.
pub(crate) fn sends_audit(setting: &DiagnosticSetting, sink: &Sink) -> bool {
    let is_audit = |entry: &SettingEntry| {
        let is = |field: &Option<String>, names: &[&str]| {
            field.as_deref().is_some_and(|text| names.iter().any(|name| text.eq_ignore_ascii_case(name)))
        };
        entry.enabled
            && (is(&entry.category, &["AuditEvent"]) || is(&entry.category_group, &["audit", "allLogs"]))
    };
    sink.is_of(&setting.properties) && setting.properties.logs.iter().any(is_audit)
}

impl From<&WorkspaceId> for Sink {
    fn from(workspace: &WorkspaceId) -> Self {
        Self::Workspace(workspace.as_resource().clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers\
                             /Microsoft.OperationalInsights/workspaces/law-sec";

    fn categories() -> Vec<DiagnosticCategory> {
        serde_json::from_value(json!([
            { "name": "AuditEvent", "properties": { "categoryType": "Logs", "categoryGroups": ["audit", "allLogs"] } },
            { "name": "AzurePolicyEvaluationDetails", "properties": { "categoryType": "Logs", "categoryGroups": ["allLogs"] } },
            { "name": "AllMetrics", "properties": { "categoryType": "Metrics" } },
        ]))
        .unwrap()
    }

    fn setting(name: &str, workspace: &str, logs: serde_json::Value) -> DiagnosticSetting {
        serde_json::from_value(
            json!({ "name": name, "properties": { "workspaceId": workspace, "logs": logs } }),
        )
        .unwrap()
    }

    fn spec(categories: Vec<Category>) -> DiagnosticSpec {
        let workspace: WorkspaceId = WORKSPACE.parse().unwrap();
        DiagnosticSpec { categories, ..DiagnosticSpec::audit_to(&workspace).unwrap() }
    }

    fn written(settings: &[DiagnosticSetting], wanted: Vec<Category>) -> serde_json::Value {
        match decide(&categories(), settings, &spec(wanted)).unwrap() {
            Decision::Write { after, .. } => {
                let entries = |entries: &[SettingEntry]| {
                    let shown = |entry: &SettingEntry| {
                        json!([entry.category.as_ref().or(entry.category_group.as_ref()), entry.enabled])
                    };
                    entries.iter().map(shown).collect::<Vec<_>>()
                };
                json!([entries(&after.properties.logs), entries(&after.properties.metrics)])
            }
            Decision::Sent(setting) => json!(setting.name),
        }
    }

    #[test]
    fn what_is_sent_already_by_name_or_group_is_not_sent_again() {
        let by_name = setting("theirs", WORKSPACE, json!([{ "category": "auditevent", "enabled": true }]));
        let by_group = setting(
            "theirs",
            &WORKSPACE.to_uppercase(),
            json!([{ "categoryGroup": "allLogs", "enabled": true }]),
        );
        assert_eq!(written(&[by_name], vec![Category::group("audit")]), json!("theirs"));
        assert_eq!(written(&[by_group], vec![Category::named("AuditEvent")]), json!("theirs"));
    }

    #[test]
    fn only_the_missing_part_of_a_group_is_added_by_name() {
        let theirs = setting("theirs", WORKSPACE, json!([{ "category": "AuditEvent", "enabled": true }]));
        assert_eq!(
            written(&[theirs], vec![Category::group("allLogs")]),
            json!([[["AzurePolicyEvaluationDetails", true]], []])
        );
    }

    #[test]
    fn groups_and_single_categories_are_never_mixed_in_one_setting() {
        let own = setting(
            "audit-to-log-analytics",
            WORKSPACE,
            json!([{ "categoryGroup": "audit", "enabled": true }]),
        );
        assert_eq!(
            written(
                &[own],
                vec![Category::named("AzurePolicyEvaluationDetails"), Category::named("AllMetrics")]
            ),
            json!([[["AuditEvent", true], ["AzurePolicyEvaluationDetails", true]], [["AllMetrics", true]]])
        );
        let off = setting(
            "audit-to-log-analytics",
            WORKSPACE,
            json!([{ "category": "AuditEvent", "enabled": false }]),
        );
        assert_eq!(written(&[off], vec![Category::group("audit")]), json!([[["AuditEvent", true]], []]));
    }

    #[test]
    fn a_setting_of_the_same_name_to_elsewhere_and_a_sixth_setting_are_refused() {
        let elsewhere =
            setting("AUDIT-to-log-analytics", &WORKSPACE.replace("law-sec", "law-two"), json!([]));
        let error =
            decide(&categories(), std::slice::from_ref(&elsewhere), &spec(vec![Category::group("audit")]));
        assert!(error.unwrap_err().to_string().contains("choose another name"));
        let five: Vec<_> = (1..=5).map(|n| setting(&format!("s{n}"), "/else", json!([]))).collect();
        let error =
            decide(&categories(), &five, &spec(vec![Category::group("audit")])).unwrap_err().to_string();
        assert!(error.contains("s1, s2, s3, s4, s5"), "{error}");
        let error =
            decide(&categories(), &[], &spec(vec![Category::named("Nothing")])).unwrap_err().to_string();
        assert!(error.contains("'Nothing'") && error.contains("AuditEvent"), "{error}");
    }
}
