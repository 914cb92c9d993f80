//! Any order of what can happen to codes and tokens: none that should be dead works, and none that
//! should work is dead.

use std::time::Duration;

use jiff::Timestamp;
use proptest::{
    prelude::{Strategy, any},
    prop_oneof,
    test_runner::{Config, TestRunner},
};
use ssf::{
    client::Secret,
    sign_in::{Means, NewSession, Place, Refusal, SessionEnd, Tokens, nothing},
};

use super::{Person, Scene, id, person, wish};

/// Something that happens. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Issue,
    EndSession(usize),
    Exchange(usize),
    Refresh(usize),
    GiveBack(usize),
    GiveBackAccess(usize),
    Lock,
    Unlock,
    Revoke,
    Restore,
    Grant,
    Disable,
    Enable,
    Forget,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => proptest::strategy::Just(Step::Issue),
        1 => any::<usize>().prop_map(Step::EndSession),
        6 => any::<usize>().prop_map(Step::Exchange),
        10 => any::<usize>().prop_map(Step::Refresh),
        1 => any::<usize>().prop_map(Step::GiveBack),
        1 => any::<usize>().prop_map(Step::GiveBackAccess),
        1 => proptest::strategy::Just(Step::Lock),
        1 => proptest::strategy::Just(Step::Unlock),
        1 => proptest::strategy::Just(Step::Revoke),
        1 => proptest::strategy::Just(Step::Restore),
        1 => proptest::strategy::Just(Step::Grant),
        1 => proptest::strategy::Just(Step::Disable),
        1 => proptest::strategy::Just(Step::Enable),
        1 => proptest::strategy::Just(Step::Forget),
        4 => proptest::sample::select(vec![0, 1, 9, 10, 60, 299, 300, 3_600, 2_592_000])
            .prop_map(Step::Pass),
    ]
}

/// A sign-in as it should be: a code, then tokens.
struct Model {
    code: Secret,
    /// The session that it was issued in.
    sid: Option<String>,
    issued: Timestamp,
    /// Ended for good, whatever comes later.
    dead: bool,
    tokens: Option<Issued>,
}

struct Issued {
    began: Timestamp,
    /// All refresh tokens there were; the last is the good one.
    refresh: Vec<Secret>,
    rotated: Option<Timestamp>,
    access: Vec<(Tokens, Timestamp, bool)>,
}

/// What is around all of them.
#[derive(Default)]
struct Around {
    locked: bool,
    ends: u32,
    revoked: bool,
    disabled: bool,
}

impl Around {
    fn allows(&self) -> bool {
        !self.locked && !self.revoked && !self.disabled
    }
}

struct Run {
    scene: Scene,
    around: Around,
    all: Vec<Model>,
}

impl Run {
    fn now(&self) -> Timestamp {
        self.scene.world.transmitter.parts().clock.now()
    }

    fn is_younger(&self, than: u64, time: Timestamp) -> bool {
        (self.now() - time).get_seconds() < than.cast_signed()
    }

    async fn take(&mut self, step: Step) {
        let (jane, notes) = (person("jane"), id("notes"));
        let sign_in = self.scene.sign_in.clone();
        let us = self.scene.world.transmitter.clone();
        match step {
            Step::Issue => {
                let mut wish = wish("jane", "notes");
                let place = Place::new(None, None);
                let new = NewSession { subject: jane, means: Means::Password, place };
                let session = sign_in.session_open(new, None, &nothing).await;
                assert_eq!(session.is_ok(), !self.around.locked);
                let sid = session.ok().map(|(_, session)| {
                    wish.signed_in = session.signed_in();
                    session.sid
                });
                let issued = sign_in.code_issue(wish).await;
                assert_eq!(issued.is_ok(), self.around.allows());
                if let Ok(code) = issued {
                    let issued = self.now();
                    self.all.push(Model { code, sid, issued, dead: false, tokens: None });
                }
            }
            Step::EndSession(which) => {
                let Some(at) = self.choose(which) else { return };
                let Some(sid) = &self.all[at].sid else { return };
                sign_in.session_end(&jane, sid, SessionEnd::SignedOut, &nothing).await.unwrap();
                self.all[at].dead = true;
            }
            Step::Exchange(which) => self.exchange(which).await,
            Step::Refresh(which) => self.refresh(which).await,
            Step::GiveBack(which) => {
                let Some(at) = self.choose(which) else { return };
                let Some(tokens) = &self.all[at].tokens else { return };
                let token = &tokens.refresh[which % tokens.refresh.len()];
                sign_in.token_give_back(&notes, token.expose(), &nothing).await.unwrap();
                self.all[at].dead = true;
            }
            Step::GiveBackAccess(which) => {
                let Some(at) = self.choose(which) else { return };
                let Some(tokens) = &mut self.all[at].tokens else { return };
                let count = tokens.access.len();
                let (access, _, gone) = &mut tokens.access[which % count];
                let token = access.access_token.expose();
                sign_in.token_give_back(&notes, token, &nothing).await.unwrap();
                *gone = true;
            }
            Step::Lock => {
                let (lock_date, ends) = (Some(self.now()), self.around.ends);
                self.scene.put("jane", &Person { lock_date, ends }).await;
                self.around.locked = true;
                self.end_all();
            }
            Step::Unlock => {
                self.around.ends += u32::from(self.around.locked);
                let ends = self.around.ends;
                self.scene.put("jane", &Person { lock_date: None, ends }).await;
                self.around.locked = false;
            }
            Step::Revoke => {
                sign_in.consent_revoke(&jane, &notes, &nothing).await.unwrap();
                self.around.revoked = true;
                self.end_all();
            }
            Step::Restore => {
                sign_in.consent_restore(&jane, &notes, &nothing).await.unwrap();
                self.around.revoked = false;
            }
            Step::Grant => {
                self.scene.consent("jane", "notes").await;
                self.around.revoked = false;
            }
            Step::Disable => {
                us.client_disable(&notes).await.unwrap();
                self.around.disabled = true;
            }
            Step::Enable => {
                us.client_enable(&notes).await.unwrap();
                self.around.disabled = false;
            }
            Step::Forget => drop(sign_in.pair_forget(&jane, &notes).await.unwrap()),
            Step::Pass(seconds) => self.scene.world.clock.advance(Duration::from_secs(seconds)),
        }
    }

