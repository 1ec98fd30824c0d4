use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

fn tables() -> Tables {
    let columns = vec![
        Column::new("TimeGenerated", Kind::DateTime),
        Column::new("OperationName", Kind::String),
        Column::new("Code", Kind::Int),
        Column::new("Identity", Kind::Dynamic),
    ];
    let row = |minutes: i64, operation: &str, code: i64, oid: &str| {
        vec![
            Scalar::Time(NOW - time::Duration::minutes(minutes)),
            Scalar::text(operation),
            Scalar::Long(code),
            Scalar::Dynamic(serde_json::json!({ "claim": { "oid": oid } })),
        ]
    };
    let rows = vec![
        row(50, "SecretGet", 200, "a"),
        row(20, "SecretGet", 403, "a"),
        row(10, "SecretGet", 403, "b"),
        row(5, "SecretList", 200, "a"),
    ];
    let mut tables = Tables::new(|name| matches!(name, "Missing" | "Gone"));
    tables.insert("Audit", Table { columns, rows, open: false });
    tables
}

fn rows(query: &str) -> Vec<Vec<Scalar>> {
    run(query, &tables(), NOW).expect(query).rows
}

#[test]
fn a_time_filter_and_a_condition_keep_the_rows_that_match() {
    let found = rows("Audit | where TimeGenerated > ago(30m) and Code == 403 | project OperationName");
    assert_eq!(found, vec![vec![Scalar::text("SecretGet")]; 2]);
}

#[test]
fn rows_are_counted_by_group_and_sorted() {
    let found = rows(
        "let least = 1;
         Audit
         | extend Oid = tostring(Identity.claim['oid'])
         | summarize Refused = countif(Code == 403), Names = dcount(OperationName) by Oid
         | where Refused >= least
         | order by Oid desc // the newest letter first",
    );
    assert_eq!(
        found,
        vec![
            vec![Scalar::text("b"), Scalar::Long(1), Scalar::Long(1)],
            vec![Scalar::text("a"), Scalar::Long(1), Scalar::Long(2)],
        ]
    );
}

#[test]
fn a_fuzzy_union_leaves_out_missing_tables_but_not_all_of_them() {
    let one = run("union isfuzzy=true (Audit | take 1), (Missing | take 1)", &tables(), NOW);
    assert_eq!(one.expect("one leg is there").rows.len(), 1);
    let none = run("union isfuzzy=true (Missing | where 1 == 1), (Gone | take 1)", &tables(), NOW);
    assert!(none.is_err());
    assert!(run("union Audit, Missing", &tables(), NOW).is_err());
}

#[test]
fn rows_in_the_query_itself_make_a_fuzzy_union_safe() {
    let empty = "datatable(OperationName:string, Code:int)[]";
    let query = format!("union isfuzzy=true ({empty}), (Missing | take 1) | where Code == 1");
    assert!(rows(&query).is_empty());
    assert_eq!(
        rows("datatable(A:string, B:int)['x', 1, 'y', 2] | where B > 1"),
        vec![vec![Scalar::text("y"), Scalar::Long(2),]]
    );
    assert!(parse("datatable(A:colour)[]").is_err() && parse("datatable(A:int, B:int)[1]").is_err());
}

#[test]
fn a_missing_table_and_a_missing_column_are_semantic_errors() {
    let table = run("Missing | where true", &tables(), NOW);
    assert_eq!(table, Err(KqlError::NoTable { operator: "where", table: "Missing".to_owned() }));
    let column = run("Audit | where Absent == 1", &tables(), NOW).expect_err("no such column");
    assert!(column.line().contains("scalar expression named 'Absent'"), "{}", column.line());
    assert_eq!(rows("Audit | where isempty(column_ifexists('Absent', ''))").len(), 4);
}

