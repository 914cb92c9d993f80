//! Logs: one JSON object a line, as CloudWatch reads them.

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::metrics::MetricLayer;

/// Begins to log at `level` (as `AWS_LAMBDA_LOG_LEVEL` has it), and to count for `stack`.
pub(super) fn init(level: Option<&str>, stack: &str) {
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    // The SDK's own words are for those who mend the SDK.
    let quiet = ["aws_config", "aws_runtime", "aws_smithy_runtime", "hyper", "h2", "rustls"];
    let quiet = quiet.map(|target| (target, LevelFilter::WARN.min(level)));
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_writer(std::io::stdout)
        .with_filter(Targets::new().with_default(level).with_targets(quiet));
    let metrics = MetricLayer::new(stack).with_filter(MetricLayer::filter());
    tracing_subscriber::registry().with(lines).with(metrics).init();
}
