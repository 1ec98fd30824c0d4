//! The wire formats, as models use them: what is read, and what is written.

use std::time::Duration;

use arm_core::{Secret, wire};
use azure_core::time::OffsetDateTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, from_value, json, to_value};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Read {
    #[serde(with = "wire::text")]
    text: String,
    #[serde(with = "wire::text::option")]
    optional_text: Option<String>,
    #[serde(with = "wire::instant::option")]
    instant: Option<OffsetDateTime>,
    #[serde(with = "wire::iso_duration::option")]
    duration: Option<Duration>,
    #[serde(with = "wire::secret::option")]
    secret: Option<Secret>,
    #[serde(deserialize_with = "wire::without_nulls")]
    list: Vec<u32>,
    #[serde(deserialize_with = "wire::null_as_default")]
    number: u32,
}

fn read(field: &str, value: Value) -> serde_json::Result<Read> {
    // Both ways of reading: out of a text, and out of a value.
    let sent = json!({ field: value });
    let of_text = serde_json::from_str::<Read>(&sent.to_string());
    let of_value = from_value::<Read>(sent);
    assert_eq!(format!("{:?}", of_text.as_ref().ok()), format!("{:?}", of_value.as_ref().ok()));
    of_text
}

#[test]
fn any_scalar_is_a_text_and_null_is_none() {
    for (sent, text) in [
        (json!("a\"b"), "a\"b"),
        (json!(true), "true"),
        (json!(false), "false"),
        (json!(7), "7"),
        (json!(-7), "-7"),
        (json!(1.5), "1.5"),
    ] {
        assert_eq!(read("text", sent.clone()).unwrap().text, text);
        assert_eq!(read("optionalText", sent).unwrap().optional_text.as_deref(), Some(text));
    }
    assert_eq!(read("text", Value::Null).unwrap().text, "");
    assert_eq!(read("optionalText", Value::Null).unwrap().optional_text, None);
    let refused = read("text", json!([])).unwrap_err().to_string();
    assert!(refused.contains("expected a string, a number or a boolean"), "{refused}");
    let refused = read("optionalText", json!({})).unwrap_err().to_string();
    assert!(refused.contains("expected a string, a number"), "{refused}");
}

#[test]
fn instants_have_any_number_of_digits_and_perhaps_no_zone_and_are_written_in_utc() {
    for sent in [
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:00:00.0000000Z",
        "2026-03-01T14:00:00+02:00",
        "2026-03-01T12:00:00",
        "2026-03-01 12:00:00.000",
    ] {
        let instant = read("instant", json!(sent)).unwrap().instant.unwrap();
        assert_eq!(wire::instant::format(instant), "2026-03-01T12:00:00Z", "{sent}");
    }
    for nothing in [json!(null), json!(""), json!("soon")] {
        assert_eq!(read("instant", nothing).unwrap().instant, None);
    }
}

#[test]
fn durations_are_read_and_written_as_azure_does() {
    for (text, seconds) in
        [("PT0S", 0), ("PT5M", 300), ("P1D", 86_400), ("P1DT1H1M1S", 90_061), ("PT59S", 59)]
    {
        let duration = Duration::from_secs(seconds);
        assert_eq!(read("duration", json!(text)).unwrap().duration, Some(duration));
        assert_eq!(wire::iso_duration::format(duration), text);
    }
    assert_eq!(wire::iso_duration::format(Duration::from_millis(1_500)), "PT1.5S");
    for nothing in [json!(null), json!("five minutes")] {
        assert_eq!(read("duration", nothing).unwrap().duration, None);
    }
}

#[test]
fn null_is_an_empty_list_and_a_null_in_a_list_is_no_item() {
    assert_eq!(read("list", json!([1, null, 2])).unwrap().list, [1, 2]);
    assert_eq!(read("list", Value::Null).unwrap().list, [0; 0]);
    assert!(read("list", json!("1")).unwrap_err().to_string().contains("expected a list"));
    assert_eq!(
        (read("number", json!(7)).unwrap().number, read("number", Value::Null).unwrap().number),
        (7, 0)
    );
}

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(with = "wire::iso_duration")]
    window: Duration,
    #[serde(default, with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    key: Option<Secret>,
    #[serde(flatten)]
    unknown: wire::UnknownFields,
}

#[test]
fn what_is_read_is_written_back_with_the_fields_that_no_type_names() {
    let sent = json!({ "window": "PT5M", "key": "hunter2", "invented": [1], "more": null });
    let kept: Kept = from_value(sent.clone()).unwrap();
    assert_eq!((kept.window, kept.key.as_ref().unwrap().expose()), (Duration::from_secs(300), "hunter2"));
    let names: Vec<&str> = kept.unknown.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["invented", "more"]);
    assert!(!kept.unknown.is_empty());
    assert_eq!(to_value(&kept).unwrap(), sent);
    let plain: Kept = from_value(json!({ "window": "PT0S" })).unwrap();
    assert!(plain.unknown.is_empty() && plain.key.is_none());
    assert!(read("secret", json!("x")).unwrap().secret.is_some());
}
