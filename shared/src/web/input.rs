//! What comes in with a request: a JSON body, a form, a query, a part of the path.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE, request::Parts};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    Transmitter,
    clock::Clock,
    json::{self, Invalid},
    web::Problem,
};

/// Bodies are read up to this many bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// Bodies of SCIM are read up to this many bytes: one may name ten thousand members of a group.
pub const MAX_SCIM_BODY: usize = 1024 * 1024;

/// A body must have come within this time.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A JSON body that is an object, read strictly; or an answer. A body without a word about what it is
/// is taken for JSON, as the examples of the standards send it (RFC 8936, 2.4).
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Transmitter> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, transmitter: &Transmitter) -> Result<Self, Problem> {
        let body = json_body(request, "application/json", MAX_BODY, transmitter).await?;
        Ok(Self(json::from_value(object(&body)?)?))
    }
}

/// A JSON body that is an object, or none, which says as much as an empty object.
#[derive(Clone, Debug)]
pub struct JsonOrNothing(pub Value);

impl FromRequest<Transmitter> for JsonOrNothing {
    type Rejection = Problem;

    async fn from_request(request: Request, transmitter: &Transmitter) -> Result<Self, Problem> {
        let body = json_body(request, "application/json", MAX_BODY, transmitter).await?;
        let nothing = body.is_empty();
        Ok(Self(if nothing { Value::Object(Map::new()) } else { object(&body)? }))
    }
}

/// A JSON object as SCIM's clients send it: `application/scim+json` (RFC 7644, 3.1), any other JSON, or
/// without a word about what it is.
#[derive(Clone, Debug)]
pub struct ScimBody(pub Value);

impl FromRequest<Transmitter> for ScimBody {
    type Rejection = Problem;

    async fn from_request(request: Request, transmitter: &Transmitter) -> Result<Self, Problem> {
        let body = json_body(request, "application/scim+json", MAX_SCIM_BODY, transmitter).await?;
        Ok(Self(object(&body)?))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// A body of any type, read as far as a body may go; empty when there is none.
#[derive(Clone, Debug)]
pub struct Raw(pub Bytes);

impl FromRequest<Transmitter> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, transmitter: &Transmitter) -> Result<Self, Problem> {
        read(request.into_body(), &*transmitter.parts().clock).await.map(Self)
    }
}

/// The members of an `application/x-www-form-urlencoded` body, in the order sent, and the headers
/// that came with it.
#[derive(Debug)]
pub struct Form {
    /// The members as they came, those given twice too.
    pub members: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
}

impl FromRequest<Transmitter> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, transmitter: &Transmitter) -> Result<Self, Problem> {
        const FORM: &str = "application/x-www-form-urlencoded";
        if media_type(request.headers()) != FORM {
            return Err(Problem::unsupported_media_type(FORM));
        }
        let (parts, body) = request.into_parts();
        let body = read(body, &*transmitter.parts().clock).await?;
        let members = url::form_urlencoded::parse(&body).into_owned().collect();
        Ok(Self { members, headers: parts.headers })
    }
}

/// The query of the URL. A member that is there twice is refused.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let members = pairs(url::form_urlencoded::parse(query.as_bytes()).into_owned())?;
        let members = members.into_iter().map(|(name, value)| (name, Value::String(value)));
        Ok(Self(json::from_value(Value::Object(members.collect()))?))
    }
}

/// A part of the path. What cannot be one is nowhere: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => Err(Problem::no_such_path()),
        }
    }
}

/// `members` by name. A name that is there twice is refused.
pub fn pairs(
    members: impl Iterator<Item = (String, String)>,
) -> Result<BTreeMap<String, String>, Invalid> {
    let mut map = BTreeMap::new();
    for (name, value) in members {
        match map.entry(name) {
            Entry::Vacant(place) => drop(place.insert(value)),
            Entry::Occupied(place) => return Err(Invalid::new(place.key(), "is there twice")),
        }
    }
    Ok(map)
}

async fn read(body: Body, clock: &dyn Clock) -> Result<Bytes, Problem> {
    read_up_to(MAX_BODY, body, clock).await
}

async fn read_up_to(most: usize, body: Body, clock: &dyn Clock) -> Result<Bytes, Problem> {
    tokio::select! {
        read = Limited::new(body, most).collect() => match read {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large(most)),
            Err(_) => Err(Invalid::new(".", "breaks off").into()),
        },
        () = clock.sleep(BODY_TIME) => Err(Problem::request_timeout()),
    }
}

/// The body of a request that is JSON, or does not say what it is.
async fn json_body(
    request: Request,
    wanted: &'static str,
    most: usize,
    us: &Transmitter,
) -> Result<Bytes, Problem> {
    let media_type = media_type(request.headers());
    if !media_type.is_empty() && !is_json(&media_type) {
        return Err(Problem::unsupported_media_type(wanted));
    }
    read_up_to(most, request.into_body(), &*us.parts().clock).await
}

/// The object that `body` holds; serde would also take the members in an array.
fn object(body: &[u8]) -> Result<Value, Invalid> {
    let value = json::parse(body)?;
    if value.is_object() { Ok(value) } else { Err(Invalid::new(".", "must be an object")) }
}

/// The media type, without parameters, in lower case; empty when there is none.
fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}
