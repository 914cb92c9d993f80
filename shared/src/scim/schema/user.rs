//! The User of [RFC 7643, 4.1 and 4.3], and what we add to it.
//!
//! `ims`, `entitlements`, `roles` and `x509Certificates` are left out: nothing here keeps them, and a
//! schema says what is kept.

use super::{Attribute, Kind, Mutability, Returned, Schema};

const EXTERNAL: &[&str] = &["external"];

/// The core schema of a person.
pub static USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person with an account.",
    attributes: &[
        Attribute::text(
            "userName",
            "The name that the person signs in with. Unique without regard to case.",
        )
        .required()
        .unique(),
        Attribute::complex("name", NAME, "The parts of the person's name."),
        Attribute::text("displayName", "The name by which the person is shown to others."),
        Attribute::text("nickName", "What the person is called casually."),
        Attribute::reference("profileUrl", EXTERNAL, "The address of a page about the person."),
        Attribute::text("title", "The person's title, such as Vice President."),
        Attribute::text(
            "userType",
            "How the person belongs to the organization, such as Contractor.",
        ),
        Attribute::text(
            "preferredLanguage",
            "The languages that the person prefers, as in the header Accept-Language.",
        ),
        Attribute::text("locale", "Where the person is, for formats and currency, such as en-US."),
        Attribute::text("timezone", "The person's time zone, such as Europe/Berlin."),
        Attribute::boolean("active", "Whether the person may sign in now."),
        Attribute::text(
            "password",
            "The password. Written by clients that may set passwords; never answered.",
        )
        .case_exact()
        .mutability(Mutability::WriteOnly)
        .returned(Returned::Never),
        Attribute::complex("emails", EMAILS, "E-mail addresses.").multi_valued(),
        Attribute::complex("phoneNumbers", PHONE_NUMBERS, "Telephone numbers.").multi_valued(),
        Attribute::complex("photos", PHOTOS, "Addresses of pictures of the person.").multi_valued(),
        Attribute::complex("addresses", ADDRESSES, "Postal addresses.").multi_valued(),
        Attribute::complex(
            "groups",
            GROUPS,
            "The groups that the person is a member of. Changed by changing the groups.",
        )
        .multi_valued()
        .read_only(),
    ],
};

const NAME: &[Attribute] = &[
    Attribute::text("formatted", "The whole name, ready to be shown."),
    Attribute::text("familyName", "The family name."),
    Attribute::text("givenName", "The given name."),
    Attribute::text("middleName", "The middle names."),
    Attribute::text("honorificPrefix", "What stands before the name, such as Dr."),
    Attribute::text("honorificSuffix", "What stands behind the name, such as III."),
];

const PRIMARY: Attribute =
    Attribute::boolean("primary", "Whether this is the preferred one. True for one value at most.");

const EMAILS: &[Attribute] = &[
    Attribute::text("value", "The address, kept as it was sent."),
    Attribute::text("display", "The address as it is shown."),
    Attribute::text("type", "What the address is for.").canonical(&["work", "home", "other"]),
    PRIMARY,
];

const PHONE_NUMBERS: &[Attribute] = &[
    Attribute::text("value", "The number, kept as it was sent."),
    Attribute::text("display", "The number as it is shown."),
    Attribute::text("type", "What the number is for.")
        .canonical(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const PHOTOS: &[Attribute] = &[
    Attribute::reference("value", EXTERNAL, "The address of the picture."),
    Attribute::text("display", "The picture in words."),
    Attribute::text("type", "What the picture is for.").canonical(&["photo", "thumbnail"]),
    PRIMARY,
];

const ADDRESSES: &[Attribute] = &[
    Attribute::text("formatted", "The whole address, ready to be shown."),
    Attribute::text("streetAddress", "The street and the number, or what stands in their place."),
    Attribute::text("locality", "The city."),
    Attribute::text("region", "The state or the region."),
    Attribute::text("postalCode", "The postal code."),
    Attribute::text("country", "The country, by its two letters of ISO 3166-1."),
    Attribute::text("type", "What the address is for.").canonical(&["work", "home", "other"]),
    PRIMARY,
];

const GROUPS: &[Attribute] = &[
    Attribute::text("value", "The id of the group.").case_exact().read_only(),
    Attribute::reference("$ref", &["Group"], "The address of the group.").case_exact().read_only(),
    Attribute::text("display", "The name of the group.").read_only(),
    Attribute::text("type", "Whether the person is a member, or a member of a member.")
        .canonical(&["direct", "indirect"])
        .read_only(),
];

/// The Enterprise extension.
pub static ENTERPRISE_USER: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    name: "EnterpriseUser",
    description: "A person who works for an organization.",
    attributes: &[
        Attribute::text("employeeNumber", "The number that the organization gave to the person."),
        Attribute::text("costCenter", "The cost center."),
        Attribute::text("organization", "The organization."),
        Attribute::text("division", "The division."),
        Attribute::text("department", "The department."),
        Attribute::complex("manager", MANAGER, "The person's manager."),
    ],
};

const MANAGER: &[Attribute] = &[
    Attribute::text("value", "The id of the manager's User.").case_exact(),
    Attribute::reference("$ref", &["User"], "The address of the manager's User.").case_exact(),
    Attribute::text("displayName", "The name by which the manager is shown.").read_only(),
];

/// What a User of ours has that no standard names.
pub static TOCSIN_USER: Schema = Schema {
    id: "urn:tocsin:params:scim:schemas:extension:1.0:User",
    name: "TocsinUser",
    description: "When a person's account ends.",
    attributes: &[Attribute::new(
        "lockDate",
        Kind::DateTime,
        "From when on the account is locked, as RFC 3339 writes it: in the past it is locked now, in the future it locks then.",
    )
    .canonical(&["9999-01-01T00:00:00Z"])],
};
