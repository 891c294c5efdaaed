//! Does to a cluster what a schedule says.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use testkit::eventually;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::history::Recorder;
use crate::schedule::{Episode, Failover, Fault, REPLICAS, Schedule};

/// How long the deployment may take to be well again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A schedule under way.
pub(crate) struct Chaos<'a> {
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) recorder: &'a Recorder,
    /// Replicas that are being started.
    pub(crate) starts: JoinSet<()>,
    /// Replicas that ended although nobody had ended them.
    pub(crate) ended: Vec<usize>,
}

impl Chaos<'_> {
    /// Runs the schedule to its end, and makes everything well again.
    pub(crate) async fn run(&mut self, schedule: &Schedule) {
        for (number, episode) in schedule.episodes.iter().enumerate() {
            if let Some(failover) = schedule.failover.filter(|one| one.before == number) {
                self.fail_over(failover, schedule.lease).await;
            }
            self.episode(episode).await;
        }
        self.started().await;
    }

    async fn episode(&mut self, episode: &Episode) {
        // One that is being started would be started again behind our back when it is killed.
        self.started().await;
        let start = self.recorder.now();
        let mut held = None;
        for fault in &episode.faults {
            if matches!(fault, Fault::KillAndHold(_)) {
                held = self.cluster.hold_read_model().await;
            }
            self.begin(*fault).await;
        }
        sleep(episode.length).await;
        for fault in &episode.faults {
            self.end(*fault);
        }
        drop(held);
        self.recorder.incident(start, false, format!("{:?}", episode.faults));
        sleep(episode.calm).await;
    }

    async fn begin(&mut self, fault: Fault) {
        let cluster = &mut self.cluster;
        match fault {
            Fault::Kill(victim) => self.kill(victim).await,
            Fault::KillAndHold(victim) => {
                self.kill(victim).await;
                self.start(victim);
            }
            Fault::Stop(victim) => cluster.replicas[victim].signal(Signal::STOP),
            Fault::Blackhole(victim) => cluster.lines[victim].blackhole(),
            Fault::OneWay(victim, way) => cluster.lines[victim].blackhole_one_way(way),
            Fault::Cut(victim) => cluster.lines[victim].cut(),
            Fault::Restart => cluster.restart_primary().await,
        }
    }

    fn end(&mut self, fault: Fault) {
        let cluster = &self.cluster;
        match fault {
            Fault::Kill(victim) => self.start(victim),
            Fault::Stop(victim) => cluster.replicas[victim].signal(Signal::CONT),
            Fault::Blackhole(victim) | Fault::OneWay(victim, _) | Fault::Cut(victim) => {
                cluster.lines[victim].resume();
            }
            Fault::KillAndHold(_) | Fault::Restart => {}
        }
    }

    async fn kill(&mut self, victim: usize) {
        if !self.cluster.replicas[victim].kill().await {
            self.ended.push(victim);
        }
    }

    fn start(&mut self, victim: usize) {
        let replica = Arc::clone(&self.cluster.replicas[victim]);
        self.starts.spawn(async move { replica.start().await });
    }

    async fn started(&mut self) {
        while let Some(started) = self.starts.join_next().await {
            if let Err(error) = started {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }

    async fn fail_over(&mut self, failover: Failover, lease: Duration) {
        self.started().await;
        let start = self.recorder.now();
        if failover.loses_tail {
            self.cluster.cut_standby_off();
            for _ in 0..2 {
                // Commits gather that nobody acknowledges; then a crash makes them visible.
                sleep(Duration::from_millis(300)).await;
                self.cluster.restart_primary().await;
            }
            // Everybody reads them, and loses the right to answer.
            sleep(lease + Duration::from_millis(500)).await;
        }
        self.cluster.fail_over(failover.late, failover.isolated).await;
        // The others write, where the lost tail was.
        sleep(lease * 2 + Duration::from_secs(1)).await;
        self.cluster.end_failover(failover.late);
        self.recorder.incident(start, true, format!("{failover:?}"));
        sleep(lease).await;
    }

    /// Waits until every replica answers again.
    pub(crate) async fn wait_until_well(&mut self, answers: impl AsyncFn(usize) -> bool) {
        for replica in 0..REPLICAS {
            let what = format!("replica {replica} answers");
            eventually(&what, PATIENCE, async || answers(replica).await).await;
        }
    }

    /// Notes who has ended by himself, and ends the others.
    pub(crate) async fn stop(&mut self) {
        for (number, replica) in self.cluster.replicas.iter().enumerate() {
            if !replica.runs() {
                self.ended.push(number);
            }
            replica.stop().await;
        }
    }
}
