//! The lab program.

use std::{io::Write as _, process::ExitCode};

use clap::FromArgMatches as _;
use defender_playbooks::plan::Plan;
use lab_examples::{
    Lab,
    cli::{self, Cli, Command, Options, Output, PlanOptions},
    plan, preflight, quiz,
    report::{self, ReportOptions},
    screen::{Screen, tell},
    tasks::{self, Part},
};

const CHANGES_PENDING: u8 = 2;
const USAGE: u8 = 64;
const STOPPED: u8 = 130;

#[tokio::main]
async fn main() -> ExitCode {
    let parsed = cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let parsed = parsed.and_then(|cli| cli::check(&cli, std::env::args_os()).map(|()| cli));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(message) => {
            let shown = message.print();
            return match (message.use_stderr(), shown) {
                (true, _) => ExitCode::from(USAGE),
                (false, shown) => written(shown),
            };
        }
    };
    if let Some(Command::Completions { shell }) = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "lab", &mut script);
        return written(put(&script));
    }
    if matches!(cli.command, Some(Command::Man)) {
        let mut page = Vec::new();
        return written(clap_mangen::Man::new(cli::command()).render(&mut page).and_then(|()| put(&page)));
    }
    if let Some(Command::Quiz { answers }) = cli.command {
        let screen = Screen::new(cli.options.output);
        let ok = quiz(&screen, answers || cli.options.output != Output::Text);
        return finish(&screen, cli.options.output, if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let report = match &cli.command {
        Some(Command::Report(options)) => Some(options.clone()),
        _ => None,
    };
    let is_plan = matches!(cli.command, Some(Command::Plan(_)));
    if let Some(report) = report.as_ref().filter(|report| report.is_across(&cli.options)) {
        return across(&cli.options, report).await;
    }
    let work = cli.command.clone();
    let alone = cli.command.as_ref().and_then(Command::part);
    let alone = alone.as_deref().and_then(tasks::find);
    let (output, detailed) = (cli.options.output, cli.options.detailed_exitcode);
    // Ctrl-C may be pressed after the first output, so it must be handled by then.
    let connected = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => Err(("stopped with Ctrl-C".to_owned(), ExitCode::from(STOPPED))),
        connected = connect(cli, report.as_ref()) => connected.map_err(|it| (it.to_string(), ExitCode::FAILURE)),
    };
    let lab = match connected {
        Ok(lab) => lab,
        Err((problems, code)) => return not_begun(&Screen::new(output), output, &problems, code),
    };
    let (lab, plan) = lab;
    let ok = tokio::select! {
        done = planned(&lab, work.as_ref(), plan.as_ref(), detailed), if plan.is_some() || is_plan => return done,
        ok = run(&lab, alone, report.as_ref()), if plan.is_none() && !is_plan => ok,
        _ = tokio::signal::ctrl_c() => {
            lab.screen.fail("stopped with Ctrl-C");
            tell("\nstopped. Completed steps are kept; the same command continues where this one stopped");
            return finish(&lab.screen, output, ExitCode::from(STOPPED));
        }
    };
    let code = match ok {
        false => ExitCode::FAILURE,
        true if detailed && lab.screen.changes_pending() > 0 => ExitCode::from(CHANGES_PENDING),
        true => ExitCode::SUCCESS,
    };
    finish(&lab.screen, output, code)
}

/// Reports problems found before anything was done.
fn not_begun(screen: &Screen, output: Output, problems: &str, code: ExitCode) -> ExitCode {
    tell(&format!("error: {problems}"));
    if output != Output::Text {
        screen.begin("preflight", "Checks before anything is done");
        screen.fail(problems);
    }
    finish(screen, output, code)
}

