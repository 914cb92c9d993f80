//! Which streams want an event.
//!
//! The number of reads depends on the streams that want the event and on the shapes in use, not on
//! how many streams or subjects there are. Where many rows stand for one answer (all subjects of a
//! stream under one key, all streams of one shape), one row is read and the rest is skipped.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream, try_join};
use jiff::Timestamp;

use crate::{
    Error, Transmitter,
    event::{EventType, SecurityEvent},
    stream::{
        DefaultSubjects, Stream, StreamId,
        store::{ALL, SHAPE, decode, stream_key, type_partition},
        subjects::{AMONG_ALIASES, NamedRow, named_prefix, subject_partition},
    },
    subject::{Shape, Subject, SubjectIdentifier},
    table::Query,
};

/// What is known of one event type.
#[derive(Debug, Default)]
struct Wanted {
    /// The streams with default ALL that want it.
    all: Vec<StreamId>,
    /// The shapes of the subjects about which streams with default NONE want it.
    shapes: BTreeSet<Shape>,
}

/// Finds the streams for the events of one batch; what they share is read once.
#[derive(Debug)]
pub(crate) struct Matcher<'a> {
    transmitter: &'a Transmitter,
    wanted: HashMap<EventType, Wanted>,
    streams: HashMap<StreamId, Stream>,
    /// For each event, the streams that name its subject, and by which of its names, if it has several.
    named: Vec<BTreeMap<StreamId, Option<Subject>>>,
}

/// What stands behind a prefix and before the next `#`, and what follows in the first such key.
struct First {
    name: String,
    rest: String,
}

/// By which of an event's names a stream named its subject.
#[derive(Clone, Default)]
struct Names<'a> {
    /// By this name alone: the first one, if there are several.
    alone: Option<&'a Subject>,
    /// Among the aliases that it named.
    among: Vec<&'a Subject>,
}

impl<'a> Names<'a> {
    fn add(&mut self, way: &'a Subject, among_aliases: bool) {
        if among_aliases {
            self.among.push(way);
        } else {
            self.alone.get_or_insert(way);
        }
    }

    /// The subject by the names that the stream knows, and no others.
    fn known(&self) -> Subject {
        match (self.alone, &self.among[..]) {
            (Some(way), _) => way.clone(),
            (None, [way]) => (*way).clone(),
            (None, ways) => {
                let names = ways.iter().filter_map(|way| way.simple().cloned());
                Subject::Simple(SubjectIdentifier::Aliases { identifiers: names.collect() })
            }
        }
    }
}

/// Sorts behind each key that begins with the same text.
const LAST: char = char::MAX;

/// How many rows are read at first where many may stand for one answer. Few, so that very many cost
/// no more reads than some.
const PEEK: usize = 2;

/// How many questions are asked at once, where there may be very many.
const AT_ONCE: usize = 32;

/// How many are read later, at most.
const MOST: usize = 1024;

impl<'a> Matcher<'a> {
    /// Reads what it takes to match `events`.
    pub(crate) async fn new(
        transmitter: &'a Transmitter,
        events: &[&SecurityEvent],
    ) -> Result<Self, Error> {
        let types: BTreeSet<&EventType> = events.iter().map(|event| &event.event_type).collect();
        let mut matcher =
            Self { transmitter, wanted: HashMap::new(), streams: HashMap::new(), named: vec![] };
        let read = types.into_iter().map(async |event_type| {
            Ok::<_, Error>((event_type.clone(), matcher.read_wanted(event_type).await?))
        });
        let wanted = try_join_all(read).await?.into_iter().collect();
        matcher.wanted = wanted;
        matcher.named = matcher.read_named(events).await?;
        matcher.read_streams(events).await?;
        Ok(matcher)
    }

    async fn read_wanted(&self, event_type: &EventType) -> Result<Wanted, Error> {
        let partition = type_partition(event_type.as_str());
        let (all, shapes) = try_join!(self.read_all(&partition), self.read_shapes(&partition))?;
        Ok(Wanted { all, shapes })
    }

    async fn read_all(&self, partition: &str) -> Result<Vec<StreamId>, Error> {
        let query = Query::sorted(partition, ALL);
        let items = self.transmitter.parts().table.query_all(query).await?;
        let ids = items.iter().filter_map(|item| item.key.sk.strip_prefix(ALL));
        Ok(ids.filter_map(StreamId::parse).collect())
    }

    async fn read_shapes(&self, partition: &str) -> Result<BTreeSet<Shape>, Error> {
        let firsts = self.read_firsts(partition, SHAPE).await?;
        Ok(firsts.into_iter().map(|first| Shape::new(first.name)).collect())
    }

