//! The routes, read from the descriptors once: everything that answering a call needs to know is looked
//! up here and nowhere later.

use std::time::Duration;

use api::v1::ErrorReason;
use http::Method;
use http::uri::PathAndQuery;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};

use super::tree::{Found, Template, TemplateError, Tree, Values};
use crate::json::{Field, FieldId, Kind, MessageId, Schema, SchemaError, Shape};
use crate::refusal::Refusal;

/// Services of this package are served.
const PACKAGE: &str = "keyward.v1";
/// The most bytes of a body.
const BODY: usize = 64 * 1024;
/// The most bytes of a body whose RPC takes a list of addresses or of keys.
const LARGE_BODY: usize = 1024 * 1024;

/// RPCs whose messages may be large; the same as the service's.
const LARGE: &[&str] = &["CreateApiKey", "UpdateApiKey", "ImportApiKeys", "BatchVerifyKeys"];
/// RPCs that may take longer than others, and how long.
const SLOW: &[(&str, Duration)] = &[("VerifyLog", Duration::from_secs(15))];

/// Rules that can't be served.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// The messages.
    #[error("{0}")]
    Schema(#[from] SchemaError),
    /// A path.
    #[error("{0}")]
    Template(#[from] TemplateError),
    /// Something else of a rule.
    #[error("the rule of {rpc} can't be served: {why}")]
    Rule {
        /// Whose.
        rpc: String,
        /// Why not.
        why: String,
    },
}

/// One rule of one RPC.
#[derive(Debug)]
pub(crate) struct Route {
    /// `VerifyKey`.
    pub(crate) rpc: String,
    /// Where gRPC has it.
    pub(crate) path: PathAndQuery,
    /// The method of HTTP.
    pub(crate) method: Method,
    /// `/v1/keys:verify`, as metrics and logs name it.
    pub(crate) template: String,
    pub(crate) input: MessageId,
    pub(crate) output: MessageId,
    pub(crate) streams: bool,
    /// Where the values of the path go, in its order.
    pub(crate) variables: Vec<FieldId>,
    pub(crate) body: Body,
    /// The field that `Idempotency-Key` fills.
    pub(crate) request_id: Option<FieldId>,
    /// The field that `If-Match` fills.
    pub(crate) etag: Option<FieldId>,
    /// Where the answer has the etag that goes into a header.
    pub(crate) shown_etag: Option<[FieldId; 2]>,
    /// The most bytes of a body.
    pub(crate) most: usize,
    /// How long it may take, if not as long as all others.
    pub(crate) patience: Option<Duration>,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// There must be none.
    None,
    /// The whole message, but for what the path has.
    All,
    /// This field of it.
    Field(FieldId),
}

/// All routes.
#[derive(Debug)]
pub(crate) struct Routes {
    pub(crate) schema: Schema,
    routes: Vec<Route>,
    tree: Tree,
}

impl Routes {
    /// The routes of these descriptors.
    ///
    /// # Errors
    /// A rule is ambiguous, or of a form that is not known.
    pub(crate) fn new(pool: &DescriptorPool) -> Result<Self, RoutesError> {
        let schema = Schema::new(pool)?;
        let (mut routes, mut tree) = (Vec::new(), Tree::default());
        let services = pool.services().filter(|service| service.package_name() == PACKAGE);
        for rpc in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
            for rule in rules(pool, &rpc)? {
                let route = read(&schema, &rpc, &rule)?;
                let template = Template::read(&route.template)?;
                tree.add(route.method.clone(), &template, &route.template, routes.len())?;
                drop(template);
                routes.push(route);
            }
        }
        Ok(Self { schema, routes, tree })
    }

    /// All of them, in the order of the descriptors.
    pub(crate) fn all(&self) -> &[Route] {
        &self.routes
    }

    /// The place of the route of a request, and what its path has for the variables.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn find<'p>(
        &self,
        method: &Method,
        path: &'p str,
    ) -> Result<(usize, Values<'p>), Refusal> {
        match self.tree.find(method, path) {
            Found::Route(place, values) => Ok((place, values)),
            Found::OtherMethods(ends, asked) => {
                let methods = ends.iter().filter(|(verb, _, _)| verb == asked);
                Err(Refusal::method_not_allowed(methods.map(|(_, method, _)| method)))
            }
            Found::Nothing => Err(Refusal::no_route()),
        }
    }
}

