//! A proxy as a program of its own, what is behind it, and a client at an address of its choice.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::tools::{brought, there};

/// The release of Envoy whose binary `.ci/run` brings.
const ENVOY: &str = "envoy-1.40.0";

/// Whether a program is there.
///
/// # Panics
/// It is not, and this is CI, which has not said that it can't be had.
#[must_use]
pub fn installed(program: &str) -> bool {
    let how = if program == "envoy" { "bash .ci/run brings it" } else { "apt-get install" };
    there(program, found(program), how).is_some()
}

#[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
pub(crate) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where a program is.
#[must_use]
pub fn found(program: &str) -> Option<PathBuf> {
    let brought = brought(ENVOY).map(|folder| folder.join("bin"));
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let folders = folders.into_iter().map(PathBuf::from).chain(brought);
    folders.map(|folder| folder.join(program)).find(|path| path.exists())
}

/// A proxy with the shipped configuration. It ends with the test.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Proxy {
    /// Starts `program` with its folder of `deploy/` and the file in it: it listens on a free port for
    /// `127.0.0.1:8000` (Envoy has the port by itself), and each first string is replaced by the second.
    ///
    /// # Panics
    /// It doesn't start.
    pub async fn start(program: &str, file: &str, replace: &[(&str, &str)]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let folder = TempDir::new().unwrap();
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(program);
        for shipped in std::fs::read_dir(shipped).unwrap().map(Result::unwrap) {
            let mut text = std::fs::read(shipped.path()).unwrap();
            // Descriptors are not text, and have nothing to replace.
            if let Ok(mut written) = String::from_utf8(text.clone()) {
                written = written.replace("127.0.0.1:8000", &address.to_string());
                // Envoy names address and port apart.
                let port = format!("port_value: {}", address.port());
                written = written.replace("port_value: 8000", &port);
                for (from, to) in replace {
                    written = written.replace(from, to);
                }
                text = written.into_bytes();
            }
            std::fs::write(folder.path().join(shipped.file_name()), text).unwrap();
        }
        let mut command = command(program, folder.path(), file);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut proxy = Self { address, child: command.spawn().unwrap(), _folder: folder };
        eventually("the proxy listens", Duration::from_secs(20), async || {
            if let Some(ended) = proxy.child.try_wait().unwrap() {
                let log = std::fs::read_to_string(proxy._folder.path().join("log"));
                panic!("{program}: {ended}: {log:?}");
            }
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        proxy
    }

    /// What it has written so far.
    ///
    /// # Panics
    /// That is no text.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self._folder.path().join("log")).unwrap()
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// The system can't say.
    #[must_use]
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its workers end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &str, folder: &Path, file: &str) -> Command {
    let mut command = Command::new(found(program).unwrap());
    match program {
        "nginx" => {
            let whole = format!(
                "pid nginx.pid;\nerror_log stderr;\nmaster_process off;\ndaemon off;\n\
                 events {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path body;\n\
                 proxy_temp_path proxy;\nfastcgi_temp_path f;\nuwsgi_temp_path u;\n\
                 scgi_temp_path s;\ninclude {file};\n}}\n"
            );
            std::fs::write(folder.join("nginx.conf"), whole).unwrap();
            command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
        }
        "caddy" => {
            let file = folder.join(file);
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, format!("{{\n\tadmin off\n}}\n{text}")).unwrap();
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(file);
            command.env("HOME", folder).env("XDG_DATA_HOME", folder).env("XDG_CONFIG_HOME", folder);
        }
        "haproxy" => {
            command.args(["-db", "-f"]).arg(folder.join(file));
        }
        _ => {
            // One thread, no shared memory with another one, and only what went wrong is logged.
            command.args(["--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning"]);
            command.args(["--file-flush-interval-msec", "50"]);
            command.arg("--config-path").arg(folder.join(file));
        }
    }
    command
}

/// Answers every request with the request itself.
#[derive(Debug)]
pub struct Upstream {
    /// Where it listens.
    pub address: SocketAddr,
}

impl Upstream {
    /// Starts it.
    ///
    /// # Panics
    /// It can't listen.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let asked = until(&mut stream, b"\r\n\r\n").await;
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        asked.len()
                    );
                    // A client that has gone needs no answer.
                    let _ = stream.write_all(&[head.as_bytes(), &asked].concat()).await;
                });
            }
        });
        Self { address }
    }
}

async fn until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
    read
}

/// What a proxy answered.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The status line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

/// Asks from this address, with these headers.
///
/// # Panics
/// The proxy can't be reached.
pub async fn ask(proxy: SocketAddr, client: [u8; 4], headers: &str) -> Answered {
    ask_at(proxy, client, "/orders?scope=none", headers).await
}

/// Asks for this path from this address, with these headers.
///
/// # Panics
/// The proxy can't be reached.
pub async fn ask_at(proxy: SocketAddr, client: [u8; 4], path: &str, headers: &str) -> Answered {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(client), 0).into()).unwrap();
    let mut stream = socket.connect(proxy).await.unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {proxy}\r\n{headers}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).await.unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answered { status, head: head.to_owned(), body: body.to_owned() }
}
