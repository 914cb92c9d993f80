//! The attributes that every resource has ([RFC 7643, 3 and 3.1]); no schema lists them.

use super::{Attribute, Kind, Returned};

pub(super) static COMMON: &[Attribute] = &[
    Attribute::reference("schemas", &["uri"], "The schemas whose attributes the resource uses.")
        .multi_valued()
        .required()
        .read_only()
        .returned(Returned::Always),
    Attribute::text("id", "The name that we gave to the resource. Never changed and never reused.")
        .required()
        .case_exact()
        .read_only()
        .returned(Returned::Always)
        .unique(),
    Attribute::text(
        "externalId",
        "The name by which the client knows the resource; each client has its own.",
    )
    .case_exact(),
    Attribute::complex("meta", META, "What we know about the resource itself.")
        .read_only()
        .returned(Returned::Always),
];

const META: &[Attribute] = &[
    Attribute::text("resourceType", "The type of the resource.").case_exact().read_only(),
    Attribute::new("created", Kind::DateTime, "When the resource was created.").read_only(),
    Attribute::new("lastModified", Kind::DateTime, "When the resource was last changed.")
        .read_only(),
    Attribute::reference("location", &["uri"], "The address of the resource.")
        .case_exact()
        .read_only(),
    Attribute::text("version", "The entity tag of the resource.").case_exact().read_only(),
];
