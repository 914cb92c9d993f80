//! How a person or the system asks the process to end.

use std::io;

/// Listens from now on, and returns a future that is ready when the end is asked for: by Ctrl-C
/// (SIGINT) or SIGTERM. It can be awaited again for a second, more impatient, request.
pub fn listen() -> io::Result<Signals> {
    Signals::new()
}

/// See [`listen`].
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Returns when the end is asked for.
    pub async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Returns when the end is asked for.
    pub async fn stop(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
