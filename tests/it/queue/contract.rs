//! Small stories that every queue must tell alike.

use std::{collections::BTreeMap, time::Duration};

use ssf::{
    clock::Clock,
    queue::{Message, QueueError},
};

use super::{HOLD, Home, bodies, delete, in_group, message, receive, send};

/// Tells the stories in every home. A new home is one line here.
macro_rules! in_every_home {
    ($($story:ident)*) => {
        in_home! { in_memory: $($story)* }
        in_home! { on_disk: $($story)* }
    };
}

macro_rules! in_home {
    ($home:ident: $($story:ident)*) => {
        mod $home {
            $(
                #[tokio::test]
                async fn $story() {
                    super::stories::$story(&crate::queue::$home()).await;
                }
            )*
        }
    };
}

in_every_home! {
    a_message_is_invisible_while_it_is_held
    a_message_is_the_same_each_time_it_comes
    a_deleted_message_does_not_come_again
    an_outlived_receipt_does_nothing
    a_delayed_message_comes_later
    queues_do_not_see_each_other
    messages_of_a_group_come_in_order
    a_held_message_blocks_its_group_and_no_other
    a_batch_is_shared_between_the_groups
    a_sequence_grows_within_a_group
    a_message_is_taken_once_within_five_minutes
    the_depth_counts_what_is_visible_and_what_is_not
    what_sqs_refuses_is_refused
}

mod stories {
    use super::*;

    pub(super) async fn a_message_is_invisible_while_it_is_held(home: &Home) {
        for (queue, message) in [(&home.standard, message("1")), (&home.fifo, in_group("a", "1"))] {
            send(&**queue, [message]).await;
            assert_eq!(receive(&**queue, 10).await.len(), 1);
            home.clock.advance(Duration::from_millis(29_999));
            assert!(receive(&**queue, 10).await.is_empty());
            home.clock.advance(Duration::from_millis(1));
            let again = receive(&**queue, 10).await;
            assert_eq!(again.len(), 1);
            queue.postpone(&again[0].receipt, Duration::from_hours(1)).await.unwrap();
            home.clock.advance(Duration::from_secs(3599));
            assert!(receive(&**queue, 10).await.is_empty());
            home.clock.advance(Duration::from_secs(1));
            let again = receive(&**queue, 10).await;
            assert_eq!(again.len(), 1);
            queue.postpone(&again[0].receipt, Duration::ZERO).await.unwrap();
            assert_eq!(receive(&**queue, 10).await.len(), 1);
        }
    }

