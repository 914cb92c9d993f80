//! Lists, whichever way they are asked for (RFC 7644, 3.4.2 and 3.4.3; RFC 9865).

use axum::extract::State;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Uri;
use ssf::{
    Error, Transmitter,
    client::Receiver,
    directory::{Directory, Found, Group, MAX_PAGE, Search, Start, User},
    scim::{self, ErrorKind, ListRequest, ListResponse, Projection, ResourceType, list::Page},
    web::{MayReadDirectory, Problem, ScimBody},
};

use crate::{
    answer::Answer,
    resource::{At, Resource},
};

/// A page has so many resources, unless the client says otherwise.
pub(crate) const DEFAULT_PAGE: usize = 100;

/// So many resources of a page are completed at a time.
const AT_ONCE: usize = 16;

/// The parameters of a query.
pub(crate) fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}

/// The question in a query.
pub(crate) fn of_query(uri: &Uri, kind: ResourceType) -> Result<ListRequest, Problem> {
    let pairs: Vec<(String, String)> = pairs(uri).collect();
    let pairs = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(ListRequest::from_query(pairs, kind)?)
}

/// What of one resource a query asks for.
pub(crate) fn projection(uri: &Uri, kind: ResourceType) -> Result<Projection, Problem> {
    let mut given = [None, None];
    for (name, value) in pairs(uri) {
        let place = match name.to_ascii_lowercase().as_str() {
            "attributes" => 0,
            "excludedattributes" => 1,
            _ => continue,
        };
        given[place] = Some(value);
    }
    let [attributes, excluded] = &given;
    Ok(Projection::parse(attributes.as_deref(), excluded.as_deref(), kind)?)
}

/// A page of what is asked for.
pub(crate) async fn answer<T: Resource>(
    directory: &Directory,
    receiver: &Receiver,
    request: &ListRequest,
) -> Result<Answer, Problem> {
    let response = page::<T>(directory, receiver, request).await?;
    Ok(Answer::of(response.into_json()))
}

async fn page<T: Resource>(
    directory: &Directory,
    receiver: &Receiver,
    request: &ListRequest,
) -> Result<ListResponse, Error> {
    let (start, start_index) = match &request.page {
        Page::Index(index) => {
            (Start::Index(usize::try_from(*index).unwrap_or(usize::MAX)), Some(*index))
        }
        Page::Cursor(None) => (Start::FirstByCursor, None),
        Page::Cursor(Some(cursor)) => (Start::Cursor(cursor.clone()), None),
    };
    let count = request.count.map_or(DEFAULT_PAGE, |count| count as usize).min(MAX_PAGE);
    let search = Search {
        client: Some(&receiver.id),
        filter: request.filter.as_ref(),
        start,
        count,
        sort: request.sort_by.map(|path| (path, request.sort_order)),
    };
    let Found { total, resources, next_cursor } = directory.list::<T>(&search).await?;
    let answers = resources
        .iter()
        .map(|resource| resource.shown(directory, receiver, &request.projection, At::List));
    // Collected first: a stream of borrowing futures is more than the compiler can follow.
    let answers: Vec<_> = answers.collect();
    let resources = stream::iter(answers).buffered(AT_ONCE).try_collect().await?;
    Ok(ListResponse {
        total_results: total,
        start_index,
        resources,
        next_cursor,
        previous_cursor: None,
    })
}

/// People and groups together (RFC 7644, 3.4.3): people first.
pub(crate) async fn everything(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let users = ListRequest::from_search(&body, ResourceType::User);
    let groups = ListRequest::from_search(&body, ResourceType::Group);
    // What one of them does not have selects none of it; what neither has is a mistake.
    let (users, groups) = match (users, groups) {
        (Err(error), Err(_)) => return Err(error.into()),
        (users, groups) => (users.ok(), groups.ok()),
    };
    let asked = users.as_ref().or(groups.as_ref()).expect("one of them is there");
    let Page::Index(start) = asked.page else {
        let detail = "a cursor walks over Users or over Groups";
        return Err(scim::Error::new(ErrorKind::InvalidCursor, detail).into());
    };
    let count = asked.count.map_or(DEFAULT_PAGE, |count| count as usize).min(MAX_PAGE);
    let mut response = ListResponse { start_index: Some(start), ..ListResponse::default() };
    if let Some(request) = users {
        response = page::<User>(&directory, &receiver, &request).await?;
    }
    if let Some(mut request) = groups {
        let before = response.total_results.unwrap_or_default();
        let left = count - response.resources.len();
        request.page = Page::Index(start.saturating_sub(before).max(1));
        request.count = u32::try_from(left).ok();
        let more = page::<Group>(&directory, &receiver, &request).await?;
        response.total_results = Some(before + more.total_results.unwrap_or_default());
        response.resources.extend(more.resources);
    }
    Ok(Answer::of(response.into_json()))
}
