//! The programs that a machine has.

use super::{
    guest::{Guest, Outcome},
    text::{grep, sed},
};

/// All that a script can call, those that the shell itself answers included.
pub(super) const KNOWN: &[&str] = &[
    "set",
    "unset",
    "export",
    "printenv",
    "exit",
    "true",
    "false",
    ":",
    "echo",
    "printf",
    "cat",
    "grep",
    "sed",
    "test",
    "[",
    "rm",
    "cp",
    "mv",
    "touch",
    "chmod",
    "chown",
    "sort",
    "wc",
    "hostname",
    "whoami",
    "id",
    "systemctl",
    "sync",
];

pub(super) fn call(guest: &mut Guest, name: &str, arguments: &[String], input: &str) -> Outcome {
    let plain: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (options, operands): (Vec<&str>, Vec<&str>) =
        plain.iter().partition(|argument| argument.starts_with('-') && argument.len() > 1);
    match name {
        "true" | ":" | "chmod" | "chown" | "systemctl" | "sync" => Outcome::default(),
        "false" => failed(1, ""),
        "echo" => echo(&plain),
        "printf" => printf(&plain),
        "hostname" => printed(format!("{}\n", guest.name)),
        "whoami" => printed("root\n"),
        "id" => printed(if options.is_empty() { "uid=0(root) gid=0(root) groups=0(root)\n" } else { "0\n" }),
        "cat" => read(guest, "cat", &operands, input, |text| text.to_owned()),
        "sort" => read(guest, "sort", &operands, input, |text| {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            if options.contains(&"-u") {
                lines.dedup();
            }
            lines.iter().map(|line| format!("{line}\n")).collect()
        }),
        "wc" if options == ["-l"] => {
            read(guest, "wc", &operands, input, |text| format!("{}\n", text.matches('\n').count()))
        }
        "test" => test(guest, &plain),
        "[" => match plain.split_last() {
            Some((&"]", condition)) => test(guest, condition),
            _ => failed(2, "[: missing ']'"),
        },
        "touch" => {
            for path in operands {
                guest.files.entry(path.to_owned()).or_default();
            }
            Outcome::default()
        }
        "rm" => remove(guest, &operands, options.iter().any(|option| option.contains('f'))),
        "cp" | "mv" => copy(guest, name, &operands),
        "grep" => grep(guest, &plain, input),
        "sed" => sed(guest, &plain, input),
        _ => failed(127, format!("mock-azure does not know '{name} {}'", plain.join(" "))),
    }
}

pub(super) fn printed(text: impl Into<String>) -> Outcome {
    Outcome { stdout: text.into(), ..Outcome::default() }
}

pub(super) fn failed(exit_code: i32, message: impl Into<String>) -> Outcome {
    let message = message.into();
    let stderr = if message.is_empty() { message } else { format!("{message}\n") };
    Outcome { stderr, exit_code, ..Outcome::default() }
}

pub(super) fn missing(program: &str, path: &str) -> String {
    format!("{program}: {path}: No such file or directory")
}

fn echo(arguments: &[&str]) -> Outcome {
    match arguments {
        ["-n", rest @ ..] => printed(rest.join(" ")),
        all => printed(format!("{}\n", all.join(" "))),
    }
}

/// `%s`, `%%` and `\n`; the format is used again while there are arguments.
fn printf(arguments: &[&str]) -> Outcome {
    let Some((format, mut rest)) = arguments.split_first() else {
        return failed(2, "printf: usage: printf format");
    };
    let format = format.replace("\\n", "\n").replace("\\t", "\t");
    let mut text = String::new();
    loop {
        let mut parts = format.split("%s");
        text.push_str(parts.next().unwrap_or_default());
        let before = rest.len();
        for part in parts {
            let (value, others) = rest.split_first().map_or(("", rest), |(value, others)| (*value, others));
            rest = others;
            text.push_str(value);
            text.push_str(part);
        }
        if rest.is_empty() || rest.len() == before {
            return printed(text.replace("%%", "%"));
        }
    }
}

/// Reads files, or what was piped in, and prints what becomes of it.
fn read(guest: &Guest, program: &str, paths: &[&str], input: &str, show: impl Fn(&str) -> String) -> Outcome {
    if paths.is_empty() {
        return printed(show(input));
    }
    let mut outcome = Outcome::default();
    for path in paths {
        match guest.files.get(*path) {
            Some(text) => outcome.stdout.push_str(&show(text)),
            None => {
                outcome.stderr.push_str(&format!("{}\n", missing(program, path)));
                outcome.exit_code = 1;
            }
        }
    }
    outcome
}

