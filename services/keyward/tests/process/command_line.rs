//! What can be typed: help that reads well, and wrong words with exit code 2.

use crate::child::run;

const COMMANDS: [&str; 9] = [
    "serve",
    "migrate",
    "rebuild",
    "verify-log",
    "keyring",
    "operator-token",
    "workspace",
    "events",
    "descriptors",
];

#[tokio::test]
async fn help_names_every_command_and_groups_the_settings() {
    let help = run(&["--help"], &[]).await;
    assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
    for command in COMMANDS {
        let line = help.out.lines().find(|line| line.trim_start().starts_with(command));
        let line = line.unwrap_or_else(|| panic!("{command} is missing"));
        assert!(line.trim().len() > command.len() + 10, "{command} is not explained: {line}");
    }
    for heading in ["Listener:", "Database:", "Secrets:", "Freshness:", "Telemetry:"] {
        assert!(help.out.contains(&format!("\n{heading}\n")), "{heading}");
    }
    let longest = help.out.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(longest.chars().count() <= 100, "too long to read: {longest}");
}

#[tokio::test]
async fn help_of_every_command_shows_how_it_is_used() {
    for command in COMMANDS {
        let help = run(&[command, "--help"], &[]).await;
        assert_eq!(help.code, Some(0), "{command}: {}", help.err);
        assert!(help.out.contains(&format!("Usage: keyward {command}")), "{}", help.out);
    }
    for (command, shown) in [
        (["workspace", "create"], "<NAME>"),
        (["workspace", "reset-token"], "<WORKSPACE_ID>"),
        (["events", "tail"], "--after <POSITION>"),
        (["rebuild", "--help"], "[possible values: "),
    ] {
        let help = run(&[&command[..], &["--help"]].concat(), &[]).await;
        assert!(help.out.contains(shown), "{command:?}: {}", help.out);
    }
}

#[tokio::test]
async fn every_setting_has_its_variable_beside_it() {
    let help = run(&["--help"], &[]).await.out;
    let settings = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    let names = settings.map(|line| line.split([' ', '[']).next().unwrap());
    for name in names {
        let variable = format!("[env: KEYWARD_{}", name.to_uppercase().replace('-', "_"));
        // Not followed by a value where that may be secret.
        let shown = ["=", "]"].iter().any(|end| help.contains(&format!("{variable}{end}")));
        assert!(shown, "--{name} has no {variable}");
    }
}

#[tokio::test]
async fn wrong_words_end_with_2_and_say_where_help_is() {
    for words in [
        &["--bogus"][..],
        &["serv"],
        &["serve", "now"],
        &["rebuild"],
        &["rebuild", "everything"],
        &["workspace"],
        &["workspace", "create"],
        &["workspace", "reset-token", "ws_nonsense"],
        &["events", "tail", "--after", "the-start"],
        &["--listen", "localhost"],
        &["--lease-ms", "soon"],
    ] {
        let refused = run(words, &[]).await;
        assert_eq!(refused.code, Some(2), "{words:?}: {}", refused.err);
        assert!(refused.err.contains("--help") || refused.err.contains("Usage:"), "{words:?}");
    }
}

#[tokio::test]
async fn it_says_its_version() {
    let version = run(&["--version"], &[]).await;
    assert_eq!(version.out, format!("keyward {}\n", env!("CARGO_PKG_VERSION")));
}
