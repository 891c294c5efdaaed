//! What a person can paste to try REST: a line for each surface, that works as it is printed.

use std::fmt::Write;
use std::net::SocketAddr;

use super::demo::Demo;
use crate::config::Config;

/// Adds the lines, for whoever has `$TOKEN` from above.
pub(super) fn add(text: &mut String, config: &Config, rest: SocketAddr, demo: &Demo) {
    let workspace = demo.workspace;
    let operator = config.operator_token_file.display();
    let token = r#"-H "authorization: Bearer $TOKEN""#;
    // Writing into a String can't fail.
    let _ = write!(
        text,
        r#"Over REST, with the same TOKEN (curl 7.82 or later):

  REST='http://{rest}'
  secret() {{ sed 's/.*"secret":"\([^"]*\)".*/\1/'; }}

  # A new key, a verdict on it, and the same as a proxy asks
  KEY=$(curl -sS "$REST/v1/workspaces/{workspace}/keys" {token} \
    --json '{{"name":"second key"}}' | secret); echo "$KEY"
  curl -sS "$REST/v1/keys:verify" {token} --json '{{"key":"'"$KEY"'"}}'; echo
  curl -sSi "$REST/verify" -H "x-api-key: $KEY"

  # Velt's way
  curl -sS "$REST/v2/workspace/apikey/create" -H "x-velt-auth-token: $TOKEN" \
    -H 'x-velt-workspace-id: {workspace}' \
    --json '{{"data":{{"ownerEmail":"you@example.com","type":"testing"}}}}'; echo

  # The organization's way: by a service credential (or a user's JWT)
  SERVICE=$(curl -sS "$REST/v1/serviceCredentials" \
    -H "authorization: Bearer $(cat '{operator}')" \
    --json '{{"name":"try","permissions":["PERMISSION_ORG_READ_WRITE"],"workspaceIds":["{workspace}"]}}' | secret)
  curl -sS "$REST/v1/api-keys" -H "authorization: Bearer $SERVICE" --json '{{"name":"third key"}}'; echo

  # SlaunchX's way: a person comes with a JWT, whose issuer --jwt-issuers names; the workspace's token will do, too
  curl -sS "$REST/web/v1/workspaces/{workspace}/api-keys" {token} \
    -H 'x-workspace-id: {workspace}' -H 'x-client-hash: try' --json '{{"name":"fourth key"}}'; echo

  # All of it, to try in a browser: http://{rest}/docs
"#
    );
}
