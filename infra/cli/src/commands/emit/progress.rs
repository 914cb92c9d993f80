//! A bar that grows, where it is long and a person is watching.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use ssf::clock;

use crate::output::Output;

/// What is over sooner needs no bar.
const LONG: std::time::Duration = std::time::Duration::from_secs(1);

/// How far something has come.
#[derive(Debug)]
pub(in crate::commands) struct Progress {
    bar: ProgressBar,
    began: Timestamp,
    watched: bool,
}

impl Progress {
    /// Of `total` steps, if that is known.
    pub(in crate::commands) fn new(
        what: &'static str,
        total: Option<u64>,
        output: Output,
        now: Timestamp,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{msg} [{bar:30}] {percent}% {elapsed_precise}",
            None => "{msg} {spinner} {elapsed_precise}",
        };
        let style = ProgressStyle::with_template(template).expect("this is a template");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(what);
        Self { bar, began: now, watched: !output.is_json() && io::stderr().is_terminal() }
    }

    /// Notes that `steps` more are done.
    pub(in crate::commands) fn advance(&mut self, steps: u64, now: Timestamp) {
        self.bar.inc(steps);
        if self.watched && clock::since(self.began, now) > LONG {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.watched = false;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
