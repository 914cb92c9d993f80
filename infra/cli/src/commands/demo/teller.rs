//! Tells what happens in the demo: to people, or as JSON lines.

use std::{
    env,
    fmt::{self, Write},
    io,
    time::Duration,
};

use serde_json::{Value, json};
use ssf::{client::Secret, delivery::dead_letter, event::EventType, queue::Received, web::paths};

use super::{
    actor::Actor,
    guest::Guest,
    people::{ACTS, Act},
    script::{JANE, Scene},
    stage::Stage,
};
use crate::{
    output::{ASIDE, BAD, GOOD, Output},
    receiver::Arrival,
    show::{self, NAME, STRONG},
};

#[derive(Clone, Copy)]
pub(super) struct Teller {
    output: Output,
}

/// The width of the column of subjects.
const SUBJECT: usize = 36;
/// The longest name of a type in the demo.
const TYPE: usize = 24;

impl Teller {
    pub(super) fn new(output: Output) -> Self {
        Self { output }
    }

    /// `value` for programs, `lines` for people.
    fn tell(self, value: &Value, lines: &[String]) -> io::Result<()> {
        if self.output.is_json() {
            return self.output.value(value);
        }
        lines.iter().try_for_each(|line| self.output.line(line))
    }

    /// A new chapter; only for people.
    fn chapter(self, title: &str) -> io::Result<()> {
        if self.output.is_json() {
            return Ok(());
        }
        self.output.line("")?;
        self.output.line(format_args!("{STRONG}{title}{STRONG:#}"))
    }

    pub(super) fn transmitter(self, stage: &Stage) -> io::Result<()> {
        self.chapter("A transmitter is up on this machine")?;
        let (issuer, folder) = (stage.issuer(), stage.folder().display());
        self.tell(
            &json!({ "transmitter": { "issuer": issuer, "data": stage.folder() } }),
            &[
                format!("  issuer  {NAME}{issuer}{NAME:#}"),
                format!("  data    {folder} {ASIDE}(gone when the demo ends){ASIDE:#}"),
            ],
        )
    }

    pub(super) fn introductions(self) -> io::Result<()> {
        self.chapter("Three receivers find it, knowing its name and their credentials")
    }

    pub(super) fn introduced(self, actor: &Actor, took: Duration) -> io::Result<()> {
        let (name, method) = (actor.name, actor.method.name());
        let steps = ["discovery", "token", "stream", "subject", "verified"].map(|step| {
            if step == "subject" && !actor.names_subjects {
                return format!("{ASIDE}consent  {ASIDE:#}");
            }
            format!("{step} {GOOD}✓{GOOD:#}")
        });
        let steps = steps.join("  ");
        self.tell(
            &json!({ "receiver": { "name": name, "delivery": method, "milliseconds": ms(took) } }),
            &[format!(
                "  {NAME}{name:<7}{NAME:#} {method}  {steps}  {ASIDE}{:>5}{ASIDE:#}",
                Ms(took)
            )],
        )
    }

    pub(super) fn scenes(self, scenes: &[Scene]) -> io::Result<()> {
        self.chapter("Six messages go on the ingest queue; the last is as Amazon Cognito has it")?;
        for scene in scenes {
            let event_type = scene.name();
            let subject = show::subject(&scene.subject, SUBJECT);
            let mut line = format!("  {ASIDE}→{ASIDE:#} {event_type:<TYPE$}  {subject}");
            if scene.wanted_by.is_empty() {
                let _ = write!(line, "  {BAD}malformed{BAD:#}");
            }
            self.tell(&json!({ "message": scene.message() }), &[line])?;
        }
        Ok(())
    }

    pub(super) fn outcomes(self) -> io::Result<()> {
        self.chapter("SETs arrive, and are verified against the transmitter's JWKS")
    }

    pub(super) fn arrival(
        self,
        actor: &Actor,
        arrival: &Arrival,
        took: Option<Duration>,
    ) -> io::Result<()> {
        let (name, method) = (actor.name, actor.method.name());
        let who = format!("  {NAME}{name:<7}{NAME:#} {method}");
        let took_ms = took.map(ms);
        let after = took.map(|took| format!("  {:>7}", Ms(took))).unwrap_or_default();
        match &arrival.set {
            Ok(set) => {
                let event_type = set.event_type().short_name();
                let subject = show::subject(set.subject(), SUBJECT);
                let algorithm = set.algorithm;
                self.tell(
                    &json!({ "set": {
                        "receiver": name,
                        "delivery": method,
                        "verified": true,
                        "algorithm": algorithm,
                        "milliseconds": took_ms,
                        "claims": set.claims,
                    } }),
                    &[format!(
                        "{who}  {STRONG}{event_type:<TYPE$}{STRONG:#}  {subject:<SUBJECT$}  \
                         {algorithm:?} {GOOD}✓{GOOD:#}{after}"
                    )],
                )
            }
            Err(disbelief) => self.tell(
                &json!({ "set": {
                    "receiver": name,
                    "delivery": method,
                    "verified": false,
                    "reason": disbelief.to_string(),
                } }),
                &[format!("{who}  {BAD}✗ not believed: {disbelief}{BAD:#}")],
            ),
        }
    }

    pub(super) fn dead_letter(self, letter: &Received) -> io::Result<()> {
        let reason = letter.attributes.get(dead_letter::REASON).map_or("unknown", String::as_str);
        self.tell(
            &json!({ "dead_letter": { "id": letter.id, "reason": reason } }),
            &[format!("  {BAD}dead letters{BAD:#}  {reason}")],
        )
    }

