//! The Group of [RFC 7643, 4.2], and what we add to it.

use super::{Attribute, Mutability, Schema};

/// The core schema of a group.
pub static GROUP: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of people.",
    attributes: &[
        Attribute::text("displayName", "The name of the group. Unique without regard to case.")
            .required()
            .unique(),
        Attribute::complex(
            "members",
            MEMBERS,
            "Who is in the group, in the order of joining. Groups within groups are not taken.",
        )
        .multi_valued(),
    ],
};

const MEMBERS: &[Attribute] = &[
    Attribute::text("value", "The id of the member.")
        .case_exact()
        .mutability(Mutability::Immutable),
    Attribute::reference("$ref", &["User"], "The address of the member.")
        .case_exact()
        .mutability(Mutability::Immutable),
    Attribute::text("type", "What the member is.")
        .canonical(&["User"])
        .mutability(Mutability::Immutable),
    Attribute::text("display", "The name by which the member is shown.").read_only(),
];

/// What a Group of ours has that no standard names.
pub static TOCSIN_GROUP: Schema = Schema {
    id: "urn:tocsin:params:scim:schemas:extension:1.0:Group",
    name: "TocsinGroup",
    description: "What a group is for.",
    attributes: &[Attribute::text("description", "What the group is for, for people.")],
};
