//! One of the two that are asked, with a workspace and a key of its own, so that writes of one are not
//! seen by the other.

use std::net::SocketAddr;
use std::time::Duration;

use harness::{Server, Tenant};
use http_body_util::BodyExt;
use serde_json::Value;

use super::row::{Caller, Row};
use crate::rest::{Asking, Rest};

/// What was answered.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

pub(super) struct Side {
    rest: Rest,
    tenant: Tenant,
    operator: String,
    key: String,
    secret: String,
    last: String,
}

impl Side {
    pub(super) async fn new(server: &Server, address: SocketAddr) -> Self {
        let tenant = server.workspace("oracle").await;
        let mut asked = tenant.key("the key");
        asked.scopes = vec!["read".to_owned(), "payment:read".to_owned()];
        let made = tenant.create(asked).await;
        Self {
            rest: Rest { address, gateway: None },
            operator: server.operator_token().to_owned(),
            key: made.api_key.unwrap().key_id,
            secret: made.secret,
            tenant,
            last: String::new(),
        }
    }

    pub(super) async fn ask(&mut self, row: &Row) -> Answered {
        let answer = self.request(row).begin().await;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        let mut read = Vec::new();
        let reading = async {
            while let Some(frame) = body.frame().await {
                read.extend(frame.unwrap().into_data().unwrap_or_default());
                if row.streams && read.contains(&b'\n') {
                    break;
                }
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), reading).await;
        assert!(in_time.is_ok(), "{}: no end of {:?}", row.name(), String::from_utf8_lossy(&read));
        if let Some(pointer) = row.kept {
            let json: Value = serde_json::from_slice(&read).unwrap_or_default();
            let kept = json.pointer(pointer).and_then(Value::as_str);
            kept.unwrap_or_else(|| panic!("{}: {json}", row.name())).clone_into(&mut self.last);
        }
        Answered { status, body: read }
    }

    fn request(&self, row: &Row) -> Asking {
        let path = match row.path.split_at(1) {
            ("W", rest) => format!("/v1/workspaces/$ws{rest}"),
            ("K", rest) => format!("/v1/workspaces/$ws/keys/$key{rest}"),
            _ => row.path.clone(),
        };
        let method = row.method.parse().unwrap();
        let asking = self.rest.request(method, &self.filled(&path));
        let asking = asking.body(self.filled_bytes(&row.body)).header("x-request-id", "oracle");
        let asking = match row.caller {
            Caller::Tenant => asking.bearer(&self.tenant.token),
            Caller::Operator => asking.bearer(&self.operator),
            Caller::Nobody => asking,
        };
        let headers = row.headers.iter();
        headers.fold(asking, |asking, (name, value)| asking.header(name, &self.filled(value)))
    }

    fn filled(&self, text: &str) -> String {
        let text = text.replace("$ws", &self.tenant.id).replace("$key", &self.key);
        text.replace("$secret", &self.secret).replace("$last", &self.last)
    }

    fn filled_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.filled(text).into_bytes(),
            Err(_) => bytes.to_vec(),
        }
    }
}