    pub(super) fn people(self) -> io::Result<()> {
        self.chapter(
            "The directory tells what happens to people; initech hears by their consent alone",
        )
    }

    pub(super) fn act(self, act: &Act, txn: &str) -> io::Result<()> {
        let what = act.what;
        self.tell(
            &json!({ "change": { "what": what, "txn": txn } }),
            &[format!("  {ASIDE}→{ASIDE:#} {what}")],
        )
    }

    pub(super) fn summary(self, scenes: &[Scene], took: Duration) -> io::Result<()> {
        let of_people = ACTS.iter().flat_map(|act| act.wanted).map(|(_, types)| types.len());
        let of_scenes = scenes.iter().map(|scene| scene.wanted_by.len() * scene.tells.len());
        let sets: usize = of_scenes.chain(of_people).sum();
        let refused = scenes.iter().filter(|scene| scene.wanted_by.is_empty()).count();
        self.tell(
            &json!({ "summary": { "sets": sets, "refused": refused, "milliseconds": ms(took) } }),
            &[
                String::new(),
                format!(
                    "{GOOD}✓{GOOD:#} {sets} SETs arrived, each verified, and {refused} message is \
                     with the dead letters; in {} altogether.",
                    Ms(took)
                ),
                format!("  globex wants to hear of {JANE} only, so it heard of nobody else."),
                "  initech heard of her for as long as it had her consent.".to_owned(),
            ],
        )
    }

    pub(super) fn invite(
        self,
        stage: &Stage,
        actors: &[Actor],
        token: &Secret,
        guest: &Guest,
    ) -> io::Result<()> {
        let lines = Lines::new(stage, actors, token);
        if self.output.is_json() {
            let clients = actors.iter().map(|actor| {
                json!({
                    "name": actor.name,
                    "client_id": actor.client.client_id,
                    "client_secret": actor.secret.expose(),
                })
            });
            return self.output.value(&json!({ "ready": {
                "issuer": stage.issuer(),
                "certificate": stage.certificate(),
                "clients": clients.collect::<Vec<_>>(),
                "curl": lines.curl.map(|(_, line)| line),
                "emit": lines.emit,
                "sign_in": {
                    "address": guest.address,
                    "account": guest.account,
                    "name": guest.name,
                    "password": guest.password,
                },
            } }));
        }
        self.chapter("The transmitter stays up; try it from another terminal")?;
        for (what, line) in &lines.curl {
            self.output.line(format_args!("\n  {ASIDE}# {what}{ASIDE:#}\n  {line}"))?;
        }
        self.output.line(format_args!(
            "\n  {ASIDE}# tell it what happened, and watch it arrive here{ASIDE:#}\n  {}",
            lines.emit
        ))?;
        self.chapter("Sign in as a person, in a browser (which does not know the certificate)")?;
        let Guest { name, password, address, account } = guest;
        self.output.line(format_args!(
            "  as {STRONG}{name}{STRONG:#}, with the password {STRONG}{password}{STRONG:#}\n\n  \
             {ASIDE}# from an application{ASIDE:#}\n  {address}\n\n  \
             {ASIDE}# the account: what applications may have, and who was told{ASIDE:#}\n  {account}"
        ))?;
        self.chapter("Credentials of the three receivers")?;
        for Actor { name, client, secret, .. } in actors {
            let (id, secret) = (&client.client_id, secret.expose());
            self.output.line(format_args!(
                "  {NAME}{name:<7}{NAME:#} client_id {id}  client_secret {secret}"
            ))?;
        }
        self.output.line(format_args!("\n{STRONG}Ctrl-C ends the demo.{STRONG:#}\n"))
    }
}

/// Command lines to copy.
struct Lines {
    curl: [(&'static str, String); 3],
    emit: String,
}

impl Lines {
    fn new(stage: &Stage, actors: &[Actor], token: &Secret) -> Self {
        let issuer = stage.issuer();
        let curl = format!("curl --cacert {}", stage.certificate().display());
        let (id, secret) = match actors {
            [Actor { client, secret, .. }, ..] => (client.client_id.to_string(), secret.expose()),
            [] => (String::new(), ""),
        };
        // Not by way of a map, so that whom it is about comes first.
        let event = format!(
            r#"{{"sub_id":{{"format":"email","email":"{JANE}"}},"events":{{"{}":{{}}}}}}"#,
            EventType::SESSION_REVOKED
        );
        Self {
            curl: [
                ("what it says of itself", format!("{curl} {issuer}{}", paths::SSF_CONFIGURATION)),
                (
                    "an access token for acme",
                    format!(
                        "{curl} -u {id}:{secret} -d grant_type=client_credentials {issuer}{}",
                        paths::TOKEN
                    ),
                ),
                (
                    "acme's streams, with a token that an operator made",
                    format!(
                        "{curl} -H 'Authorization: Bearer {}' {issuer}{}",
                        token.expose(),
                        paths::STREAMS
                    ),
                ),
            ],
            emit: format!(
                "echo '{event}' | {} emit --data {} -",
                program(),
                stage.folder().display()
            ),
        }
    }
}

/// How this program can be called from here.
fn program() -> String {
    let program = env::current_exe().unwrap_or_else(|_| "tocsin".into());
    let here = env::current_dir().ok();
    let near = here.and_then(|here| program.strip_prefix(here).ok().map(ToOwned::to_owned));
    near.unwrap_or(program).display().to_string()
}

fn ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// A time for people.
struct Ms(Duration);

impl fmt::Display for Ms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} ms", ms(self.0)))
    }
}
