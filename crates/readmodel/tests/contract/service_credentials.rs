//! Service credentials, one and many.

use domain::WorkspaceId;
use domain::service_credential::Bounds;
use readmodel::service_credentials::{ServiceCredentialFilter, get, list};
use readmodel::{Order, PageRequest};

use crate::setup::{World, world};
use crate::story::{
    at, bounds_of_one, proof, service_credential_created, service_credential_id,
    service_credential_revoked, workspace_id,
};

#[tokio::test]
async fn a_service_credential_comes_back_the_same_until_it_is_revoked() {
    let world = world().await;
    world
        .given([
            service_credential_created(1, bounds_of_one(), 0),
            service_credential_created(2, Bounds::default(), 0),
        ])
        .await;
    let first = get(&*world.reader, service_credential_id(1)).await.unwrap().unwrap();
    assert_eq!(first.service_credential.bounds, bounds_of_one());
    assert_eq!(first.service_credential.name.as_str(), "gateway, eu");
    assert_eq!((first.service_credential.revoked_at, first.revision), (None, 1));
    let second = get(&*world.reader, service_credential_id(2)).await.unwrap().unwrap();
    assert_eq!(second.service_credential.bounds, Bounds::default());
    assert_eq!(second.service_credential.permissions, first.service_credential.permissions);

    world.given([service_credential_revoked(1, 9)]).await;
    let first = get(&*world.reader, service_credential_id(1)).await.unwrap().unwrap();
    assert_eq!((first.service_credential.revoked_at, first.revision), (Some(at(9)), 2));
    assert_eq!(get(&*world.reader, service_credential_id(3)).await.unwrap(), None);
}

#[tokio::test]
async fn a_service_credential_has_its_secret_or_its_identity() {
    let world = world().await;
    for number in [3, 4] {
        world.given([service_credential_created(number, Bounds::default(), 0)]).await;
        let row = get(&*world.reader, service_credential_id(number)).await.unwrap().unwrap();
        assert_eq!(row.service_credential.proof, proof(number));
    }
    assert!(proof(3).secret().is_some() && proof(4).identity().is_some());
    world.given([service_credential_revoked(4, 9)]).await;
    let row = get(&*world.reader, service_credential_id(4)).await.unwrap().unwrap();
    assert_eq!((row.service_credential.proof, row.revision), (proof(4), 2));
}

async fn listed(world: &World, workspace: Option<WorkspaceId>, include_dead: bool) -> Vec<u32> {
    let filter = ServiceCredentialFilter { workspace, include_dead };
    let mut request = PageRequest::first(2, Order::NewestFirst);
    let mut numbers = Vec::new();
    loop {
        let page = list(&*world.reader, &filter, &request).await.unwrap();
        numbers.extend(page.rows.iter().map(|row| {
            let id = row.service_credential.service_credential_id.uuid();
            (1..9).find(|number| service_credential_id(*number).uuid() == id).unwrap()
        }));
        if page.next.is_none() {
            return numbers;
        }
        request.after = page.next;
    }
}

#[tokio::test]
async fn a_list_shows_those_that_may_act_in_a_workspace() {
    let world = world().await;
    world
        .given([
            service_credential_created(1, Bounds::default(), 1),
            service_credential_created(2, bounds_of_one(), 2),
            service_credential_created(3, Bounds::default(), 3),
            service_credential_revoked(3, 4),
            service_credential_created(4, bounds_of_one(), 2),
        ])
        .await;
    assert_eq!(listed(&world, None, false).await, [4, 2, 1]);
    assert_eq!(listed(&world, None, true).await, [3, 4, 2, 1]);
    assert_eq!(listed(&world, Some(workspace_id(1)), false).await, [4, 2, 1]);
    assert_eq!(listed(&world, Some(workspace_id(2)), false).await, [1]);
    assert_eq!(listed(&world, Some(workspace_id(2)), true).await, [3, 1]);
}
