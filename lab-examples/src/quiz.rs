//! The knowledge check: four questions, the answers of the lab sheet and of the documentation, and the reasons.

use std::io::{BufRead, Write};

use crate::screen::{Cell, Screen};

/// One question.
#[derive(Debug)]
pub struct Question {
    /// The question.
    pub asks: &'static str,
    /// The choices.
    pub choices: [&'static str; 4],
    /// The choice that the lab sheet considers right.
    pub sheet: usize,
    /// The choice that the documentation supports.
    pub documented: usize,
    /// The documentation's answer.
    pub documentation: &'static str,
    /// The reason.
    pub why: &'static str,
    /// The service's behavior, if the sheet's answer contradicts it.
    pub differs: Option<&'static str>,
}

/// The questions, in the sheet's order.
pub const QUESTIONS: [Question; 4] = [
    Question {
        asks: "Which alert shows that somebody is enumerating the secrets of a vault?",
        choices: [
            "KV_TORAccess",
            "KV_MassSecretRetrieval",
            "KV_ListGetAnomaly",
            "KV_UserAccessDeniedAnomaly",
        ],
        sheet: 1,
        documented: 2,
        documentation: "KV_ListGetAnomaly, 'Suspicious secret listing and query in a key vault'; if only the \
                        number of calls is unusual, KV_OperationVolumeAnomaly",
        why: "Listing followed by reading is what dumping a vault looks like. KV_MassSecretRetrieval is in no \
              reference: a filter for it finds nothing, which looks as if nothing had happened.",
        differs: Some("has no such alert"),
    },
    Question {
        asks: "What must be in place for Defender for Key Vault to raise alerts about a vault?",
        choices: [
            "Diagnostic logging of the vault",
            "A firewall on the vault",
            "The plan KeyVaults at Standard on the subscription",
            "A vault that is younger than the plan",
        ],
        sheet: 0,
        documented: 2,
        documentation: "the plan KeyVaults at Standard on the subscription",
        why: "The plan is the switch, and it covers all vaults, existing and future. Logs are not a requirement; \
              they show which secrets were accessed, feed your own queries, and satisfy the recommendation about \
              diagnostic logs.",
        differs: Some("raises alerts without logs"),
    },
    Question {
        asks: "A key is hard-coded in an application's configuration. In which order do you deal with it?",
        choices: [
            "Remove it from the configuration, then rotate it at the next maintenance",
            "Identify where it is used, rotate it, move the application to a managed identity and Key Vault, \
             remove the hard-coded value, verify",
            "Rotate it, verify, and leave the configuration as it is",
            "Disable the vault's old version, then find out who used it",
        ],
        sheet: 1,
        documented: 1,
        documentation: "the same order in more detail: find the consumers; create a new credential; move the \
                        consumers and check them; disable and revoke the old one; clean up the machine; wait for \
                        the next scan",
        why: "A consumer must work before the old value is disabled, and setting a new value in Key Vault does not \
              revoke anything at the issuer. If misuse is proven, revoke first and accept the outage. Until the \
              next scan, the finding is 'waiting for scan', not 'fixed'.",
        differs: None,
    },
    Question {
        asks: "Which plan finds secrets in plain text on machines, in deployments and in code?",
        choices: [
            "Defender for Key Vault",
            "Defender for Servers Plan 2",
            "Defender for Storage",
            "Defender CSPM",
        ],
        sheet: 3,
        documented: 3,
        documentation: "Defender CSPM (plan CloudPosture); machines need its extension AgentlessVmScanning",
        why: "Servers Plan 2 scans only machines. SensitiveDataDiscovery scans data stores, not machines.",
        differs: None,
    },
];

/// Shows every question with both answers and the reason.
pub fn answers(screen: &Screen) {
    begin(screen);
    for (number, question) in (1..).zip(&QUESTIONS) {
        ask(screen, number, question);
        explain(screen, question);
    }
}

/// Asks every question; each answer is a line with the number of a choice. Returns how many answers match the
/// documentation. `None` if the input ended before the last question.
pub fn ask_all(screen: &Screen, mut input: impl BufRead, mut prompt: impl Write) -> Option<usize> {
    begin(screen);
    let mut right = 0;
    for (number, question) in (1..).zip(&QUESTIONS) {
        ask(screen, number, question);
        let Some(chosen) = choose(&mut input, &mut prompt) else {
            let answered = format!("{} of {} answered, {right} right", number - 1, QUESTIONS.len());
            let more = "'lab quiz --answers' shows all answers";
            // The question stays on its own line. If it cannot be shown, the quiz still ends.
            drop(writeln!(prompt));
            screen.step("the knowledge check", "waiting", format!("the input ended: {answered}; {more}"));
            return None;
        };
        let outcome = match chosen {
            _ if chosen == question.documented => "right",
            _ if chosen == question.sheet => "right by the sheet only",
            _ => "wrong",
        };
        right += usize::from(chosen == question.documented);
        screen.step(format!("your answer, {}", question.choices[chosen]), outcome, "");
        explain(screen, question);
    }
    screen.step("the knowledge check", "done", format!("{right} of {} right", QUESTIONS.len()));
    Some(right)
}

fn begin(screen: &Screen) {
    screen.begin("quiz", "Knowledge check");
}

fn ask(screen: &Screen, number: usize, question: &Question) {
    let rows = (1..).zip(question.choices).map(|(at, choice): (usize, _)| [Cell::count(at), choice.into()]);
    screen.table(&format!("{number}. {}", question.asks), ["no.", "answer"], rows);
}

fn explain(screen: &Screen, question: &Question) {
    screen.step("the sheet's answer", "answer", question.choices[question.sheet]);
    screen.step("the documentation's answer", "answer", question.documentation);
    screen.step("why", "note", question.why);
    if let Some(service) = question.differs {
        let so = format!("count '{}'", question.choices[question.documented]);
        screen.difference(&format!("'{}'", question.choices[question.sheet]), service, &so);
    }
}

/// Asks until the answer is a choice. `None` at the end of the input.
fn choose(input: &mut impl BufRead, prompt: &mut impl Write) -> Option<usize> {
    loop {
        let asked = write!(prompt, "  your answer [1-4]: ").and_then(|()| prompt.flush());
        let mut line = String::new();
        if asked.is_err() || input.read_line(&mut line).unwrap_or(0) == 0 {
            return None;
        }
        match line.trim().parse::<usize>() {
            Ok(number @ 1..=4) => return Some(number - 1),
            // Asks again even if this cannot be shown.
            _ => drop(writeln!(prompt, "please enter a number from 1 to 4")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use defender_alerts::KeyVaultAlertType;

    fn asked(input: &str) -> (Option<usize>, crate::screen::Part, String) {
        let (screen, mut prompt) = (Screen::silent(), Vec::new());
        let right = ask_all(&screen, input.as_bytes(), &mut prompt);
        (right, screen.recorded().parts.remove(0), String::from_utf8(prompt).unwrap())
    }

    #[test]
    fn the_documented_answers_are_right_and_the_sheets_are_distinguished() {
        let (right, part, _) = asked("3\n3\n2\n4\n");
        assert_eq!((right, part.name.as_str(), part.ok), (Some(4), "quiz", true));

        let (right, part, _) = asked("2\n1\n2\n4\n");
        assert_eq!(right, Some(2));
        let of_the_sheet = part.steps.iter().filter(|step| step.outcome == "right by the sheet only").count();
        assert_eq!(of_the_sheet, 2);
        assert_eq!(part.differences.len(), 2);
    }

    #[test]
    fn an_invalid_choice_is_asked_again() {
        let (right, _, prompt) = asked("0\nfive\n\n5\n3\n3\n2\n4\n");
        assert_eq!(right, Some(4));
        assert_eq!(prompt.matches("a number from 1 to 4").count(), 4);
    }

    #[test]
    fn an_input_that_ends_early_says_how_far_it_got() {
        let (right, part, _) = asked("3\n");
        assert_eq!(right, None);
        let last = part.steps.last().unwrap();
        assert!(part.ok && last.detail.starts_with("the input ended: 1 of 4 answered, 1 right"), "{last:?}");
    }

    #[test]
    fn answers_shows_both_answers_and_the_reason_of_every_question() {
        let screen = Screen::silent();
        answers(&screen);
        let part = screen.recorded().parts.remove(0);
        assert_eq!((part.tables.len(), part.differences.len()), (4, 2));
        for outcome in ["the sheet's answer", "the documentation's answer", "why"] {
            assert_eq!(part.steps.iter().filter(|step| step.what == outcome).count(), 4, "{outcome}");
        }
    }

    #[test]
    fn where_the_answers_differ_it_says_what_the_service_does() {
        for question in &QUESTIONS {
            assert_eq!(
                question.differs.is_some(),
                question.sheet != question.documented,
                "{}",
                question.asks
            );
        }
    }

    #[test]
    fn the_documented_alert_is_one_that_the_sdk_knows_and_the_sheets_is_not() {
        let [first, ..] = &QUESTIONS;
        let known =
            |at: usize| KeyVaultAlertType::KNOWN.iter().any(|kind| kind.as_str() == first.choices[at]);
        assert!(known(first.documented) && !known(first.sheet));
    }
}
