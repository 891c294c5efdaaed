//! A running service: the real `App`, in this program, on a port of its own.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api::v1::{CreateServiceCredentialRequest, CreateWorkspaceRequest, Permission};
use keyward::app::App;
use keyward::clock::Clock;
use keyward::config::Config;
use tokio::sync::OnceCell;
use tonic::transport::{Channel, Endpoint};

use crate::{Client, Credentials, Identities, Site, Tables, Tenant};

/// The longest that a start may take on a busy machine.
const START: Duration = Duration::from_secs(20);

/// A running server, or a second look at one that all tests share.
pub struct Server {
    /// The operator's calls.
    pub operator: Client,
    /// The wall clock of the server; `clock.turn(..)` turns it forward.
    pub clock: Clock,
    operator_token: String,
    address: SocketAddr,
    channel: Channel,
    app: Option<App>,
    site: Option<Site>,
}

/// What is needed to look at the shared server from another test's runtime.
struct Shared {
    address: SocketAddr,
    clock: Clock,
    operator_token: String,
    identities: Arc<Identities>,
    tables: Tables,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();

impl Server {
    /// A server on a deployment of its own, ready to answer. It ends with the test.
    pub async fn start() -> Self {
        let site = Site::new().await;
        let server = site.start().await;
        Self { site: Some(site), ..server }
    }

    /// A server with this configuration, ready to answer.
    pub async fn start_with(config: Config, operator_token: &str) -> Self {
        let server = Self::launch(config, operator_token).await;
        assert!(server.app().ready(START).await, "the server did not become ready");
        server
    }

    /// A server with this configuration that may not be ready to answer yet.
    pub async fn launch(config: Config, operator_token: &str) -> Self {
        let clock = Clock::default();
        let telemetry = telemetry::Telemetry::for_tests();
        let app = App::start(&config, clock.clone(), &telemetry).await.unwrap();
        let server = Self::at(app.address(), clock, operator_token.to_owned());
        Self { app: Some(app), ..server }
    }

    /// The server that all tests of this program may share, each in workspaces of its own. Nobody may
    /// turn its clock; of the tables, only what belongs to the test's own workspaces is its to count.
    pub async fn shared() -> Self {
        let shared = SHARED.get_or_init(Shared::start).await;
        Self::at(shared.address, shared.clock.clone(), shared.operator_token.clone())
    }

    fn at(address: SocketAddr, clock: Clock, operator_token: String) -> Self {
        let channel = channel(address);
        let operator = Client::new(&channel, &Credentials::bearer(&operator_token));
        Self { operator, clock, operator_token, address, channel, app: None, site: None }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its connection.
    #[must_use]
    pub const fn channel(&self) -> &Channel {
        &self.channel
    }

    /// What the operator presents.
    #[must_use]
    pub fn operator_token(&self) -> &str {
        &self.operator_token
    }

    /// The service itself. Not of the shared server.
    #[must_use]
    pub fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    /// The tables of its own deployment, or of the shared one.
    #[must_use]
    pub fn tables(&self) -> Tables {
        match &self.site {
            Some(site) => site.tables(),
            None => SHARED.get().unwrap().tables.clone(),
        }
    }

    /// The identity providers of its own deployment, or of the shared one.
    #[must_use]
    pub fn identities(&self) -> &Identities {
        match &self.site {
            Some(site) => site.identities(),
            None => &SHARED.get().unwrap().identities,
        }
    }

    /// A client that presents these credentials.
    #[must_use]
    pub fn client(&self, credentials: &Credentials) -> Client {
        Client::new(&self.channel, credentials)
    }

    /// A client that presents this token.
    #[must_use]
    pub fn bearer(&self, token: &str) -> Client {
        self.client(&Credentials::bearer(token))
    }

    /// A new workspace.
    pub async fn workspace(&self, name: &str) -> Tenant {
        let request = CreateWorkspaceRequest { name: name.to_owned(), request_id: String::new() };
        let made = self.operator.clone().workspaces.create_workspace(request).await.unwrap();
        let made = made.into_inner();
        Tenant::new(made.workspace.unwrap().workspace_id, made.workspace_token, &self.channel)
    }

    /// The secret of a new service credential; bound to no workspace if none is given.
    pub async fn service(&self, permissions: &[Permission], workspaces: &[&Tenant]) -> String {
        let request = CreateServiceCredentialRequest {
            name: "a service".to_owned(),
            permissions: permissions.iter().map(|&one| one.into()).collect(),
            workspace_ids: workspaces.iter().map(|one| one.id.clone()).collect(),
            ..CreateServiceCredentialRequest::default()
        };
        let made = self.operator.clone().workspaces.create_service_credential(request).await;
        made.unwrap().into_inner().secret
    }

    /// Another replica on the same database and key ring, with a clock of its own. Only of a server
    /// that was started by [`Server::start`].
    pub async fn replica(&self) -> Self {
        self.site.as_ref().unwrap().start().await
    }

    /// The same tenant, asked on this server.
    #[must_use]
    pub fn tenant(&self, tenant: &Tenant) -> Tenant {
        Tenant::new(tenant.id.clone(), tenant.token.clone(), &self.channel)
    }

    /// Drains and stops; answers with the deployment, if it was this server's own.
    pub async fn stop(self) -> Option<Site> {
        if let Some(app) = self.app {
            app.stop().await;
        }
        self.site
    }
}

/// A channel that connects when it is first used, and again when it must.
fn channel(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy()
}

impl Shared {
    /// Starts the server on a runtime that outlives every test.
    async fn start() -> Self {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        let runtime = RUNTIME.get_or_init(|| {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(2).enable_all().build().unwrap()
        });
        let started = runtime.spawn(async {
            let server = Server::start().await;
            let shared = Self {
                address: server.address,
                clock: server.clock.clone(),
                operator_token: server.operator_token.clone(),
                identities: Arc::clone(server.site.as_ref().unwrap().identities()),
                tables: server.tables(),
            };
            // It ends with the program.
            std::mem::forget(server);
            shared
        });
        started.await.unwrap()
    }
}
