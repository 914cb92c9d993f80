//! What a message on an ingest queue holds: an event, or what a source said.

use crate::{
    Transmitter,
    event::{EventRules, SecurityEvent},
    json::Invalid,
    metrics,
    queue::Received,
    source::{self, Opened},
};

impl Transmitter {
    /// The events in `message`: one, if an upstream system sent it; of what a source said, one, several
    /// or none. What came from a source is counted, the first time that it comes, and only if all that
    /// it becomes can be told.
    pub(super) fn take_out(
        &self,
        message: &Received,
        rules: &EventRules<'_>,
    ) -> Result<Vec<SecurityEvent>, Invalid> {
        match source::open(message.body.as_bytes(), &self.parts().config.sources)? {
            Opened::Message { message, within } => {
                let event = SecurityEvent::read(message, rules);
                let event = event.map_err(|invalid| match within.as_str() {
                    "" => invalid,
                    within => invalid.within(within),
                })?;
                Ok(vec![event])
            }
            Opened::Told { source, messages, dropped } => {
                let events =
                    messages.into_iter().map(|message| SecurityEvent::read(message, rules));
                let events: Vec<_> = events.collect::<Result<_, _>>()?;
                if message.receives <= 1 {
                    metrics::count_envelope(source, &dropped);
                    self.tally().count(source, events.len(), &dropped, rules.now);
                }
                Ok(events)
            }
        }
    }
}
