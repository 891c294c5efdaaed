//! Paths and methods that there are, and those that there are not.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;

use super::{Caller, Product, operations};
use crate::rest::Rest;

const METHODS: [Method; 7] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_405_with_those_that_it_takes() {
    let (rest, caller) = (Rest::shared().await, Caller::nobody());
    let mut paths: BTreeMap<String, (Product, BTreeSet<String>)> = BTreeMap::new();
    for operation in operations(&caller.workspace_id) {
        let (_, methods) =
            paths.entry(operation.path).or_insert((operation.product, BTreeSet::new()));
        methods.insert(operation.method.to_string());
    }
    paths.insert("/v2/workspace/create".to_owned(), (Product::Velt, ["POST".to_owned()].into()));
    for (path, (product, methods)) in paths {
        for method in METHODS.into_iter().filter(|method| !methods.contains(method.as_str())) {
            let answer = rest.request(method.clone(), &path).send().await;
            let told = product.told(&answer);
            let expected = (405, product.named("UNIMPLEMENTED"));
            assert_eq!((told.http, told.status), expected, "{method} {path}");
            let allow = answer.header("allow").split(", ").map(str::to_owned).collect();
            assert_eq!(methods, allow, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_path_that_is_not_there_is_404_in_the_envelope_of_those_around_it() {
    let rest = Rest::shared().await;
    for (product, path) in [
        (Product::Velt, "/v2/"),
        (Product::Velt, "/v2/workspace"),
        (Product::Velt, "/v2/workspace/apikey/create/"),
        (Product::Velt, "/v2/workspace/apikey//create"),
        (Product::Velt, "/v2/workspace/apikey/delete"),
        (Product::Velt, "/v2/%2e%2e/v1/log/head"),
        (Product::Organization, "/v1/api-keys/"),
        (Product::Organization, "/v1/api-keys/a/b"),
        (Product::Organization, "/v1/api-keys/a/rotate/"),
        (Product::Organization, "/v1/api-keys/%ff/rotate"),
        (Product::SlaunchX, "/web/v1/"),
        (Product::SlaunchX, "/web/v1/workspaces/a"),
        (Product::SlaunchX, "/web/v1/workspaces//api-keys"),
        (Product::SlaunchX, "/web/v1/workspaces/a/api-keys/b/burn"),
        (Product::SlaunchX, "/web/v1/workspaces/%ff/api-keys"),
    ] {
        let told = product.told(&rest.post(path, "{}").send().await);
        assert_eq!((told.http, told.status), (404, product.named("NOT_FOUND")), "{path}");
    }
}