    /// For each event, the streams that name its subject.
    async fn read_named(
        &self,
        events: &[&SecurityEvent],
    ) -> Result<Vec<BTreeMap<StreamId, Option<Subject>>>, Error> {
        let mut partitions = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let shapes = self.wanted[&event.event_type].shapes.iter();
            let probes = shapes.flat_map(|shape| event.subject.probes(shape));
            partitions.extend(probes.map(|(digest, way)| (at, subject_partition(&digest), way)));
        }
        let prefix = named_prefix(DefaultSubjects::None);
        let found = partitions.iter().map(async |(at, partition, way)| {
            Ok::<_, Error>((*at, way, self.read_firsts(partition, prefix).await?))
        });
        let found: Vec<_> = found.collect();
        let found: Vec<_> = stream::iter(found).buffered(AT_ONCE).try_collect().await?;
        let mut named = vec![BTreeMap::<StreamId, Names<'_>>::new(); events.len()];
        for (at, way, firsts) in found {
            for First { name, rest } in firsts {
                let Some(id) = StreamId::parse(name) else { continue };
                named[at].entry(id).or_default().add(way, rest.starts_with(AMONG_ALIASES));
            }
        }
        let known = |(event, named): (&&SecurityEvent, BTreeMap<_, Names<'_>>)| {
            let choice = event.subject.has_aliases();
            let known = |(id, names): (_, Names<'_>)| (id, choice.then(|| names.known()));
            named.into_iter().map(known).collect()
        };
        Ok(events.iter().zip(named).map(known).collect())
    }

    /// What stands behind `prefix` and before the next `#` in the sort keys of a partition, each
    /// once, however many keys have it.
    async fn read_firsts(&self, partition: &str, prefix: &str) -> Result<Vec<First>, Error> {
        let mut query = Query::sorted(partition, prefix).limit(PEEK);
        let mut found: Vec<First> = Vec::new();
        loop {
            let page = self.transmitter.parts().table.query(query.clone()).await?;
            let before = found.len();
            for item in &page.items {
                let rest = item.key.sk.strip_prefix(prefix).unwrap_or_default();
                let (name, rest) = rest.split_once('#').unwrap_or((rest, ""));
                if found.last().is_none_or(|last| last.name != name) {
                    found.push(First { name: name.to_owned(), rest: rest.to_owned() });
                }
            }
            let (Some(_), Some(last)) = (page.next, found.last()) else { return Ok(found) };
            query.after = Some(format!("{prefix}{}#{LAST}", last.name));
            if found.len() - before == page.items.len() {
                query.limit = MOST.min(query.limit * 2);
            }
        }
    }

    async fn read_streams(&mut self, events: &[&SecurityEvent]) -> Result<(), Error> {
        let all = self.wanted.values().flat_map(|wanted| &wanted.all);
        let named = self.named.iter().flat_map(BTreeMap::keys);
        let told = events.iter().filter_map(|event| event.stream_id.as_ref());
        let ids: BTreeSet<&StreamId> = all.chain(named).chain(told).collect();
        let keys: Vec<_> = ids.into_iter().map(stream_key).collect();
        for item in self.transmitter.parts().table.batch_get(&keys).await?.iter().flatten() {
            let stream: Stream = decode(item)?;
            self.streams.insert(stream.id.clone(), stream);
        }
        Ok(())
    }

    /// The streams that may want `event`, which is the one at `index`: all that do, and some that
    /// [`are_wanted`](Self::are_wanted) tells from them. With each, the subject by the names by which
    /// the stream named it, if there is a choice.
    pub(crate) fn candidates(
        &self,
        index: usize,
        event: &SecurityEvent,
    ) -> impl Iterator<Item = (&Stream, Option<&Subject>)> {
        let wanted = &self.wanted[&event.event_type];
        let named = &self.named[index];
        let found: BTreeSet<_> =
            wanted.all.iter().chain(named.keys()).chain(&event.stream_id).collect();
        let streams: Vec<&Stream> =
            found.into_iter().filter_map(|id| self.streams.get(id)).collect();
        let wanting = streams.into_iter().filter(move |stream| {
            let targeted = event.stream_id.as_ref().is_none_or(|id| *id == stream.id);
            // An index may name a stream that does not want the event any more.
            targeted
                && stream.takes_events()
                && stream.events_delivered.contains(&event.event_type)
                && match stream.default_subjects {
                    DefaultSubjects::All => true,
                    DefaultSubjects::None => {
                        named.contains_key(&stream.id) || stream.is_told_itself(event)
                    }
                }
        });
        wanting.map(|stream| {
            // It named nobody, so it is told as is usual.
            let known = if stream.by_consent { None } else { named.get(&stream.id) };
            (stream, known.and_then(Option::as_ref))
        })
    }

    /// Whether these candidates want these events; the answers are in their order.
    pub(crate) async fn are_wanted(
        &self,
        candidates: impl Iterator<Item = (&SecurityEvent, &Stream)>,
        now: Timestamp,
    ) -> Result<Vec<bool>, Error> {
        let wanted = candidates.map(async |(event, stream)| match stream.default_subjects {
            DefaultSubjects::All => Ok(!self.removed(stream, &event.subject, now).await?),
            DefaultSubjects::None => Ok(true),
        });
        let wanted: Vec<_> = wanted.collect();
        stream::iter(wanted).buffered(AT_ONCE).try_collect().await
    }

    async fn removed(
        &self,
        stream: &Stream,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<bool, Error> {
        for (digest, _) in stream.shapes.iter().flat_map(|shape| subject.probes(shape)) {
            let prefix = format!("{}{}#", named_prefix(DefaultSubjects::All), stream.id);
            let query = Query::sorted(subject_partition(&digest), prefix).limit(8);
            let mut pages = self.transmitter.parts().table.pages(query);
            while let Some(items) = pages.next().await? {
                for item in &items {
                    if decode::<NamedRow>(item)?.from.is_none_or(|from| from <= now) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }
}
