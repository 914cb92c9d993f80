//! What a receiver that is away costs, while there is more and more for it.

use std::{collections::BTreeSet, time::Duration};

use tests::{
    World,
    world::{push_stream, session_revoked, status, usual_event},
};

/// Lanes of a stream, lane 0 included.
const LANES: u64 = 9;

async fn bells(world: &World) -> u64 {
    world.transmitter.parts().push.depth().await.unwrap()
}

#[tokio::test]
async fn a_receiver_that_is_away_keeps_few_bells_however_much_there_is_for_it() {
    let world = World::new();
    for name in ["away", "there"] {
        world.create(&world.receiver(name), push_stream(name, &["session-revoked"])).await;
    }
    world.http.always("away", status(503));
    for minute in 0..90 {
        for number in 0..3 {
            world.emit(&usual_event(minute * 3 + number)).await;
            world.pass(Duration::from_secs(20)).await;
        }
        let bells = bells(&world).await;
        // In each lane one rings when its rest is over, or something is due.
        assert!(bells <= 2 * LANES, "after {minute} min {bells} bells wait");
    }
    let tries = world.http.take();
    let (away, there): (Vec<_>, Vec<_>) =
        tries.iter().partition(|pushed| pushed.endpoint.host_str() == Some("away.example"));
    assert_eq!(there.len(), 270, "who is there has everything");
    // A walk through a lane tries sixteen SETs at most, and then the lane rests for a minute.
    assert!(away.len() <= 16 * 8 * 95, "{} tries", away.len());

    world.http.always("away", status(202));
    for _ in 0..40 {
        world.pass(Duration::from_mins(4)).await;
    }
    let came: BTreeSet<String> =
        world.http.take().iter().map(|pushed| pushed.set.clone()).collect();
    assert_eq!(came.len(), 270, "nothing is lost");
    assert_eq!(bells(&world).await, 0);
}

#[tokio::test]
async fn a_lane_in_which_nothing_gets_through_rests_for_longer_each_time() {
    let world = World::with(|config| config.lanes = 1);
    world.create(&world.receiver("away"), push_stream("away", &["session-revoked"])).await;
    world.http.always("away", status(503));
    let mut walks = Vec::new();
    for second in 0..240 {
        // About somebody else each time, so that there is always something new to try.
        world.emit(&session_revoked(&format!("{second}@example.com"))).await;
        world.settle().await;
        if !world.http.take().is_empty() {
            walks.push(second);
        }
        world.pass(Duration::from_secs(1)).await;
    }
    let rests: Vec<i32> = walks.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(rests[2..], [4, 8, 16, 32, 60, 60]);

    world.http.always("away", status(202));
    world.pass(Duration::from_mins(1)).await;
    assert!(world.http.take().len() > 200, "the rest is over");
    world.emit(&session_revoked("last@example.com")).await;
    world.settle().await;
    assert_eq!(world.http.take().len(), 1, "and forgotten");
}
