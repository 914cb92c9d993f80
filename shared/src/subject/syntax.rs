//! The syntax of the texts in subject identifiers.

use std::net::IpAddr;

/// A rule for a text, and what to say when it is broken.
#[derive(Clone, Copy)]
pub(super) struct Syntax {
    holds: fn(&str) -> bool,
    otherwise: &'static str,
}

impl Syntax {
    pub(super) const ACCT: Self =
        Self { holds: is_acct, otherwise: "is not an acct: URI, such as acct:ann@example.com" };
    pub(super) const ANY: Self = Self { holds: |_| true, otherwise: "" };
    pub(super) const DID: Self =
        Self { holds: is_did, otherwise: "is not a DID URL, such as did:example:123456" };
    pub(super) const E164: Self = Self {
        holds: is_e164,
        otherwise: "is not an E.164 number: +, the country code and the rest, at most 15 digits",
    };
    pub(super) const EMAIL: Self =
        Self { holds: is_addr_spec, otherwise: "is not an e-mail address, local@domain" };
    pub(super) const IP: Self =
        Self { holds: |text| text.parse::<IpAddr>().is_ok(), otherwise: "is not an IP address" };
    pub(super) const URI: Self = Self { holds: is_uri, otherwise: "is not a URI" };
    pub(super) const URI_REFERENCE: Self =
        Self { holds: is_escaped, otherwise: "is not a URI, absolute or relative" };

    /// What is wrong with `text`, if anything.
    pub(super) fn check(self, text: &str) -> Result<(), &'static str> {
        if (self.holds)(text) { Ok(()) } else { Err(self.otherwise) }
    }
}

/// [RFC 5322, 3.4.1] without its obsolete forms, comments and folding; with [RFC 6532]'s
/// characters beyond ASCII.
fn is_addr_spec(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let literal = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    quoted.map_or_else(|| is_dot_atom(local), is_quoted)
        && literal.map_or_else(|| is_dot_atom(domain), is_domain_literal)
}

fn is_dot_atom(text: &str) -> bool {
    let is_text = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte) || !byte.is_ascii()
    };
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_text))
}

fn is_quoted(inner: &str) -> bool {
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let printable = |byte: u8| !byte.is_ascii_control() || byte == b'\t';
        let fine = match byte {
            b'"' => false,
            b'\\' => bytes.next().is_some_and(printable),
            other => printable(other),
        };
        if !fine {
            return false;
        }
    }
    true
}

fn is_domain_literal(inner: &str) -> bool {
    inner.bytes().all(|byte| !byte.is_ascii_control() && !b"[]\\".contains(&byte))
}

/// [E.164]: a country code, which does not begin with 0, and the rest, 15 digits at most. Single
/// spaces between digits are taken, since an example of the standard has them ([SSF 1.0, 5]).
fn is_e164(text: &str) -> bool {
    let Some(number) = text.strip_prefix('+') else { return false };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    matches!(digits, 2..=15)
        && !number.starts_with('0')
        && number
            .split(' ')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// [RFC 7565, 7].
fn is_acct(text: &str) -> bool {
    let Some(rest) = after_scheme(text, "acct") else { return false };
    let Some((user, host)) = rest.split_once('@') else { return false };
    let plain = |text: &str| !text.bytes().any(|byte| b":/?#[]@".contains(&byte));
    let in_user = !user.is_empty() && plain(user) && is_escaped(user);
    let in_host = !host.is_empty() && !host.contains(['/', '?', '#', '@']) && is_escaped(host);
    in_user && in_host
}

/// [DID 1.0, 3.1 and 3.2]: `did:`, the method's name, and what the method makes of it.
fn is_did(text: &str) -> bool {
    let Some((method, specific)) = text.strip_prefix("did:").and_then(|rest| rest.split_once(':'))
    else {
        return false;
    };
    let in_method = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !method.is_empty()
        && method.bytes().all(in_method)
        && !specific.is_empty()
        && !specific.starts_with(['/', '?', '#'])
        && is_escaped(specific)
}

/// [RFC 3986, 3]: a scheme, and only characters that a URI may hold. `url::Url` would not do: it
/// mends what it reads, and knows only the shapes that browsers know.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(in_scheme)
        && !rest.is_empty()
        && is_escaped(rest)
}