    pub(super) async fn a_message_is_the_same_each_time_it_comes(home: &Home) {
        let sent_at = home.clock.now();
        let attributes = BTreeMap::from([("reason".to_owned(), "ü \"1\"".to_owned())]);
        let wanted = Message { attributes: attributes.clone(), ..in_group("a", "{\"ü\":1}\n") };
        let id = home.fifo.send(vec![wanted]).await.pop().unwrap().unwrap();
        home.clock.advance(Duration::from_secs(5));
        let first = receive(&*home.fifo, 1).await.pop().unwrap();
        assert_eq!((&first.id, first.sent_at, first.receives), (&id, sent_at, 1));
        assert_eq!((first.body.as_str(), first.group.as_deref()), ("{\"ü\":1}\n", Some("a")));
        assert_eq!(first.attributes, attributes);
        home.clock.advance(HOLD);
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
            home.clock.advance(HOLD);
            assert!(receive(&**queue, 10).await.is_empty());
            assert_eq!(queue.depth().await.unwrap(), 0);
        }
    }

    pub(super) async fn an_outlived_receipt_does_nothing(home: &Home) {
        for (queue, message) in [(&home.standard, message("1")), (&home.fifo, in_group("a", "1"))] {
            send(&**queue, [message]).await;
            let first = receive(&**queue, 1).await;
            home.clock.advance(HOLD);
            let second = receive(&**queue, 1).await;
            delete(&**queue, &first[0]).await;
            queue.postpone(&first[0].receipt, Duration::ZERO).await.unwrap();
            assert!(receive(&**queue, 1).await.is_empty());
            assert_eq!(queue.depth().await.unwrap(), 1);
            delete(&**queue, &second[0]).await;
            assert_eq!(queue.depth().await.unwrap(), 0);
            queue.delete(vec!["not one of ours".to_owned()]).await.unwrap();
            queue.postpone("not one of ours", HOLD).await.unwrap();
        }
    }

    pub(super) async fn a_delayed_message_comes_later(home: &Home) {
        let delay = Duration::from_mins(15);
        send(&*home.standard, [Message { delay, ..message("late") }, message("early")]).await;
        assert_eq!(bodies(&receive(&*home.standard, 10).await), ["early"]);
        home.clock.advance(HOLD);
        assert_eq!(bodies(&receive(&*home.standard, 10).await), ["early"]);
        home.clock.advance(Duration::from_secs(15 * 60 - 30));
        assert_eq!(bodies(&receive(&*home.standard, 10).await), ["early", "late"]);
    }

    pub(super) async fn queues_do_not_see_each_other(home: &Home) {
        send(&*home.standard, [message("1")]).await;
        assert!(receive(&*home.fifo, 10).await.is_empty());
        let held = receive(&*home.standard, 10).await;
        delete(&*home.fifo, &held[0]).await;
        home.fifo.postpone(&held[0].receipt, Duration::ZERO).await.unwrap();
        assert!(receive(&*home.standard, 10).await.is_empty());
        assert_eq!(home.standard.depth().await.unwrap(), 1);
    }

    pub(super) async fn messages_of_a_group_come_in_order(home: &Home) {
        let Home { fifo, clock, .. } = home;
        send(&**fifo, (1..=5).map(|n| in_group("a", &n.to_string()))).await;
        let held = receive(&**fifo, 3).await;
        assert_eq!(bodies(&held), ["1", "2", "3"]);
        assert!(receive(&**fifo, 10).await.is_empty());
        // The first is done; the second fails, and the third must not overtake it.
        delete(&**fifo, &held[0]).await;
        assert!(receive(&**fifo, 10).await.is_empty());
        fifo.postpone(&held[2].receipt, Duration::ZERO).await.unwrap();
        assert!(receive(&**fifo, 10).await.is_empty());
        fifo.postpone(&held[1].receipt, Duration::from_secs(10)).await.unwrap();
        clock.advance(Duration::from_secs(9));
        assert!(receive(&**fifo, 10).await.is_empty());
        clock.advance(Duration::from_secs(1));
        let again = receive(&**fifo, 10).await;
        assert_eq!(bodies(&again), ["2", "3", "4", "5"]);
        assert_eq!(again.iter().map(|message| message.receives).collect::<Vec<_>>(), [2, 2, 1, 1]);
        // Those behind one in hand wait for it, also when they are done before it.
        for done in &again[1..] {
            delete(&**fifo, done).await;
        }
        send(&**fifo, [in_group("a", "6")]).await;
        assert!(receive(&**fifo, 10).await.is_empty());
        delete(&**fifo, &again[0]).await;
        assert_eq!(bodies(&receive(&**fifo, 10).await), ["6"]);
    }

    pub(super) async fn a_held_message_blocks_its_group_and_no_other(home: &Home) {
        let Home { fifo, .. } = home;
        send(&**fifo, ["a1", "b1", "a2", "c1", "b2"].map(|body| in_group(&body[..1], body))).await;
        let held = receive(&**fifo, 1).await;
        assert_eq!(bodies(&held), ["a1"]);
        assert_eq!(bodies(&receive(&**fifo, 2).await), ["b1", "c1"]);
        assert!(receive(&**fifo, 10).await.is_empty());
        delete(&**fifo, &held[0]).await;
        assert_eq!(bodies(&receive(&**fifo, 10).await), ["a2"]);
    }

    pub(super) async fn a_batch_is_shared_between_the_groups(home: &Home) {
        let Home { fifo, .. } = home;
        send(&**fifo, (0..100).map(|n| in_group("busy", &format!("busy{n}")))).await;
        send(&**fifo, [in_group("calm", "calm0"), in_group("calm", "calm1")]).await;
        let held = receive(&**fifo, 10).await;
        let in_order = |group: &str| {
            let mut of_group = held.clone();
            of_group.retain(|message| message.group.as_deref() == Some(group));
            let expected: Vec<_> = (0..of_group.len()).map(|n| format!("{group}{n}")).collect();
            assert_eq!(bodies(&of_group), expected);
            of_group.len()
        };
        assert_eq!((in_order("busy"), in_order("calm")), (8, 2));
    }

    pub(super) async fn a_sequence_grows_within_a_group(home: &Home) {
        let Home { fifo, .. } = home;
        for n in 0..20 {
            send(&**fifo, [in_group("a", &n.to_string())]).await;
        }
        let sequences: Vec<_> =
            receive(&**fifo, 20).await.into_iter().map(|message| message.sequence).collect();
        assert!(sequences.iter().all(|sequence| sequence.as_ref().unwrap().len() == 20));
        assert!(sequences.is_sorted_by(|a, b| a < b), "{sequences:?}");
    }

    pub(super) async fn a_message_is_taken_once_within_five_minutes(home: &Home) {
        let Home { fifo, clock, .. } = home;
        let twin =
            |body: &str| Message { deduplication: Some("twin".to_owned()), ..in_group("a", body) };
        send(&**fifo, [twin("first"), twin("second")]).await;
        let held = receive(&**fifo, 10).await;
        assert_eq!(bodies(&held), ["first"]);
        // The first one's end does not matter.
        delete(&**fifo, &held[0]).await;
        clock.advance(Duration::from_secs(299));
        send(&**fifo, [twin("third")]).await;
        assert!(receive(&**fifo, 10).await.is_empty());
        clock.advance(Duration::from_secs(1));
        send(&**fifo, [twin("fourth")]).await;
        assert_eq!(bodies(&receive(&**fifo, 10).await), ["fourth"]);
        assert_eq!(fifo.depth().await.unwrap(), 1);
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
