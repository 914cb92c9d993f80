//! One handler for each method, whatever the kind of resource (RFC 7644, 3).

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, Path, State};
use http::{HeaderMap, StatusCode, Uri, request::Parts};
use ssf::{
    Transmitter,
    client::Receiver,
    directory::{Actor, Cause, Directory, location, version},
    scim::{ListRequest, Projection},
    web::{MayProvision, MayReadDirectory, Problem, ScimBody},
};

use crate::{
    answer::Answer,
    preconditions::is_known,
    resource::{At, Place, Resource, Writer, parse},
    search,
};

pub(crate) async fn list<T: Resource>(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    uri: Uri,
) -> Result<Answer, Problem> {
    let request = search::of_query(&uri, T::KIND)?;
    search::answer::<T>(&Directory::of(&transmitter), &receiver, &request).await
}

pub(crate) async fn search<T: Resource>(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let request = ListRequest::from_search(&body, T::KIND)?;
    search::answer::<T>(&Directory::of(&transmitter), &receiver, &request).await
}

pub(crate) async fn read<T: Resource>(
    State(transmitter): State<Transmitter>,
    MayReadDirectory(receiver): MayReadDirectory,
    Path(id): Path<String>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Answer, Problem> {
    let directory = Directory::of(&transmitter);
    let projection = search::projection(&uri, T::KIND)?;
    let resource = T::find(&directory, parse(&id, T::KIND)?).await?;
    if is_known(&headers, resource.revision()) {
        let known = Answer::empty(StatusCode::NOT_MODIFIED);
        return Ok(known.version(&version(resource.revision())));
    }
    answer(&resource, &directory, &receiver, &projection).await
}

pub(crate) async fn create<T: Resource>(
    asked: Asked<T>,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let cause = asked.cause(false);
    let (resource, status) = T::create(&asked.writer(&cause), &body).await?;
    Ok(asked.answer(&resource).await?.status(status).because_of(&cause))
}

pub(crate) async fn replace<T: Resource>(
    asked: Asked<T>,
    Path(id): Path<String>,
    headers: HeaderMap,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let cause = asked.cause(true);
    let place = Place::of_path(&id, &headers, T::KIND)?;
    let writer = asked.writer(&cause);
    let resource = T::replace(&writer, place, &body, &asked.projection).await?;
    asked.after_change(&resource, &cause).await
}

pub(crate) async fn change<T: Resource>(
    asked: Asked<T>,
    Path(id): Path<String>,
    headers: HeaderMap,
    ScimBody(body): ScimBody,
) -> Result<Answer, Problem> {
    let cause = asked.cause(false);
    let place = Place::of_path(&id, &headers, T::KIND)?;
    let resource = T::change(&asked.writer(&cause), place, &body).await?;
    asked.after_change(&resource, &cause).await
}

pub(crate) async fn delete<T: Resource>(
    asked: Asked<T>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let cause = asked.cause(false);
    T::delete(&asked.writer(&cause), Place::of_path(&id, &headers, T::KIND)?).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT).because_of(&cause))
}

/// A client that may write resources of this kind, and what it wants to see of the one that it writes.
pub(crate) struct Asked<T> {
    directory: Directory,
    receiver: Receiver,
    projection: Projection,
    kind: PhantomData<T>,
}

impl<T: Resource> FromRequestParts<Transmitter> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, us: &Transmitter) -> Result<Self, Problem> {
        let MayProvision(receiver) = MayProvision::from_request_parts(parts, us).await?;
        let projection = search::projection(&parts.uri, T::KIND)?;
        Ok(Self { directory: Directory::of(us), receiver, projection, kind: PhantomData })
    }
}

impl<T: Resource> Asked<T> {
    fn cause(&self, replaces: bool) -> Cause {
        cause(&self.directory, &self.receiver, replaces)
    }

    fn writer<'a>(&'a self, cause: &'a Cause) -> Writer<'a> {
        Writer { directory: &self.directory, receiver: &self.receiver, cause }
    }

    async fn answer(&self, resource: &T) -> Result<Answer, Problem> {
        answer(resource, &self.directory, &self.receiver, &self.projection).await
    }

    async fn after_change(&self, resource: &T, cause: &Cause) -> Result<Answer, Problem> {
        let answer = if resource.is_shown_after_change(&self.receiver, &self.projection) {
            self.answer(resource).await?
        } else {
            Answer::empty(StatusCode::NO_CONTENT).version(&version(resource.revision()))
        };
        Ok(answer.because_of(cause))
    }
}

/// Why something changes that `receiver` asks for.
pub(crate) fn cause(directory: &Directory, receiver: &Receiver, replaces: bool) -> Cause {
    let cause = directory.cause(Actor::Client(receiver.id.clone()));
    Cause { replaces, ..cause }
}

async fn answer<T: Resource>(
    resource: &T,
    directory: &Directory,
    receiver: &Receiver,
    projection: &Projection,
) -> Result<Answer, Problem> {
    let body = resource.shown(directory, receiver, projection, At::Itself).await?;
    let location = location(T::KIND, resource.id(), &directory.base());
    Ok(Answer::of(body).version(&version(resource.revision())).location(&location))
}