/// Reports on several subscriptions. No subscription of its own is needed.
async fn across(options: &Options, report: &ReportOptions) -> ExitCode {
    let screen = Screen::new(options.output);
    let scope = match report::overview::check(options, report) {
        Ok(scope) => scope,
        Err(problems) => return not_begun(&screen, options.output, &problems.to_string(), ExitCode::FAILURE),
    };
    let held = tokio::select! {
        biased;
        _ = tokio::signal::ctrl_c() => {
            screen.fail("stopped with Ctrl-C");
            tell("\nstopped. Nothing was written");
            return finish(&screen, options.output, ExitCode::from(STOPPED));
        }
        held = report::overview::run(&screen, options, report, scope) => held,
    };
    finish(&screen, options.output, if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Connects, after checking everything that could prevent the run, including where the report is written.
async fn connect(
    mut cli: Cli,
    report: Option<&ReportOptions>,
) -> Result<(Lab, Option<Plan>), preflight::Problems> {
    // A report does not write to the subscription, so a read-only one is fine.
    cli.options.dry_run |= report.is_some();
    if let Some(report) = report {
        let mut problems = preflight::Problems::default();
        for file in &report.file {
            preflight::file("--file", file, &mut problems);
        }
        preflight::options(&cli.options, &mut problems);
        if !problems.lines().is_empty() {
            return Err(problems);
        }
    }
    let mut plan = None;
    match &cli.command {
        Some(Command::Plan(PlanOptions { out: Some(out), .. })) => {
            let mut problems = preflight::Problems::default();
            preflight::file("--out", out, &mut problems);
            if !problems.lines().is_empty() {
                return Err(problems);
            }
        }
        Some(Command::Apply { file }) => plan = Some(plan::read(file, &mut cli.options)?),
        _ => {}
    }
    let screen = Screen::new(cli.options.output);
    Ok((Lab::with_screen(cli.options, screen).await?, plan))
}

/// Makes a plan, or applies one.
async fn planned(lab: &Lab, command: Option<&Command>, kept: Option<&Plan>, detailed: bool) -> ExitCode {
    let output = lab.options.output;
    let refused = |problems: preflight::Problems| {
        tell(&format!("error: {problems}"));
        if output != Output::Text {
            lab.screen.begin("plan", "The plan");
            lab.screen.fail(&problems.to_string());
        }
        finish(&lab.screen, output, ExitCode::FAILURE)
    };
    if let Some(kept) = kept {
        return match plan::apply(lab, kept).await {
            Ok(true) => finish(&lab.screen, output, ExitCode::SUCCESS),
            Ok(false) => finish(&lab.screen, output, ExitCode::FAILURE),
            Err(problems) => refused(problems),
        };
    }
    let Some(Command::Plan(PlanOptions { tasks, out })) = command else { return ExitCode::FAILURE };
    let parts = plan::parts(tasks);
    let (made, problems) = lab.screen.wait("what would change", plan::ready(lab, &parts)).await;
    if !problems.of_the_parts.lines().is_empty() {
        return refused(problems.all());
    }
    let shown = match output {
        Output::Text => Ok(lab.screen.plan(&made.to_string())),
        Output::Json => made.to_json(),
        Output::Ndjson => made.to_json().map(|json| json.lines().map(str::trim_start).collect()),
    };
    let shown = match shown.map_err(preflight::Problems::from) {
        Ok(shown) => shown,
        Err(problems) => return refused(problems),
    };
    if let Some(out) = out
        && let Err(problems) = plan::keep(&made, out)
    {
        return refused(problems);
    }
    let mut stdout = std::io::stdout();
    let code = written(writeln!(stdout, "{shown}").and_then(|()| stdout.flush()));
    // Planning needs only read access.
    for problem in problems.of_the_place.lines() {
        tell(&format!("problem when applying it: {problem}"));
    }
    if let Some(out) = out {
        tell(&format!("saved to {0}; to make exactly these changes: lab apply {0}", out.display()));
    }
    match detailed && !made.is_empty() && code == ExitCode::SUCCESS {
        true => ExitCode::from(CHANGES_PENDING),
        false => code,
    }
}

/// Writes the JSON record, and returns the exit code: output that could not be written never counts as success.
fn finish(screen: &Screen, output: Output, code: ExitCode) -> ExitCode {
    if output != Output::Text {
        screen.write_json();
    }
    if screen.is_broken() {
        tell("error: the output could not be written");
        return ExitCode::FAILURE;
    }
    code
}

fn put(text: &[u8]) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(text).and_then(|()| out.flush())
}

/// Ignores a closed pipe, which is not a failure.
fn written(outcome: std::io::Result<()>) -> ExitCode {
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            tell(&format!("error: the output could not be written: {error}"));
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Asks the questions, or shows the answers.
fn quiz(screen: &Screen, answers: bool) -> bool {
    if answers {
        quiz::answers(screen);
        return true;
    }
    // Ending the input early is not a failure.
    quiz::ask_all(screen, std::io::stdin().lock(), std::io::stderr());
    true
}

/// Runs one part alone, the report, or all parts.
async fn run(lab: &Lab, alone: Option<&Part>, report: Option<&ReportOptions>) -> bool {
    if let Some(options) = report {
        return report::run(lab, options).await;
    }
    let Some(part) = alone else {
        let all: Vec<&Part> = tasks::PARTS.iter().collect();
        return lab.run(&all).await;
    };
    lab.run_alone(part).await
}