fn test(guest: &Guest, condition: &[&str]) -> Outcome {
    let there = |path: &str| guest.files.get(path);
    let holds = match condition {
        ["!", rest @ ..] => return failed(i32::from(test(guest, rest).exit_code == 0), ""),
        ["-f" | "-e" | "-r" | "-w", path] => there(path).is_some(),
        ["-s", path] => there(path).is_some_and(|text| !text.is_empty()),
        ["-d", path] => {
            guest.files.keys().any(|file| file.starts_with(&format!("{}/", path.trim_end_matches('/'))))
        }
        ["-n", text] => !text.is_empty(),
        ["-z", text] => text.is_empty(),
        [a, "=" | "==", b] => a == b,
        [a, "!=", b] => a != b,
        [a, "-eq", b] => a.parse::<i64>().ok() == b.parse::<i64>().ok(),
        [a, "-ne", b] => a.parse::<i64>().ok() != b.parse::<i64>().ok(),
        [text] => !text.is_empty(),
        _ => return failed(2, format!("mock-azure does not know 'test {}'", condition.join(" "))),
    };
    failed(i32::from(!holds), "")
}

fn remove(guest: &mut Guest, paths: &[&str], quietly: bool) -> Outcome {
    let mut outcome = Outcome::default();
    for path in paths {
        if guest.files.remove(*path).is_none() && !quietly {
            outcome.stderr.push_str(&format!("rm: cannot remove '{path}': No such file or directory\n"));
            outcome.exit_code = 1;
        }
    }
    outcome
}

fn copy(guest: &mut Guest, program: &str, paths: &[&str]) -> Outcome {
    let [from, to] = paths else { return failed(1, format!("{program}: two paths are needed")) };
    let Some(text) = guest.files.get(*from).cloned() else {
        return failed(1, format!("{program}: cannot stat '{from}': No such file or directory"));
    };
    if program == "mv" {
        guest.files.remove(*from);
    }
    guest.files.insert((*to).to_owned(), text);
    Outcome::default()
}

#[cfg(test)]
mod tests {
    use super::{super::shell::Script, *};

    fn machine() -> Guest {
        let mut guest = Guest::default();
        let text = "PATH=\"/usr/bin\"\nDB_PASSWORD=REDACTED\nexport DB_PASSWORD_OLD=REDACTED\n";
        guest.files.insert("/etc/environment".to_owned(), text.to_owned());
        guest.files.insert("/etc/profile.d/app.sh".to_owned(), "export DB_PASSWORD=REDACTED\n".to_owned());
        guest
    }

    fn run(guest: &mut Guest, script: &str) -> Outcome {
        guest.run(&Script::parse(script).unwrap(), &[("NAME".to_owned(), "DB_PASSWORD".to_owned())])
    }

    #[test]
    fn a_script_removes_a_variable_from_every_file_that_sets_it() {
        let mut guest = machine();
        let script = r#"
            set -eu
            name="$1"   # the variable
            for file in /etc/environment /etc/profile.d/*.sh /etc/none; do
              if [ -f "$file" ] && grep -Eq "^(export )?$name=" "$file"; then
                sed -i -E "/^(export )?${name}=/d" "$file"
                echo "removed from $file"
              fi
            done
            ! grep -rq nothing /etc/environment 2>/dev/null || exit 3
        "#;
        let script = script.replace("-rq", "-q");
        let outcome = run(&mut guest, &script);
        assert_eq!(outcome.stdout, "removed from /etc/environment\nremoved from /etc/profile.d/app.sh\n");
        assert_eq!((outcome.stderr.as_str(), outcome.exit_code), ("", 0));
        assert_eq!(guest.files["/etc/environment"], "PATH=\"/usr/bin\"\nexport DB_PASSWORD_OLD=REDACTED\n");
        assert_eq!(guest.files["/etc/profile.d/app.sh"], "");
    }

    #[test]
    fn unset_changes_no_file() {
        let mut guest = machine();
        let before = guest.files.clone();
        assert_eq!(run(&mut guest, "unset DB_PASSWORD").exit_code, 0);
        assert_eq!(guest.files, before);
    }

    #[test]
    fn a_failing_command_stops_a_strict_script_and_a_condition_does_not() {
        let outcome = run(
            &mut machine(),
            "set -e\nif grep -q nothing /etc/environment; then echo a; fi\necho b\nfalse\necho c",
        );
        assert_eq!((outcome.stdout.as_str(), outcome.exit_code), ("b\n", 1));
        let outcome = run(&mut machine(), "grep -c '^DB_' /etc/environment | sort; cat /none");
        assert_eq!((outcome.stdout.as_str(), outcome.exit_code), ("1\n", 1));
        assert_eq!(outcome.stderr, "cat: /none: No such file or directory\n");
    }

    #[test]
    fn basic_expressions_and_other_separators_are_read_as_sed_reads_them() {
        let mut guest = machine();
        run(&mut guest, r"sed -i '\|^\(export \)\?DB_PASSWORD=|d' /etc/environment");
        assert_eq!(guest.files["/etc/environment"], "PATH=\"/usr/bin\"\nexport DB_PASSWORD_OLD=REDACTED\n");
        run(&mut guest, "sed -i 's#/usr/bin#/bin#g' /etc/environment");
        assert!(guest.files["/etc/environment"].starts_with("PATH=\"/bin\""));
    }

    #[test]
    fn what_the_shell_does_not_know_is_refused_before_anything_runs() {
        for script in
            ["curl example.com", "echo $(whoami)", "cat <<EOF", "echo 'open", "if true; then echo a"]
        {
            assert!(Script::parse(script).is_err(), "{script}");
        }
    }
}
