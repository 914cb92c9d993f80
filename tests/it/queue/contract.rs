//! Small stories that every queue must tell alike, when no time passes.

use std::{collections::BTreeMap, time::Duration};

use ssf::queue::{Message, QueueError};

use super::{HOLD, Home, bodies, delete, give_back, in_group, message, receive, send, twin};

/// Tells the stories in every home. A new home is one line here.
macro_rules! in_every_home {
    ($($story:ident)*) => {
        tell! { in_memory, super::super::in_memory().home; $($story)* }
        tell! { on_disk, super::super::on_disk().home; $($story)* }
        tell! { on_sqs, super::super::sqs::home().await; $($story)* }
    };
}

macro_rules! tell {
    ($home:ident, $open:expr; $($story:ident)*) => {
        mod $home {
            $(
                #[tokio::test]
                async fn $story() {
                    super::stories::$story(&$open).await;
                }
            )*
        }
    };
}

pub(super) use tell;

in_every_home! {
    a_message_in_hand_is_invisible_until_it_is_given_back
    a_message_is_the_same_each_time_it_comes
    a_deleted_message_does_not_come_again
    a_receipt_of_nothing_is_passed_over
    queues_do_not_see_each_other
    messages_of_a_group_come_in_order
    a_held_message_blocks_its_group_and_no_other
    a_sequence_grows_within_a_group
    a_message_is_taken_once
    equal_messages_are_two_without_an_id_that_says_otherwise
    the_depth_counts_what_is_visible_and_what_is_not
    what_sqs_refuses_is_refused
}

pub(super) mod stories {
    use super::*;

    pub(super) async fn a_message_in_hand_is_invisible_until_it_is_given_back(home: &Home) {
        for (queue, message) in [(&home.standard, message("1")), (&home.fifo, in_group("a", "1"))] {
            send(&**queue, [message]).await;
            let held = receive(&**queue, 10).await;
            assert_eq!(held.len(), 1);
            assert!(receive(&**queue, 10).await.is_empty());
            give_back(&**queue, &held[0]).await;
            assert_eq!(receive(&**queue, 10).await.len(), 1);
        }
    }

    pub(super) async fn a_message_is_the_same_each_time_it_comes(home: &Home) {
        let attributes = BTreeMap::from([("reason".to_owned(), "ü \"1\"".to_owned())]);
        let wanted = Message { attributes: attributes.clone(), ..in_group("a", "{\"ü\":1}\n") };
        let id = home.fifo.send(vec![wanted]).await.pop().unwrap().unwrap();
        let first = receive(&*home.fifo, 1).await.pop().unwrap();
        assert_eq!((&first.id, first.receives), (&id, 1));
        assert_eq!((first.body.as_str(), first.group.as_deref()), ("{\"ü\":1}\n", Some("a")));
        assert_eq!(first.attributes, attributes);
        let sender = first.sender.clone().unwrap();
        assert!(!sender.is_empty() && !sender.contains(':'), "{sender}: of a role, no session");
        give_back(&*home.fifo, &first).await;
        let mut second = receive(&*home.fifo, 1).await.pop().unwrap();
        assert_eq!(second.receives, 2);
        assert_ne!(second.receipt, first.receipt);
        second.receives = 1;
        second.receipt.clone_from(&first.receipt);
        assert_eq!(second, first);
        send(&*home.standard, [message("1")]).await;
        let plain = receive(&*home.standard, 1).await.pop().unwrap();
        assert_eq!((plain.group, plain.sequence), (None, None));
    }

    pub(super) async fn a_deleted_message_does_not_come_again(home: &Home) {
        for (queue, message) in [(&home.standard, message("1")), (&home.fifo, in_group("a", "1"))] {
            send(&**queue, [message]).await;
            let held = receive(&**queue, 1).await;
            delete(&**queue, &held[0]).await;
            delete(&**queue, &held[0]).await;
            give_back(&**queue, &held[0]).await;
            assert!(receive(&**queue, 10).await.is_empty());
            assert_eq!(queue.depth().await.unwrap(), 0);
        }
    }

    pub(super) async fn a_receipt_of_nothing_is_passed_over(home: &Home) {
        for queue in [&home.standard, &home.fifo] {
            queue.delete(vec!["not one of ours".to_owned()]).await.unwrap();
            queue.postpone("not one of ours", HOLD).await.unwrap();
        }
    }

    pub(super) async fn queues_do_not_see_each_other(home: &Home) {
        send(&*home.standard, [message("1")]).await;
        assert!(receive(&*home.fifo, 10).await.is_empty());
        let held = receive(&*home.standard, 10).await;
        delete(&*home.fifo, &held[0]).await;
        give_back(&*home.fifo, &held[0]).await;
        assert!(receive(&*home.standard, 10).await.is_empty());
        assert_eq!(home.standard.depth().await.unwrap(), 1);
    }

