//! Where a transmitter pushes SETs to (RFC 8935).

use std::{fmt, sync::Arc};

use ::http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
};
use serde_json::json;
use ssf::{
    client::Secret,
    clock::{Clock, SystemClock},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{Arrival, Audience, Disbelief, VerifiedSet, Verifier, hand_on};
use crate::server::Server;

/// A server that takes SETs, at every path.
pub struct PushEndpoint {
    authorization: Secret,
    expected: watch::Sender<Option<Expected>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// What the SETs must be.
#[derive(Clone)]
struct Expected {
    verifier: Arc<Verifier>,
    audience: Audience,
}

#[derive(Clone)]
struct Door {
    authorization: Secret,
    expected: watch::Receiver<Option<Expected>>,
    arrivals: mpsc::Sender<Arrival>,
}

impl PushEndpoint {
    /// Opens it. What comes is handed on to `arrivals`, and answered when it was taken.
    pub fn open(server: Server, arrivals: mpsc::Sender<Arrival>) -> Self {
        // A new one each time: the stream is told before anything is pushed.
        let authorization = Secret::new(format!("Bearer {}", Secret::fresh().expose()));
        let (expected, door) = watch::channel(None);
        let door = Door { authorization: authorization.clone(), expected: door, arrivals };
        let (stop, mut stopping) = watch::channel(false);
        let stopped = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        let router = Router::new().fallback(take).with_state(door);
        let serving = tokio::spawn(server.serve(router, stopped));
        Self { authorization, expected, stop, serving }
    }

    /// What the transmitter must show: the whole header `Authorization`.
    pub fn authorization(&self) -> &Secret {
        &self.authorization
    }

    /// Says whose SETs to expect, and for whom; what has come before waits for it.
    pub fn expect(&self, verifier: Arc<Verifier>, audience: Audience) {
        self.expected.send_replace(Some(Expected { verifier, audience }));
    }

    /// Closes it, when what is in flight is answered.
    pub async fn close(self) {
        self.stop.send_replace(true);
        let _ = self.serving.await;
    }
}

async fn take(State(door): State<Door>, headers: HeaderMap, set: String) -> Response {
    let at = SystemClock.now();
    let shown = headers.get(AUTHORIZATION).map_or(&[][..], |value| value.as_bytes());
    if verify_slices_are_equal(shown, door.authorization.expose().as_bytes()).is_err() {
        // Not a 400, which would be the end of the SET: it may be for who was here before.
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if headers.get(CONTENT_TYPE).is_none_or(|value| value != "application/secevent+jwt") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Some(set) = door.believe(&set).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let answer = match &set {
        Ok(_) => StatusCode::ACCEPTED.into_response(),
        // [RFC 8935, 2.3]
        Err(Disbelief { err, description }) => {
            let error = json!({ "err": err, "description": description });
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    };
    if hand_on(&door.arrivals, set, at).await {
        answer
    } else {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    }
}

impl Door {
    /// `None`: nobody will ever know what to expect.
    async fn believe(&self, set: &str) -> Option<Result<VerifiedSet, Disbelief>> {
        let expected = self.expected.clone().wait_for(Option::is_some).await.ok()?.clone()?;
        Some(expected.verifier.verify(set, &expected.audience).await)
    }
}

impl fmt::Debug for PushEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushEndpoint").finish_non_exhaustive()
    }
}
