//! The benchmarks: Keyward beside what it is measured against, in turn, in one run.
//!
//! `cargo bench -p e2e` runs all, `-- verify`, `-- create`, `-- revoke`, `-- usage`, `-- busy`,
//! `-- ready`, `-- gateway` or `-- forward-auth` one of them, `-- --quick` in seconds and roughly. Nothing
//! is asserted; see `README.md` for the method. One binary plays all parts: called `keyward` it is the
//! service, called `keyward-gateway` the gateway, called `echo` the server that does nothing.

mod busy;
mod canned;
mod client;
mod create;
mod database;
mod echo;
mod forward_auth;
mod gateway;
mod http1;
mod http2;
mod load;
mod machine;
mod ready;
mod revoke;
mod server;
mod table;
mod usage;
mod verify;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Turns that each side takes.
    pub rounds: usize,
    /// How long a side is measured in one turn, in milliseconds.
    pub millis: u64,
    /// Keys that the service makes.
    pub made: usize,
    /// Keys in the index, the made ones among them.
    pub keys: usize,
    /// Keys that are revoked in one turn.
    pub revoked: usize,
}

const FULL: Scale =
    Scale { rounds: 7, millis: 2_000, made: 100_000, keys: 1_000_000, revoked: 300 };
const QUICK: Scale = Scale { rounds: 3, millis: 700, made: 5_000, keys: 50_000, revoked: 100 };

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    match arguments.next().as_deref() {
        Some("keyward") => return keyward::cli::main(),
        Some("keyward-gateway") => return ::gateway::cli::main(),
        Some("echo") => return echo::main(arguments),
        Some("canned") => return canned::grpc(arguments),
        Some("upstream") => return canned::http(),
        Some(_) | None => {}
    }
    // `cargo test --all-targets` runs benchmarks too, to see that they start.
    let arguments: Vec<String> = arguments.collect();
    if arguments.iter().any(|argument| argument == "--test") || !asked_to_bench(&arguments) {
        return ExitCode::SUCCESS;
    }
    let scale = if arguments.iter().any(|argument| argument == "--quick") { QUICK } else { FULL };
    let filter = arguments.iter().find(|argument| !argument.starts_with("--"));
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter.as_str()));
    run(scale, wanted);
    ExitCode::SUCCESS
}

/// `cargo bench` says `--bench`; `cargo test` does not.
fn asked_to_bench(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "--bench")
}

#[tokio::main]
async fn run(scale: Scale, wanted: impl Fn(&str) -> bool) {
    println!("{}\n", machine::describe());
    let deployment = database::Deployment::new().await;
    let mut table = table::Table::default();
    if wanted("create") {
        create::run(&deployment, scale, &mut table).await;
    }
    if wanted("gateway") {
        gateway::run(&deployment, scale, &mut table).await;
    }
    if wanted("forward-auth") {
        forward_auth::run(&deployment, scale, &mut table).await;
    }
    if wanted("revoke") {
        revoke::run(&deployment, scale, &mut table).await;
    }
    if ["ready", "verify", "usage", "busy"].into_iter().any(&wanted) {
        let filled = ready::fill(&deployment, scale).await;
        if wanted("ready") {
            ready::run(&deployment, &filled, scale, &mut table).await;
        }
        if wanted("verify") {
            verify::run(&deployment, &filled, scale, &mut table).await;
        }
        if wanted("usage") {
            usage::run(&deployment, &filled, scale, &mut table).await;
        }
        if wanted("busy") {
            busy::run(&deployment, &filled, scale, &mut table).await;
        }
    }
    println!("\n{table}\nload average at the end: {}", machine::load());
}
