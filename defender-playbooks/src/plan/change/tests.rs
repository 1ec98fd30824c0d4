//! Tests how a plan compares changes, how it accounts for earlier steps, and how it shows long values.

use serde_json::json;

use super::*;

fn member(name: &str, before: i32, after: i32) -> Member {
    Member::changed(name, Some(&json!(before)), Some(&json!(after)))
}

fn change(step: &str, action: PlanAction, members: Vec<Member>) -> PlannedChange {
    PlannedChange {
        step: step.to_owned(),
        action,
        id: "/x".to_owned(),
        members,
        role: String::new(),
        permission: String::new(),
        billed: None,
        read: Some("as read".to_owned()),
        after: Vec::new(),
    }
}

#[test]
fn what_was_done_differs_by_its_action_and_by_each_member_that_was_planned() {
    let planned = change("a", PlanAction::Update, vec![member("m", 1, 2)]);
    let done = |action, members| planned.differs_from_done(&change("a", action, members)).is_none();
    assert!(done(PlanAction::Update, vec![member("m", 1, 2), member("n", 1, 2)]));
    assert!(!done(PlanAction::Create, vec![member("m", 1, 2)]));
    assert!(!done(PlanAction::NoChange, Vec::new()), "nothing before it could have done it");
    assert!(!done(PlanAction::Update, vec![member("m", 1, 3)]));
    assert!(!done(PlanAction::Update, Vec::new()));

    let behind = PlannedChange { after: vec!["b".to_owned()], ..planned.clone() };
    let nothing = change("a", PlanAction::NoChange, Vec::new());
    assert!(behind.differs_from_done(&nothing).is_none(), "the step before it may have done it");
    let deleted = change("a", PlanAction::Delete, Vec::new());
    assert!(behind.differs_from_done(&deleted).is_some());
}

#[test]
fn members_are_the_same_if_before_and_after_are_and_neither_list_has_more() {
    let planned = [member("m", 1, 2), member("n", 1, 2)];
    assert_eq!(unequal(&planned, &[member("N", 1, 2), member("M", 1, 2)]), None);
    for now in [
        vec![member("m", 1, 2)],
        vec![member("m", 1, 2), member("n", 1, 2), member("o", 1, 2)],
        vec![member("m", 1, 3), member("n", 1, 2)],
        vec![member("m", 0, 2), member("n", 1, 2)],
    ] {
        assert!(unequal(&planned, &now).is_some(), "{now:?}");
    }
    let made = Member::made_at_apply("m");
    assert_eq!(unequal(std::slice::from_ref(&made), &[member("m", 1, 2)]), None);
    assert_eq!(unequal(&[member("m", 1, 2)], &[made]), None);
}

#[test]
fn what_an_earlier_step_changes_is_no_change_any_more_and_a_secret_stays_one() {
    let earlier = change("a", PlanAction::Update, vec![member("m", 1, 2)]);
    let own = change("b", PlanAction::Update, vec![member("m", 1, 2), member("n", 1, 2)]);
    let after = own.clone().following(std::slice::from_ref(&earlier));
    assert_eq!((&after.action, &after.members), (&PlanAction::Update, &vec![member("n", 1, 2)]));
    assert_eq!((&after.after, &after.read), (&vec!["a".to_owned()], &None));
    let all =
        change("b", PlanAction::Update, vec![member("m", 1, 2)]).following(std::slice::from_ref(&earlier));
    assert_eq!((all.action, all.members), (PlanAction::NoChange, Vec::new()));

    for none in [
        PlannedChange { step: "b".to_owned(), ..earlier.clone() },
        PlannedChange { id: "/y".to_owned(), ..earlier.clone() },
        PlannedChange { action: PlanAction::NoChange, ..earlier.clone() },
    ] {
        assert_eq!(own.clone().following(&[none]), own);
    }
    let secret = |secret: bool| Member { secret, ..member("m", 1, 2) };
    for (one, other) in [(true, false), (false, true)] {
        let before = change("a", PlanAction::Update, vec![secret(one)]);
        let after = change("b", PlanAction::Update, vec![secret(other)]).following(&[before]);
        assert!(matches!(&*after.members, [member] if member.secret), "{after:?}");
    }
}

#[test]
fn a_long_text_that_is_new_is_shown_by_its_beginning_and_one_that_changes_in_full() {
    let query = Some(Value::from("where x == 1 | ".repeat(100)));
    let (new, changed) = (Member::changed("query", None, query.as_ref()), Some(Value::from("take 1")));
    let shown = new.to_string();
    assert!(
        shown.starts_with("query: \"where x == 1 |") && shown.ends_with(".. (1502 characters)"),
        "{shown}"
    );
    let shown = Member::changed("query", query.as_ref(), changed.as_ref()).to_string();
    assert!(shown.len() > 1500 && shown.ends_with("-> \"take 1\""), "{shown}");
}

#[test]
fn an_id_is_as_planned_where_it_was_known() {
    for (pattern, id, is) in [
        ("/a/b", "/A/b", true),
        ("/a/b", "/a/bc", false),
        ("/a/(known after apply)", "/A/1", true),
        ("/a/(known after apply)", "/b/1", false),
        ("/a/(known after apply)/c", "/a/1/c", true),
        ("/a/(known after apply)/c", "/a/1/d", false),
        ("/a/(known after apply)/c/(known after apply)", "/a/rg/x/c/1", true),
        ("/a/(known after apply)/c/(known after apply)", "/a/rg/x/d/1", false),
    ] {
        assert_eq!(matches(pattern, id), is, "{pattern}: {id}");
    }
}

/// A resource whose `made` and `also` are assigned when it is written.
struct Thing(Value);

impl PlannedKind for Thing {
    const ROLE: &'static str = "Contributor";
    const PERMISSION: &'static str = "*/write";
}

impl PlannedResource for Thing {
    const MADE_AT_APPLY: &'static [&'static str] = &["made", "also"];
    fn id(&self) -> String {
        "/x".to_owned()
    }
    fn shown(&self) -> Result<Value> {
        Ok(self.0.clone())
    }
}

#[test]
fn what_is_assigned_at_apply_is_named_once_and_not_when_nothing_changes() {
    let of = |change: Change<Thing>| PlannedChange::from_change(&change).unwrap().members;
    let created = of(Change::Created(Thing(json!({ "size": 1, "made": 7 }))));
    let one = |name: &str, value: Value| Member::changed(name, None, Some(&value));
    assert_eq!(created.len(), 3, "{created:?}");
    for member in [one("size", json!(1)), one("made", json!(7)), Member::made_at_apply("also")] {
        assert!(created.contains(&member), "{member:?} in {created:?}");
    }
    assert_eq!(of(Change::Unchanged(Thing(json!({ "size": 1 })))), []);
}
