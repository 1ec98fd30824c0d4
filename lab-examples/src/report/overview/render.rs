//! The page about several subscriptions as HTML: one file, without scripts or external resources.
//!
//! The template escapes all texts, because those from the service are untrusted.

use arm_core::printable_lines;
use askama::Template;
use azure_core::time::OffsetDateTime;

use super::page::{FindingRow, OverviewPage, SubscriptionRow};
use crate::{
    report::{
        open::{LAB_PLANS, Standing, rank_of},
        page::{PlanRow, Section},
        render::{self, Card},
    },
    screen::plural,
};

/// The maximum number of open findings on the page, which also gives the total. The other formats contain all of them.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "overview/page.html")]
struct Html<'a> {
    page: &'a OverviewPage,
    open: Vec<&'a FindingRow>,
    open_count: usize,
    cards: Vec<Card>,
}

/// Renders the page as HTML.
pub fn html(page: &OverviewPage) -> Result<String, askama::Error> {
    let html = Html {
        page,
        open: page.open().take(SHOWN).collect(),
        open_count: page.open().count(),
        cards: cards(page),
    };
    Ok(printable_lines(&html.render()?).into_owned())
}

fn cards(page: &OverviewPage) -> Vec<Card> {
    let rows = &page.subscriptions;
    let read = rows.iter().filter(|row| row.not_read.is_none()).count();
    let whole = read == rows.len() && !rows.is_empty();
    let part = |done: usize, all: usize| match done == all {
        // Something that was not checked may be open.
        true if whole && all > 0 => Standing::Well,
        true => Standing::NotKnown,
        false => Standing::Open,
    };
    let open = |kind: &str| page.open().filter(|it| it.kind == kind).count();
    let count = |title, section, count: usize| {
        let standing = match count {
            0 if whole && page.not_known.is_empty() => Standing::Well,
            0 => Standing::NotKnown,
            _ => Standing::Open,
        };
        let value = if standing == Standing::NotKnown { "not known".to_owned() } else { count.to_string() };
        Card { title, value, standing, section }
    };
    let vaults = || rows.iter().filter_map(|row| row.vaults.read()).flatten();
    let (all, covered) = (vaults().count(), vaults().filter(|it| it.covered).count());
    let logged = vaults().filter(|it| it.logged == Some(true)).count();
    let mut cards = vec![
        Card {
            title: "Subscriptions read",
            value: format!("{read} of {}", rows.len()),
            standing: if whole { Standing::Well } else { Standing::NotKnown },
            section: "subscriptions",
        },
        count("Alerts open", "todo", open("alert")),
        count("Attack paths", "todo", open("attackPath")),
        count("Exposed secrets", "todo", open("exposedSecret")),
        Card {
            title: "Vaults covered",
            value: format!("{covered} of {all}"),
            standing: part(covered, all),
            section: "vaults",
        },
        Card {
            title: "Vaults logged",
            value: format!("{logged} of {all}"),
            standing: part(logged, all),
            section: "vaults",
        },
    ];
    cards.extend(LAB_PLANS.iter().map(|(name, title)| {
        let known = rows.iter().filter_map(|row| is_on(row, name)).collect::<Vec<_>>();
        let on = known.iter().filter(|on| **on).count();
        Card {
            title,
            value: format!("{on} of {}", rows.len()),
            standing: part(on, known.len()),
            section: "plans",
        }
    }));
    cards
}

/// Whether a plan is on; `None` if unknown.
fn is_on(row: &SubscriptionRow, plan: &str) -> Option<bool> {
    Some(row.plans.read()?.iter().find(|it| it.plan == plan)?.on)
}

impl Html<'_> {
    fn when(&self, time: &OffsetDateTime) -> String {
        render::when(time)
    }

    fn grade(&self, word: &str) -> &'static str {
        render::grade(word)
    }

    fn is_on(&self, row: &SubscriptionRow, plan: &str) -> Option<bool> {
        is_on(row, plan)
    }

    fn kind(&self, kind: &str) -> &'static str {
        match kind {
            "alert" => "alert",
            "attackPath" => "attack path",
            "exposedSecret" => "secret in plain text",
            "recommendation" => "recommendation",
            "coverage" => "coverage",
            _ => "finding",
        }
    }

    /// The last two parts of each id: the type and the name.
    fn short(&self, row: &FindingRow) -> String {
        let short = |id: &String| {
            let mut parts: Vec<&str> = id.rsplit('/').take(2).collect();
            parts.reverse();
            parts.join("/").trim_matches('/').to_owned()
        };
        match row.resources.as_slice() {
            [] => String::new(),
            [one] => short(one),
            [first, others @ ..] => format!("{} and {} more", short(first), others.len()),
        }
    }

    /// What is unknown about a subscription, or about all of them.
    fn unknown_of(&self, id: Option<&str>) -> Vec<&str> {
        let of = |it: &&super::page::NotKnownRow| it.subscription.as_deref() == id;
        self.page.not_known.iter().filter(of).map(|it| it.what.as_str()).collect()
    }

    fn open_of(&self, row: &SubscriptionRow) -> String {
        let total: usize = row.open.values().sum();
        let mut worst_first: Vec<_> = row.open.iter().collect();
        worst_first.sort_by_key(|(severity, _)| rank_of(severity));
        let words = worst_first.into_iter().map(|(severity, count)| {
            format!("{count} {}", if severity == "notKnown" { "of unknown severity" } else { severity })
        });
        match total {
            0 => "none".to_owned(),
            _ => words.collect::<Vec<_>>().join(", "),
        }
    }

    /// The plans that are on, other than those of the lab.
    fn other_plans(&self, plans: &[PlanRow]) -> String {
        let others = plans.iter().filter(|it| it.on && !LAB_PLANS.iter().any(|(name, _)| *name == it.plan));
        let others: Vec<&str> = others.map(|it| it.plan.as_str()).collect();
        if others.is_empty() { "none".to_owned() } else { others.join(", ") }
    }

    fn answered(&self) -> usize {
        self.page.subscriptions.iter().map(|row| row.answered).sum()
    }

    fn plural(&self, count: usize, noun: &str) -> String {
        plural(count, noun)
    }
}
