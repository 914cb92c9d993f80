//! Metrics in CloudWatch's embedded metric format: lines of the log that become figures.

use std::{
    collections::BTreeMap,
    io::Write,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use ssf::{
    clock::{Clock, SystemClock},
    metrics::TARGET,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::Context,
};

/// What all figures are found under.
const NAMESPACE: &str = "Tocsin";

/// CloudWatch takes at most so many values of one metric in a line.
const VALUES: usize = 100;

/// What was measured since the last flush.
static MEASURED: Mutex<Measured> =
    Mutex::new(Measured { stack: String::new(), figures: BTreeMap::new() });

/// Figures of one stack.
struct Measured {
    stack: String,
    /// By what they are of, and by name.
    figures: BTreeMap<Of, BTreeMap<String, Figures>>,
}

/// What a figure is of, beside the stack: the dimensions that it has, each with its value. It is also
/// found under the first ones alone.
type Of = Vec<(&'static str, String)>;

#[derive(Default)]
struct Figures {
    unit: String,
    values: Vec<u64>,
}

/// One figure.
#[derive(Default)]
struct Reading {
    metric: String,
    unit: String,
    value: u64,
    of: Of,
}

/// Collects the figures of the domain.
#[derive(Debug)]
pub(super) struct MetricLayer(());

impl MetricLayer {
    pub(super) fn new(stack: &str) -> Self {
        stack.clone_into(&mut lock().stack);
        Self(())
    }

    /// What it wants to see.
    pub(super) fn filter() -> Targets {
        Targets::new().with_target(TARGET, LevelFilter::INFO)
    }
}

impl<S: Subscriber> Layer<S> for MetricLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut reading = Reading::default();
        event.record(&mut reading);
        lock().add(reading);
    }
}

/// Writes what was measured since it was last called.
pub(super) fn flush() {
    let lines = lock().take(SystemClock.now());
    if !lines.is_empty() {
        // Without its log a function has no figures, but it works.
        let _ = std::io::stdout().lock().write_all(lines.as_bytes());
    }
}

fn lock() -> std::sync::MutexGuard<'static, Measured> {
    MEASURED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Measured {
    fn add(&mut self, reading: Reading) {
        let Reading { metric, unit, value, of } = reading;
        let figures = self.figures.entry(of).or_default().entry(metric).or_default();
        match figures.values.last_mut() {
            // Counts add up; times stand for themselves.
            Some(sum) if unit == "Count" => *sum += value,
            Some(_) | None => figures.values.push(value),
        }
        figures.unit = unit;
    }

    /// The lines that say it all, and nothing is left.
    fn take(&mut self, now: Timestamp) -> String {
        let mut lines = String::new();
        for (of, mut figures) in std::mem::take(&mut self.figures) {
            while !figures.is_empty() {
                lines.push_str(&self.line(&of, &mut figures, now));
                lines.push('\n');
            }
        }
        lines
    }

    /// One line; `figures` keeps what does not go in it.
    fn line(&self, of: &Of, figures: &mut BTreeMap<String, Figures>, now: Timestamp) -> String {
        let mut line = Map::new();
        let mut dimensions = vec![vec!["Stack"]];
        line.insert("Stack".to_owned(), self.stack.as_str().into());
        for (dimension, value) in of {
            let mut longer = dimensions.last().cloned().unwrap_or_default();
            longer.push(*dimension);
            dimensions.push(longer);
            line.insert((*dimension).to_owned(), value.as_str().into());
        }
        let mut metrics = Vec::new();
        for (name, figures) in figures.iter_mut() {
            let rest = figures.values.split_off(figures.values.len().min(VALUES));
            let values = std::mem::replace(&mut figures.values, rest);
            metrics.push(json!({ "Name": name, "Unit": figures.unit }));
            let value = if values.len() == 1 { values[0].into() } else { Value::from(values) };
            line.insert(name.clone(), value);
        }
        figures.retain(|_, figures| !figures.values.is_empty());
        let directive =
            json!({ "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics });
        let head = json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [directive],
        });
        line.insert("_aws".to_owned(), head);
        Value::Object(line).to_string()
    }
}