/// What follows `scheme`, in any case, and its colon.
fn after_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = text.split_once(':')?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Whether `text` has only characters that a URI may hold, and each `%` begins an escape.
fn is_escaped(text: &str) -> bool {
    let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fine =
            if byte == b'%' { hex(bytes.next()) && hex(bytes.next()) } else { is_uri_byte(byte) };
        if !fine {
            return false;
        }
    }
    true
}

/// Unreserved and reserved characters ([RFC 3986, 2.2 and 2.3]).
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(syntax: Syntax, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(syntax.check(text), Ok(()), "{text}");
        }
        for text in bad {
            assert_eq!(syntax.check(text), Err(syntax.otherwise), "{text}");
        }
    }

    #[test]
    fn an_email_address_has_a_local_part_and_a_domain() {
        let good = [
            "ann@example.com",
            "Ann.O'Hara+x@EXAMPLE.com",
            "a@b",
            r#""ann b@c\""@example.com"#,
            "ann@[192.0.2.1]",
            "änn@exämple.de",
        ];
        let bad = [
            "ann",
            "@example.com",
            "ann@",
            "ann b@example.com",
            ".ann@example.com",
            "a..b@example.com",
            "ann@example..com",
            "ann@exam ple.com",
            r#""a"b"@example.com"#,
            r#""a\"@example.com"#,
            "a@b@example.com",
            "ann@[a]b]",
            "ann\n@example.com",
            "mailto:ann@example.com",
        ];
        check(Syntax::EMAIL, &good, &bad);
    }

    #[test]
    fn a_phone_number_has_its_country_code() {
        let good = ["+12065550100", "+1 206 555 0123", "+4930123456", "+123456789012345"];
        let bad = [
            "12065550100",
            "+02065550100",
            "+1234567890123456",
            "+",
            "+1",
            "+1-206-555-0100",
            "+ 1 206 555 0100",
            "+1 206  555 0100",
            "+1 206 555 0100 ",
        ];
        check(Syntax::E164, &good, &bad);
    }

    #[test]
    fn an_account_is_a_user_at_a_host() {
        let good = ["acct:ann@example.com", "ACCT:a.b%40c@example.com", "acct:ann@[2001:db8::1]"];
        let bad = [
            "ann@example.com",
            "acct:ann",
            "acct:@example.com",
            "acct:ann@",
            "acct:a b@example.com",
            "acct:a@b@example.com",
            "acct:a%4@example.com",
            "acct:ann@example.com/x",
            "mailto:ann@example.com",
        ];
        check(Syntax::ACCT, &good, &bad);
    }

    #[test]
    fn a_did_has_a_method_and_what_the_method_names() {
        let good =
            ["did:example:123456", "did:web:example.com:u:ann", "did:a:1/did/url/path?q=a#key"];
        let bad =
            ["did:", "did:example", "did:example:", "did:Ex:1", "did::1", "DID:a:1", "did:a:1 2"];
        check(Syntax::DID, &good, &bad);
    }

    #[test]
    fn a_uri_has_a_scheme_and_a_reference_need_not() {
        let absolute = [
            "https://user.example.com/",
            "urn:uuid:4e851e98-83c4-4743-a5da-150ecb53042f",
            "tag:example.com,2026:x%20y",
        ];
        let relative = ["/Users/44f6142df96bd6ab61e7521d9", "Users/1", "user.example.com"];
        let neither = ["a b:c", "https://a b/", "a:%4", "/Users/%", "a:ü", "/Users/ü"];
        check(Syntax::URI, &absolute, &relative);
        check(Syntax::URI, &[], &["https:", ":x", "1a:b"]);
        check(Syntax::URI, &[], &neither);
        check(Syntax::URI_REFERENCE, &absolute, &neither);
        check(Syntax::URI_REFERENCE, &relative, &[]);
    }

    #[test]
    fn an_ip_address_is_one_address() {
        let good = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"];
        let bad = ["192.0.2", "192.0.2.256", "192.0.2.0/24", "2001:db8::1%eth0", "example.com"];
        check(Syntax::IP, &good, &bad);
    }
}