#[test]
fn text_that_is_not_a_query_in_any_version_is_a_syntax_error_with_its_position() {
    let cases = [
        ("not a valid query", "a", 1, 4),
        ("Audit\n| Where Code == 1", "Where", 2, 2),
        ("Audit\n| where == 1", "==", 2, 8),
        ("Audit | where Name == 'open", "'", 1, 22),
        ("Audit | where (Code == 1", "", 1, 24),
        ("Audit | where Code == 1)", ")", 1, 23),
        ("Audit | where Identity[0) == 1", ")", 1, 24),
        ("Audit || take 1", "|", 1, 7),
        ("Audit | project Code,, Code", ",", 1, 21),
        ("Audit |", "", 1, 7),
        ("Audit extra", "extra", 1, 6),
        ("", "", 1, 0),
        ("// nothing", "", 1, 10),
    ];
    for (query, token, line, position) in cases {
        let expected = KqlError::Syntax { token: token.to_owned(), line, position };
        assert_eq!(run(query, &tables(), NOW), Err(expected), "{query}");
    }
}

#[test]
fn what_kusto_may_know_is_unsupported_and_never_an_error_in_its_words_or_an_empty_answer() {
    for query in [
        "Heartbeat | count",
        "union isfuzzy=true Audit, Heartbeat",
        "Audit | join Audit on Code",
        "Audit | wher Code == 1",
        "Audit | mv-expand Identity",
        "Audit | make-series count() on TimeGenerated step 1h",
        "Audit | top-nested 2 of Code by count()",
        "Audit | sample-distinct 2 of Code",
        "Audit | order by Code nulls last",
        "Audit | where geo_distance_2points(1, 2, 3, 4) > 1",
        "Audit | where OperationName hasprefix 'Secret'",
        "Audit | where OperationName has_ipv4 '10.0.0.1'",
        "Audit | where count() > 1",
        "Audit | where false | extend a = newest(Code)",
        "Audit | summarize percentile(Code, 95)",
        "Audit | summarize arg_max(TimeGenerated, *)",
        "Audit | summarize tostring(Code)",
        "Audit | where Code == 'text'",
        "Audit | extend a = OperationName + 1",
        "Audit | where extract('a', 1, OperationName, typeof(long)) == 1",
        "range x from 1 to 3 step 1",
        "search 'SecretGet'",
        "externaldata(a:string)['https://example.com/a.csv']",
        "let f = (a:int) { a + 1 }; print f(1)",
        "print h'secret'",
        "print ```a text\nof two lines```",
        "print 'a\\d'",
        "print 0x1f",
        "print 5fortnights",
        "set notruncation; Audit",
        "Audit | where Code == 1 garnished",
        "cluster('x').database('y').Audit",
    ] {
        assert!(matches!(run(query, &tables(), NOW), Err(KqlError::Unsupported(_))), "{query}");
    }
}

#[test]
fn a_column_that_an_open_table_may_have_is_unsupported_until_its_columns_are_chosen() {
    let mut tables = tables();
    let table = Table { open: true, ..tables.get("Audit").unwrap().clone() };
    tables.insert("Open", table);
    let ask = |query: &str| run(query, &tables, NOW).expect_err(query);
    assert!(matches!(ask("Open | where Absent == 1"), KqlError::Unsupported(_)));
    assert!(matches!(
        ask("Open | extend a = 1 | project-away Code | sort by Absent"),
        KqlError::Unsupported(_)
    ));
    assert!(matches!(ask("union Audit, Open | where Absent == 1"), KqlError::Unsupported(_)));
    for chosen in ["project Code", "summarize count() by Code", "distinct Code", "count"] {
        assert_eq!(ask(&format!("Open | {chosen} | where Absent == 1")).code(), "SEM0100", "{chosen}");
    }
    assert_eq!(ask("Audit | where Absent == 1").code(), "SEM0100");
}

