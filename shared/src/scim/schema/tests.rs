//! What the schemas advertise, and how names are resolved.

use serde_json::json;

use super::*;

const FEATURES: Features<'_> = Features {
    default_page_size: 100,
    max_page_size: 200,
    cursor_timeout: 3600,
    bulk: Some((100, 1_048_576)),
    change_password: true,
    event_uris: &["urn:ietf:params:scim:event:prov:create:notice"],
};

#[test]
fn names_are_resolved_whatever_their_case() {
    let user =
        |name: &str| AttributePath::resolve(name, ResourceType::User).map(|path| path.to_string());
    let urn = "URN:ietf:params:scim:schemas:extension:enterprise:2.0:user";
    assert_eq!(user("USERNAME").as_deref(), Some("userName"));
    assert_eq!(user("Name.GivenName").as_deref(), Some("name.givenName"));
    assert_eq!(
        user("urn:ietf:params:scim:schemas:core:2.0:User:userName").as_deref(),
        Some("userName")
    );
    assert_eq!(
        user(&format!("{urn}:MANAGER.value")).as_deref(),
        Some("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value")
    );
    assert_eq!(user("emails.$ref"), None);
    assert_eq!(user("groups.$REF").as_deref(), Some("groups.$ref"));
    for unknown in
        ["", ".", "nope", "name.nope", "userName.value", "department", "members", urn, "é"]
    {
        assert_eq!(user(unknown), None, "{unknown}");
    }
    let of_group = AttributePath::resolve("members.value", ResourceType::Group).unwrap();
    assert!(of_group.is("members.value") && of_group.leaf().case_exact);
}

#[test]
fn case_matters_where_the_standard_says_so() {
    let exact =
        |name: &str| AttributePath::resolve(name, ResourceType::User).unwrap().leaf().case_exact;
    assert!(!exact("userName") && !exact("emails.value"));
    assert!(exact("id") && exact("externalId") && exact("groups.value"));
}

#[test]
fn each_schema_can_be_asked_for_by_its_urn() {
    let base = "https://t.example/scim/v2";
    let all = all_schemas(base);
    let ids: Vec<_> = all.iter().map(|schema| schema["id"].as_str().unwrap()).collect();
    for resource in all_resource_types(base) {
        assert!(ids.contains(&resource["schema"].as_str().unwrap()));
        for extension in resource["schemaExtensions"].as_array().unwrap() {
            assert!(ids.contains(&extension["schema"].as_str().unwrap()), "{extension}");
        }
    }
    for id in ids {
        assert_eq!(schema(base, &id.to_uppercase()).unwrap()["id"], id);
    }
    assert_eq!(schema(base, "urn:nobody"), None);
    assert_eq!(resource_type(base, "user").unwrap()["endpoint"], "/Users");
    assert_eq!(resource_type(base, "Client"), None);
}

#[test]
fn a_schema_holds_no_null_and_lists_what_is_kept_only() {
    let base = "https://t.example/scim/v2";
    assert!(!serde_json::to_string(&all_schemas(base)).unwrap().contains("null"));
    let user = schema(base, USER.id).unwrap();
    let attributes = user["attributes"].as_array().unwrap();
    let find = |name: &str| attributes.iter().find(|attribute| attribute["name"] == name);
    for absent in ["ims", "entitlements", "roles", "x509Certificates", "id", "meta", "schemas"] {
        assert_eq!(find(absent), None, "{absent}");
    }
    assert_eq!(find("userName").unwrap()["required"], true);
    assert_eq!(find("userName").unwrap()["uniqueness"], "server");
    assert_eq!(
        *find("password").unwrap(),
        json!({
            "name": "password", "type": "string", "multiValued": false, "required": false,
            "description": "The password. Written by clients that may set passwords; never answered.",
            "caseExact": true, "mutability": "writeOnly", "returned": "never", "uniqueness": "none",
        })
    );
    assert_eq!(find("groups").unwrap()["mutability"], "readOnly");
    let ours = schema(base, TOCSIN_USER.id).unwrap();
    let lock_date = &ours["attributes"][0];
    assert_eq!(
        (&lock_date["type"], &lock_date["mutability"]),
        (&json!("string"), &json!("readWrite"))
    );
    let suggested = lock_date["canonicalValues"][0].as_str().unwrap();
    assert!(suggested.parse::<jiff::Timestamp>().is_ok());
}

#[test]
fn the_configuration_tells_of_paging_and_of_events() {
    let config = service_provider_config("https://t.example/scim/v2", &FEATURES);
    assert_eq!(
        config["pagination"],
        json!({
            "cursor": true, "index": true, "defaultPaginationMethod": "index",
            "defaultPageSize": 100, "maxPageSize": 200, "cursorTimeout": 3600,
        })
    );
    assert_eq!(
        config["securityEvents"],
        json!({
            "asyncRequest": "none",
            "eventUris": ["urn:ietf:params:scim:event:prov:create:notice"],
        })
    );
    assert_eq!(config["bulk"]["maxOperations"], 100);
    let none = Features { bulk: None, event_uris: &[], ..FEATURES };
    let config = service_provider_config("https://t.example/scim/v2", &none);
    assert_eq!(config.get("securityEvents"), None);
    assert_eq!(
        config["bulk"],
        json!({"supported": false, "maxOperations": 0, "maxPayloadSize": 0})
    );
}

/// Every member of what we answer is in the schema of what we answer.
#[test]
fn the_discovery_endpoints_keep_to_their_own_schemas() {
    fn check(value: &Value, attributes: &'static [Attribute], place: &str) {
        match value {
            Value::Array(elements) => elements.iter().for_each(|one| check(one, attributes, place)),
            Value::Object(members) => {
                for (name, value) in members {
                    if ["schemas", "id", "meta"].contains(&name.as_str()) && !place.contains('.') {
                        continue;
                    }
                    let place = format!("{place}.{name}");
                    let within = match name.as_str() {
                        // The schema of schemas would have to hold itself.
                        "subAttributes" if place.ends_with("subAttributes.subAttributes") => {
                            attributes
                        }
                        name => attribute::named(attributes, name).expect(&place).sub_attributes,
                    };
                    check(value, within, &place);
                }
            }
            _ => {}
        }
    }
    let base = "https://t.example/scim/v2";
    let config = service_provider_config(base, &FEATURES);
    check(&config, own::SERVICE_PROVIDER_CONFIG.attributes, "config");
    check(&all_resource_types(base).into(), own::RESOURCE_TYPE.attributes, "type");
    check(&all_schemas(base).into(), own::SCHEMA.attributes, "schema");
}
