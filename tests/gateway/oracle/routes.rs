//! Which RPC a row asks, by the templates of the descriptors.

use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

use super::row::Row;

/// The rules of all RPCs: name, method, template.
pub(super) struct Routes(Vec<(String, String, String)>);

impl Routes {
    pub(super) fn new() -> Self {
        let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
        let rpcs = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        Self(rpcs.filter_map(|rpc| rule(&pool, &rpc)).collect())
    }

    /// The RPC that a row asks.
    pub(super) fn rpc(&self, row: &Row) -> Option<&str> {
        let path = match row.path.split_at(1) {
            ("W", rest) => format!("/v1/workspaces/$ws{rest}"),
            ("K", rest) => format!("/v1/workspaces/$ws/keys/$key{rest}"),
            _ => row.path.clone(),
        };
        let path = path.split('?').next().unwrap_or_default();
        let mut all = self.0.iter();
        let found = all.find(|(_, method, template)| *method == row.method && fits(template, path));
        found.map(|(rpc, _, _)| rpc.as_str())
    }

    /// The names of all RPCs with a route.
    pub(super) fn rpcs(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(rpc, _, _)| rpc.as_str())
    }
}

fn rule(pool: &DescriptorPool, rpc: &MethodDescriptor) -> Option<(String, String, String)> {
    let http = pool.get_extension_by_name("google.api.http")?;
    let options = rpc.options();
    let Value::Message(rule) = options.get_extension(&http).into_owned() else { return None };
    let text = |verb: &str, rule: &DynamicMessage| {
        let set = rule.has_field_by_name(verb).then(|| rule.get_field_by_name(verb))??;
        Some(set.as_str()?.to_owned())
    };
    let verbs = ["get", "put", "post", "delete", "patch"];
    let mut set = verbs.into_iter().filter_map(|verb| Some((verb, text(verb, &rule)?)));
    let (verb, template) = set.next()?;
    Some((rpc.name().to_owned(), verb.to_uppercase(), template))
}

fn fits(template: &str, path: &str) -> bool {
    let parts = |text: &str| {
        let (path, verb) = text.rsplit_once(':').unwrap_or((text, ""));
        let segments: Vec<_> = path.split('/').map(str::to_owned).collect();
        (segments, verb.to_owned())
    };
    let ((template, verb), (path, asked)) = (parts(template), parts(path));
    let mut pairs = template.iter().zip(&path);
    let same = pairs.all(|(template, segment)| template.starts_with('{') || template == segment);
    verb == asked && template.len() == path.len() && same
}
