//! Recording clients: each question and each write is taken down with what became of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::v1::api_key_service_client::ApiKeyServiceClient;
use api::v1::consistency::Requirement;
use api::v1::workspace_service_client::WorkspaceServiceClient;
use api::v1::{Consistency, VerifyKeyRequest, VerifyKeyResponse};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

use crate::cluster::Workspace;
use crate::history::{Answer, Asked, Recorder, Secret};
use crate::replica::Replica;

/// How long an answer is waited for: longer than a replica is ever paused.
const PATIENCE: Duration = Duration::from_secs(13);

/// A connection to one replica, made anew when it has moved.
#[derive(Clone)]
pub(crate) struct Client {
    replica: Arc<Replica>,
    line: Option<(SocketAddr, Channel)>,
}

/// What a failed call means.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Whoever asks again may get an answer.
    Again,
    /// The service has decided so.
    Refused(String),
}

impl Client {
    pub(crate) const fn new(replica: Arc<Replica>) -> Self {
        Self { replica, line: None }
    }

    fn channel(&mut self) -> Option<Channel> {
        let at = self.replica.address()?;
        if self.line.as_ref().is_none_or(|(known, _)| *known != at) {
            let endpoint = Endpoint::from_shared(format!("http://{at}")).unwrap();
            let endpoint = endpoint.connect_timeout(Duration::from_secs(1));
            self.line = Some((at, endpoint.connect_lazy()));
        }
        self.line.as_ref().map(|(_, channel)| channel.clone())
    }

    /// Makes a call, bounded.
    pub(crate) async fn call<Q, A>(
        &mut self,
        token: &str,
        message: Q,
        call: impl AsyncFnOnce(Channel, Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, Failed> {
        let Some(channel) = self.channel() else {
            return Err(Failed::Again);
        };
        let mut request = Request::new(message);
        let bearer = format!("Bearer {token}").parse().expect("a token is ASCII");
        request.metadata_mut().insert("authorization", bearer);
        match tokio::time::timeout(PATIENCE, call(channel, request)).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(meaning(&status)),
            Err(_) => Err(Failed::Again),
        }
    }
}

/// The keys of a replica.
pub(crate) fn keys(channel: Channel) -> ApiKeyServiceClient<Channel> {
    ApiKeyServiceClient::new(channel).max_decoding_message_size(64 << 20)
}

/// The workspaces of a replica.
pub(crate) fn workspaces(channel: Channel) -> WorkspaceServiceClient<Channel> {
    WorkspaceServiceClient::new(channel)
}

fn meaning(status: &Status) -> Failed {
    let details = status.get_error_details();
    // What says no reason of ours was not said by the service, but by the line to it.
    let Some(info) = details.error_info() else {
        return Failed::Again;
    };
    let again = [Code::Unavailable, Code::DeadlineExceeded, Code::Aborted, Code::Cancelled];
    if again.contains(&status.code()) {
        return Failed::Again;
    }
    Failed::Refused(format!("{:?} {}: {}", status.code(), info.reason, status.message()))
}

/// The position of a consistency token. Opaque to clients; not to who checks them.
pub(crate) fn position(token: &str) -> u64 {
    let (_, position) = token.split_once('.').expect("log and position");
    position.parse().expect("a number")
}

/// A question to ask.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) secret: Secret,
    pub(crate) text: String,
    pub(crate) at_least: Option<String>,
}

/// Asks, and takes the answer down.
pub(crate) async fn ask(
    client: &mut Client,
    replica: usize,
    workspace: &Workspace,
    question: Question,
    recorder: &Recorder,
) {
    let Question { secret, text, at_least } = question;
    let wanted = at_least.as_deref().map(position);
    let requirement =
        at_least.map(|token| Consistency { requirement: Some(Requirement::AtLeast(token)) });
    let request =
        VerifyKeyRequest { key: text, consistency: requirement, ..VerifyKeyRequest::default() };
    let start = recorder.now();
    let answered = client
        .call(&workspace.token, request, async |channel, request| {
            keys(channel).verify_key(request).await
        })
        .await;
    let span = recorder.since(start);
    let answer = match answered {
        Ok(verdict) => read(&verdict),
        Err(Failed::Again) => Answer::Undecided,
        Err(Failed::Refused(why)) => Answer::Refused(why),
    };
    let asked = Asked { replica, secret, at_least: wanted, span, answer };
    recorder.note(|history| history.asked.push(asked));
}

fn read(verdict: &VerifyKeyResponse) -> Answer {
    let fresh = verdict.freshness.as_ref().expect("every verdict says how fresh it is");
    let staleness = fresh.staleness.expect("and how old it may be");
    Answer::Verdict {
        denial: verdict.denial(),
        name: verdict.key.as_ref().map(|key| key.name.clone()).unwrap_or_default(),
        position: fresh.position,
        staleness: Duration::try_from(staleness).expect("not negative"),
    }
}
