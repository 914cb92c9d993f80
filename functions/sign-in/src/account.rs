//! A person's own account.

use axum::response::Response;
use http::StatusCode;
use ssf::{
    client::ClientId,
    directory::{Actor, OwnPassword, Proof, Weak},
    operator::ToldChange,
    sign_in::{Session, SessionEnd, SubjectId},
    web::paths,
};

use crate::{
    authorize::{called, person},
    failure::{Failure, seconds},
    forms::Posted,
    leave::go,
    texts::fill,
    views::{self, AccountView, Application, Notice},
    visitor::Visitor,
};

type Answer = Result<Response, Failure>;

/// So many changes are shown.
const SHOWN: usize = 10;

pub(crate) async fn show(visitor: Visitor) -> Answer {
    page(&visitor, None).await
}

/// The page; who is not signed in is sent to do so.
pub(crate) async fn page(visitor: &Visitor, notice: Option<Notice>) -> Answer {
    let Some((session, _)) = &visitor.session else { return Ok(go(visitor, paths::SIGN_IN)) };
    let Some(user) = person(visitor).await? else { return Ok(go(visitor, paths::SIGN_IN)) };
    let failed = matches!(notice, Some(Notice::Password(_) | Notice::Code(_)));
    let applications = applications(visitor, &session.subject).await?;
    let sessions = visitor.sign_in.sessions_of_person(&session.subject).await;
    let history = visitor.us.told_of(user.id, SHOWN).await;
    let history = history.map_err(|error| visitor.failure(error))?;
    let view = AccountView {
        person: called(&user),
        user_name: user.attributes.user_name.clone(),
        own: session.sid.clone(),
        second_factor: user.second_factor().cloned(),
        sessions: sessions.map_err(|error| visitor.failure(error))?,
        names: names(visitor, &applications, &history).await?,
        applications,
        history,
        now: visitor.us.parts().clock.now(),
        notice,
    };
    let page = views::account(visitor, &view);
    let status = if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(visitor.answer(page.status(status)))
}

async fn applications(visitor: &Visitor, subject: &SubjectId) -> Result<Vec<Application>, Failure> {
    let listed = visitor.sign_in.applications_of(subject).await;
    let listed = listed.map_err(|error| visitor.failure(error))?;
    let shown = listed.into_iter().map(|(client, consent)| Application {
        id: client.client_id,
        name: client.client_name,
        since: consent.as_ref().map(|consent| consent.issue_date),
        scope: consent.map_or(client.scope, |consent| consent.scope),
    });
    Ok(shown.collect())
}

/// What the clients are called that the history names; those that are gone have no name any more.
async fn names(
    visitor: &Visitor,
    applications: &[Application],
    history: &[ToldChange],
) -> Result<Vec<(ClientId, String)>, Failure> {
    let mut names: Vec<_> =
        applications.iter().map(|known| (known.id.clone(), known.name.clone())).collect();
    let told = history.iter().flat_map(|told| &told.events).flat_map(|(_, streams)| streams);
    let told = told.map(|to| &to.client_id);
    let actors = history.iter().filter_map(|told| match &told.change.actor {
        Actor::Client(id) => Some(id),
        _ => None,
    });
    for id in told.chain(actors) {
        if names.iter().any(|(known, _)| known == id) {
            continue;
        }
        match visitor.us.client_show(id).await {
            Ok(client) => names.push((id.clone(), client.client_name)),
            Err(ssf::Error::NotFound { .. }) => names.push((id.clone(), id.0.clone())),
            Err(error) => return Err(visitor.failure(error)),
        }
    }
    Ok(names)
}

fn of(visitor: &Visitor) -> Option<Session> {
    visitor.session.as_ref().map(|(session, _)| session.clone())
}

/// Takes back what an application may have.
pub(crate) async fn revoke(posted: Posted) -> Answer {
    let visitor = &posted.visitor;
    let Some(Session { subject, .. }) = of(visitor) else { return page(visitor, None).await };
    let client = ClientId(posted.get("client").to_owned());
    let cause = visitor.directory.cause(Actor::Person);
    let also = visitor.directory.also(&cause);
    let notice = match visitor.sign_in.consent_revoke(&subject, &client, &also).await {
        Ok(_) => {
            visitor.directory.hand_over_of(&subject).await;
            let name = visitor.us.client_show(&client).await.map(|client| client.client_name);
            Some(fill(visitor.texts().revoked, &[&name.unwrap_or(client.0)]))
        }
        // It was taken back before, elsewhere.
        Err(ssf::Error::NotFound { .. }) => None,
        Err(error) => return Err(visitor.failure(error)),
    };
    page(visitor, notice.map(Notice::Done)).await
}

/// Ends a session, or all others.
pub(crate) async fn end(posted: Posted) -> Answer {
    let visitor = &posted.visitor;
    let Some(Session { subject, sid: own, .. }) = of(visitor) else {
        return page(visitor, None).await;
    };
    let texts = visitor.texts();
    let cause = visitor.directory.cause(Actor::Person);
    let also = visitor.directory.also(&cause);
    let (ended, notice) = match posted.get("session") {
        "" => {
            let end = SessionEnd::Ended;
            let ended = visitor.sign_in.sessions_end(&subject, Some(&own), end, &also).await;
            (ended.map(drop), texts.sessions_ended)
        }
        sid => {
            let ended = visitor.sign_in.session_end(&subject, sid, SessionEnd::Ended, &also).await;
            (ended.map(drop), texts.session_ended)
        }
    };
    ended.map_err(|error| visitor.failure(error))?;
    visitor.directory.hand_over_of(&subject).await;
    page(visitor, Some(Notice::Done(notice.to_owned()))).await
}

/// Changes the password.
pub(crate) async fn password(posted: Posted) -> Answer {
    let visitor = &posted.visitor;
    let Some(session) = of(visitor) else { return page(visitor, None).await };
    let texts = visitor.texts();
    let cause = visitor.directory.cause(Actor::Person);
    let words = (posted.secret("old"), posted.secret("new"));
    let wait = |wait| fill(texts.wait, &[&seconds(wait).to_string()]);
    let browser = visitor.browser.clone();
    let changed =
        visitor.directory.change_own_password(&visitor.sign_in, &session, words, browser, &cause);
    let notice = match changed.await {
        Ok(OwnPassword::Changed) => Notice::Done(texts.password_changed.to_owned()),
        Ok(OwnPassword::Weak(weak)) => Notice::Password(match weak {
            Weak::Short(min) => fill(texts.short, &[&min.to_string()]),
            Weak::Long => texts.long.to_owned(),
            Weak::Common => texts.common.to_owned(),
            Weak::OwnName => texts.own_name.to_owned(),
        }),
        Ok(OwnPassword::Unproven(Proof::Wait(time))) => Notice::Password(wait(time)),
        Ok(OwnPassword::Unproven(Proof::Locked)) => Notice::Password(texts.locked.to_owned()),
        Ok(OwnPassword::Unproven(Proof::Wrong | Proof::Given { .. })) => {
            Notice::Password(texts.old_wrong.to_owned())
        }
        Err(ssf::Error::TooSoon { retry_after }) => Notice::Password(wait(retry_after)),
        Err(error) => return Err(visitor.failure(error)),
    };
    page(visitor, Some(notice)).await
}
