//! `tocsin emit`: puts events on the ingest queue.

pub(super) mod fates;
mod messages;
pub(super) mod progress;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    mem,
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::{Value, json};
use ssf::{
    Transmitter,
    delivery::Door,
    event::{EventRules, SecurityEvent},
    operator::Emitted,
    queue::{Message, QueueError},
    source::{self, Opened},
};

use crate::{
    args::{Data, OnStack, examples},
    output::{Output, advise},
};
use messages::{Found, Messages};
use progress::Progress;

/// How many messages are sent at once, and how many bytes of them.
const AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 1 << 20;

/// So many lines that cannot be sent are told one by one.
const TOLD: usize = 20;

/// Its arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&[
    ("One event, and see where it went", "tocsin emit --data ./data event.json --wait"),
    ("Many, one a line, in order for each subject", "tocsin emit --data ./data events.jsonl --fifo"),
    (
        "One made up on the spot",
        r#"echo '{"sub_id":{"format":"email","email":"jane@example.com"},
      "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{}}}' |
      tocsin emit --data ./data -"#,
    ),
    (
        "What a source says, as EventBridge would bring it",
        "tocsin emit --data ./data --envelope cognito.json --wait",
    ),
]))]
pub struct Args {
    #[command(flatten)]
    data: Data,

    /// A file with one event, as one JSON object, or with many, one a line; `-`: stdin
    file: PathBuf,

    /// Whose events these are: ids of one source are apart from those of another
    #[arg(long, value_name = "NAME")]
    source: Option<String>,

    /// Use the ordered door: events about one subject stay in the order in which they are here
    #[arg(long)]
    fifo: bool,

    /// Each is an envelope of a source, as EventBridge, SNS or a log has it; `tocsin source try` shows
    /// what it becomes
    #[arg(long, conflicts_with = "fifo")]
    envelope: bool,

    /// Wait, and say what became of each; exit with 1 if one was refused, failed for good, or was
    /// not taken in
    #[arg(long)]
    wait: bool,

    /// Wait no longer; what is pending then is told as that
    #[arg(long, value_name = "SECONDS", default_value = "10", requires = "wait")]
    timeout: u64,
}

/// A message that is on the queue.
#[derive(Clone, Debug, Serialize)]
struct Sent {
    /// Where it began in the file.
    line: u64,
    /// Which of the events it is that the message holds.
    #[serde(skip)]
    number: usize,
    message_id: String,
    #[serde(skip)]
    emitted: Emitted,
}

/// A message that cannot be on the queue.
#[derive(Clone, Debug, Serialize)]
struct Unsent {
    line: u64,
    reason: String,
}

/// Does it.
pub async fn run(args: Args, on: &OnStack, output: Output) -> anyhow::Result<()> {
    let (input, size) = open(&args)?;
    let transmitter = args.data.open_or_make(on).await?;
    let now = || transmitter.parts().clock.now();
    let door = if args.fifo { Door::Fifo } else { Door::Standard };
    let mut sender = Sender::new(&transmitter, door, args.wait, args.wait || output.is_json());
    sender.envelopes = args.envelope;
    sender.name = Transmitter::emit_sender(args.source.as_deref());
    let mut messages = Messages::new(input);
    let mut progress = Progress::new("sending", size, output, now());
    let mut read = 0;
    while let Some(found) = messages.next().with_context(|| cannot_read(&args))? {
        if sender.take(found).await? {
            progress.advance(messages.read - mem::replace(&mut read, messages.read), now());
        }
    }
    sender.flush().await?;
    drop(progress);
    let Sender { count, sent, unsent, .. } = sender;
    if count == 0 && unsent.is_empty() {
        bail!("{} holds no event; nothing was sent", name(&args));
    }
    let told = if args.wait {
        let progress = Progress::new("waiting", Some(count), output, now());
        let timeout = Duration::from_secs(args.timeout);
        Some(fates::wait(&transmitter, sent.clone(), timeout, progress).await?)
    } else {
        None
    };
    if output.is_json() {
        let events = told.as_ref().map_or_else(|| json!(sent), |told| json!(told));
        output.value(&json!({ "emitted": count, "events": events, "unsent": unsent }))?;
    } else if let Some(told) = &told {
        fates::show(told, output)?;
    } else {
        let what = if args.envelope { "envelope" } else { "event" };
        let (s, are) = if count == 1 { ("", "is") } else { ("s", "are") };
        output.line(format_args!("{count} {what}{s} {are} on the queue"))?;
    }
    complain(&unsent, &args)?;
    told.as_deref().map_or(Ok(()), fates::judge)
}

