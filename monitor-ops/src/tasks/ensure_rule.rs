//! Alert rules on vault logs.

use std::time::Duration;

use arm_core::{
    Change, Mode, ResourceGroupId, ResourceId, ResourceName, Task, Wish, is_same_region, refuse, wire,
};
use azure_core::Result;

use crate::{
    Condition, Criteria, QueryRule, QueryRuleKind, QueryRuleProperties, QueryRulesClient, RuleActions,
    WorkspaceId, kql,
};

/// How late the logs of a vault can arrive.
const LATENESS: Duration = Duration::from_secs(600);

/// How often these rules run.
const FREQUENCY: Duration = Duration::from_secs(300);

/// How far back these rules look: the frequency plus the lateness, with some margin. A shorter window would miss late
/// logs.
const WINDOW: Duration = Duration::from_secs(1800);

impl QueryRule {
    /// Creates a rule that raises an alert (severity 2) when a vault refuses more than `more_than` requests within half
    /// an hour.
    ///
    /// The rule reads both tables that can contain vault logs, and covers every vault whose logs go to the workspace,
    /// with one alert for each vault. Its window is much longer than its frequency, so that late logs are included.
    pub fn refused_requests(workspace: &WorkspaceId, location: impl Into<String>, more_than: u32) -> Self {
        let query = format!("{}\n{}", kql::vault_operations(), kql::REFUSED);
        let rule = Self::on_vault_logs(workspace, location, Condition::row_count_above(more_than, query));
        rule.described(
            "Key vault: refused requests",
            "Unusually many denied Key Vault requests: possible probing.",
        )
    }

    /// Creates a rule that raises an alert (severity 1) when one caller, from one IP address, reads at least `distinct`
    /// different secrets of a vault within half an hour, or reads half as many and also lists them.
    pub fn mass_secret_reading(workspace: &WorkspaceId, location: impl Into<String>, distinct: u32) -> Self {
        let query = format!("{}\n{}", kql::vault_operations(), kql::mass_reading(distinct));
        let mut rule = Self::on_vault_logs(workspace, location, Condition::row_count_above(0, query))
            .described(
                "Key vault: secrets read in bulk",
                "One caller listed secrets and read many of them, or read an unusually large number: possible \
                 secret dumping.",
            );
        rule.properties.severity = Some(1);
        rule
    }

    fn on_vault_logs(workspace: &WorkspaceId, location: impl Into<String>, mut condition: Condition) -> Self {
        condition.resource_id_column = Some("_ResourceId".to_owned());
        let mut properties = QueryRuleProperties::default();
        properties.severity = Some(2);
        properties.enabled = Some(true);
        properties.scopes = vec![workspace.to_string()];
        properties.evaluation_frequency = Some(FREQUENCY);
        properties.window_size = Some(WINDOW);
        properties.criteria = Criteria::of(condition);
        properties.auto_mitigate = Some(true);
        properties.skip_query_validation = Some(false);
        let mut rule = Self::in_location(location, properties);
        rule.kind = Some(QueryRuleKind::LogAlert.to_string());
        rule
    }

    fn described(mut self, name: &str, description: &str) -> Self {
        self.properties.display_name = Some(name.to_owned());
        self.properties.description = Some(description.to_owned());
        self
    }

    /// Makes the rule notify these action groups.
    pub fn notifying<'a>(mut self, groups: impl IntoIterator<Item = &'a ResourceId>) -> Self {
        self.properties.actions = Some(RuleActions::notify(groups));
        self
    }

    /// Whether the rule can miss late logs: its window exceeds its frequency by less than the ten minutes that vault
    /// logs can take to arrive. `false` if it has no window or no frequency.
    pub fn misses_late_logs(&self) -> bool {
        match (self.properties.window_size, self.properties.evaluation_frequency) {
            (Some(window), Some(frequency)) => window < frequency.saturating_add(LATENESS),
            _ => false,
        }
    }
}

