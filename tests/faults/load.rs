//! The load: writers that make, switch and end keys, one that suspends a workspace, and askers.

mod asker;
mod suspender;
mod writer;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::v1::{ListApiKeysRequest, VerifyKeyRequest};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Client, Failed, Question, ask, keys};
use crate::cluster::{Cluster, Workspace};
use crate::history::{Change, Key, Outcome, Recorder, Secret, Subject, Written};
use crate::schedule::REPLICAS;

/// How many writers there are, and askers for each replica.
const WRITERS: usize = 8;
const ASKERS: usize = 2;
/// How many keys are asked for at one time.
const KNOWN: usize = 48;
/// How long a write is tried.
const PERSISTENCE: Duration = Duration::from_secs(45);

/// A key that was created.
#[derive(Debug, Clone)]
struct Known {
    index: usize,
    key_id: String,
    secret: String,
}

/// What all clients share.
pub(crate) struct World {
    pub(crate) recorder: Recorder,
    clients: Vec<Client>,
    /// The writers' workspace, and the one that is suspended now and then.
    workspaces: [Workspace; 2],
    operator: String,
    /// The last keys of each workspace.
    known: [Mutex<VecDeque<Known>>; 2],
    /// All that were ever made, by workspace.
    all: [Mutex<Vec<Known>>; 2],
    /// The token of the last write that was acknowledged.
    token: Mutex<String>,
    next: AtomicUsize,
    over: AtomicBool,
    seed: u64,
}

/// The clients at work, all on the thread of the run.
pub(crate) struct Load {
    world: Arc<World>,
    clients: JoinSet<()>,
}

