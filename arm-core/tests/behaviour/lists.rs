//! Lists: every item once, no page twice, no token abroad.

use std::{cell::Cell, sync::Arc};

use arm_core::{ArmPath, ListPage, Pager};
use futures::{TryStreamExt as _, stream::FusedStream as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::scripted::{Answer, Script, reply};

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
async fn a_list_without_an_envelope_is_a_list() {
    let script = Script::new([reply(200, " [1, 2]")]);
    assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [1, 2]);
}

#[tokio::test]
async fn absent_empty_and_null_ends_are_ends_and_a_null_list_is_empty() {
    for last in [r#"{"value":[1]}"#, r#"{"value":[1],"nextLink":""}"#, r#"{"value":[1],"nextLink":null}"#] {
        let script = Script::new([reply(200, last)]);
        assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [1]);
    }
    for none in [r#"{"value":null}"#, r#"{"value":null,"nextLink":""}"#] {
        let script = Script::new([reply(200, none)]);
        assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [0; 0], "{none}");
    }
    assert_eq!(Pager::<u32>::empty().continuation(), Some(""));
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
async fn a_link_to_another_origin_is_refused_and_nothing_is_sent_there() {
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
    assert!(error.to_string().contains("the list would never end"), "{error}");
    assert_eq!(items.try_next().await.unwrap(), None);
    assert_eq!(items.continuation(), Some(""), "going on does not lead back into the circle");
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
    assert_eq!(items.continuation().unwrap(), format!("{NEXT}b"), "the rest of the list can be read");
    assert_eq!(items.try_next().await.unwrap(), None, "an error ends the stream");
    let script = Script::new([page(r#"[1,"x"]"#, "null")]);
    let mut items = list(&script);
    assert_eq!(items.try_next().await.unwrap(), Some(1));
    assert!(items.try_next().await.is_err());
    let mut rest = script.client().resume_list::<u32>(items.continuation().unwrap()).unwrap();
    assert_eq!(rest.try_next().await.unwrap(), None, "nothing is left behind the last page");
    assert_eq!(items.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn a_list_resumes_where_it_was_left() {
    let script = Script::new([page("[1]", &link("a")), page("[2]", &link("b")), page("[3]", "null")]);
    let mut pages = list(&script).into_pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert_eq!(first.items, [1]);
    let link = first.continuation.unwrap();
    let mut rest = script.client().resume_list::<u32>(&link).unwrap();
    assert_eq!(rest.continuation(), Some(&*link));
    assert_eq!(rest.try_next().await.unwrap(), Some(2));
    assert_eq!(rest.continuation(), Some(&*link), "it can be left and gone on with again");
    assert_eq!(rest.try_collect::<Vec<u32>>().await.unwrap(), [3]);
}

#[tokio::test]
async fn a_link_back_to_the_first_page_is_an_error_before_an_item_comes_twice() {
    let first = "\"https://management.azure.com/things?api-version=2026-01-01\"";
    let script = Script::new([page("[1]", &link("a")), page("[2]", first)]);
    let mut items = list(&script);
    assert_eq!(items.try_next().await.unwrap(), Some(1));
    assert_eq!(items.try_next().await.unwrap(), Some(2));
    assert!(items.try_next().await.unwrap_err().to_string().contains("the list would never end"));
    let script = Script::new([page("[2]", &link("a"))]);
    let mut items = script.client().resume_list::<u32>(&format!("{NEXT}a")).unwrap();
    assert_eq!(items.try_next().await.unwrap(), Some(2));
    assert!(items.try_next().await.unwrap_err().to_string().contains("the list would never end"));
}

#[tokio::test]
async fn a_relative_link_goes_on_at_the_same_place_after_a_restart() {
    let script = Script::new([page("[1]", r#""?page=2""#), page("[2]", "null")]);
    let mut pages = list(&script).into_pages();
    let link = pages.try_next().await.unwrap().unwrap().continuation.unwrap();
    let rest: Vec<u32> = script.client().resume_list::<u32>(&link).unwrap().try_collect().await.unwrap();
    assert_eq!(rest, [2]);
    assert_eq!(script.sent()[1].url, "https://management.azure.com/things?page=2");
}

#[tokio::test]
async fn the_place_of_a_list_is_known_at_each_step() {
    let script = Script::new([page("[1,2]", &link("a")), page("[3]", "null")]);
    let mut items = list(&script);
    assert_eq!(items.continuation(), None);
    assert!(!items.is_terminated());
    items.try_next().await.unwrap();
    assert_eq!(items.continuation(), None, "the first page is being read");
    items.try_next().await.unwrap();
    assert_eq!(items.try_next().await.unwrap(), Some(3));
    assert_eq!(items.continuation().unwrap(), format!("{NEXT}a"));
    assert_eq!(items.try_next().await.unwrap(), None);
    assert_eq!(items.continuation(), Some(""), "nothing is left, which is not the beginning");
    assert!(items.is_terminated());
}

#[tokio::test]
async fn a_list_resumes_at_the_page_that_could_not_be_fetched() {
    let script = Script::new([page("[1]", &link("a")), reply(404, "{}"), page("[2]", "null")]);
    let mut items = list(&script);
    items.try_next().await.unwrap();
    assert!(items.try_next().await.is_err());
    let mut rest = script.client().resume_list::<u32>(items.continuation().unwrap()).unwrap();
    assert_eq!(rest.try_next().await.unwrap(), Some(2));
}

#[tokio::test]
async fn the_link_is_found_wherever_it_is_and_others_do_not_matter() {
    for first in [
        format!(r#"{{"nextLink":{},"value":[1]}}"#, link("a")),
        format!(
            r#" {{ "a]" : {{"value":[7]}} , "value" : [ 1 ] , "nextLink" : {} , "b" : "]" }} "#,
            link("a")
        ),
        format!(r#"{{"@odata.context":"x","value":[1],"@odata.nextLink":{}}}"#, link("a")),
        format!("\u{feff}{{\"value\":[1],\"nextLink\":{}}}", link("a")),
        format!(r#"{{"\u0076alue":[1],"nextLink":{}}}"#, link("a")),
    ] {
        let script = Script::new([reply(200, first.clone()), page("[2]", "null")]);
        assert_eq!(list(&script).try_collect::<Vec<u32>>().await.unwrap(), [1, 2], "{first}");
    }
}

#[tokio::test]
async fn a_page_that_is_broken_off_or_twisted_is_an_error_behind_the_items_that_could_be_read() {
    for (broken, read) in [
        (r#"{"value":[1,2"#, &[1][..]),
        (r#"{"value":[1,2]"#, &[1, 2]),
        (r#"{"value":[1,2,"#, &[1, 2]),
        (r#"{"value":[1,2,],"nextLink":null}"#, &[1, 2]),
        (r#"{"value":[1 2],"nextLink":null}"#, &[]),
        ("{\"value\":[\u{c}1]}", &[]),
        (r#"{"value":[,1],"nextLink":null}"#, &[]),
        (r#"{"value":[1],}"#, &[1]),
        (r#"{"value":[1],"value":[2]}"#, &[1]),
        (r#"{"value":[1]}{"value":[2]}"#, &[1]),
        (r#"{"value":[1],"nextLink":7}"#, &[1]),
        (r#"{"nextLink":null,"value":[1],"nextLink":null}"#, &[1]),
    ] {
        let script = Script::new([reply(200, broken)]);
        let mut items = list(&script);
        for item in read {
            assert_eq!(items.try_next().await.unwrap(), Some(*item), "{broken}");
        }
        let error = items.try_next().await.unwrap_err().to_string();
        assert!(error.starts_with("GET /things: the response cannot be decoded: "), "{broken}: {error}");
        assert_eq!(items.try_next().await.unwrap(), None, "{broken}");
        assert_eq!(items.continuation(), None, "{broken}: the page is to be read again");

        let script = Script::new([reply(200, broken)]);
        let mut pages = list(&script).into_pages();
        assert!(pages.try_next().await.is_err(), "{broken}: half a page is not given out");
        assert!(pages.try_next().await.unwrap().is_none(), "{broken}");
    }
}

#[tokio::test]
async fn items_are_decoded_as_they_are_taken() {
    thread_local! { static DECODED: Cell<u32> = const { Cell::new(0) }; }
    struct Counted;
    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            DECODED.set(DECODED.get() + 1);
            u32::deserialize(deserializer).map(|_| Self)
        }
    }
    let script = Script::new([page("[1,null,2,3]", "null")]);
    let mut items: Pager<Counted> =
        script.client().get(ArmPath::root().literal("things"), "2026-01-01").pager();
    for taken in 1..=3 {
        assert!(items.try_next().await.unwrap().is_some());
        assert_eq!(DECODED.get(), taken);
    }
}

#[tokio::test]
async fn a_list_of_pages_from_a_function_is_read_to_its_end_and_reports_what_cannot_be_decoded() {
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let list = || {
        arm_core::pages(move |continuation: Option<String>| async move {
            Ok(match continuation.as_deref() {
                None => ListPage::new(vec![1], Some("a".to_owned())),
                Some("a") => ListPage::new(Vec::new(), Some("b".to_owned())),
                _ => ListPage::of_raw(
                    &[raw("2"), raw("[\"hunter2\"]"), raw("3"), raw("{}")],
                    Some(String::new()),
                ),
            })
        })
    };
    let mut items: Pager<u32> = list();
    for expected in [1, 2, 3] {
        assert_eq!(items.try_next().await.unwrap(), Some(expected));
    }
    let error = items.try_next().await.unwrap_err().to_string();
    assert!(error.starts_with("item 2 of page 3 of the list cannot be decoded: "), "{error}");
    assert_eq!(items.continuation(), Some(""), "an empty link is none");

    let mut pages = list().into_pages();
    for expected in [(vec![1], Some("a")), (vec![], Some("b")), (vec![2, 3], Some(""))] {
        let page = pages.try_next().await.unwrap().unwrap();
        assert_eq!((page.items, page.continuation.as_deref()), expected);
    }
    assert!(pages.try_next().await.is_err());
    assert!(pages.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn pages_of_a_list_that_was_begun_lose_no_item() {
    let script = Script::new([page("[1,2,3]", &link("hunter2")), page("[4]", "null")]);
    let mut items = list(&script);
    assert_eq!(items.try_next().await.unwrap(), Some(1));
    let mut pages = items.into_pages();
    let rest = pages.try_next().await.unwrap().unwrap();
    assert_eq!(rest.items, [2, 3]);
    assert!(!format!("{rest:?}").contains("hunter2"), "{rest:?}");
    assert_eq!(pages.try_next().await.unwrap().unwrap().items, [4]);
    assert!(pages.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_list_shown_for_debugging_has_no_links() {
    let script = Script::new([page("[1,2]", &link("hunter2")), page("[3]", "null")]);
    let mut items = list(&script);
    for _ in 0..3 {
        items.try_next().await.unwrap();
    }
    let shown = format!("{items:?}");
    assert!(shown.contains("pages: 2") && !shown.contains("hunter2"), "{shown}");
}
