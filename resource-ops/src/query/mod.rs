//! Resource Graph queries, built so that no value can be interpreted as part of the query, except in
//! [`GraphQuery::of_text`].

mod expression;
mod text;

use std::fmt;

pub use arm_core::kql::quoted;
pub use expression::{Condition, Expression, Literal, all_of, any_of, coalesce, column, not};

/// A table in Resource Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Table {
    /// Resources of all kinds.
    Resources,
    /// Management groups, subscriptions and resource groups.
    ResourceContainers,
    /// Defender for Cloud: assessments, attack paths, alerts, plans.
    SecurityResources,
    /// Role assignments and definitions.
    AuthorizationResources,
    /// Azure Advisor recommendations.
    AdvisorResources,
    /// Azure Monitor alerts.
    AlertsManagementResources,
    /// Policy states and assignments.
    PolicyResources,
    /// The health of resources.
    HealthResources,
    /// Recent changes to resources.
    ResourceChanges,
}

impl Table {
    /// Returns the table's name in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::ResourceContainers => "resourcecontainers",
            Self::SecurityResources => "securityresources",
            Self::AuthorizationResources => "authorizationresources",
            Self::AdvisorResources => "advisorresources",
            Self::AlertsManagementResources => "alertsmanagementresources",
            Self::PolicyResources => "policyresources",
            Self::HealthResources => "healthresources",
            Self::ResourceChanges => "resourcechanges",
        }
    }
}

/// A sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A Resource Graph query.
///
/// Except in [`of_text`](Self::of_text), all values and names are escaped, so user input cannot change the query.
///
/// ```
/// use resource_ops::query::{GraphQuery, Table, any_of, column};
///
/// let query = GraphQuery::table(Table::Resources)
///     .of_type("microsoft.keyvault/vaults")
///     .filter(any_of([column("name").contains("o'brien"), column("tags").key("cost center").equals("42")]))
///     .extend("retention", column("properties.softDeleteRetentionInDays"))
///     .project(["name", "location", "retention"]);
/// assert_eq!(
///     query.to_string(),
///     "resources
/// | where type =~ 'microsoft.keyvault/vaults'
/// | where (name contains 'o\\'brien' or tags['cost center'] == '42')
/// | extend retention = properties.softDeleteRetentionInDays
/// | project id, name, location, retention"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphQuery {
    text: String,
    row_by_row: bool,
}

impl GraphQuery {
    /// Creates a query for all rows of a table.
    pub fn table(table: Table) -> Self {
        Self { text: table.as_str().to_owned(), row_by_row: true }
    }

    /// Creates a query from Kusto text, which is sent unchanged. Values in it must be [`quoted`].
    ///
    /// Because it may count or sort, it is never split into one query for each batch of subscriptions.
    pub fn of_text(text: impl Into<String>) -> Self {
        Self { text: text.into(), row_by_row: false }
    }

    /// Keeps only resources of this type, ignoring case.
    pub fn of_type(self, kind: &str) -> Self {
        self.filter(column("type").equals_ignore_case(kind))
    }

    /// Keeps only rows that match a condition.
    pub fn filter(self, condition: Condition) -> Self {
        self.step(format_args!("where {condition}"), true)
    }

    /// Adds a computed column.
    pub fn extend(self, name: &str, expression: Expression) -> Self {
        self.step(format_args!("extend {} = {expression}", column_name(name)), true)
    }

    /// Keeps only these columns. `id` is always included, since the service cannot page without it.
    pub fn project<'a>(self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        let others = columns.into_iter().filter(|name| *name != "id").map(column_name);
        let list: Vec<String> = std::iter::once("id".to_owned()).chain(others).collect();
        self.step(format_args!("project {}", list.join(", ")), true)
    }

    /// Counts the rows in each group with the same values in these columns; the count is in the column `count_`.
    pub fn count_by<'a>(self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        let list: Vec<String> = columns.into_iter().map(column_name).collect();
        match list.is_empty() {
            true => self.step(format_args!("summarize count()"), false),
            false => self.step(format_args!("summarize count() by {}", list.join(", ")), false),
        }
    }

    /// Sorts the rows.
    pub fn order_by(self, expression: Expression, order: Order) -> Self {
        let direction = match order {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        };
        self.step(format_args!("order by {expression} {direction}"), false)
    }

    /// Limits the number of rows.
    pub fn take(self, rows: u32) -> Self {
        self.step(format_args!("take {rows}"), false)
    }

    /// Whether each row of the result depends on a single row of the table, so that the query can be run on parts of a
    /// scope and the results combined.
    pub fn is_batchable(&self) -> bool {
        self.row_by_row
    }

    fn step(mut self, step: fmt::Arguments<'_>, row_by_row: bool) -> Self {
        self.text.push_str(&format!("\n| {step}"));
        self.row_by_row &= row_by_row;
        self
    }
}

