//! What the streams are after a step: one of the things that they may be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ssf::{
    clock::since,
    stream::{DefaultSubjects, Status, Stream as Kept},
};

use super::{
    calls::Wish,
    model::{Answer, Model, Told, What, takes},
    reckon::{Call, endpoint_of, status_of, types_of},
};

/// What a member is after these calls: `before` or one of `wishes`; not `before` when a call that
/// wished otherwise was done.
fn check_member<T: PartialEq + std::fmt::Debug>(before: &T, wishes: &[(T, bool)], after: &T) {
    let stayed = before == after && wishes.iter().all(|(_, done)| !done);
    let changed = wishes.iter().any(|(wish, _)| wish == after);
    assert!(stayed || changed, "it was {before:?}, these were wished {wishes:?}, and is {after:?}");
}

impl Model {
    /// Takes over what the stream with this number is now, if it may be that.
    pub(super) fn change(
        &mut self,
        number: usize,
        kept: Option<&Kept>,
        calls: &[Call],
        now: Timestamp,
    ) {
        let mine = |stream: usize, call: &Call| stream == number && call.has_acted();
        let (mut statuses, mut types, mut endpoints) = (Vec::new(), Vec::new(), Vec::new());
        for call in calls {
            match &call.wish {
                Wish::Delete { stream } if mine(*stream, call) => {
                    statuses.push((Status::DisabledDeleted, call.is_done()));
                }
                Wish::SetStatus { stream, status, .. } if mine(*stream, call) => {
                    statuses.push((*status, call.is_done()));
                }
                Wish::Want { stream, types: wished } if mine(*stream, call) => {
                    types.push((*wished, call.is_done()));
                }
                Wish::Deliver { stream, endpoint } if mine(*stream, call) => {
                    endpoints.push((*endpoint, call.is_done()));
                }
                _ => {}
            }
        }
        let status = status_of(kept);
        self.check_status(number, &statuses, status, calls, now);
        if calls.iter().any(|call| call.wish.by_receiver_of() == Some(number) && call.is_done()) {
            self.streams[number].seen = now;
        }
        self.name(number, calls);
        let stream = &mut self.streams[number];
        if let Some(kept) = kept {
            check_member(&stream.types, &types, &types_of(kept));
            check_member(&stream.endpoint, &endpoints, &endpoint_of(kept));
            (stream.types, stream.endpoint) = (types_of(kept), endpoint_of(kept));
        }
        if let Some(kept) = kept {
            let wished = types.iter().fold(types_of(kept), |all, (wish, _)| all & wish);
            self.forget_types(number, wished);
        }
        let stream = &mut self.streams[number];
        let stops = statuses.iter().any(|(status, _)| !takes(*status)) || !takes(status);
        if status == Status::Enabled && stream.status != status {
            (stream.failing_since, stream.seen) = (None, now);
        }
        stream.status = status;
        if stops {
            self.void(number, !takes(status));
        }
    }

    fn check_status(
        &mut self,
        number: usize,
        wishes: &[(Status, bool)],
        after: Status,
        calls: &[Call],
        now: Timestamp,
    ) {
        let stream = &self.streams[number];
        let before = stream.status;
        if before == Status::DisabledDeleted {
            assert_eq!(after, before, "a stream came back");
            return;
        }
        if (before, after) == (Status::Enabled, Status::Paused)
            && wishes.iter().all(|(wish, _)| *wish != after)
        {
            let long = |since_then: Timestamp, hours: u64| {
                // Within a minute what happens side by side counts as one.
                since(since_then, now).as_secs() + 60 >= hours * 3600
            };
            // Nothing got through meanwhile.
            let failing = stream.failing_since.is_some_and(|at| long(at, 24));
            let away = long(stream.seen, 22);
            let justified = calls.iter().any(|call| match call.wish {
                Wish::Push => failing,
                Wish::Sweep => away,
                _ => false,
            });
            assert!(justified, "stream {number} was paused without a cause");
            let stopped = wishes.iter().any(|(wish, done)| *done && !takes(*wish));
            assert!(!stopped, "stream {number} was disabled, and we paused it");
            return;
        }
        check_member(&before, wishes, &after);
    }

    /// The subjects that a stream names.
    fn name(&mut self, number: usize, calls: &[Call]) {
        let mut wishes: BTreeMap<usize, Vec<(Answer, bool)>> = BTreeMap::new();
        let default = self.streams[number].default_subjects;
        for call in calls.iter().filter(|call| call.has_acted()) {
            let (stream, subject, adds) = match call.wish {
                Wish::Add { stream, subject } => (stream, subject, true),
                Wish::Remove { stream, subject } => (stream, subject, false),
                _ => continue,
            };
            if stream == number {
                let names = adds == (default == DefaultSubjects::None);
                let wish = if names { Answer::Yes } else { Answer::No };
                wishes.entry(subject).or_default().push((wish, call.is_done()));
            }
        }
        for (subject, wishes) in wishes {
            let named = &mut self.streams[number].named;
            let before = named.get(&subject).copied().unwrap_or(Answer::No);
            let (first, done) = wishes[0];
            let agreed = wishes.iter().all(|(wish, _)| *wish == first);
            let any_done = done || wishes.iter().any(|(_, done)| *done);
            let after = if agreed && (any_done || before == first) { first } else { Answer::Maybe };
            named.insert(subject, after);
        }
    }

    /// The stream asks for `types` alone, or did for a moment: what was pending of others need not
    /// come.
    fn forget_types(&mut self, number: usize, types: u8) {
        for ((event, stream), told) in &mut self.told {
            let is_asked_for = types >> self.events[*event].kind & 1 == 1;
            told.must &= *stream != number || is_asked_for;
        }
    }

    /// The stream stopped: what was pending will not come, `for_good` when it has not been enabled
    /// since.
    fn void(&mut self, number: usize, for_good: bool) {
        for ((_, stream), told) in &mut self.told {
            if *stream == number {
                *told = Told { may: told.may && !for_good, must: false, ..told.clone() };
            }
        }
        let gone = self.streams[number].status == Status::DisabledDeleted;
        for news in self.news.iter_mut().filter(|news| news.stream == number) {
            if gone || matches!(news.what, What::Verification(_)) {
                news.must = false;
                news.may &= !for_good;
            }
        }
    }
}
