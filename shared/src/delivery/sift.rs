//! Which SETs a stream lets pass.

use crate::{
    event::Family,
    set::{Held, IssuedToken, Passage},
    stream::{Status, Stream},
};

/// Those of `held` that `stream` lets pass, and those that are void.
pub(crate) fn sift(stream: &Stream, held: Vec<Held>) -> (Vec<Held>, Vec<Held>) {
    let (mut passing, mut void) = (Vec::new(), Vec::new());
    for held in held {
        let dropped = held.token.revision < stream.void_before;
        if held.token.passage == Passage::Always {
            passing.push(held);
            continue;
        }
        match stream.standing() {
            Status::Enabled | Status::Paused if dropped => void.push(held),
            Status::Enabled if is_unwanted(stream, &held.token) => void.push(held),
            Status::Enabled => passing.push(held),
            Status::Paused => {}
            Status::Disabled | Status::DisabledDeleted => void.push(held),
        }
    }
    (passing, void)
}

/// Whether the receiver has said, since `token` was issued, that it does not want such events any
/// more ([SSF 1.0, 8.1.1], `events_delivered`).
fn is_unwanted(stream: &Stream, token: &IssuedToken) -> bool {
    let of_stream = token.event_type.family() == Family::Ssf;
    // Whoever issued it may have read the stream later, when it had been changed to want them.
    let before = token.revision < stream.revision;
    before && !of_stream && !stream.events_delivered.contains(&token.event_type)
}
