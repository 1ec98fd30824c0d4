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
    Tables::from([("Audit".to_owned(), Table { columns, rows })])
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
    assert_eq!(table, Err(KqlError::unresolved("where", "Missing")));
    let column = run("Audit | where Absent == 1", &tables(), NOW).expect_err("no such column");
    assert!(column.line().contains("scalar expression named 'Absent'"), "{}", column.line());
    assert_eq!(rows("Audit | where isempty(column_ifexists('Absent', ''))").len(), 4);
}

#[test]
fn broken_text_is_a_syntax_error_with_its_place() {
    let error = run("Audit\n| wher Code == 1", &tables(), NOW).expect_err("no operator");
    assert_eq!(error, KqlError::Syntax { token: "wher".to_owned(), line: 2, position: 3 });
    for broken in ["", "Audit |", "Audit | where (Code == 1", "Audit | where Name == 'open", "Audit extra"] {
        assert!(matches!(run(broken, &tables(), NOW), Err(KqlError::Syntax { .. })), "{broken}");
    }
}

#[test]
fn what_the_double_does_not_know_is_never_an_empty_answer() {
    for query in ["Audit | join Audit on Code", "Audit | where geo_distance_2points(1, 2, 3, 4) > 1"] {
        assert!(matches!(run(query, &tables(), NOW), Err(KqlError::Unsupported(_))), "{query}");
    }
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