    pub(super) async fn messages_of_a_group_come_in_order(home: &Home) {
        let fifo = &*home.fifo;
        send(fifo, (1..=5).map(|n| in_group("a", &n.to_string()))).await;
        let held = receive(fifo, 3).await;
        assert_eq!(bodies(&held), ["1", "2", "3"]);
        assert!(receive(fifo, 10).await.is_empty());
        // The first is done; the second fails, and the third must not overtake it.
        delete(fifo, &held[0]).await;
        assert!(receive(fifo, 10).await.is_empty());
        give_back(fifo, &held[2]).await;
        assert!(receive(fifo, 10).await.is_empty());
        give_back(fifo, &held[1]).await;
        let again = receive(fifo, 10).await;
        assert_eq!(bodies(&again), ["2", "3", "4", "5"]);
        assert_eq!(again.iter().map(|message| message.receives).collect::<Vec<_>>(), [2, 2, 1, 1]);
        // Those behind one in hand wait for it, also when they are done before it.
        for done in &again[1..] {
            delete(fifo, done).await;
        }
        send(fifo, [in_group("a", "6")]).await;
        assert!(receive(fifo, 10).await.is_empty());
        delete(fifo, &again[0]).await;
        assert_eq!(bodies(&receive(fifo, 10).await), ["6"]);
    }

    pub(super) async fn a_held_message_blocks_its_group_and_no_other(home: &Home) {
        let fifo = &*home.fifo;
        send(fifo, ["a1", "b1", "a2", "c1", "b2"].map(|body| in_group(&body[..1], body))).await;
        let held = receive(fifo, 1).await;
        assert_eq!(bodies(&held), ["a1"]);
        let others = receive(fifo, 10).await;
        let mut groups = bodies(&others);
        // Which group comes first is not promised.
        groups.sort_by_key(|body| body[..1].to_owned());
        assert_eq!(groups, ["b1", "b2", "c1"]);
        delete(fifo, &held[0]).await;
        assert_eq!(bodies(&receive(fifo, 10).await), ["a2"]);
    }

    pub(super) async fn a_sequence_grows_within_a_group(home: &Home) {
        for n in 0..10 {
            send(&*home.fifo, [in_group("a", &n.to_string())]).await;
        }
        let held = receive(&*home.fifo, 10).await;
        assert_eq!(held.len(), 10);
        let sequences: Vec<_> = held.into_iter().map(|message| message.sequence).collect();
        assert!(sequences.iter().all(|sequence| sequence.as_ref().unwrap().len() == 20));
        assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
    }

    pub(in crate::queue) async fn a_message_is_taken_once(home: &Home) {
        let fifo = &*home.fifo;
        send(fifo, [twin("first"), twin("second")]).await;
        let held = receive(fifo, 10).await;
        assert_eq!(bodies(&held), ["first"]);
        // The first one's end does not matter.
        delete(fifo, &held[0]).await;
        send(fifo, [twin("third")]).await;
        assert!(receive(fifo, 10).await.is_empty());
    }

    pub(super) async fn equal_messages_are_two_without_an_id_that_says_otherwise(home: &Home) {
        let fifo = &*home.fifo;
        send(fifo, [in_group("a", "equal"), in_group("a", "equal")]).await;
        assert_eq!(bodies(&receive(fifo, 10).await), ["equal", "equal"]);
    }

    pub(super) async fn the_depth_counts_what_is_visible_and_what_is_not(home: &Home) {
        for queue in [&home.standard, &home.fifo] {
            assert_eq!(queue.depth().await.unwrap(), 0);
        }
        send(&*home.standard, ["1", "2", "3"].map(message)).await;
        let held = receive(&*home.standard, 2).await;
        assert_eq!(home.standard.depth().await.unwrap(), 3);
        delete(&*home.standard, &held[0]).await;
        assert_eq!(home.standard.depth().await.unwrap(), 2);
        assert_eq!(home.fifo.depth().await.unwrap(), 0);
    }

    pub(super) async fn what_sqs_refuses_is_refused(home: &Home) {
        let Home { standard, fifo, .. } = home;
        let attribute = |name: &str, value: &str| Message {
            attributes: BTreeMap::from([(name.to_owned(), value.to_owned())]),
            ..message("x")
        };
        let eleven = (0..11).map(|n| (n.to_string(), "x".to_owned())).collect();
        let id = Some("x".to_owned());
        let second = Duration::from_secs(1);
        for (queue, bad) in [
            (standard, message("")),
            (standard, message(&"x".repeat(256 * 1024 + 1))),
            (standard, message("\0")),
            (standard, attribute("", "x")),
            (standard, attribute("a b", "x")),
            (standard, attribute("a..b", "x")),
            (standard, attribute(".a", "x")),
            (standard, attribute("AWS.a", "x")),
            (standard, attribute("a", "")),
            (standard, Message { attributes: eleven, ..message("x") }),
            (standard, Message { delay: Duration::from_mins(15) + second, ..message("x") }),
            (standard, in_group("a", "x")),
            (standard, Message { deduplication: id, ..message("x") }),
            (fifo, message("x")),
            (fifo, in_group("", "x")),
            (fifo, in_group("a b", "x")),
            (fifo, in_group(&"x".repeat(129), "x")),
            (fifo, Message { deduplication: Some(String::new()), ..in_group("a", "x") }),
            (fifo, Message { delay: second, ..in_group("a", "x") }),
        ] {
            let good = if bad.group.is_some() { in_group("a", "x") } else { message("x") };
            let answers = queue.send(vec![bad.clone(), good]).await;
            assert!(matches!(answers[0], Err(QueueError::Refused(_))), "{bad:?}");
        }
        let large = message(&"x".repeat(256 * 1024));
        assert!(standard.send(vec![large]).await[0].is_ok());
        let long = Duration::from_hours(12) + second;
        assert!(matches!(standard.receive(1, long).await, Err(QueueError::Refused(_))));
        assert!(matches!(standard.postpone("x", long).await, Err(QueueError::Refused(_))));
    }
}