/// What is to be read, and how many bytes that is.
fn open(args: &Args) -> anyhow::Result<(Box<dyn BufRead>, Option<u64>)> {
    if args.file.as_os_str() == "-" {
        return Ok((Box::new(BufReader::new(io::stdin())), None));
    }
    let file = File::open(&args.file).with_context(|| cannot_read(args))?;
    let metadata = file.metadata().with_context(|| cannot_read(args))?;
    let size = metadata.is_file().then_some(metadata.len());
    Ok((Box::new(BufReader::with_capacity(1 << 16, file)), size))
}

fn name(args: &Args) -> String {
    if args.file.as_os_str() == "-" { "stdin".to_owned() } else { args.file.display().to_string() }
}

fn cannot_read(args: &Args) -> String {
    format!("cannot read {}", name(args))
}

/// An error, when there is something that could not be sent.
fn complain(unsent: &[Unsent], args: &Args) -> anyhow::Result<()> {
    let lines: Vec<_> = unsent
        .iter()
        .take(TOLD)
        .map(|Unsent { line, reason }| format!("the one that begins on line {line} {reason}"))
        .collect();
    let more = unsent.len() - lines.len();
    match (lines.as_slice(), more) {
        ([], _) => Ok(()),
        (lines, 0) => bail!("not all events of {} were sent: {}", name(args), lines.join("; ")),
        (lines, more) => {
            bail!(
                "not all events of {} were sent: {}; and {more} more",
                name(args),
                lines.join("; ")
            )
        }
    }
}

/// Puts messages on a door, many at once.
struct Sender<'a> {
    transmitter: &'a Transmitter,
    door: Door,
    /// Who sends, for the door.
    name: String,
    /// Whether the names of events are needed.
    named: bool,
    /// Whether what was sent is remembered.
    remember: bool,
    /// Whether each message is an envelope.
    envelopes: bool,
    batch: Vec<(Message, u64, Vec<Option<String>>)>,
    bytes: usize,
    count: u64,
    sent: Vec<Sent>,
    unsent: Vec<Unsent>,
}

impl<'a> Sender<'a> {
    fn new(transmitter: &'a Transmitter, door: Door, named: bool, remember: bool) -> Self {
        let (batch, sent, unsent) = (Vec::new(), Vec::new(), Vec::new());
        let name = Transmitter::emit_sender(None);
        Self {
            transmitter,
            door,
            name,
            named,
            remember,
            envelopes: false,
            batch,
            bytes: 0,
            count: 0,
            sent,
            unsent,
        }
    }

    /// Takes a message; says whether it, and those before, are on the queue.
    async fn take(&mut self, Found { line, text }: Found) -> anyhow::Result<bool> {
        let text = match text {
            Ok(text) => text,
            Err(reason) => {
                self.unsent.push(Unsent { line, reason: reason.to_owned() });
                return Ok(false);
            }
        };
        self.bytes += text.len();
        let (mut message, names) = if self.envelopes {
            match self.envelope(&text) {
                Ok(envelope) => envelope,
                Err(reason) => {
                    self.unsent.push(Unsent { line, reason });
                    return Ok(false);
                }
            }
        } else {
            let (message, name) = self.message(text);
            (message, vec![name])
        };
        let attributes = self.transmitter.own_attributes(&self.name, None, &message.body);
        message.attributes.extend(attributes.await.map_err(advise)?);
        self.batch.push((message, line, names));
        let full = self.batch.len() >= AT_ONCE || self.bytes >= BYTES_AT_ONCE;
        if full {
            self.flush().await?;
        }
        Ok(full)
    }

