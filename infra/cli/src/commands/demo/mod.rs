//! `tocsin demo`: all of it, at a glance.

mod actor;
mod guest;
mod people;
mod script;
mod stage;
mod teller;

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use ssf::{
    Transmitter,
    clock::{Clock, SystemClock, since},
    queue::{QueueError, Received},
};
use tokio::{sync::mpsc, time::timeout};

use self::{
    actor::{ACTORS, Actor},
    guest::Guest,
    people::{ACTS, Office},
    script::{Scene, scenes},
    stage::Stage,
    teller::Teller,
};
use crate::{args::examples, output::Output, receiver::Arrival, signals};

/// Its arguments.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = examples(&[
    ("Watch, and then try for yourself", "tocsin demo"),
    ("As a check that all works on this machine", "tocsin demo --once"),
]))]
pub struct Args {
    /// End when everything has arrived, with exit code 0; with 1 when it has not within 30 seconds
    #[arg(long)]
    once: bool,
}

/// For all that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often we look for dead letters.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Plays the demo.
pub async fn run(args: Args, output: Output) -> anyhow::Result<()> {
    let mut signals = signals::listen()?;
    let teller = Teller::new(output);
    let stage = Stage::set().await?;
    let played = tokio::select! {
        played = play(&args, &stage, teller) => played,
        () = signals.stop() => Ok(()),
    };
    stage.strike().await;
    played
}

async fn play(args: &Args, stage: &Stage, teller: Teller) -> anyhow::Result<()> {
    let mut audience = timeout(PATIENCE, perform(stage, teller))
        .await
        .context("the demo did not end well within 30 s")??;
    if args.once {
        return Ok(());
    }
    let first = &audience.actors[0].client.client_id;
    let (_, token) = stage.transmitter().static_token_create(first, None).await?;
    let guest = Guest::invite(stage).await?;
    teller.invite(stage, &audience.actors, &token, &guest)?;
    loop {
        tokio::select! {
            Some((actor, arrival)) = audience.arrivals.recv() => {
                teller.arrival(&audience.actors[actor], &arrival, None)?;
                _ = arrival.take();
            }
            Some(letter) = audience.dead_letters.recv() => teller.dead_letter(&letter)?,
            else => bail!("the receivers are gone"),
        }
    }
}

/// Who has seen the play, and stays.
struct Audience {
    actors: Vec<Actor>,
    arrivals: mpsc::Receiver<(usize, Arrival)>,
    dead_letters: mpsc::Receiver<Received>,
}

/// From the introductions to the last SET.
async fn perform(stage: &Stage, teller: Teller) -> anyhow::Result<Audience> {
    teller.transmitter(stage)?;
    teller.introductions()?;
    let mut actors = Vec::new();
    let (forward, arrivals) = mpsc::channel(1);
    for (at, part) in ACTORS.iter().enumerate() {
        let began = SystemClock.now();
        let (actor, mut own) = Actor::introduce(part, stage)
            .await
            .with_context(|| format!("{} and the transmitter do not agree", part.name))?;
        teller.introduced(&actor, since(began, SystemClock.now()))?;
        actors.push(actor);
        let forward = forward.clone();
        tokio::spawn(async move {
            while let Some(arrival) = own.recv().await {
                if forward.send((at, arrival)).await.is_err() {
                    break;
                }
            }
        });
    }
    let scenes = scenes(SystemClock.now());
    teller.scenes(&scenes)?;
    let sent_at = stage.emit(&scenes).await?;
    let dead_letters = dead_letters(stage.transmitter().clone());
    let mut audience = Audience { actors, arrivals, dead_letters };
    audience.watch(teller, &scenes, sent_at).await?;
    audience.watch_people(teller, stage).await?;
    teller.summary(&scenes, since(sent_at, SystemClock.now()))?;
    Ok(audience)
}

impl Audience {
    /// Until everybody has what is for them, and the dead letters have the rest.
    async fn watch(
        &mut self,
        teller: Teller,
        scenes: &[Scene],
        sent_at: Timestamp,
    ) -> anyhow::Result<()> {
        teller.outcomes()?;
        let mut expected = BTreeSet::new();
        for scene in scenes {
            for actor in scene.wanted_by {
                expected.extend(scene.tells.iter().map(|told| (*actor, scene.txn, told.clone())));
            }
        }
        let mut refused = scenes.iter().filter(|scene| scene.wanted_by.is_empty()).count();
        while !expected.is_empty() || refused > 0 {
            tokio::select! {
                Some((at, arrival)) = self.arrivals.recv() => {
                    let actor = &self.actors[at];
                    teller.arrival(actor, &arrival, Some(since(sent_at, arrival.at)))?;
                    let set = arrival.take()?;
                    let was_expected = scenes
                        .iter()
                        .find(|scene| scene.txn == set.txn())
                        .is_some_and(|scene| {
                            expected.remove(&(actor.name, scene.txn, set.event_type().clone()))
                        });
                    if !was_expected {
                        bail!("{} got a SET that is not for it", actor.name);
                    }
                }
                Some(letter) = self.dead_letters.recv() => {
                    teller.dead_letter(&letter)?;
                    refused = refused.saturating_sub(1);
                }
                else => bail!("the receivers are gone"),
            }
        }
        Ok(())
    }
}

impl Audience {
    /// What happens to a person, one thing after the other: each is over when everybody has what is for
    /// them.
    async fn watch_people(&mut self, teller: Teller, stage: &Stage) -> anyhow::Result<()> {
        teller.people()?;
        let mut office = Office::of(stage.transmitter());
        for act in &ACTS {
            let began = SystemClock.now();
            let txn = office.act(act).await?;
            teller.act(act, &txn)?;
            let wanted = act.wanted.iter();
            let mut expected: BTreeSet<_> = wanted
                .flat_map(|(name, types)| types.iter().map(move |kind| (*name, *kind)))
                .collect();
            while !expected.is_empty() {
                let (at, arrival) = self.arrivals.recv().await.context("the receivers are gone")?;
                let actor = &self.actors[at];
                teller.arrival(actor, &arrival, Some(since(began, arrival.at)))?;
                let set = arrival.take()?;
                let (name, kind) = (actor.name, set.event_type().short_name());
                let before = expected.len();
                expected.retain(|wanted| *wanted != (name, kind));
                if set.txn() != txn || expected.len() == before {
                    bail!("{} got a SET that is not for it", actor.name);
                }
            }
        }
        Ok(())
    }
}

/// Hands on each dead letter once.
fn dead_letters(us: Transmitter) -> mpsc::Receiver<Received> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let queue = &us.parts().dead_letters;
        let (mut seen, mut depth) = (BTreeSet::new(), 0);
        while !sender.is_closed() {
            us.parts().clock.sleep(LOOK_EVERY).await;
            let now = queue.depth().await?;
            if now == depth {
                continue;
            }
            depth = now;
            // Not out of sight: an operator may look at them, too.
            for letter in queue.receive(100, Duration::ZERO).await? {
                if seen.insert(letter.id.clone()) && sender.send(letter).await.is_err() {
                    break;
                }
            }
        }
        Ok::<_, QueueError>(())
    });
    receiver
}