/// Members that the service sets are not compared, nor is the flag for a query on a missing table.
const WISH: Wish = Wish::new()
    .exact(&["query", "displayName", "description"])
    .ordered(&["allOf"])
    .partial(&["actionGroups"])
    .ignoring(&["id", "name", "type", "etag", "systemData", "skipQueryValidation"]);

impl QueryRulesClient {
    /// Ensures that a rule exists as specified.
    ///
    /// The scopes and the number of conditions become those of `rule`. Anything else that `rule` does not specify is
    /// kept, such as members that this crate does not model and other action groups. If the service cannot validate the
    /// query because its table does not exist yet, the rule is written with `skipQueryValidation`.
    ///
    /// A rule that resolves its alerts automatically cannot be muted, so specifying one of the two on an existing rule
    /// turns the other off. A mute of zero removes the mute. These are refused before anything is written, in a dry run
    /// as well: a rule with both, a mute or window shorter than the frequency, a duration that the service does not
    /// support, and a number of failing periods that is not at least 1 out of at most 6.
    ///
    /// **If it stops halfway**, the rule may or may not be written; running it again finishes it. After that, another
    /// run writes nothing.
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/read` and `write`, and permission to read the logs of the workspace.
    ///
    /// # Errors
    ///
    /// 400 if the query is invalid or the service does not accept a duration: the message says what is wrong, and
    /// nothing is written. `is_role_missing()`, also for a workspace in another tenant.
    #[inline]
    pub fn ensure(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        rule: &QueryRule,
    ) -> Task<Change<QueryRule>> {
        let (client, group, name, rule) = (self.clone(), group.clone(), name.clone(), rule.clone());
        Task::new(move |mode| async move { client.ensure_rule(&group, &name, &rule, mode).await })
    }

    async fn ensure_rule(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        rule: &QueryRule,
        mode: Mode,
    ) -> Result<Change<QueryRule>> {
        let rule = &checked(rule)?;
        let before = self.get_opt(group, name).await?;
        let mut wanted = match &before {
            Some(before) => onto(rule, before),
            None => rule.clone(),
        };
        clear_mute(&mut wanted);
        if let Some(before) = &before
            && wanted == *before
        {
            return Ok(Change::Unchanged(wanted));
        }
        checked(&wanted)?;
        wire::check_writable(&wanted)?;
        let after = match mode {
            Mode::DryRun => wanted,
            Mode::Write => match self.create_or_update(group, name, &wanted).await {
                Err(error)
                    if kql::missing_table(&error).is_some()
                        && wanted.properties.skip_query_validation != Some(true) =>
                {
                    wanted.properties.skip_query_validation = Some(true);
                    self.create_or_update(group, name, &wanted).await?
                }
                written => written?,
            },
        };
        let after = match mode {
            Mode::DryRun => after.at(group, "Microsoft.Insights/scheduledQueryRules", name.as_str()),
            Mode::Write => {
                let found = self.get(group, name).await?;
                let mut wish = rule.clone();
                clear_mute(&mut wish);
                WISH.verify(format_args!("the rule '{name}'"), &wish, &found)?;
                found
            }
        };
        Ok(match before {
            Some(before) => Change::Updated { before, after },
            None => Change::Created(after),
        })
    }
}

/// Refuses a rule whose members contradict each other, or whose values the service does not support.
fn checked(rule: &QueryRule) -> Result<QueryRule> {
    let it = &rule.properties;
    let mute = it.mute_actions_duration.filter(|mute| !mute.is_zero());
    if let (Some(true), Some(mute)) = (it.auto_mitigate, mute) {
        return refuse(format!(
            "a rule that resolves its alerts automatically cannot be muted for {mute:?} after one: turn off one of \
             the two"
        ));
    }
    let frequency = it.evaluation_frequency;
    if let (Some(mute), Some(every)) = (mute, frequency)
        && mute < every
    {
        return refuse(format!(
            "a rule that runs every {every:?} cannot be muted for {mute:?}, which must be at least as long"
        ));
    }
    let up_to_a_day = &GRANULARITIES[..GRANULARITIES.len() - 1];
    for (what, duration, minutes) in [
        ("run every", frequency, up_to_a_day),
        ("look back", it.window_size, GRANULARITIES),
        ("be muted for", mute, GRANULARITIES),
    ] {
        let Some(duration) = duration else { continue };
        if !minutes.iter().any(|minutes| Duration::from_secs(minutes * 60) == duration) {
            return refuse(format!("a rule cannot {what} {duration:?}: use one of {minutes:?} minutes"));
        }
    }
    if let (Some(every), Some(window)) = (frequency, it.window_size)
        && window < every
    {
        return refuse(format!(
            "a rule that runs every {every:?} cannot look back only {window:?}: it would miss the time between two runs"
        ));
    }
    let periods = it.criteria.all_of.iter().filter_map(|condition| condition.failing_periods.as_ref());
    for periods in periods {
        let (all, failing) = (periods.number_of_evaluation_periods, periods.min_failing_periods_to_alert);
        if !(1..=6).contains(&all) || !(1..=all).contains(&failing) {
            return refuse(format!(
                "a condition cannot fail in {failing} of {all} periods: use at least 1 of at most 6"
            ));
        }
    }
    Ok(rule.clone())
}

/// The minutes that the service accepts for a window or a mute; all but the last for a frequency.
const GRANULARITIES: &[u64] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];

/// Removes a mute of zero, which means none.
fn clear_mute(rule: &mut QueryRule) {
    let mute = &mut rule.properties.mute_actions_duration;
    *mute = mute.filter(|mute| !mute.is_zero());
}

/// The existing rule with the specified members applied.
fn onto(rule: &QueryRule, before: &QueryRule) -> QueryRule {
    let mut wanted = before.clone();
    if let Some(location) = &rule.location
        && !is_same_region(location, before.location.as_deref().unwrap_or_default())
    {
        wanted.location.clone_from(&rule.location);
    }
    wanted.tags.extend(rule.tags.clone());
    let (to, from) = (&mut wanted.properties, &rule.properties);
    set(&mut to.display_name, &from.display_name);
    set(&mut to.description, &from.description);
    set(&mut to.severity, &from.severity);
    set(&mut to.enabled, &from.enabled);
    set(&mut to.evaluation_frequency, &from.evaluation_frequency);
    set(&mut to.window_size, &from.window_size);
    set(&mut to.override_query_time_range, &from.override_query_time_range);
    set(&mut to.mute_actions_duration, &from.mute_actions_duration);
    set(&mut to.auto_mitigate, &from.auto_mitigate);
    match (from.auto_mitigate, from.mute_actions_duration) {
        (Some(true), None) => to.mute_actions_duration = None,
        // By default, the service resolves alerts automatically, which excludes muting.
        (None, Some(mute)) if !mute.is_zero() => to.auto_mitigate = Some(false),
        _ => {}
    }
    let same = to.scopes.len() == from.scopes.len()
        && to.scopes.iter().zip(&from.scopes).all(|(a, b)| a.eq_ignore_ascii_case(b));
    if !same {
        to.scopes.clone_from(&from.scopes);
    }
    to.criteria.all_of.truncate(from.criteria.all_of.len());
    for (index, condition) in from.criteria.all_of.iter().enumerate() {
        match to.criteria.all_of.get_mut(index) {
            Some(old) => condition_onto(condition, old),
            None => to.criteria.all_of.push(condition.clone()),
        }
    }
    if let Some(actions) = &from.actions {
        let kept = to.actions.get_or_insert_default();
        for group in &actions.action_groups {
            if !kept.action_groups.iter().any(|known| known.eq_ignore_ascii_case(group)) {
                kept.action_groups.push(group.clone());
            }
        }
        kept.custom_properties.extend(actions.custom_properties.clone());
    }
    // A rule that was accepted without validation stays so until something else changes: that write validates it.
    if wanted != *before {
        wanted.properties.skip_query_validation = rule.properties.skip_query_validation;
    }
    wanted
}

fn condition_onto(condition: &Condition, old: &mut Condition) {
    old.query.clone_from(&condition.query);
    set(&mut old.time_aggregation, &condition.time_aggregation);
    set(&mut old.metric_measure_column, &condition.metric_measure_column);
    set(&mut old.resource_id_column, &condition.resource_id_column);
    set(&mut old.operator, &condition.operator);
    set(&mut old.threshold, &condition.threshold);
    set(&mut old.failing_periods, &condition.failing_periods);
    if !condition.dimensions.is_empty() {
        old.dimensions.clone_from(&condition.dimensions);
    }
}

fn set<T: Clone>(to: &mut Option<T>, from: &Option<T>) {
    if from.is_some() {
        to.clone_from(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> WorkspaceId {
        "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers\
         /Microsoft.OperationalInsights/workspaces/law-sec"
            .parse()
            .unwrap()
    }

    #[test]
    fn the_rules_look_back_far_enough_for_late_logs_and_say_so_of_others() {
        let rule = QueryRule::refused_requests(&workspace(), "westeurope", 5);
        assert!(!rule.misses_late_logs());
        assert!(!rule.properties.criteria.all_of[0].query.contains("ago("), "the window is the rule's");
        let mut short = rule;
        short.properties.window_size = Some(Duration::from_secs(300));
        assert!(short.misses_late_logs());
    }

    #[test]
    fn a_rule_on_another_workspace_is_moved_to_the_one_that_was_asked_for() {
        let rule = QueryRule::refused_requests(&workspace(), "westeurope", 5);
        let other = workspace().to_string().replace("law-sec", "law-other");
        for scopes in [vec![other.clone()], vec![workspace().to_string(), other], vec![]] {
            let mut before = rule.clone();
            before.properties.scopes = scopes;
            assert_eq!(onto(&rule, &before).properties.scopes, rule.properties.scopes);
        }
        let mut same = rule.clone();
        same.properties.scopes = vec![workspace().to_string().to_uppercase()];
        assert_eq!(onto(&rule, &same), same);
    }

    #[test]
    fn a_condition_fails_in_one_to_all_of_at_most_six_periods() {
        let allowed = |all: u32, failing: u32| {
            let mut rule =
                serde_json::to_value(QueryRule::refused_requests(&workspace(), "westeurope", 5)).unwrap();
            rule["properties"]["criteria"]["allOf"][0]["failingPeriods"] = serde_json::json!({
                "numberOfEvaluationPeriods": all, "minFailingPeriodsToAlert": failing,
            });
            checked(&serde_json::from_value(rule).unwrap()).is_ok()
        };
        assert!(allowed(1, 1) && allowed(6, 6) && allowed(6, 1));
        assert!(!allowed(7, 1) && !allowed(0, 0) && !allowed(3, 0) && !allowed(3, 4));
    }

    #[test]
    fn a_rule_that_is_there_keeps_other_groups_and_unknown_fields() {
        let group: ResourceId =
            "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/soc"
                .parse()
                .unwrap();
        let rule = QueryRule::refused_requests(&workspace(), "West Europe", 5).notifying([&group]);
        let mut wire = serde_json::to_value(&rule).unwrap();
        wire["location"] = "westeurope".into();
        wire["properties"]["actions"]["actionGroups"] =
            serde_json::json!([group.as_str().to_uppercase(), "/other"]);
        wire["properties"]["invented"] = true.into();
        wire["properties"]["criteria"]["allOf"][0]["criterionType"] = "StaticThresholdCriterion".into();
        wire["properties"]["skipQueryValidation"] = true.into();
        let before: QueryRule = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(onto(&rule, &before), before);
        let mut stricter = rule;
        stricter.properties.criteria.all_of[0].threshold = Some(1.0);
        let after = serde_json::to_value(onto(&stricter, &before)).unwrap();
        wire["properties"]["criteria"]["allOf"][0]["threshold"] = 1.0.into();
        wire["properties"]["skipQueryValidation"] = false.into();
        assert_eq!(after, wire);
    }
}
