//! The schemas of what the discovery endpoints answer ([RFC 7643, 5 to 7], [RFC 9865], [RFC 9967]).

use super::{Attribute, Kind, Schema};

pub(super) static SERVICE_PROVIDER_CONFIG: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
    name: "ServiceProviderConfig",
    description: "What is supported here.",
    attributes: &[
        Attribute::reference("documentationUri", &["external"], "Documentation for people.")
            .read_only(),
        Attribute::complex("patch", SUPPORTED, "PATCH.").required().read_only(),
        Attribute::complex("bulk", BULK, "Several operations in one request.")
            .required()
            .read_only(),
        Attribute::complex("filter", FILTER, "Filters.").required().read_only(),
        Attribute::complex("changePassword", SUPPORTED, "Setting passwords.")
            .required()
            .read_only(),
        Attribute::complex("sort", SUPPORTED, "Sorting.").required().read_only(),
        Attribute::complex("etag", SUPPORTED, "Entity tags.").required().read_only(),
        Attribute::complex("pagination", PAGINATION, "The ways to page.").read_only(),
        Attribute::complex("securityEvents", SECURITY_EVENTS, "Events about changes.").read_only(),
        Attribute::complex("authenticationSchemes", SCHEMES, "The ways to authenticate.")
            .multi_valued()
            .required()
            .read_only(),
    ],
};

const SUPPORTED: &[Attribute] = &[SUPPORTED_FLAG];
const SUPPORTED_FLAG: Attribute =
    Attribute::boolean("supported", "Whether it is supported.").required().read_only();

const BULK: &[Attribute] = &[
    SUPPORTED_FLAG,
    integer("maxOperations", "How many operations a request may have.").required(),
    integer("maxPayloadSize", "How many bytes a request may have.").required(),
];

const FILTER: &[Attribute] =
    &[SUPPORTED_FLAG, integer("maxResults", "How many resources a page may have.").required()];

const PAGINATION: &[Attribute] = &[
    Attribute::boolean("cursor", "Whether cursors are supported.").required().read_only(),
    Attribute::boolean("index", "Whether indices are supported.").required().read_only(),
    Attribute::text("defaultPaginationMethod", "How pages are made if nothing is asked for.")
        .canonical(&["cursor", "index"])
        .read_only(),
    integer("defaultPageSize", "How many resources a page has if nothing is asked for."),
    integer("maxPageSize", "How many resources a page may have."),
    integer("cursorTimeout", "For how many seconds a cursor is good."),
];

const SECURITY_EVENTS: &[Attribute] = &[
    Attribute::text("asyncRequest", "Whether requests can be answered later, by an event.")
        .canonical(&["none", "long", "request"])
        .required()
        .read_only(),
    Attribute::reference("eventUris", &["uri"], "The types of the events that can be received.")
        .multi_valued()
        .required()
        .read_only(),
];

const SCHEMES: &[Attribute] = &[
    Attribute::text("type", "The kind of the way.")
        .canonical(&["oauth", "oauth2", "oauthbearertoken", "httpbasic", "httpdigest"])
        .required()
        .read_only(),
    Attribute::text("name", "The name of the way.").required().read_only(),
    Attribute::text("description", "The way in words.").required().read_only(),
    Attribute::reference("specUri", &["external"], "The standard.").read_only(),
    Attribute::reference("documentationUri", &["external"], "Documentation for people.")
        .read_only(),
    Attribute::boolean("primary", "Whether this is the preferred way.").read_only(),
];

pub(super) static RESOURCE_TYPE: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    name: "ResourceType",
    description: "A type of resources.",
    attributes: &[
        Attribute::text("name", "The name of the type.").required().read_only(),
        Attribute::text("description", "The type in words.").read_only(),
        Attribute::reference("endpoint", &["uri"], "The path of the endpoint.")
            .required()
            .read_only(),
        Attribute::reference("schema", &["uri"], "The core schema.")
            .required()
            .case_exact()
            .read_only(),
        Attribute::complex("schemaExtensions", EXTENSIONS, "The extensions.")
            .multi_valued()
            .read_only(),
    ],
};

const EXTENSIONS: &[Attribute] = &[
    Attribute::reference("schema", &["uri"], "The schema of the extension.")
        .required()
        .case_exact()
        .read_only(),
    Attribute::boolean("required", "Whether every resource must have it.").required().read_only(),
];

pub(super) static SCHEMA: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Schema",
    name: "Schema",
    description: "A schema.",
    attributes: &[
        Attribute::text("name", "The name of the schema.").required().read_only(),
        Attribute::text("description", "The schema in words.").read_only(),
        Attribute::complex("attributes", ATTRIBUTES, "The attributes.")
            .multi_valued()
            .required()
            .read_only(),
    ],
};

/// Sub-attributes have the same members, which a schema does not repeat a third time.
const ATTRIBUTES: &[Attribute] = &[
    NAME,
    TYPE,
    MULTI_VALUED,
    DESCRIPTION,
    REQUIRED,
    CANONICAL_VALUES,
    CASE_EXACT,
    MUTABILITY,
    RETURNED,
    UNIQUENESS,
    REFERENCE_TYPES,
    Attribute::complex("subAttributes", SUB_ATTRIBUTES, "The members of a complex value.")
        .multi_valued()
        .read_only(),
];

const SUB_ATTRIBUTES: &[Attribute] = &[
    NAME,
    TYPE,
    MULTI_VALUED,
    DESCRIPTION,
    REQUIRED,
    CANONICAL_VALUES,
    CASE_EXACT,
    MUTABILITY,
    RETURNED,
    UNIQUENESS,
    REFERENCE_TYPES,
];

const NAME: Attribute =
    Attribute::text("name", "The name of the attribute.").required().case_exact().read_only();
const TYPE: Attribute = Attribute::text("type", "The type of the values.")
    .canonical(&[
        "string",
        "complex",
        "boolean",
        "decimal",
        "integer",
        "dateTime",
        "reference",
        "binary",
    ])
    .required()
    .read_only();
const MULTI_VALUED: Attribute =
    Attribute::boolean("multiValued", "Whether the value is an array.").required().read_only();
const DESCRIPTION: Attribute =
    Attribute::text("description", "The attribute in words.").case_exact().read_only();
const REQUIRED: Attribute =
    Attribute::boolean("required", "Whether a resource must have it.").read_only();
const CANONICAL_VALUES: Attribute =
    Attribute::text("canonicalValues", "Values that are suggested.")
        .multi_valued()
        .case_exact()
        .read_only();
const CASE_EXACT: Attribute =
    Attribute::boolean("caseExact", "Whether case makes another value.").read_only();
const MUTABILITY: Attribute = Attribute::text("mutability", "Who may write it.")
    .canonical(&["readOnly", "readWrite", "immutable", "writeOnly"])
    .case_exact()
    .read_only();
const RETURNED: Attribute = Attribute::text("returned", "When it is answered.")
    .canonical(&["always", "never", "default", "request"])
    .case_exact()
    .read_only();
const UNIQUENESS: Attribute = Attribute::text("uniqueness", "Among whom a value is unique.")
    .canonical(&["none", "server", "global"])
    .case_exact()
    .read_only();
const REFERENCE_TYPES: Attribute =
    Attribute::text("referenceTypes", "What a reference may point to.")
        .multi_valued()
        .case_exact()
        .read_only();

const fn integer(name: &'static str, description: &'static str) -> Attribute {
    Attribute::new(name, Kind::Integer, description).read_only()
}
