//! Decides, without sending a request, which setting should send the missing categories.

use std::collections::BTreeSet;

use arm_core::refuse;
use azure_core::Result;

use crate::{
    Category, DiagnosticCategory, DiagnosticProperties, DiagnosticSetting, DiagnosticSpec, SettingEntry,
};

/// How many settings a resource can have.
const LIMIT: usize = 5;

/// What to do.
#[derive(Debug)]
pub(crate) enum Decision {
    Sent(Box<DiagnosticSetting>),
    Write { before: Option<Box<DiagnosticSetting>>, after: Box<DiagnosticSetting> },
}

/// The categories of a resource, with the groups that contain them.
pub(crate) struct Known<'a>(pub(crate) &'a [DiagnosticCategory]);

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
            // A category counts as sent even if the resource no longer lists it.
            (None, Some(name)) => [self.named(name).unwrap_or_else(|| name.clone())].into(),
            (None, None) => BTreeSet::new(),
        }
    }

    pub(crate) fn sent_by(&self, setting: &DiagnosticProperties) -> BTreeSet<String> {
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

pub(crate) fn decide(
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
                "the setting '{}' exists but does not send to {}; choose another name, or set change_existing",
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
            "another setting already sends '{twice}' to {}; the setting '{}' cannot send it there too",
            spec.sink, spec.name
        ));
    }
    Ok(Decision::Write { before: own.cloned().map(Box::new), after: Box::new(after) })
}

/// Adds categories to a setting: as a group where possible, otherwise one by one.
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

/// Replaces the groups in a setting with their categories, since groups and categories cannot be mixed.
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::WorkspaceId;

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
