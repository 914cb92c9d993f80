//! What clients learn before they are anybody (RFC 7644, 4).

use axum::extract::{Path, State};
use http::Uri;
use serde_json::Value;
use ssf::{
    Transmitter,
    directory::{CURSOR_LIVES, Directory, MAX_PAGE},
    scim::{
        Error, ErrorKind, ListResponse,
        bulk::MAX_OPERATIONS,
        schema::{self, Features},
    },
    web::{MAX_SCIM_BODY, Problem},
};

use crate::{answer::Answer, search::DEFAULT_PAGE};

pub(crate) async fn service_provider_config(
    State(transmitter): State<Transmitter>,
    uri: Uri,
) -> Result<Answer, Problem> {
    no_filter(&uri)?;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let features = Features {
        default_page_size: number(DEFAULT_PAGE),
        max_page_size: number(MAX_PAGE),
        cursor_timeout: u32::try_from(CURSOR_LIVES.as_secs()).unwrap_or(u32::MAX),
        bulk: Some((number(MAX_OPERATIONS), number(MAX_SCIM_BODY))),
        change_password: true,
        // Clients that read strictly by RFC 7643 refuse to go on where they see the member of RFC 9967;
        // which events there are the transmitter's own metadata say.
        event_uris: &[],
    };
    let base = Directory::of(&transmitter).base();
    Ok(Answer::of(schema::service_provider_config(&base, &features)))
}

pub(crate) async fn resource_types(
    State(transmitter): State<Transmitter>,
    uri: Uri,
) -> Result<Answer, Problem> {
    no_filter(&uri)?;
    Ok(list(schema::all_resource_types(&Directory::of(&transmitter).base())))
}

pub(crate) async fn resource_type(
    State(transmitter): State<Transmitter>,
    Path(name): Path<String>,
) -> Result<Answer, Problem> {
    one(schema::resource_type(&Directory::of(&transmitter).base(), &name))
}

pub(crate) async fn schemas(
    State(transmitter): State<Transmitter>,
    uri: Uri,
) -> Result<Answer, Problem> {
    no_filter(&uri)?;
    Ok(list(schema::all_schemas(&Directory::of(&transmitter).base())))
}

pub(crate) async fn schema(
    State(transmitter): State<Transmitter>,
    Path(urn): Path<String>,
) -> Result<Answer, Problem> {
    one(schema::schema(&Directory::of(&transmitter).base(), &urn))
}

fn list(resources: Vec<Value>) -> Answer {
    let response = ListResponse {
        total_results: Some(resources.len() as u64),
        start_index: Some(1),
        resources,
        ..ListResponse::default()
    };
    Answer::of(response.into_json())
}

fn one(resource: Option<Value>) -> Result<Answer, Problem> {
    resource.map(Answer::of).ok_or_else(Problem::no_such_path)
}

/// Who filters these would take a part for the whole (RFC 7644, 4): 403.
fn no_filter(uri: &Uri) -> Result<(), Problem> {
    let query = uri.query().unwrap_or_default().as_bytes();
    let filters = url::form_urlencoded::parse(query)
        .any(|(name, value)| name.eq_ignore_ascii_case("filter") && !value.is_empty());
    if filters {
        let detail = "what the service does is not filtered";
        return Err(Error::new(ErrorKind::Sensitive, detail).into());
    }
    Ok(())
}
