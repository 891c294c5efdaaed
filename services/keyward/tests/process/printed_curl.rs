//! The lines that the first command prints for REST, run by a shell and the real curl as they are.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::client::Tenant;
use crate::embedded::Embedded;

/// Whether curl is there; without it nothing is tested, which is said, and must not be in CI.
fn curl_is_there() -> bool {
    let ran = Command::new("curl").arg("--version").stdout(Stdio::null()).status();
    let there = ran.is_ok_and(|ended| ended.success());
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let must = std::env::var("CI").is_ok_and(|is| is == "true");
    assert!(there || !must, "curl is not installed, and CI must not pass it over");
    if !there {
        eprintln!("\nNOT TESTED: curl is not installed (apt-get install curl)\n");
    }
    there
}

/// What the lines say that a shell runs.
fn run(script: &str) -> String {
    let ran = Command::new("/bin/sh").args(["-euc", script]).output().unwrap();
    let told = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success() && told.is_empty(), "{told}\n{script}");
    String::from_utf8(ran.stdout).unwrap()
}

fn json(line: Option<&str>) -> Value {
    let line = line.unwrap();
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[tokio::test]
async fn every_printed_line_works_as_it_is_pasted() {
    if !curl_is_there() {
        return;
    }
    let embedded = Embedded::new();
    let keyward = embedded.serve().await;
    let banner = keyward.out();
    let token = banner.lines().find(|line| line.starts_with("  TOKEN=")).unwrap();
    let (_, lines) = banner.split_once("Over REST, ").unwrap();
    let (_, lines) = lines.split_once('\n').unwrap();
    let said = run(&format!("{token}\n{lines}"));
    let mut said = said.lines();
    let key = said.next().unwrap();
    assert!(key.starts_with("kwk_live_"), "{key}");
    let verdict = json(said.next());
    assert_eq!(verdict["decision"], "DECISION_ACCEPTED", "{verdict}");
    let head: Vec<_> = said.by_ref().take_while(|line| !line.trim().is_empty()).collect();
    assert!(head[0].trim().ends_with(" 200 OK"), "{head:?}");
    let key_id = verdict["key"]["keyId"].as_str().unwrap();
    assert!(head.contains(&&*format!("x-key-id: {key_id}")), "{head:?}");
    let velt = json(said.next());
    assert_eq!(velt["result"]["status"], "success", "{velt}");
    let organization = json(said.next());
    assert_eq!(organization["code"], 200, "{organization}");
    let workspace = Tenant::printed(&banner).workspace;
    assert_eq!(organization["data"]["organizationId"], workspace, "{organization}");
    let slaunchx = json(said.next());
    assert_eq!(
        (&slaunchx["success"], &slaunchx["code"]),
        (&true.into(), &"2000".into()),
        "{slaunchx}"
    );
    assert_eq!(said.next(), None);
    // What is only told of is there, too.
    let docs = lines.split_ascii_whitespace().find(|word| word.ends_with("/docs")).unwrap();
    assert!(run(&format!("curl -sSL {docs}")).contains("swagger"));
    assert!(lines.contains("--jwt-issuers"));
    keyward.stop().await;
}
