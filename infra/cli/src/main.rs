//! The `tocsin` command.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    tocsin_cli::main().await
}
