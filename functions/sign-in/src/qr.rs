//! A text as a picture that cameras read (ISO/IEC 18004).

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};
use maud::{Markup, html};
use ssf::client::Secret;

/// What must be free around it, in squares.
const QUIET: usize = 4;

/// The picture of `text`, for who sees it; `label` is for who does not. Dark on light, whatever the page
/// is. Nothing where the text is too long for one.
pub(crate) fn picture(text: &Secret, label: &str) -> Markup {
    let Ok(code) = QRBuilder::new(text.expose()).ecl(ECL::M).build() else { return html! {} };
    let mut path = String::new();
    for y in 0..code.size {
        for x in (0..code.size).filter(|x| code[y][*x].value()) {
            // Writing to a text cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    let size = code.size + 2 * QUIET;
    html! {
        svg.qr role="img" aria-label=(label) viewBox=(format!("0 0 {size} {size}"))
            shape-rendering="crispEdges" {
            rect width=(size) height=(size) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}
