use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::{Value, value::RawValue};

use super::*;
use crate::wire::Part;

/// Texts that are JSON, nearly JSON, or parts of JSON.
pub(in crate::wire) fn texts() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\\u00e9"),
        Just("\\ud800"),
        Just("\\n"),
        Just("\\x"),
        Just(" "),
        Just("\t"),
        Just("\n"),
        Just("\u{1}"),
        Just("\u{7f}"),
        Just("\u{a0}"),
        Just("null"),
        Just("true"),
        Just("false"),
        Just("nul"),
        Just("0"),
        Just("-0"),
        Just("01"),
        Just("-"),
        Just("1.5"),
        Just("1."),
        Just(".5"),
        Just("1e5"),
        Just("1E+5"),
        Just("1e"),
        Just("1e999"),
        Just("18446744073709551616"),
        Just("\"a\""),
        Just("\"\""),
        Just("\"a\":"),
        Just("\"seven..eight..nine\""),
        Just("\"\u{fc}ber den Tag\""),
        Just("\"{\\\"a\\\":1}\""),
        Just("a"),
    ];
    let broken = proptest::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat());
    let whole = values().prop_map(|value| value.to_string());
    let cut = (values(), any::<proptest::sample::Index>(), any::<char>()).prop_map(|(value, at, other)| {
        let mut all: Vec<char> = value.to_string().chars().collect();
        let at = at.index(all.len());
        all[at] = other;
        all.into_iter().collect()
    });
    prop_oneof![broken, whole, cut]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z\"\\\\/\u{1}-\u{1f}]{0,24}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"\\\\]{0,9}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Returns the value at the beginning of a text and where it ends, according to `serde_json`.
fn first_of<'de, T: Deserialize<'de>>(text: &'de str) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    Some((value, values.byte_offset()))
}

#[test]
fn numbers_of_every_size_are_read_at_once_and_as_serde_json_reads_them() {
    fn check<T: for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>() {
        assert!(first_value::<T>("17").is_some(), "serde_json had to be asked");
        for text in [
            "0",
            "-0",
            "-1",
            "127",
            "128",
            "255",
            "256",
            "-129",
            "65536",
            "4294967296",
            "1.5",
            "1e3",
            "\"1\"",
        ] {
            assert_eq!(from_str::<T>(text).ok(), serde_json::from_str::<T>(text).ok(), "{text}");
        }
    }
    check::<i8>();
    check::<i16>();
    check::<i32>();
    check::<i64>();
    check::<u8>();
    check::<u16>();
    check::<u32>();
    check::<u64>();
    check::<f32>();
    check::<f64>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_passed_over_ends_where_serde_json_ends_it(text in texts()) {
        let ours = first_value::<IgnoredAny>(&text).map(|(_, rest)| text.len() - rest.len());
        let theirs = first_of::<IgnoredAny>(&text).map(|(_, end)| end);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn what_is_decoded_is_what_serde_json_decodes(text in texts()) {
        let ours = first_value::<Value>(&text).map(|(value, rest)| (value, text.len() - rest.len()));
        prop_assert_eq!(ours, first_of::<Value>(&text));
    }

    #[test]
    fn the_texts_of_members_are_those_of_serde_json(text in texts()) {
        let ours = from_str::<BTreeMap<String, Part<'_>>>(&text).ok();
        let ours = ours.map(|members| members.into_iter().map(|(name, part)| (name, part.as_str())).collect());
        let theirs = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text).ok();
        let theirs: Option<BTreeMap<String, &str>> =
            theirs.map(|members| members.into_iter().map(|(name, raw)| (name, raw.get())).collect());
        prop_assert_eq!(ours, theirs);
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Model<'a> {
    name: &'a str,
    size: Option<u64>,
    #[serde(default, with = "crate::wire::text")]
    text: String,
}

#[test]
fn models_are_read_alike_and_errors_are_those_of_serde_json() {
    for text in [
        r#"{"name":"a","size":1,"text":true,"more":[{}]}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":"a\n"}"#,
        r#"{"name":1}"#,
        r#"{"name":"a","size":"1"}"#,
        r#"{"name":"a","size":-1}"#,
        r#"{"name":"a","size":null,"text":1.50}"#,
        r#"["a",1,"b"]"#,
        r#"{"name":"a"} x"#,
        "{\"name\":\"a\"}\u{c}",
        "{\"name\":\"a\"} \r\n\t",
        r#"{"name":"a",}"#,
        "",
        "null",
    ] {
        let (ours, theirs) = (from_str::<Model<'_>>(text), serde_json::from_str::<Model<'_>>(text));
        let shown = |error: serde_json::Error| error.to_string();
        assert_eq!(ours.map_err(shown), theirs.map_err(shown), "{text}");
    }
}

#[test]
fn nesting_is_bounded_and_takes_no_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = |times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
        assert!(first_value::<IgnoredAny>(&deep(64)).is_some());
        assert!(first_value::<IgnoredAny>(&deep(65)).is_none(), "left to serde_json");
        assert!(from_str::<IgnoredAny>(&deep(100_000)).is_ok(), "as serde_json has it");
        assert!(first_value::<Value>(&deep(99)).is_some());
        assert!(first_value::<Value>(&deep(100)).is_none());
        assert!(from_str::<Value>(&deep(100_000)).is_err());
        assert!(from_str::<IgnoredAny>(&open.repeat(100_000)).is_err());
    }
}
