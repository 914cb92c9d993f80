//! `/Me`: the person behind a token (RFC 7644, 3.11).

use ssf::web::{MayReadDirectory, Problem};

/// A client's own token has nobody behind it.
pub(crate) async fn nobody(MayReadDirectory(_): MayReadDirectory) -> Problem {
    Problem::no_such_path()
}
