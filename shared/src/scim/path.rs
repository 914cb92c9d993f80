//! The paths of PATCH operations ([RFC 7644, 3.5.2]).

use super::{
    Error, ResourceType,
    error::shown,
    filter::{Filter, Parser},
    schema::{Attribute, AttributePath, Schema},
};

/// What a PATCH operation changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Path {
    /// An attribute, or a sub-attribute of all its elements: `name.givenName`.
    Attribute(AttributePath),
    /// The elements that a filter selects, or a sub-attribute of them: `emails[type eq "work"].value`.
    Elements {
        /// The complex attribute.
        path: AttributePath,
        /// Which of its elements.
        filter: Filter,
        /// Which sub-attribute of them, if not all.
        sub_attribute: Option<&'static Attribute>,
    },
    /// All attributes of an extension: its URN.
    Extension(&'static Schema),
}

impl Path {
    /// Reads a path. What names no attribute is an invalid path; what is wrong within brackets is an
    /// invalid filter.
    pub fn parse(text: &str, resource_type: ResourceType) -> Result<Self, Error> {
        if let Some(extension) = resource_type.extension(text.trim()) {
            return Ok(Self::Extension(extension));
        }
        let mut parser = Parser::new(text, resource_type)?;
        let name = parser.name();
        let path = AttributePath::resolve(name, resource_type).ok_or_else(|| {
            let name = if name.is_empty() { text } else { name };
            Error::path(format_args!("there is no attribute {}", shown(name)))
        })?;
        if !parser.eat('[') {
            Self::end(parser, &path)?;
            return Ok(Self::Attribute(path));
        }
        let filter = parser.value_filter(path)?;
        let sub_attribute = if parser.eat('.') {
            let name = parser.name();
            let unknown =
                || Error::path(format_args!("there is no attribute {} in {path}", shown(name)));
            Some(path.attribute.sub_attribute(name).ok_or_else(unknown)?)
        } else {
            None
        };
        Self::end(parser, &path)?;
        Ok(Self::Elements { path, filter, sub_attribute })
    }

    fn end(mut parser: Parser<'_>, path: &AttributePath) -> Result<(), Error> {
        parser.end().map_err(|_| {
            Error::path(format_args!("something follows {path} that does not belong to a path"))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scim::ErrorKind;

    fn shape(text: &str) -> Result<String, ErrorKind> {
        let path = Path::parse(text, ResourceType::User).map_err(|error| error.kind)?;
        Ok(match path {
            Path::Attribute(path) => path.to_string(),
            Path::Extension(schema) => format!("all of {}", schema.name),
            Path::Elements { path, sub_attribute, .. } => {
                format!("{path}[].{}", sub_attribute.map_or("", |sub| sub.name))
            }
        })
    }

    #[test]
    fn each_form_of_path_is_read() {
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let read = |text: &str| shape(text).unwrap();
        assert_eq!(read("UserName"), "userName");
        assert_eq!(read("name.givenName"), "name.givenName");
        assert_eq!(read(r#"emails[type eq "work"].value"#), "emails[].value");
        assert_eq!(read(r#"emails[type eq "work"]"#), "emails[].");
        assert_eq!(read(r#"emails[not (type eq "work")].value"#), "emails[].value");
        assert_eq!(read(enterprise), "all of EnterpriseUser");
        assert_eq!(read(&enterprise.to_lowercase()), "all of EnterpriseUser");
        assert_eq!(read(&format!("{enterprise}:department")), format!("{enterprise}:department"));
        assert_eq!(
            read(&format!("{enterprise}:manager.value")),
            format!("{enterprise}:manager.value")
        );
        assert_eq!(read("urn:ietf:params:scim:schemas:core:2.0:User:userName"), "userName");
    }

    #[test]
    fn what_is_no_path_is_refused_and_named() {
        let invalid = [
            "",
            " ",
            "/name/givenName",
            "nope",
            "name.nope",
            "userName x",
            "name.givenName.x",
            r#"emails[type eq "work"].nope"#,
            r#"emails[type eq "work"]x"#,
            r#"emails[type eq "work"][type eq "work"]"#,
            "urn:nobody:User:x",
        ];
        for text in invalid {
            assert_eq!(shape(text), Err(ErrorKind::InvalidPath), "{text}");
        }
        for text in ["emails[]", "emails[", "emails[nope eq 1]", r#"userName[value eq "x"]"#] {
            assert_eq!(shape(text), Err(ErrorKind::InvalidFilter), "{text}");
        }
        let error = Path::parse("favouriteColour", ResourceType::User).unwrap_err();
        assert_eq!(error.detail, "there is no attribute favouriteColour");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,60}") {
            let _ = Path::parse(&text, ResourceType::User);
            let _ = Path::parse(&format!("emails[{text}].value"), ResourceType::User);
        }
    }
}