impl Visit for Reading {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "value" {
            self.value = value;
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, value.unsigned_abs());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "metric" => value.clone_into(&mut self.metric),
            "unit" => value.clone_into(&mut self.unit),
            "source" => self.of.push(("Source", value.to_owned())),
            "reason" => self.of.push(("Reason", value.to_owned())),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "stream" {
            self.of.push(("Stream", format!("{value:?}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(metric: &str, unit: &str, value: u64, stream: Option<&str>) -> Reading {
        Reading {
            metric: metric.to_owned(),
            unit: unit.to_owned(),
            value,
            of: stream.map(|stream| ("Stream", stream.to_owned())).into_iter().collect(),
        }
    }

    fn taken(measured: &mut Measured) -> Vec<Value> {
        let lines = measured.take(Timestamp::from_millisecond(1_795_301_862_748).unwrap());
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn counts_add_up_and_times_stand_side_by_side() {
        let mut measured = Measured { stack: "prod".to_owned(), figures: BTreeMap::new() };
        measured.add(reading("SetsIssued", "Count", 3, None));
        measured.add(reading("SetsIssued", "Count", 4, None));
        measured.add(reading("SignLatency", "Milliseconds", 7, None));
        measured.add(reading("SignLatency", "Milliseconds", 9, None));
        measured.add(reading("PushFailures", "Count", 1, Some("f67e39a0")));
        let lines = taken(&mut measured);
        assert_eq!(
            lines,
            [
                json!({
                    "_aws": {
                        "Timestamp": 1_795_301_862_748_u64,
                        "CloudWatchMetrics": [{
                            "Namespace": "Tocsin",
                            "Dimensions": [["Stack"]],
                            "Metrics": [
                                { "Name": "SetsIssued", "Unit": "Count" },
                                { "Name": "SignLatency", "Unit": "Milliseconds" },
                            ],
                        }],
                    },
                    "Stack": "prod",
                    "SetsIssued": 7,
                    "SignLatency": [7, 9],
                }),
                json!({
                    "_aws": {
                        "Timestamp": 1_795_301_862_748_u64,
                        "CloudWatchMetrics": [{
                            "Namespace": "Tocsin",
                            "Dimensions": [["Stack"], ["Stack", "Stream"]],
                            "Metrics": [{ "Name": "PushFailures", "Unit": "Count" }],
                        }],
                    },
                    "Stack": "prod",
                    "Stream": "f67e39a0",
                    "PushFailures": 1,
                }),
            ]
        );
        assert_eq!(taken(&mut measured), Vec::<Value>::new());
    }

    #[test]
    fn what_is_of_a_source_is_found_with_and_without_its_reason() {
        let mut measured = Measured { stack: "prod".to_owned(), figures: BTreeMap::new() };
        let of = vec![("Source", "okta".to_owned()), ("Reason", "failed".to_owned())];
        measured.add(Reading { of, ..reading("EnvelopesDropped", "Count", 2, None) });
        let line = &taken(&mut measured)[0];
        assert_eq!(
            line["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([["Stack"], ["Stack", "Source"], ["Stack", "Source", "Reason"]])
        );
        assert_eq!((&line["Source"], &line["Reason"]), (&json!("okta"), &json!("failed")));
    }

    #[test]
    fn a_line_has_at_most_a_hundred_values_and_none_is_lost() {
        let mut measured = Measured { stack: "prod".to_owned(), figures: BTreeMap::new() };
        for value in 0..250 {
            measured.add(reading("DeliveryLatency", "Milliseconds", value, None));
        }
        let lines = taken(&mut measured);
        let values = lines.iter().flat_map(|line| line["DeliveryLatency"].as_array().unwrap());
        let values: Vec<u64> = values.map(|value| value.as_u64().unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(values, (0..250).collect::<Vec<_>>());
    }
}
