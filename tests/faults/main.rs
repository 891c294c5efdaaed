//! Faults: three replicas of the real binary, a real Postgres with a synchronous standby, and a clock
//! that tells what was acknowledged before what was asked. A seeded schedule kills and pauses replicas,
//! breaks their lines, crashes Postgres and fails over; a checker then judges the history.
//!
//! `faults_break_no_promise` is the short schedule. The long one is a command:
//! `bash tests/faults/long SEED SECONDS`. That the checker finds what it is there for is shown by
//! `bash tests/faults/prove`, which builds the service with each of the bugs in `bugs/`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bugs;
mod chaos;
mod checker;
mod client;
mod cluster;
mod history;
mod load;
mod replica;
mod report;
mod run;
mod schedule;

use std::time::Duration;

use replica::setting;
use report::Figures;
use run::run;
use schedule::{Kind, Schedule};

/// Of the short schedule. The lease is short, so that much happens in little time.
const SEED: u64 = 3;
const LENGTH: Duration = Duration::from_secs(25);
const SHORT_LEASE: Duration = Duration::from_millis(500);
/// A long schedule is run in parts, each on a deployment of its own.
const PART: Duration = Duration::from_secs(60);

#[tokio::test]
async fn faults_break_no_promise() {
    let schedule = Schedule::new(Kind::Mixed, SEED, LENGTH, SHORT_LEASE);
    let ran = run(&schedule).await;
    ran.assert_kept("mixed", SEED, LENGTH);
    let mut figures = ran.figures();
    println!("{}", figures.text(SHORT_LEASE));
    // Else nothing was shown.
    assert!(figures.revocations > 50 && figures.fenced > 0, "{figures:?}");
}

/// By command: `KEYWARD_FAULTS_SEED`, `KEYWARD_FAULTS_SECONDS`, and, if wanted, `KEYWARD_FAULTS_PLAN` (the
/// name of a kind of schedule), `KEYWARD_FAULTS_LEASE_MS` and `KEYWARD_FAULTS_BINARY`.
#[tokio::test]
#[ignore = "takes as long as it is told to"]
async fn long() {
    let number = |name, default| setting(name).map_or(default, |text| text.parse().unwrap());
    let seed = number("KEYWARD_FAULTS_SEED", SEED);
    let mut left = Duration::from_secs(number("KEYWARD_FAULTS_SECONDS", LENGTH.as_secs()));
    let name = setting("KEYWARD_FAULTS_PLAN").unwrap_or_else(|| "mixed".to_owned());
    let kind = Kind::named(&name).unwrap();
    let lease = Duration::from_millis(number("KEYWARD_FAULTS_LEASE_MS", 500));
    let mut figures = Figures::default();
    for part in 0.. {
        let length = left.min(PART);
        let schedule = Schedule::new(kind, seed + part, length, lease);
        let ran = run(&schedule).await;
        figures.add(ran.figures());
        println!("after seed {}:\n{}", seed + part, figures.text(lease));
        ran.assert_kept(&name, seed + part, length);
        left = left.saturating_sub(length);
        if left.is_zero() {
            break;
        }
    }
}
