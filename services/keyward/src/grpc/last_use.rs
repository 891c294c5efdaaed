//! The last uses of a key and of its credentials, put into what GetApiKey and ListApiKeys answer.

use api::v1 as wire;

use super::convert::moment;
use crate::usage::{CredentialUse, LastUse};

/// Puts the uses of a key's credentials into it.
pub(super) fn show(key: &mut wire::ApiKey, uses: &[CredentialUse]) {
    let latest = uses.iter().filter_map(|used| used.last.as_ref()).max_by_key(|last| last.at);
    key.last_use = latest.map(last_use);
    for used in uses {
        let kid = used.kid.to_string();
        if let Some(credential) = key.credentials.iter_mut().find(|one| one.kid == kid) {
            credential.last_use = used.last.as_ref().map(last_use);
        }
    }
}

/// One use.
pub(super) fn last_use(last: &LastUse) -> wire::LastUse {
    wire::LastUse {
        at: Some(moment(last.at.timestamp())),
        ip: last.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        user_agent: last.user_agent.as_ref().to_owned(),
    }
}
