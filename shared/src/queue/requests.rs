//! How messages get into a queue that takes a few in one request, and may take or leave each of them
//! by itself.

use std::collections::{HashMap, HashSet};

use super::{Message, QueueError};
use crate::error::chain;

/// How much one request takes at most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RequestSize {
    /// So many messages.
    pub messages: usize,
    /// So many bytes of all of them together: see [`Message::size`]. A larger message is alone.
    pub bytes: usize,
}

/// The requests in which `messages` are sent, one after the other, by their places: each as early as
/// there is room for it, and behind the one before it in its group. So no request has two messages of
/// one group, of which the queue could leave out the first. Of messages with one name the first comes
/// first, for it is the one that is taken.
pub fn requests(messages: &[Message], most: RequestSize) -> Vec<Vec<usize>> {
    let mut requests: Vec<Vec<usize>> = Vec::new();
    let mut rooms: Vec<usize> = Vec::new();
    let mut behind = HashMap::<&str, usize>::new();
    let mut named = HashMap::<&str, usize>::new();
    // Those before this one have as many messages as they can.
    let mut open = 0;
    for (at, message) in messages.iter().enumerate() {
        let size = message.size();
        let (group, name) = (message.group.as_deref(), message.deduplication.as_deref());
        let behind_group = group.and_then(|group| behind.get(group)).copied();
        let not_before = name.and_then(|name| named.get(name)).copied();
        let first = behind_group.into_iter().chain(not_before).fold(open, usize::max);
        let has_room = |n: &usize| requests[*n].len() < most.messages && size <= rooms[*n];
        let place = (first..requests.len()).find(has_room).unwrap_or_else(|| {
            requests.push(Vec::new());
            rooms.push(most.bytes);
            requests.len() - 1
        });
        requests[place].push(at);
        rooms[place] = rooms[place].saturating_sub(size);
        if let Some(group) = group {
            behind.insert(group, place + 1);
        }
        if let Some(name) = name {
            named.insert(name, place);
        }
        while requests.get(open).is_some_and(|request| request.len() >= most.messages) {
            open += 1;
        }
    }
    requests
}

/// Sends `messages` by these requests. What is behind a message that was not sent is not sent either
/// in its group, unless that one is refused, and so never sent. `send` answers for each message of a
/// request, in order; when it fails as a whole because nobody answers, nothing more is sent.
pub async fn send_in_order<R>(
    messages: Vec<Message>,
    most: RequestSize,
    send: impl Fn(Vec<Message>) -> R,
) -> Vec<Result<String, QueueError>>
where
    R: Future<Output = Result<Vec<Result<String, QueueError>>, QueueError>>,
{
    let plan = requests(&messages, most);
    let mut answers: Vec<_> = messages.iter().map(|_| Err(behind())).collect();
    let groups: Vec<_> = messages.iter().map(|message| message.group.clone()).collect();
    let mut waiting: Vec<_> = messages.into_iter().map(Some).collect();
    let mut stopped = HashSet::new();
    for mut places in plan {
        places.retain(|at| !stopped.contains(&groups[*at]));
        let request: Vec<_> = places.iter().filter_map(|at| waiting[*at].take()).collect();
        if request.is_empty() {
            continue;
        }
        match send(request).await {
            Ok(said) => {
                for (at, answer) in places.into_iter().zip(said) {
                    if groups[at].is_some() && is_unavailable(&answer) {
                        stopped.insert(groups[at].clone());
                    }
                    answers[at] = answer;
                }
            }
            Err(QueueError::Refused(reason)) => {
                for at in places {
                    answers[at] = Err(QueueError::Refused(reason));
                }
            }
            Err(error @ QueueError::Unavailable(_)) => {
                // The next one would only take its time too.
                let text = chain(&error);
                for at in places {
                    answers[at] = Err(QueueError::Unavailable(text.clone().into()));
                }
                break;
            }
        }
    }
    answers
}

fn is_unavailable(sent: &Result<String, QueueError>) -> bool {
    match sent {
        Err(QueueError::Unavailable(_)) => true,
        Ok(_) | Err(QueueError::Refused(_)) => false,
    }
}

fn behind() -> QueueError {
    QueueError::Unavailable("one before it was not sent".into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOST: RequestSize = RequestSize { messages: 3, bytes: 10 };

    fn message(group: Option<&str>, bytes: usize) -> Message {
        let (body, group) = ("x".repeat(bytes), group.map(str::to_owned));
        Message { body, group, ..Message::default() }
    }

    #[track_caller]
    fn plan(groups: &str) -> Vec<Vec<usize>> {
        let messages: Vec<_> =
            groups.chars().map(|name| message(Some(&name.to_string()), 1)).collect();
        requests(&messages, MOST)
    }

    #[test]
    fn groups_share_requests_and_no_request_has_two_messages_of_one() {
        assert_eq!(plan(""), Vec::<Vec<usize>>::new());
        assert_eq!(plan("abcd"), [vec![0, 1, 2], vec![3]]);
        assert_eq!(plan("aaa"), [[0], [1], [2]]);
        // What comes later goes where there is room before.
        assert_eq!(plan("aabbc"), [vec![0, 2, 4], vec![1, 3]]);
        assert_eq!(plan("aabcdef"), [vec![0, 2, 3], vec![1, 4, 5], vec![6]]);
        // Where there is no order, none is kept.
        assert_eq!(requests(&vec![message(None, 1); 4], MOST), [vec![0, 1, 2], vec![3]]);
        let sizes = [6, 6, 4, 11, 1].map(|bytes| message(None, bytes));
        assert_eq!(requests(&sizes, MOST), [vec![0, 2], vec![1, 4], vec![3]]);
        // One name is one message, also of two groups.
        let named = [("a", "1"), ("a", "2"), ("b", "2")].map(|(group, name)| {
            let deduplication = Some(name.to_owned());
            Message { deduplication, ..message(Some(group), 1) }
        });
        assert_eq!(requests(&named, MOST), [vec![0], vec![1, 2]]);
    }

    proptest! {
        #[test]
        fn each_message_is_sent_once_and_behind_those_before_it_in_its_group(
            messages in prop::collection::vec((0..4_u8, 0..5_usize), 0..40)
        ) {
            let messages: Vec<_> = messages
                .into_iter()
                .map(|(group, bytes)| message((group > 0).then(|| group.to_string()).as_deref(), bytes))
                .collect();
            let plan = requests(&messages, MOST);
            let mut places = vec![None; messages.len()];
            for (n, request) in plan.iter().enumerate() {
                prop_assert!(request.len() <= MOST.messages && !request.is_empty());
                let bytes: usize = request.iter().map(|at| messages[*at].size()).sum();
                prop_assert!(bytes <= MOST.bytes);
                for at in request {
                    prop_assert_eq!(places[*at].replace(n), None);
                }
            }
            for (at, message) in messages.iter().enumerate() {
                prop_assert!(places[at].is_some());
                let before = (0..at).filter(|before| messages[*before].group == message.group);
                let is_behind = before.clone().all(|before| places[before] < places[at]);
                prop_assert!(message.group.is_none() || is_behind);
            }
        }
    }
}
