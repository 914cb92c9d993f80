//! Small stories in which time passes, for the homes in which it can be set.

use std::time::Duration;

use ssf::{clock::Clock, queue::Message};

use super::{
    HOLD, Timed, bodies,
    contract::{stories::a_message_is_taken_once, tell},
    delete, give_back, in_group, message, receive, send, twin,
};

macro_rules! where_time_can_be_set {
    ($($story:ident)*) => {
        tell! { in_memory, super::super::in_memory(); $($story)* }
        tell! { on_disk, super::super::on_disk(); $($story)* }
    };
}

where_time_can_be_set! {
    a_message_is_invisible_while_it_is_held
    a_message_remembers_when_it_was_sent
    an_outlived_receipt_does_nothing
    a_delayed_message_comes_later
    one_that_waits_holds_up_its_group
    a_batch_is_shared_between_the_groups
    a_message_is_forgotten_after_five_minutes
}

mod stories {
    use super::*;

    pub(super) async fn a_message_is_invisible_while_it_is_held(timed: &Timed) {
        for (queue, message) in
            [(&timed.home.standard, message("1")), (&timed.home.fifo, in_group("a", "1"))]
        {
            send(&**queue, [message]).await;
            assert_eq!(receive(&**queue, 10).await.len(), 1);
            timed.clock.advance(HOLD.saturating_sub(Duration::from_millis(1)));
            assert!(receive(&**queue, 10).await.is_empty());
            timed.clock.advance(Duration::from_millis(1));
            let again = receive(&**queue, 10).await;
            assert_eq!(again.len(), 1);
            queue.postpone(&again[0].receipt, Duration::from_hours(1)).await.unwrap();
            timed.clock.advance(Duration::from_secs(3599));
            assert!(receive(&**queue, 10).await.is_empty());
            timed.clock.advance(Duration::from_secs(1));
            let again = receive(&**queue, 10).await;
            assert_eq!(again.len(), 1);
            queue.postpone(&again[0].receipt, Duration::ZERO).await.unwrap();
            assert_eq!(receive(&**queue, 10).await.len(), 1);
        }
    }

    pub(super) async fn a_message_remembers_when_it_was_sent(timed: &Timed) {
        let fifo = &*timed.home.fifo;
        let sent_at = timed.clock.now();
        send(fifo, [in_group("a", "1")]).await;
        for _ in 0..2 {
            timed.clock.advance(HOLD);
            assert_eq!(receive(fifo, 1).await[0].sent_at, sent_at);
        }
    }

    /// SQS does not promise it of standard queues, and nothing of ours needs it there.
    pub(super) async fn an_outlived_receipt_does_nothing(timed: &Timed) {
        for (queue, message) in
            [(&timed.home.standard, message("1")), (&timed.home.fifo, in_group("a", "1"))]
        {
            send(&**queue, [message]).await;
            let first = receive(&**queue, 1).await;
            timed.clock.advance(HOLD);
            let second = receive(&**queue, 1).await;
            delete(&**queue, &first[0]).await;
            give_back(&**queue, &first[0]).await;
            assert!(receive(&**queue, 1).await.is_empty());
            assert_eq!(queue.depth().await.unwrap(), 1);
            delete(&**queue, &second[0]).await;
            assert_eq!(queue.depth().await.unwrap(), 0);
        }
    }

    pub(super) async fn a_delayed_message_comes_later(timed: &Timed) {
        let delay = Duration::from_mins(15);
        send(&*timed.home.standard, [Message { delay, ..message("late") }, message("early")]).await;
        assert_eq!(bodies(&receive(&*timed.home.standard, 10).await), ["early"]);
        timed.clock.advance(HOLD);
        assert_eq!(bodies(&receive(&*timed.home.standard, 10).await), ["early"]);
        timed.clock.advance(delay.saturating_sub(HOLD));
        assert_eq!(bodies(&receive(&*timed.home.standard, 10).await), ["late"]);
    }

    pub(super) async fn one_that_waits_holds_up_its_group(timed: &Timed) {
        let (fifo, clock) = (&*timed.home.fifo, &timed.clock);
        send(fifo, ["1", "2"].map(|body| in_group("a", body))).await;
        let held = receive(fifo, 1).await;
        fifo.postpone(&held[0].receipt, Duration::from_secs(10)).await.unwrap();
        clock.advance(Duration::from_secs(9));
        assert!(receive(fifo, 10).await.is_empty());
        clock.advance(Duration::from_secs(1));
        assert_eq!(bodies(&receive(fifo, 10).await), ["1", "2"]);
    }

    /// SQS gives as many of one group as it can. Ours is fairer.
    pub(super) async fn a_batch_is_shared_between_the_groups(timed: &Timed) {
        let fifo = &*timed.home.fifo;
        send(fifo, (0..100).map(|n| in_group("busy", &format!("busy{n}")))).await;
        send(fifo, [in_group("calm", "calm0"), in_group("calm", "calm1")]).await;
        let held = receive(fifo, 10).await;
        let in_order = |group: &str| {
            let mut of_group = held.clone();
            of_group.retain(|message| message.group.as_deref() == Some(group));
            let expected: Vec<_> = (0..of_group.len()).map(|n| format!("{group}{n}")).collect();
            assert_eq!(bodies(&of_group), expected);
            of_group.len()
        };
        assert_eq!((in_order("busy"), in_order("calm")), (8, 2));
    }

    pub(super) async fn a_message_is_forgotten_after_five_minutes(timed: &Timed) {
        let (fifo, clock) = (&*timed.home.fifo, &timed.clock);
        a_message_is_taken_once(&timed.home).await;
        clock.advance(Duration::from_secs(299));
        send(fifo, [twin("too soon")]).await;
        assert!(receive(fifo, 10).await.is_empty());
        clock.advance(Duration::from_secs(1));
        send(fifo, [twin("another")]).await;
        assert_eq!(bodies(&receive(fifo, 10).await), ["another"]);
        assert_eq!(fifo.depth().await.unwrap(), 1);
    }
}
