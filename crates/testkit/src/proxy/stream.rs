//! The proxy's far side: where it forwards to, by TCP or a Unix socket.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::database::TestDatabase;
use crate::durable::DurableServer;
use crate::postgres::Postgres;

/// Where a proxy forwards to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// A Unix socket.
    Socket(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
}

impl From<&TestDatabase> for Upstream {
    fn from(_: &TestDatabase) -> Self {
        Self::Socket(Postgres::socket())
    }
}

impl From<&DurableServer> for Upstream {
    fn from(server: &DurableServer) -> Self {
        Self::Socket(server.server().socket())
    }
}

impl From<SocketAddr> for Upstream {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// Both directions of a connection, whatever it runs on.
pub(super) struct Ends {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Box<dyn AsyncWrite + Send + Unpin>,
}

impl Upstream {
    pub(super) async fn connect(&self) -> io::Result<Ends> {
        match self {
            Self::Socket(path) => {
                let (reader, writer) = UnixStream::connect(path).await?.into_split();
                Ok(Ends { reader: Box::new(reader), writer: Box::new(writer) })
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                Ok(Ends { reader: Box::new(reader), writer: Box::new(writer) })
            }
        }
    }
}