/// Runs on the small stack of a test's thread.
#[test]
fn nesting_is_bounded_and_a_long_query_takes_time_in_proportion() {
    let nested = |open: &str, close: &str, depth: usize| {
        let (open, close) = (open.repeat(depth), close.repeat(depth));
        run(&format!("print x = {open}1 == 1{close}"), &tables(), NOW)
    };
    for (open, close) in [("not(", ")"), ("(", ")"), ("isempty(Audit[", "])"), ("1 == (2 + 3 * (", "))")] {
        assert!(matches!(nested(open, close, 5_000), Err(KqlError::Unsupported(_))), "{open}");
    }
    assert_eq!(nested("not(", ")", 90).expect("not too deep").rows, [[Scalar::Bool(true)]]);
    assert!(matches!(nested("-", "", 5_000), Err(KqlError::Unsupported(_))));
    let queries = "(".repeat(5_000) + "Audit" + &")".repeat(5_000);
    assert!(matches!(run(&queries, &tables(), NOW), Err(KqlError::Unsupported(_))));
    let lists = "Audit | where Code".to_owned() + &" in (1)".repeat(5_000);
    assert!(matches!(run(&lists, &tables(), NOW), Err(KqlError::Unsupported(_))));
    let steps = "Audit".to_owned() + &" | take 1".repeat(5_000);
    assert!(matches!(run(&steps, &tables(), NOW), Err(KqlError::Unsupported(_))));
    assert!(matches!(run(&"x".repeat(2 << 20), &tables(), NOW), Err(KqlError::Unsupported(_))));

    for link in [" and Code == 403", " or Code == 403\n", " + 0", ".a"] {
        let long = "Audit | where Code == 403".to_owned() + &link.repeat(20_000);
        let found = run(&long, &tables(), NOW);
        assert!(found.is_ok() || link == ".a", "{link}: {found:?}");
    }
    let text = format!("Audit | where Code in ({}1)", "403, ".repeat(20_000));
    assert_eq!(rows(&text).len(), 2);
}

#[test]
fn a_query_cannot_grow_without_bound() {
    let mut doubled = "let v0 = 'abcdefgh';".to_owned();
    let mut joined = "let t0 = Audit | take 4;".to_owned();
    for step in 0..60 {
        doubled += &format!("let v{} = strcat(v{step}, v{step});", step + 1);
        joined += &format!("let t{} = union t{step}, t{step};", step + 1);
    }
    for query in [doubled + "print v60", joined + "t60 | count"] {
        let answer = run_within(&query, &tables(), NOW, 100_000);
        assert!(matches!(answer, Err(KqlError::Unsupported(_))), "{answer:?}");
    }
}

#[test]
fn what_overflows_has_no_value_and_ends_nothing() {
    for query in [
        "print x = datetime(9999-12-31) + 99999d",
        "print x = now(9999999d)",
        "print x = ago(9999999d)",
        "print x = -9999999999d - 99999999999d + 1d",
        "print x = bin(-9223372036854775807 - 1, 7)",
        "print x = bin(7, 0)",
        "print x = -(-9223372036854775807 - 1)",
        "print x = tostring(timespan(9223372036854775807.00:00:00))",
        "print x = 999999999999999999999d",
        "print x = datetime(9999-12-31T23:59:59-23:00)",
    ] {
        let _ = run(query, &tables(), NOW);
    }
    assert_eq!(rows("print x = datetime(9999-12-31) + 99999d"), [[Scalar::Null]]);
}

#[test]
fn what_a_query_compares_a_column_with_is_known_without_running_it() {
    let texts = |query: &str| -> Vec<String> {
        comparisons(query, "type").unwrap().into_iter().map(|found| found.text).collect()
    };
    assert_eq!(
        texts("resources | where type =~ 'a/b' and name == 'x' or 'c/d' == tolower(type)"),
        ["a/b", "c/d"]
    );
    assert_eq!(
        texts(
            "let wanted = dynamic([\"a/b\", \"c/d\"]); union (r | where type in~ (wanted)), (s | where type has 'e')"
        ),
        ["a/b", "c/d", "e"]
    );
    assert_eq!(
        texts(
            "r | extend k = iff(type startswith 'a.', 1, 2) | where type !in ('x/y') and type != 'z' and not(type == 'w')"
        ),
        ["a."]
    );
    let prefix = &comparisons("r | where type startswith 'microsoft.keyvault/'", "type").unwrap()[0];
    assert!(prefix.keeps("microsoft.keyvault/vaults") && !prefix.keeps("microsoft.web/sites"));
}

