//! Logs: one JSON object a line, as CloudWatch reads them.

use ssf::metrics::TARGET;
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::metrics::MetricLayer;

/// Our own crates.
const OURS: [&str; 11] = [
    "authorize",
    "directory",
    "discovery",
    "ingest",
    "poll",
    "push",
    "sign_in",
    "ssf",
    "ssf_aws",
    "streams",
    "sweep",
];

/// Begins to log at `level` (as `AWS_LAMBDA_LOG_LEVEL` has it), and to count for `stack`.
pub(super) fn init(level: Option<&str>, stack: &str) {
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stdout)
        .with_filter(filter(level));
    let metrics = MetricLayer::new(stack).with_filter(MetricLayer::filter());
    tracing_subscriber::registry().with(lines).with(metrics).init();
}

/// What is logged at `level`: what we say ourselves. Others say at most what is wrong, for they do
/// not know what is secret: the runtime of Lambda logs whole requests, access tokens and receivers'
/// secrets with them, and the SDK whole answers.
fn filter(level: LevelFilter) -> Targets {
    let others = LevelFilter::WARN.min(level);
    let lines = Targets::new().with_default(others).with_targets(OURS.map(|ours| (ours, level)));
    // They have lines of their own.
    lines.with_target(TARGET, LevelFilter::OFF)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn what_others_say_in_passing_is_never_logged() {
        for level in [LevelFilter::TRACE, LevelFilter::DEBUG, LevelFilter::INFO] {
            let filter = filter(level);
            for other in ["lambda_runtime", "lambda_runtime::layers::trace", "lambda_http", "hyper"]
            {
                for low in [Level::TRACE, Level::DEBUG, Level::INFO] {
                    assert!(!filter.would_enable(other, &low), "{other} at {low}");
                }
                assert!(filter.would_enable(other, &Level::WARN), "{other}");
            }
            assert!(!filter.would_enable(TARGET, &Level::INFO));
            for ours in OURS.into_iter().chain(["ssf::delivery::accept"]) {
                let most = level.into_level().unwrap();
                assert!(filter.would_enable(ours, &most), "{ours} at {level}");
            }
        }
    }

    #[test]
    fn no_function_is_left_out() {
        let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions");
        for function in std::fs::read_dir(functions).unwrap() {
            let function = function.unwrap();
            if !function.file_type().unwrap().is_dir() {
                continue;
            }
            let name = function.file_name().into_string().unwrap().replace('-', "_");
            assert!(OURS.contains(&&*name), "{name}");
        }
    }

    #[test]
    fn who_wants_to_hear_of_errors_alone_hears_of_no_more() {
        let filter = filter(LevelFilter::ERROR);
        assert!(!filter.would_enable("lambda_runtime", &Level::WARN));
        assert!(!filter.would_enable("ssf", &Level::WARN));
    }
}
