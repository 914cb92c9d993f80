//! What the discovery endpoints answer ([RFC 7644, 4]).

use serde_json::{Map, Value, json};

use super::{Attribute, Kind, Mutability, ResourceType, Schema, own};

/// What the service does, as far as it is a choice.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// How many resources a page has if the client does not say.
    pub default_page_size: u32,
    /// How many resources a page may have.
    pub max_page_size: u32,
    /// For how many seconds a cursor is good.
    pub cursor_timeout: u32,
    /// How many operations, and how many bytes, a bulk request may have; nothing if there is no
    /// `/Bulk`.
    pub bulk: Option<(u32, u32)>,
    /// Whether clients with the right to do so can set passwords.
    pub change_password: bool,
    /// The types of events that a receiver can ask for ([RFC 9967]). If there are none, nothing is
    /// said about events: some clients refuse members that are newer than they are.
    pub event_uris: &'a [&'a str],
}

/// The one resource of `/ServiceProviderConfig` below `base`, such as
/// `https://tocsin.example/scim/v2`.
pub fn service_provider_config(base: &str, features: &Features<'_>) -> Value {
    let supported = |supported: bool| json!({ "supported": supported });
    let (max_operations, max_payload_size) = features.bulk.unwrap_or_default();
    let mut config = json!({
        "schemas": [own::SERVICE_PROVIDER_CONFIG.id],
        "patch": supported(true),
        "bulk": {
            "supported": features.bulk.is_some(),
            "maxOperations": max_operations,
            "maxPayloadSize": max_payload_size,
        },
        "filter": { "supported": true, "maxResults": features.max_page_size },
        "changePassword": supported(features.change_password),
        "sort": supported(true),
        "etag": supported(true),
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": features.default_page_size,
            "maxPageSize": features.max_page_size,
            "cursorTimeout": features.cursor_timeout,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "An access token with the scope scim or scim.read, in the header Authorization.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": meta("ServiceProviderConfig", &format!("{base}/ServiceProviderConfig")),
    });
    if !features.event_uris.is_empty() {
        config["securityEvents"] =
            json!({ "asyncRequest": "none", "eventUris": features.event_uris });
    }
    config
}

/// All resources of `/ResourceTypes`.
pub fn all_resource_types(base: &str) -> Vec<Value> {
    ResourceType::ALL.into_iter().map(|of| describe(base, of)).collect()
}

/// The resource type of this name, in any case, as `/ResourceTypes/{name}` answers it.
pub fn resource_type(base: &str, name: &str) -> Option<Value> {
    let found = ResourceType::ALL.into_iter().find(|of| of.name().eq_ignore_ascii_case(name));
    found.map(|of| describe(base, of))
}

fn describe(base: &str, of: ResourceType) -> Value {
    let extensions = of.extensions().iter();
    json!({
        "schemas": [own::RESOURCE_TYPE.id],
        "id": of.name(),
        "name": of.name(),
        "description": of.core().description,
        "endpoint": of.endpoint(),
        "schema": of.core().id,
        "schemaExtensions": extensions
            .map(|schema| json!({ "schema": schema.id, "required": false }))
            .collect::<Vec<_>>(),
        "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{}", of.name())),
    })
}

/// The schemas that can be asked for: those of resources, and those of the discovery endpoints.
fn schemas() -> impl Iterator<Item = &'static Schema> {
    let of_resources = ResourceType::ALL
        .into_iter()
        .flat_map(|of| std::iter::once(of.core()).chain(of.extensions().iter().copied()));
    of_resources.chain([&own::SERVICE_PROVIDER_CONFIG, &own::RESOURCE_TYPE, &own::SCHEMA])
}

/// All resources of `/Schemas`.
pub fn all_schemas(base: &str) -> Vec<Value> {
    schemas().map(|schema| document(base, schema)).collect()
}

/// The schema with this URN, in any case, as `/Schemas/{urn}` answers it.
pub fn schema(base: &str, urn: &str) -> Option<Value> {
    schemas().find(|schema| schema.id.eq_ignore_ascii_case(urn)).map(|found| document(base, found))
}

fn document(base: &str, schema: &Schema) -> Value {
    json!({
        "schemas": [own::SCHEMA.id],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(attribute).collect::<Vec<_>>(),
        "meta": meta("Schema", &format!("{base}/Schemas/{}", schema.id)),
    })
}

fn meta(resource_type: &str, location: &str) -> Value {
    json!({ "resourceType": resource_type, "location": location })
}

/// The characteristics that do not apply to a type are left out, and so is what is empty: some
/// clients take no `null`.
fn attribute(of: &Attribute) -> Value {
    let mut json = Map::from_iter([
        ("name".to_owned(), of.name.into()),
        ("type".to_owned(), told_type(of).into()),
        ("multiValued".to_owned(), of.multi_valued.into()),
        ("description".to_owned(), of.description.into()),
        ("required".to_owned(), is_told_required(of).into()),
        ("mutability".to_owned(), of.mutability.name().into()),
        ("returned".to_owned(), of.returned.name().into()),
        ("uniqueness".to_owned(), of.uniqueness.name().into()),
    ]);
    let mut add = |name: &str, value: Value| {
        json.insert(name.to_owned(), value);
    };
    if matches!(told_type(of), "string" | "reference" | "binary") {
        add("caseExact", of.case_exact.into());
    }
    if !of.canonical_values.is_empty() {
        add("canonicalValues", of.canonical_values.into());
    }
    if !of.reference_types.is_empty() {
        add("referenceTypes", of.reference_types.into());
    }
    if !of.sub_attributes.is_empty() {
        add("subAttributes", of.sub_attributes.iter().map(attribute).collect());
    }
    json.into()
}

/// Whether an attribute is told to be there always. Nobody has to say whether a person is active, but
/// nobody can take the answer away either.
fn is_told_required(of: &Attribute) -> bool {
    of.required || of.name == "active"
}

/// The type of an attribute as a client is told it. A point in time that a client may write is told
/// as the text that it is, with one that is suggested: clients that make up values from a schema know
/// how to make up a text, and none is known that makes up a time. That it is a time is still checked.
fn told_type(of: &Attribute) -> &'static str {
    match (of.kind, of.mutability) {
        (Kind::DateTime, Mutability::ReadWrite) => Kind::String.name(),
        (kind, _) => kind.name(),
    }
}