impl fmt::Display for GraphQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn column_name(name: &str) -> String {
    if text::is_plain(name) { name.to_owned() } else { format!("[{}]", quoted(name)) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Skips a string literal at the beginning of a query, as Kusto reads it; returns what follows.
    fn literal(query: &str) -> Option<(String, &str)> {
        let mut chars = query.strip_prefix('\'')?.char_indices();
        let mut text = String::new();
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' => return Some((text, &query[at + 2..])),
                '\n' | '\r' => return None,
                '\\' => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'u' => {
                        let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                        text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    c @ ('\\' | '\'' | '"') => text.push(c),
                    _ => return None,
                },
                c if c.is_control() => return None,
                c => text.push(c),
            }
        }
        None
    }

    proptest! {
        #[test]
        fn a_value_stays_a_value_whatever_is_in_it(value in any::<String>()) {
            let query = GraphQuery::table(Table::Resources).filter(column("name").equals(&*value)).to_string();
            let rest = query.strip_prefix("resources\n| where name == ").unwrap();
            let (read, rest) = literal(rest).expect("a literal");
            prop_assert_eq!(read, value);
            prop_assert_eq!(rest, "");
        }

        #[test]
        fn a_column_stays_a_column_whatever_is_in_its_name(name in any::<String>()) {
            let query = GraphQuery::table(Table::Resources).filter(column("tags").key(&name).is_empty()).to_string();
            let rest = query.strip_prefix("resources\n| where isempty(tags").unwrap();
            match rest.strip_prefix('[') {
                Some(bracketed) => {
                    let (read, rest) = literal(bracketed).expect("a literal");
                    prop_assert_eq!((read, rest), (name, "])"));
                }
                None => {
                    prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
                    prop_assert_eq!(rest, format!(".{name})"));
                }
            }
        }
    }

    #[test]
    fn the_usual_tricks_end_in_a_literal() {
        let text = |value: &str| column("name").equals(value).to_string();
        assert_eq!(text("' or 1==1 //"), r"name == '\' or 1==1 //'");
        assert_eq!(text(r"\' or true"), r"name == '\\\' or true'");
        assert_eq!(text("a\n| project secret"), r"name == 'a\n| project secret'");
        assert_eq!(column("a b.where.c").to_string(), "['a b']['where'].c");
    }

    #[test]
    fn counting_sorting_and_cutting_cannot_be_done_in_parts() {
        let all = GraphQuery::table(Table::Resources).filter(column("name").has("x")).project(["name"]);
        assert!(all.is_batchable());
        assert!(!all.clone().count_by(["location"]).is_batchable());
        assert!(!all.clone().order_by(column("name"), Order::Ascending).is_batchable());
        assert!(!all.take(3).is_batchable());
        assert!(!GraphQuery::of_text("resources").is_batchable());
    }

    #[test]
    fn the_id_is_always_projected_and_only_once() {
        let query = |columns: &[&str]| {
            GraphQuery::table(Table::Resources).project(columns.iter().copied()).to_string()
        };
        assert_eq!(query(&["name"]), "resources\n| project id, name");
        assert_eq!(query(&["name", "id", "order"]), "resources\n| project id, name, ['order']");
        assert_eq!(query(&[]), "resources\n| project id");
    }

    #[test]
    fn conditions_keep_their_meaning_when_they_are_joined() {
        let condition = all_of([
            any_of([column("a").equals(1), column("b").equals(true)]),
            not(column("c").is_any_of(["x", "y"])),
        ]);
        assert_eq!(condition.to_string(), "((a == 1 or b == true) and not(c in~ ('x', 'y')))");
        assert_eq!(any_of([]).to_string(), "false");
        assert_eq!(all_of([]).to_string(), "true");
        assert_eq!(column("a").has_any(Vec::<&str>::new()).to_string(), "false");
        let time = time::macros::datetime!(2026-03-01 12:00 UTC);
        assert_eq!(column("t").at_least(time).to_string(), "t >= datetime(2026-03-01T12:00:00Z)");
        assert_eq!(
            coalesce([column("a.b").to_text(), column("c").to_lower()]).to_string(),
            "coalesce(tostring(a.b), tolower(c))"
        );
    }
}