#[test]
fn escapes_in_texts_are_read_and_cannot_end_them() {
    assert!(rows(r#"Audit | where OperationName == "a\" or true or \"" "#).is_empty());
    assert_eq!(
        rows(r"print @'a\b', 'it\'s', 'caf\u00e9'"),
        vec![vec![Scalar::text(r"a\b"), Scalar::text("it's"), Scalar::text("café"),]]
    );
}

#[test]
fn times_and_texts_are_computed() {
    let found = rows(
        "print bin(datetime(2026-03-01 10:07), 5m), extract(@'/secrets/([0-9a-z-]+)', 1, 'https://v/secrets/db-1/x'),
               coalesce(tostring(real(null)), 'x'), iff('A B' has 'b', 1, 2), 'KV_X' in~ ('kv_x'), now() - ago(1h)",
    );
    assert_eq!(
        found,
        vec![vec![
            Scalar::Time(datetime!(2026-03-01 10:05 UTC)),
            Scalar::text("db-1"),
            Scalar::text("x"),
            Scalar::Long(1),
            Scalar::Bool(true),
            Scalar::Span(time::Duration::hours(1)),
        ]]
    );
}

#[test]
fn expressions_have_the_values_of_the_language() {
    let text = Scalar::text;
    for (expression, value) in [
        ("tolower('AbC')", text("abc")),
        ("toupper('AbC')", text("ABC")),
        ("'aBc' contains_cs 'Bc'", Scalar::Bool(true)),
        ("'aBc' contains_cs 'bc'", Scalar::Bool(false)),
        ("'aBc' !contains_cs 'bc'", Scalar::Bool(true)),
        ("'aBc' startswith_cs 'aB'", Scalar::Bool(true)),
        ("'aBc' startswith_cs 'ab'", Scalar::Bool(false)),
        ("'aBc' endswith_cs 'Bc'", Scalar::Bool(true)),
        ("'aBc' endswith_cs 'bc'", Scalar::Bool(false)),
        ("'a Bc' has_cs 'Bc'", Scalar::Bool(true)),
        ("'a Bc' has_cs 'bc'", Scalar::Bool(false)),
        ("tostring(3m)", text("00:03:00")),
        ("tostring(26h + 3m + 4s)", text("1.02:03:04")),
        ("case(1 == 2, 'a', 3 == 4, 'b', 'c')", text("c")),
        ("case(1 == 2, 'a', 3 == 3, 'b', 'c')", text("b")),
        ("'a' in ('A', 'b')", Scalar::Bool(false)),
        ("'a' in~ ('A', 'b')", Scalar::Bool(true)),
        ("1 between (2 .. 3)", Scalar::Bool(false)),
        ("2 between (2 .. 3)", Scalar::Bool(true)),
        ("3 between (2 .. 3)", Scalar::Bool(true)),
        ("4 between (2 .. 3)", Scalar::Bool(false)),
        ("4 !between (2 .. 3)", Scalar::Bool(true)),
        ("7 % 4", Scalar::Long(3)),
        ("7.5 % 2", Scalar::Real(1.5)),
        ("7.5 / 2", Scalar::Real(3.75)),
    ] {
        let found = rows(&format!("Audit | take 1 | project X = {expression}"));
        assert_eq!(found, [[value]], "{expression}");
    }
}

#[test]
fn a_column_that_is_computed_has_the_type_of_what_it_is_computed_from() {
    for (expression, kind) in [
        ("bin(TimeGenerated, 1h)", Kind::DateTime),
        ("bin(Code, 100)", Kind::Int),
        ("coalesce(OperationName, 'none')", Kind::String),
        ("iff(Code == 200, Identity, Identity)", Kind::Dynamic),
        ("TimeGenerated - TimeGenerated", Kind::Timespan),
        ("TimeGenerated + 1h", Kind::DateTime),
        ("1h - (TimeGenerated - TimeGenerated)", Kind::Timespan),
        ("Code * 1.5", Kind::Real),
        ("Code + 1", Kind::Long),
    ] {
        let found = run(&format!("Audit | project X = {expression}"), &tables(), NOW).expect(expression);
        assert_eq!(found.columns[0].kind, kind, "{expression}");
    }
}

#[test]
fn a_value_of_more_than_a_million_characters_is_refused_whatever_it_is_made_of() {
    let long = || "x".repeat(600_000);
    let pay = |value: &Scalar| limits::Budget::new(usize::MAX).pay(value).is_ok();
    assert!(pay(&Scalar::text(long())) && pay(&Scalar::Dynamic(serde_json::json!([long()]))));
    for value in [serde_json::json!([long(), long()]), serde_json::json!({ "a": long(), "b": [long()] })] {
        assert!(!pay(&Scalar::Dynamic(value)));
    }
    assert!(!pay(&Scalar::text(long() + &long())));
}
