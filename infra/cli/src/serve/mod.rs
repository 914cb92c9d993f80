//! All functions in one process: HTTP to ask, workers that listen to the queues, the sweep.

mod worker;

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use ssf::{Transmitter, delivery::Door, web::app};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use self::worker::Work;
use crate::server::{Limits, Server};

/// The sweep runs this often.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// What is in flight at the end has this long.
const DRAIN: Duration = Duration::from_secs(30);

/// A transmitter at work.
#[derive(Debug)]
pub struct Service {
    transmitter: Transmitter,
    address: SocketAddr,
    stopping: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Service {
    /// Puts `transmitter` to work, with `server` as its door.
    pub fn start(transmitter: Transmitter, server: Server) -> io::Result<Self> {
        let address = server.local_addr()?;
        let (stopping, stop) = watch::channel(false);
        let mut running = JoinSet::new();
        let server = server.limits(Limits { drain: DRAIN, ..Limits::default() });
        running.spawn(server.serve(routes(&transmitter), stopped(stop.clone())));
        for work in [Work::Ingest(Door::Standard), Work::Ingest(Door::Fifo), Work::Push] {
            running.spawn(worker::work(work, transmitter.clone(), stop.clone()));
        }
        running.spawn(sweep(transmitter.clone(), stop));
        Ok(Self { transmitter, address, stopping, running })
    }

    /// Who works.
    pub fn transmitter(&self) -> &Transmitter {
        &self.transmitter
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when a part of it has ended that should not have; it has panicked.
    pub async fn broken(&mut self) {
        self.running.join_next().await;
    }

    /// Takes nothing new, finishes what is in flight, and ends.
    pub async fn stop(mut self) {
        self.stopping.send_replace(true);
        self.transmitter.end_long_polls();
        let drained = timeout(DRAIN, async { while self.running.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!("what is still in flight is left to the next start");
        }
    }
}

/// The routes of all functions.
fn routes(transmitter: &Transmitter) -> Router {
    let routes = discovery::routes()
        .merge(authorize::routes())
        .merge(streams::routes())
        .merge(poll::routes())
        .merge(directory::routes())
        .merge(sign_in::routes());
    app(transmitter, routes)
}

async fn sweep(transmitter: Transmitter, stop: watch::Receiver<bool>) {
    let mut stop = std::pin::pin!(stopped(stop));
    loop {
        // It has logged what went wrong, and the next run tries again.
        let _ = sweep::handle(&transmitter).await;
        tokio::select! {
            () = &mut stop => return,
            () = transmitter.parts().clock.sleep(SWEEP_EVERY) => {}
        }
    }
}

/// Returns when the end was asked for.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // Without a sender there is nobody left to serve.
    let _ = stop.wait_for(|stop| *stop).await;
}
