//! Calls as `grpcurl` makes them: a method by its name, a message as JSON.

use api::v1::Denial;
use prost_reflect::prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::Value;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Calls `method`, such as `keyward.v1.ApiKeyService/VerifyKey`, and answers as JSON.
///
/// # Panics
/// There is no such method, or `body` is not its request.
pub(crate) async fn call(
    channel: &Channel,
    authorization: &str,
    method: &str,
    body: &str,
) -> Result<Value, Status> {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let (service, rpc) = method.split_once('/').unwrap();
    let service = pool.get_service_by_name(service).expect("the service exists");
    let rpc = service.methods().find(|known| known.name() == rpc).expect("the method exists");
    let mut json = serde_json::Deserializer::from_str(body);
    let message = DynamicMessage::deserialize(rpc.input(), &mut json)
        .unwrap_or_else(|error| panic!("{body} is no {}: {error}", rpc.input().full_name()));
    json.end().expect("nothing follows the message");

    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", authorization.parse().unwrap());
    let answer = send(channel, &rpc, request).await?;
    Ok(serde_json::to_value(answer).unwrap())
}

/// Sends a message to a method.
pub(crate) async fn send(
    channel: &Channel,
    method: &MethodDescriptor,
    request: Request<DynamicMessage>,
) -> Result<DynamicMessage, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let answer = client.unary(request, path.parse().unwrap(), Dynamic(method.output())).await?;
    Ok(answer.into_inner())
}

/// The denial of a verdict in JSON; `None` if it was accepted.
pub(crate) fn denial(verdict: &Value) -> Option<Denial> {
    match verdict["decision"].as_str().unwrap() {
        "DECISION_ACCEPTED" => None,
        "DECISION_DENIED" => Denial::from_str_name(verdict["denial"].as_str().unwrap()),
        other => panic!("{other} is no decision"),
    }
}

struct Dynamic(MessageDescriptor);

impl Codec for Dynamic {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Dynamic;
    type Decoder = Dynamic;

    fn encoder(&mut self) -> Self::Encoder {
        Dynamic(self.0.clone())
    }

    fn decoder(&mut self) -> Self::Decoder {
        Dynamic(self.0.clone())
    }
}

impl Encoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(into).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Dynamic {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), from);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