impl World {
    pub(crate) fn new(cluster: &Cluster, seed: u64, lease: Duration) -> Self {
        Self {
            recorder: Recorder::new(lease),
            clients: cluster.replicas.iter().map(|one| Client::new(Arc::clone(one))).collect(),
            workspaces: [cluster.workspace(), cluster.workspace()],
            operator: cluster.operator_token(),
            known: Default::default(),
            all: Default::default(),
            token: Mutex::default(),
            next: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            seed,
        }
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// A name that nobody else has, good as a `request_id` too.
    fn name(&self) -> String {
        format!("request-{:08x}-{:08}", self.seed, self.next.fetch_add(1, Ordering::SeqCst))
    }

    fn learn(&self, workspace: usize, known: Known) {
        self.all[workspace].lock().unwrap_or_else(PoisonError::into_inner).push(known.clone());
        let mut all = self.known[workspace].lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == KNOWN {
            all.pop_front();
        }
        all.push_back(known);
    }

    fn some_known(&self, workspace: usize, chance: &mut fastrand::Rng) -> Option<Known> {
        let all = self.known[workspace].lock().unwrap_or_else(PoisonError::into_inner);
        (!all.is_empty()).then(|| all[chance.usize(0..all.len())].clone())
    }

    fn token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn see(&self, token: &str) {
        token.clone_into(&mut self.token.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Asks every replica for a key, without waiting for the answers: a replica that stands still
    /// answers when it goes on.
    fn probe(self: &Arc<Self>, workspace: usize, known: &Known, at_least: Option<&str>) {
        for replica in 0..REPLICAS {
            let (world, secret) = (Arc::clone(self), Secret::Of(known.index));
            let at_least = at_least.map(str::to_owned);
            let question = Question { secret, text: known.secret.clone(), at_least };
            tokio::task::spawn_local(async move {
                let mut client = world.clients[replica].clone();
                let asker = &world.workspaces[workspace];
                ask(&mut client, replica, asker, question, &world.recorder).await;
            });
        }
    }

    /// Whether this replica answers verdicts, for both workspaces.
    pub(crate) async fn answers(&self, replica: usize) -> bool {
        for workspace in &self.workspaces {
            let request =
                VerifyKeyRequest { key: "none".to_owned(), ..VerifyKeyRequest::default() };
            let mut client = self.clients[replica].clone();
            let call = client.call(&workspace.token, request, async |channel, request| {
                keys(channel).verify_key(request).await
            });
            if call.await.is_err() {
                return false;
            }
        }
        true
    }

    fn written(&self, written: Written) {
        self.recorder.note(|history| history.written.push(written));
    }

    /// Another secret of a key.
    fn key_like(&self, index: usize) -> usize {
        self.recorder.note(|history| {
            history.keys.push(history.keys[index].clone());
            history.keys.len() - 1
        })
    }

    fn key(&self, workspace: usize, name: &str) -> usize {
        self.recorder.note(|history| {
            history.keys.push(Key { workspace, name: name.to_owned() });
            history.keys.len() - 1
        })
    }
}

/// A write that was acknowledged.
struct Acknowledged {
    token: String,
    barrier: Option<api::v1::Barrier>,
}

/// Makes one write, on whichever replica answers, with one `request_id`, until its outcome is known;
/// takes it down.
async fn persist(
    world: &World,
    chance: &mut fastrand::Rng,
    (subject, change): (Subject, Change),
    mut attempt: impl AsyncFnMut(&mut Client) -> Result<Acknowledged, Failed>,
) -> Option<Acknowledged> {
    let start = world.recorder.now();
    loop {
        let began = world.recorder.now();
        let mut client = world.clients[chance.usize(0..REPLICAS)].clone();
        let done = attempt(&mut client).await;
        let span = world.recorder.since(start);
        let took = span.end.saturating_sub(began);
        let (outcome, barrier, fenced) = match &done {
            Ok(done) => {
                let position = crate::client::position(&done.token);
                let everywhere = done.barrier.is_some();
                let elapsed = done.barrier.as_ref().and_then(|barrier| barrier.elapsed);
                let elapsed = elapsed.and_then(|elapsed| Duration::try_from(elapsed).ok());
                let fenced = done.barrier.as_ref().map_or(0, |barrier| barrier.fenced);
                (Outcome::Acknowledged { position, everywhere }, elapsed, fenced)
            }
            Err(Failed::Refused(why)) => (Outcome::Refused(why.clone()), None, 0),
            Err(Failed::Again) if span.end.saturating_sub(start) > PERSISTENCE => {
                (Outcome::Unknown, None, 0)
            }
            Err(Failed::Again) => {
                sleep(Duration::from_millis(10)).await;
                continue;
            }
        };
        world.written(Written { subject, change, span, outcome, took, barrier, fenced });
        let done = done.ok()?;
        world.see(&done.token);
        return Some(done);
    }
}

impl Load {
    /// Lets the clients begin.
    pub(crate) fn start(world: &Arc<World>) -> Self {
        let mut clients = JoinSet::new();
        for number in 0..WRITERS as u64 {
            let chance = fastrand::Rng::with_seed(world.seed ^ (number + 1) << 32);
            clients.spawn_local(writer::write(Arc::clone(world), chance));
        }
        let chance = fastrand::Rng::with_seed(world.seed ^ 1 << 48);
        clients.spawn_local(suspender::suspend(Arc::clone(world), chance));
        for number in 0..(REPLICAS * ASKERS) as u64 {
            let chance = fastrand::Rng::with_seed(world.seed ^ (number + 1) << 40);
            let replica = usize::try_from(number).unwrap_or(0) % REPLICAS;
            clients.spawn_local(asker::ask_on(Arc::clone(world), replica, chance));
        }
        Self { world: Arc::clone(world), clients }
    }

    /// Lets the clients finish what they have begun.
    pub(crate) async fn end(mut self) {
        self.world.over.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            if let Err(error) = ended {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

/// Asks every replica for every key that was ever made, with the token of the last write.
pub(crate) async fn ask_for_all(world: &Arc<World>) {
    let mut asking = JoinSet::new();
    for replica in 0..REPLICAS {
        let world = Arc::clone(world);
        asking.spawn_local(async move {
            let mut client = world.clients[replica].clone();
            for (workspace, all) in world.all.iter().enumerate() {
                let all = all.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for one in all {
                    let (secret, text) = (Secret::Of(one.index), one.secret);
                    let question = Question { secret, text, at_least: Some(world.token()) };
                    let asker = &world.workspaces[workspace];
                    ask(&mut client, replica, asker, question, &world.recorder).await;
                }
            }
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked.expect("an asker does not panic");
    }
}

/// Takes down the names of all keys that there are.
pub(crate) async fn list_all(world: &World) {
    let mut names = Vec::new();
    for workspace in &world.workspaces {
        let mut request = ListApiKeysRequest {
            workspace_id: workspace.id.clone(),
            page_size: 1_000,
            show_dead: true,
            at_least: world.token(),
            ..ListApiKeysRequest::default()
        };
        let began = world.recorder.now();
        loop {
            let mut client = world.clients[0].clone();
            let asked = client.call(&workspace.token, request.clone(), async |channel, request| {
                keys(channel).list_api_keys(request).await
            });
            match asked.await {
                Ok(page) => {
                    names.extend(page.api_keys.into_iter().map(|key| key.name));
                    request.page_token = page.next_page_token;
                    if request.page_token.is_empty() {
                        break;
                    }
                }
                Err(why) => {
                    let waited = world.recorder.now().saturating_sub(began);
                    assert!(waited < PERSISTENCE, "keys can't be listed: {why:?}");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    world.recorder.note(|history| history.listed = Some(names));
}
