//! The `tocsin` command.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    Box::pin(tocsin_cli::main()).await
}