/// The rules of an RPC: none, or one and its additional bindings.
fn rules(
    pool: &DescriptorPool,
    rpc: &MethodDescriptor,
) -> Result<Vec<DynamicMessage>, RoutesError> {
    let options = rpc.options();
    let http = pool
        .get_extension_by_name("google.api.http")
        .ok_or_else(|| SchemaError::Missing("google.api.http".to_owned()))?;
    if !options.has_extension(&http) {
        return Ok(Vec::new());
    }
    let Value::Message(rule) = options.get_extension(&http).into_owned() else {
        return Err(wrong(rpc, "it is no HttpRule"));
    };
    let mut rules = vec![rule];
    let more = rules[0].get_field_by_name("additional_bindings");
    if let Some(Value::List(more)) = more.map(std::borrow::Cow::into_owned) {
        for rule in more {
            let Value::Message(rule) = rule else {
                return Err(wrong(rpc, "a binding is no HttpRule"));
            };
            if rule.has_field_by_name("additional_bindings") {
                return Err(wrong(rpc, "a binding has bindings of its own"));
            }
            rules.push(rule);
        }
    }
    Ok(rules)
}

fn wrong(rpc: &MethodDescriptor, why: &str) -> RoutesError {
    RoutesError::Rule { rpc: rpc.full_name().to_owned(), why: why.to_owned() }
}

/// Verb and path of a rule.
fn pattern(rpc: &MethodDescriptor, rule: &DynamicMessage) -> Result<(Method, String), RoutesError> {
    let verbs = [
        ("get", Method::GET),
        ("put", Method::PUT),
        ("post", Method::POST),
        ("delete", Method::DELETE),
        ("patch", Method::PATCH),
    ];
    let set = verbs.into_iter().find(|(verb, _)| rule.has_field_by_name(verb));
    let (verb, method) = set.ok_or_else(|| wrong(rpc, "it has no path, or a custom verb"))?;
    Ok((method, text(rule, verb)))
}

fn text(rule: &DynamicMessage, name: &str) -> String {
    let value = rule.get_field_by_name(name);
    value.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn read(
    schema: &Schema,
    rpc: &MethodDescriptor,
    rule: &DynamicMessage,
) -> Result<Route, RoutesError> {
    let (method, template) = pattern(rpc, rule)?;
    if !text(rule, "response_body").is_empty() {
        return Err(wrong(rpc, "response_body is not supported"));
    }
    if rpc.is_client_streaming() {
        return Err(wrong(rpc, "a stream of requests is not supported"));
    }
    let (input, output) =
        (schema.id(rpc.input().full_name())?, schema.id(rpc.output().full_name())?);
    let message = schema.message(input);
    let variables = Template::read(&template)?
        .variables()
        .map(|name| {
            let place = message.named(name).filter(|&place| is_text(&message.fields[place]));
            place.ok_or_else(|| wrong(rpc, "a variable of the path is no text of the request"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let body = match text(rule, "body").as_str() {
        "" => Body::None,
        "*" => Body::All,
        name => {
            let place = message.named(name).filter(|place| {
                let field = &message.fields[*place];
                matches!(field.kind, Kind::Message(_)) && field.shape == Shape::Single
            });
            Body::Field(place.ok_or_else(|| wrong(rpc, "its body is no message of the request"))?)
        }
    };
    let service = rpc.parent_service().full_name().to_owned();
    let path = PathAndQuery::try_from(format!("/{service}/{}", rpc.name()));
    let own = |name| message.named(name).filter(|&place| is_text(&message.fields[place]));
    Ok(Route {
        rpc: rpc.name().to_owned(),
        path: path.map_err(|_| wrong(rpc, "its name is no path"))?,
        shown_etag: shown_etag(schema, output).filter(|_| method == Method::GET),
        method,
        template,
        input,
        output,
        streams: rpc.is_server_streaming(),
        variables,
        body,
        request_id: own("request_id"),
        etag: own("etag"),
        most: if LARGE.contains(&rpc.name()) { LARGE_BODY } else { BODY },
        patience: SLOW.iter().find(|(name, _)| *name == rpc.name()).map(|(_, longest)| *longest),
    })
}

fn is_text(field: &Field) -> bool {
    field.kind == Kind::String && field.shape == Shape::Single
}

/// Where an answer has the etag of the one thing that it is about.
fn shown_etag(schema: &Schema, output: MessageId) -> Option<[FieldId; 2]> {
    let fields = schema.message(output).fields.iter().enumerate();
    let mut etags = fields.filter_map(|(place, field)| match (field.shape, field.kind) {
        (Shape::Single, Kind::Message(id)) => {
            let inside = schema.message(id).named("etag")?;
            Some([place, inside])
        }
        (Shape::Single | Shape::Repeated | Shape::Map, _) => None,
    });
    etags.next().filter(|_| etags.next().is_none())
}

impl Refusal {
    /// No route has this path.
    pub(crate) fn no_route() -> Self {
        Self::of_http(
            http::StatusCode::NOT_FOUND,
            ErrorReason::MethodUnknown,
            "there is nothing at this path",
        )
    }
}
