//! ListServiceCredentials: page by page, from the read model. For the operator.

use std::sync::Arc;

use api::v1::{ListServiceCredentialsRequest, ListServiceCredentialsResponse};
use prost::Message;
use readmodel::service_credentials::{self, ServiceCredentialFilter};
use readmodel::{Order, PageRequest};

use eventlog::Projection;
use readmodel::workspaces::Workspaces;

use super::call::Call;
use super::status::Refusal;
use super::{convert, fields, page_token, reading, standing};
use crate::node::Node;

/// Answers the call.
pub(super) async fn run(
    node: Arc<Node>,
    _: Call,
    request: ListServiceCredentialsRequest,
) -> Result<ListServiceCredentialsResponse, Refusal> {
    let workspace = match request.workspace_id.as_str() {
        "" => None,
        text => Some(fields::id("workspace_id", text)?),
    };
    let filter = ServiceCredentialFilter { workspace, include_dead: request.show_dead };
    let bound = ListServiceCredentialsRequest {
        page_size: 0,
        page_token: String::new(),
        at_least: String::new(),
        ..request.clone()
    }
    .encode_to_vec();
    let mut page = PageRequest::first(page_token::size(request.page_size)?, Order::NewestFirst);
    page.after = page_token::read(&node, &bound, &request.page_token)?;
    let needed = [Workspaces.name()];
    let client = reading::connection(&node, &needed, &request.at_least).await?;
    if let Some(workspace) = workspace {
        standing::existing(&node, workspace)?;
    }
    standing::service_credentials_decidable(&node)?;
    let listed = service_credentials::list(&**client, &filter, &page).await?;
    let each = |row: &service_credentials::ServiceCredentialRow| {
        convert::service_credential(&node.brand, &row.service_credential, row.revision)
    };
    Ok(ListServiceCredentialsResponse {
        service_credentials: listed.rows.iter().map(each).collect(),
        next_page_token: page_token::write(&node, &bound, listed.next)?,
    })
}