    /// The message, and the name of the event that it is. One that is none goes, too: whoever takes
    /// it in says what is wrong with it, where all can see it.
    fn message(&self, body: String) -> (Message, Option<String>) {
        let is_fifo = self.door == Door::Fifo;
        if !is_fifo && !self.named {
            return (Message { body, ..Message::default() }, None);
        }
        let parts = self.transmitter.parts();
        let rules =
            EventRules { private_types: &parts.config.private_event_types, now: parts.clock.now() };
        let event = SecurityEvent::parse(body.as_bytes(), &rules).ok();
        let group = is_fifo.then(|| match &event {
            Some(event) => event.subject.order_digest().to_string(),
            None => "unparsed".to_owned(),
        });
        let deduplication = is_fifo.then(|| parts.ids.fresh().to_string());
        let message = Message { body, group, deduplication, ..Message::default() };
        (message, event.and_then(|event| event.id))
    }

    /// The envelope as a message, and the names of the events that it becomes.
    fn envelope(&self, text: &str) -> Result<(Message, Vec<Option<String>>), String> {
        let mut envelope: Value =
            serde_json::from_str(text).map_err(|_| "is not JSON".to_owned())?;
        if envelope.get("detail-type").is_some() && envelope.get("id").is_none() {
            // The bus would have named it.
            envelope["id"] = json!(self.transmitter.parts().ids.fresh().to_string());
        }
        let body = envelope.to_string();
        let message = |body| Message { body, ..Message::default() };
        let name = |message: &Value| message["id"].as_str().map(str::to_owned);
        match source::open(body.as_bytes(), &self.transmitter.parts().config.sources.all_on()) {
            Ok(Opened::Message { within, .. }) if within.is_empty() => {
                Err("is not an envelope".to_owned())
            }
            Ok(Opened::Message { message: inner, .. }) => Ok((message(body), vec![name(&inner)])),
            Ok(Opened::Told { messages, .. }) if messages.is_empty() => {
                Ok((message(body), vec![None]))
            }
            Ok(Opened::Told { messages, .. }) => {
                Ok((message(body), messages.iter().map(name).collect()))
            }
            // Whoever takes it in says what is wrong with it, where all can see it.
            Err(_) => Ok((message(body), vec![None])),
        }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        let parts = self.transmitter.parts();
        let door = parts.door(self.door);
        self.bytes = 0;
        let (mut messages, mut names) = (Vec::new(), Vec::new());
        for (message, line, event_ids) in self.batch.drain(..) {
            messages.push(message);
            names.push((line, event_ids));
        }
        if messages.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        for (answer, (line, event_ids)) in door.send(messages).await.into_iter().zip(names) {
            match answer {
                Ok(message_id) => {
                    self.count += 1;
                    if self.remember {
                        for (number, event_id) in event_ids.into_iter().enumerate() {
                            let message_id = message_id.clone();
                            let emitted = Emitted {
                                message_id: message_id.clone(),
                                event_id,
                                sender: self.name.clone(),
                            };
                            self.sent.push(Sent { line, number, message_id, emitted });
                        }
                    }
                }
                Err(QueueError::Refused(reason)) => {
                    self.unsent.push(Unsent { line, reason: format!("is refused: {reason}") });
                }
                // Those of other subjects may be there, whatever is before them.
                Err(error @ QueueError::Unavailable(_)) => {
                    failed.get_or_insert((line, error));
                }
            }
        }
        if let Some((line, error)) = failed {
            return Err(advise(error.into())).with_context(|| {
                let count = self.count;
                format!("{count} events are on the queue; line {line} is not, nor all behind it")
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::home::Home;

    use super::*;

    #[test]
    fn at_the_ordered_door_each_subject_has_a_group() {
        let folder = tempfile::tempdir().unwrap();
        let transmitter = Home::open_or_make(folder.path()).unwrap().transmitter;
        let sender = Sender::new(&transmitter, Door::Fifo, false, false);
        let message = |email: &str, number| {
            let event = json!({
                "id": number,
                "sub_id": { "format": "email", "email": email },
                "events": {
                    "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {},
                },
            });
            sender.message(event.to_string())
        };
        let [(first, name), (second, _)] =
            ["1", "2"].map(|number| message("ann@a.example", number));
        assert_eq!(name.as_deref(), Some("1"));
        assert_eq!(first.group, second.group);
        assert_ne!(first.deduplication, second.deduplication, "none is taken for another");
        assert_ne!(first.group, message("bob@a.example", "3").0.group);
        assert_eq!(sender.message("{}".to_owned()).0.group.as_deref(), Some("unparsed"));
    }
}
