//! Lists: every item once, no page twice, no token abroad.

use crate::scripted::{Answer, Script, reply};
use arm_core::{ArmPath, Pager};
use futures::TryStreamExt as _;
use std::sync::Arc;

const NEXT: &str = "https://management.azure.com/things?api-version=2026-01-01&$skiptoken=";

fn list(script: &Arc<Script>) -> Pager<u32> {
    script.client().get(ArmPath::root().literal("things"), "2026-01-01").pager()
}

fn page(items: &str, next: &str) -> Answer {
    reply(200, format!(r#"{{"value":{items},"nextLink":{next}}}"#))
}

fn link(token: &str) -> String {
    format!("\"{NEXT}{token}\"")
}

#[tokio::test]
async fn all_pages_come_and_an_empty_one_does_not_end_the_list() {
    let script = Script::new([page("[1,2]", &link("a")), page("[]", &link("b")), page("[3,null]", "null")]);
    let items: Vec<u32> = list(&script).try_collect().await.unwrap();
    assert_eq!(items, [1, 2, 3]);
    assert_eq!(script.sent()[1].url, format!("{NEXT}a"));
}

#[tokio::test]
async fn absent_empty_and_null_ends_are_ends_and_a_null_list_is_empty() {
    for last in [r#"{"value":[1]}"#, r#"{"value":[1],"nextLink":""}"#, r#"{"value":[1],"nextLink":null}"#] {
        let script = Script::new([reply(200, last)]);
        assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [1]);
    }
    let script = Script::new([reply(200, r#"{"value":null}"#)]);
    assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [0; 0]);
}

#[tokio::test]
async fn an_answer_without_a_list_is_an_error_and_not_an_empty_list() {
    let script = Script::new([reply(200, "{}")]);
    let error = list(&script).try_collect::<Vec<u32>>().await.unwrap_err();
    assert!(error.to_string().contains("missing field `value`"), "{error}");
}

#[tokio::test]
async fn relative_links_are_resolved() {
    let script = Script::new([page("[1]", r#""/things?page=2""#), page("[2]", "null")]);
    assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [1, 2]);
    assert_eq!(script.sent()[1].url, "https://management.azure.com/things?page=2");
}

#[tokio::test]
async fn a_link_abroad_is_refused_and_nothing_is_sent_there() {
    for foreign in [
        "https://evil.example/things",
        "http://management.azure.com/things",
        "https://management.azure.com:8443/things",
        "https://user:pass@management.azure.com/things",
        "//evil.example/things",
    ] {
        let script = Script::new([page("[1]", &format!("\"{foreign}\""))]);
        let mut items = list(&script);
        assert_eq!(items.try_next().await.unwrap(), Some(1));
        let error = items.try_next().await.unwrap_err();
        assert!(error.to_string().contains("nothing was sent"), "{foreign}: {error}");
        assert_eq!(script.sent().len(), 1);
        let error = script.client().resume_list::<u32>(foreign).unwrap().try_next().await.unwrap_err();
        assert!(error.to_string().contains("nothing was sent"), "{foreign}: {error}");
    }
}

#[tokio::test]
async fn a_circle_of_links_is_an_error() {
    let script = Script::new([page("[1]", &link("a")), page("[2]", &link("b")), page("[3]", &link("a"))]);
    let mut items = list(&script);
    for expected in [1, 2, 3] {
        assert_eq!(items.try_next().await.unwrap(), Some(expected));
    }
    let error = items.try_next().await.unwrap_err();
    assert!(error.to_string().contains("it would never end"), "{error}");
    assert_eq!(items.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn an_undecodable_item_hides_none_of_its_neighbours_and_does_not_vanish() {
    let script = Script::new([page("[1]", &link("a")), page(r#"[2,"hunter2",3]"#, &link("b"))]);
    let mut items = list(&script);
    for expected in [1, 2, 3] {
        assert_eq!(items.try_next().await.unwrap(), Some(expected));
    }
    let error = items.try_next().await.unwrap_err().to_string();
    assert!(error.contains("item 2 of page 2 of the list cannot be decoded"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    assert_eq!(
        items.continuation().unwrap().as_ref(),
        format!("{NEXT}b"),
        "the rest of the list can be read"
    );
    let script = Script::new([page(r#"[1,"x"]"#, "null")]);
    let mut items = list(&script);
    assert_eq!(items.try_next().await.unwrap(), Some(1));
    assert!(items.try_next().await.is_err());
    let rest = items.continuation().unwrap();
    let mut rest = script.client().resume_list::<u32>(rest.as_ref()).unwrap();
    assert_eq!(rest.try_next().await.unwrap(), None, "nothing is left behind the last page");
    assert_eq!(items.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn a_list_goes_on_where_it_was_left() {
    let script = Script::new([page("[1]", &link("a")), page("[2]", &link("b")), page("[3]", "null")]);
    let mut pages = list(&script).into_pages();
    assert_eq!(pages.try_next().await.unwrap().unwrap().items, [1]);
    let token = pages.into_continuation().unwrap();
    let rest: Vec<u32> =
        script.client().resume_list::<u32>(token.as_ref()).unwrap().try_collect().await.unwrap();
    assert_eq!(rest, [2, 3]);
}

#[tokio::test]
async fn a_link_back_to_the_first_page_is_an_error_before_an_item_comes_twice() {
    let first = "\"https://management.azure.com/things?api-version=2026-01-01\"";
    let script = Script::new([page("[1]", &link("a")), page("[2]", first)]);
    let mut items = list(&script);
    assert_eq!(items.try_next().await.unwrap(), Some(1));
    assert_eq!(items.try_next().await.unwrap(), Some(2));
    assert!(items.try_next().await.unwrap_err().to_string().contains("it would never end"));
    let script = Script::new([page("[2]", &link("a"))]);
    let mut items = script.client().resume_list::<u32>(&format!("{NEXT}a")).unwrap();
    assert_eq!(items.try_next().await.unwrap(), Some(2));
    assert!(items.try_next().await.unwrap_err().to_string().contains("it would never end"));
}

#[tokio::test]
async fn a_relative_link_goes_on_at_the_same_place_after_a_restart() {
    let script = Script::new([page("[1]", r#""?page=2""#), page("[2]", "null")]);
    let mut pages = list(&script).into_pages();
    pages.try_next().await.unwrap();
    let token = pages.into_continuation().unwrap();
    let rest: Vec<u32> =
        script.client().resume_list::<u32>(token.as_ref()).unwrap().try_collect().await.unwrap();
    assert_eq!(rest, [2]);
    assert_eq!(script.sent()[1].url, "https://management.azure.com/things?page=2");
}
