//! One run: a deployment, a load, a schedule of faults, and the judgement of the checker.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, LocalSet};

use crate::chaos::Chaos;
use crate::checker::{Violation, check};
use crate::cluster::Cluster;
use crate::history::History;
use crate::load::{Load, World, ask_for_all, list_all};
use crate::report::{Figures, violations};
use crate::schedule::Schedule;

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) history: History,
    pub(crate) violations: Vec<Violation>,
    /// Where the logs of the replicas are, if something is wrong.
    logs: Option<String>,
    /// Replicas that ended by themselves.
    ended: Vec<usize>,
}

/// Runs a schedule on a deployment of its own.
pub(crate) async fn run(schedule: &Schedule) -> Ran {
    LocalSet::new().run_until(run_here(schedule)).await
}

async fn run_here(schedule: &Schedule) -> Ran {
    let mut cluster = Cluster::start(schedule.lease).await;
    let world = Arc::new(World::new(&cluster, schedule.seed, schedule.lease));
    let mut chaos = Chaos {
        cluster: &mut cluster,
        recorder: &world.recorder,
        starts: JoinSet::new(),
        ended: Vec::new(),
    };
    chaos.wait_until_well(async |replica| world.answers(replica).await).await;
    let load = Load::start(&world);
    chaos.run(schedule).await;
    load.end().await;
    chaos.wait_until_well(async |replica| world.answers(replica).await).await;
    ask_for_all(&world).await;
    list_all(&world).await;
    chaos.stop().await;
    let ended = std::mem::take(&mut chaos.ended);
    let history = world.recorder.history();
    let violations = check(&history);
    let mut logs = None;
    if violations.is_empty() && ended.is_empty() {
        cluster.verify_log();
    } else {
        logs = Some(cluster.keep_logs());
    }
    Ran { history, violations, logs, ended }
}

impl Ran {
    pub(crate) fn figures(&self) -> Figures {
        Figures::of(&self.history, &self.violations)
    }

    /// Fails, with all that is needed to run it again, unless every promise was kept.
    pub(crate) fn assert_kept(&self, name: &str, seed: u64, length: Duration) {
        let again = format!(
            "to run it again: KEYWARD_FAULTS_PLAN={name} KEYWARD_FAULTS_SEED={seed} \
             KEYWARD_FAULTS_SECONDS={} cargo test -p keyward --test faults -- --ignored long",
            length.as_secs()
        );
        let found = violations(&self.history, &self.violations);
        let logs = self.logs.as_deref().unwrap_or_default();
        assert!(self.violations.is_empty(), "seed {seed}: {found}\nlogs: {logs}\n{again}");
        let ended = &self.ended;
        assert!(
            ended.is_empty(),
            "seed {seed}: ended by themselves: {ended:?}\nlogs: {logs}\n{again}"
        );
    }
}