    fn choose(&self, which: usize) -> Option<usize> {
        which.checked_rem(self.all.len())
    }

    fn end_all(&mut self) {
        for model in &mut self.all {
            model.dead = true;
        }
    }

    async fn exchange(&mut self, which: usize) {
        let Some(at) = self.choose(which) else { return };
        let now = self.now();
        let fresh = self.is_younger(300, self.all[at].issued);
        let remembered = self.is_younger(3_600, self.all[at].issued);
        let exchanged = self.scene.exchange("notes", &self.all[at].code).await;
        let good =
            self.all[at].tokens.is_none() && fresh && !self.all[at].dead && self.around.allows();
        assert_eq!(exchanged.is_ok(), good, "{:?}", exchanged.err());
        let model = &mut self.all[at];
        match (exchanged, &model.tokens) {
            (Ok(mut tokens), _) => {
                let refresh = vec![tokens.refresh_token.take().unwrap()];
                let access = vec![(tokens, now, false)];
                model.tokens = Some(Issued { began: now, refresh, rotated: None, access });
            }
            // It came a second time.
            (Err(_), Some(_)) if remembered => model.dead = true,
            (Err(_), _) => {}
        }
    }

    async fn refresh(&mut self, which: usize) {
        let Some(at) = self.choose(which) else { return };
        let now = self.now();
        let Some(tokens) = &self.all[at].tokens else { return };
        // Mostly the last one or the one before it.
        let age = [0, 0, 0, 1, 1, 2, 7][(which / 7) % 7].min(tokens.refresh.len() - 1);
        let token = tokens.refresh[tokens.refresh.len() - 1 - age].clone();
        let in_grace = tokens.rotated.is_some_and(|rotated| self.is_younger(10, rotated));
        let lives = !self.all[at].dead && self.is_younger(2_592_000, tokens.began);
        let reused = age > 1 || (age == 1 && !in_grace);
        let refreshed = self.scene.refresh("notes", &token).await;
        let good = lives && !reused && self.around.allows();
        assert_eq!(refreshed.is_ok(), good, "{:?}", refreshed.err());
        let model = &mut self.all[at];
        let tokens = model.tokens.as_mut().unwrap();
        match refreshed {
            Ok(mut next) => {
                let token = next.refresh_token.take().unwrap();
                if age == 0 {
                    tokens.refresh.push(token);
                    tokens.rotated = Some(now);
                } else {
                    assert_eq!(Some(&token), tokens.refresh.last(), "the same again");
                }
                // A row has only so many; the oldest goes first.
                let young = |issued: Timestamp| (now - issued).get_seconds() < 300;
                let mut live: Vec<_> = tokens
                    .access
                    .iter_mut()
                    .filter(|(_, issued, gone)| !gone && young(*issued))
                    .collect();
                if live.len() == 16 {
                    live[0].2 = true;
                }
                tokens.access.push((next, now, false));
            }
            Err(Refusal::Reused { .. }) => {
                assert!(reused);
                model.dead = true;
            }
            Err(_) => assert!(!(reused && lives), "a reuse is known as one"),
        }
    }

    /// Every access token that was ever given is as it should be.
    async fn judge(&self) {
        for model in &self.all {
            let Some(tokens) = &model.tokens else { continue };
            let live = tokens
                .access
                .iter()
                .filter(|(_, issued, gone)| !gone && self.is_younger(300, *issued));
            let kept = live.count();
            let mut good = 0;
            for (access, issued, gone) in &tokens.access {
                let is_good = self.scene.is_good(access).await;
                let may = !model.dead
                    && !gone
                    && self.around.allows()
                    && self.is_younger(300, *issued)
                    && self.is_younger(2_592_000, tokens.began);
                assert!(may || !is_good, "a dead token works");
                good += usize::from(is_good);
            }
            let all =
                !model.dead && self.around.allows() && self.is_younger(2_592_000, tokens.began);
            assert_eq!(good, if all { kept } else { 0 }, "a good token is dead");
        }
    }
}

#[test]
fn no_order_of_things_leaves_a_token_that_should_be_dead() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner =
        TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let steps = proptest::collection::vec(step(), 1..60);
    runner
        .run(&steps, |steps| {
            runtime.block_on(async {
                let scene = Scene::new().await;
                let mut run = Run { scene, around: Around::default(), all: Vec::new() };
                for step in steps {
                    run.take(step).await;
                    run.judge().await;
                }
            });
            Ok(())
        })
        .unwrap();
}
