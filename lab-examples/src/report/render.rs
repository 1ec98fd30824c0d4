//! The page as HTML: one file, without scripts or external resources.
//!
//! The template escapes all texts, because those from the service are untrusted.

use arm_core::printable_lines;
use askama::Template;
use azure_core::time::OffsetDateTime;

use crate::report::{
    graph::{self, Drawing},
    open::{self, LAB_PLANS, OpenItem, Standing},
    page::{PathRow, ReportPage, Section},
    timeline::{self, Timeline},
};

#[derive(Template)]
#[template(path = "report/page.html")]
struct Html<'a> {
    page: &'a ReportPage,
    open: Vec<OpenItem>,
    cards: Vec<Card>,
    timeline: Option<Timeline>,
    paths: Vec<(&'a PathRow, Option<Drawing>)>,
}

/// The summary of a section at the top of the page.
pub(super) struct Card {
    pub(super) title: &'static str,
    pub(super) value: String,
    pub(super) standing: Standing,
    pub(super) section: &'static str,
}

/// Renders the page as HTML.
pub fn html(page: &ReportPage) -> Result<String, askama::Error> {
    let paths = page.attack_paths.read().into_iter().flat_map(|found| &found.paths);
    let html = Html {
        page,
        open: open::items(page),
        cards: cards(page),
        timeline: page.alerts.read().and_then(timeline::of),
        paths: paths.map(|path| (path, graph::draw(path))).collect(),
    };
    // Browsers, like terminals, interpret bidirectional control characters; the templates contain none.
    Ok(printable_lines(&html.render()?).into_owned())
}

fn cards(page: &ReportPage) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    let mut card = |title, section, standing: Option<(String, Standing)>| {
        let (value, standing) = standing.unwrap_or_else(not_known);
        cards.push(Card { title, value, standing, section });
    };
    let open_if = |open: bool| if open { Standing::Open } else { Standing::Well };
    card(
        "Alerts open",
        "alerts",
        page.alerts.read().map(|alerts| match (alerts.total, plan_is_on(page, "KeyVaults")) {
            (0, Some(true)) => ("none".to_owned(), Standing::Well),
            (0, _) => not_known(),
            (total, _) => (format!("{} of {total}", alerts.open), open_if(alerts.open > 0)),
        }),
    );
    card(
        "Attack paths",
        "paths",
        page.attack_paths.read().map(|found| match found.paths.len() {
            0 if found.blind.is_empty() => ("none".to_owned(), Standing::Well),
            0 => not_known(),
            count => (count.to_string(), Standing::Open),
        }),
    );
    card(
        "Exposed secrets",
        "secrets",
        page.secrets.read().map(|found| match found.findings.len() {
            0 if found.clean => ("none".to_owned(), Standing::Well),
            0 => not_known(),
            count => (count.to_string(), Standing::Open),
        }),
    );
    card(
        "Rotations finished",
        "ledger",
        page.ledger.read().map(|ledger| {
            let finished = ledger.rotations.iter().filter(|rotation| rotation.finished).count();
            (format!("{finished} of {}", ledger.rotations.len()), open_if(finished < ledger.rotations.len()))
        }),
    );
    card(
        "Vaults covered",
        "vaults",
        page.vaults.read().map(|vaults| {
            let covered = vaults.iter().filter(|vault| vault.covered).count();
            (format!("{covered} of {}", vaults.len()), open_if(covered < vaults.len()))
        }),
    );
    cards.extend(LAB_PLANS.iter().map(|(name, title)| plan(page, name, title)));
    cards
}

fn not_known() -> (String, Standing) {
    ("not known".to_owned(), Standing::NotKnown)
}

fn plan_is_on(page: &ReportPage, name: &str) -> Option<bool> {
    page.plans.read()?.iter().find(|plan| plan.plan == name).map(|plan| plan.on)
}

fn plan(page: &ReportPage, name: &str, title: &'static str) -> Card {
    let (value, standing) = match plan_is_on(page, name) {
        Some(true) => ("on".to_owned(), Standing::Well),
        Some(false) => ("off".to_owned(), Standing::Open),
        None => not_known(),
    };
    Card { title, value, standing, section: "plans" }
}

/// Formats a time.
pub(crate) fn when(time: &OffsetDateTime) -> String {
    let (time, zone) = zoned(time);
    format!("{} {:02}:{:02} {zone}", time.date(), time.hour(), time.minute())
}

fn with_seconds(time: &OffsetDateTime) -> String {
    let (time, zone) = zoned(time);
    format!("{} {:02}:{:02}:{:02} {zone}", time.date(), time.hour(), time.minute(), time.second())
}

/// Converts a time to UTC. One that UTC cannot represent keeps its own zone.
fn zoned(time: &OffsetDateTime) -> (OffsetDateTime, String) {
    let time = time.checked_to_offset(time::UtcOffset::UTC).unwrap_or(*time);
    let zone = if time.offset().is_utc() { "UTC".to_owned() } else { time.offset().to_string() };
    (time, zone)
}

/// The CSS class of a severity or risk. Always one that the page knows, never the service's text.
pub(crate) fn grade(word: &str) -> &'static str {
    ["critical", "high", "medium", "low", "informational"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(word))
        .unwrap_or("ungraded")
}

impl Html<'_> {
    fn when(&self, time: &OffsetDateTime) -> String {
        when(time)
    }

    /// A time on a timeline, with seconds if minutes would not distinguish two of its times.
    fn moment(&self, line: &Timeline, time: &OffsetDateTime) -> String {
        if line.is_short() { with_seconds(time) } else { when(time) }
    }

    /// The end of a timeline, without the date if it is that of the beginning, since space is limited.
    fn end(&self, line: &Timeline) -> String {
        let (whole, (from, _), (to, _)) = (self.moment(line, &line.to), zoned(&line.from), zoned(&line.to));
        match whole.split_once(' ') {
            Some((_, time)) if from.date() == to.date() => time.to_owned(),
            _ => whole,
        }
    }

    fn grade(&self, word: &str) -> &'static str {
        grade(word)
    }

    /// The CSS class of a step's outcome.
    fn outcome(&self, word: &str) -> &'static str {
        match word {
            "failed" | "missing" => "open",
            "waiting" | "off" | "would change" => "unknown",
            _ => "well",
        }
    }

    /// The title of the section to which a link leads.
    fn section_title(&self, section: &str) -> &'static str {
        match section {
            "alerts" => "the alerts",
            "paths" => "the attack paths",
            "secrets" => "the exposed secrets",
            "recommendations" => "the recommendations",
            "ledger" => "the rotations",
            "vaults" => "the vaults",
            "plans" => "the plans",
            _ => "the run",
        }
    }

    /// Whether Defender for Key Vault raises alerts at all; `None` if that could not be read.
    fn raises_alerts(&self) -> Option<bool> {
        plan_is_on(self.page, "KeyVaults")
    }

    fn count(&self, standing: Standing) -> usize {
        self.open.iter().filter(|item| item.standing == standing).count()
    }

    fn open_count(&self) -> usize {
        self.count(Standing::Open)
    }

    fn unknown_count(&self) -> usize {
        self.count(Standing::NotKnown)
    }
}
