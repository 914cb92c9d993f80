//! Which addresses and URLs are refused.

use super::*;

/// An address; why it is refused; why it is refused even when private ones are allowed.
const ADDRESSES: &[(&str, Option<&str>, Option<&str>)] = &[
    ("8.8.8.8", None, None),
    ("1.1.1.1", None, None),
    ("100.63.255.255", None, None),
    ("100.128.0.0", None, None),
    ("172.15.255.255", None, None),
    ("172.32.0.0", None, None),
    ("192.167.255.255", None, None),
    ("223.255.255.255", None, None),
    ("2606:4700::1111", None, None),
    ("2a00:1450:4001:830::200e", None, None),
    ("2001:4860:4860::8888", None, None),
    ("127.0.0.1", Some("loopback"), None),
    ("127.255.255.254", Some("loopback"), None),
    ("::1", Some("loopback"), None),
    ("10.0.0.1", Some("private"), None),
    ("172.16.0.1", Some("private"), None),
    ("172.31.255.255", Some("private"), None),
    ("192.168.1.1", Some("private"), None),
    ("100.64.0.1", Some("shared"), None),
    ("100.127.255.255", Some("shared"), None),
    ("169.254.0.1", Some("link-local"), None),
    ("fe80::1", Some("link-local"), None),
    ("febf::1", Some("link-local"), None),
    ("fc00::1", Some("unique-local"), None),
    ("fdff::1", Some("unique-local"), None),
    ("169.254.169.254", Some("metadata"), Some("metadata")),
    ("169.254.170.2", Some("metadata"), Some("metadata")),
    ("100.100.100.200", Some("metadata"), Some("metadata")),
    ("168.63.129.16", Some("metadata"), Some("metadata")),
    ("fd00:ec2::254", Some("metadata"), Some("metadata")),
    ("fd20:ce::254", Some("metadata"), Some("metadata")),
    ("0.0.0.0", Some("unspecified"), Some("unspecified")),
    ("0.1.2.3", Some("unspecified"), Some("unspecified")),
    ("::", Some("unspecified"), Some("unspecified")),
    ("255.255.255.255", Some("broadcast"), Some("broadcast")),
    ("224.0.0.1", Some("multicast"), Some("multicast")),
    ("239.255.255.250", Some("multicast"), Some("multicast")),
    ("ff02::1", Some("multicast"), Some("multicast")),
    ("240.0.0.1", Some("reserved"), Some("reserved")),
    ("192.0.0.192", Some("reserved"), Some("reserved")),
    ("192.0.2.1", Some("documentation"), Some("documentation")),
    ("198.51.100.1", Some("documentation"), Some("documentation")),
    ("203.0.113.1", Some("documentation"), Some("documentation")),
    ("2001:db8::1", Some("documentation"), Some("documentation")),
    ("3fff::1", Some("documentation"), Some("documentation")),
    ("198.18.0.1", Some("benchmarking"), Some("benchmarking")),
    ("198.19.255.255", Some("benchmarking"), Some("benchmarking")),
    ("2001:2::1", Some("benchmarking"), Some("benchmarking")),
    ("192.88.99.1", Some("6to4"), Some("6to4")),
    ("2002:808:808::1", Some("6to4"), Some("6to4")),
    ("2001::1", Some("Teredo"), Some("Teredo")),
    ("2001:20::1", Some("reserved"), Some("reserved")),
    ("100::1", Some("reserved"), Some("reserved")),
    ("fec0::1", Some("reserved"), Some("reserved")),
    ("4000::1", Some("reserved"), Some("reserved")),
    ("::ffff:127.0.0.1", Some("IPv4-mapped"), Some("IPv4-mapped")),
    ("::ffff:8.8.8.8", Some("IPv4-mapped"), Some("IPv4-mapped")),
    ("::127.0.0.1", Some("IPv4-compatible"), Some("IPv4-compatible")),
    ("64:ff9b::8.8.8.8", None, None),
    ("64:ff9b::127.0.0.1", Some("loopback"), None),
    ("64:ff9b::10.0.0.1", Some("private"), None),
    ("64:ff9b::169.254.169.254", Some("metadata"), Some("metadata")),
    ("64:ff9b:1::8.8.8.8", Some("NAT64"), Some("NAT64")),
];

#[test]
fn each_kind_of_address_is_known_by_its_name() {
    for &(address, strict, lax) in ADDRESSES {
        let ip = address.parse().unwrap();
        assert_eq!(refusal(ip, false), strict, "{address}");
        assert_eq!(refusal(ip, true), lax, "{address} with private ones allowed");
    }
}

/// What is wrong with an endpoint, or nothing.
fn reason(url: &str, allow_private: bool) -> String {
    match check_endpoint(url, allow_private) {
        Ok(_) => String::new(),
        Err(invalid) => {
            assert_eq!(invalid.member, "delivery.endpoint_url");
            invalid.reason
        }
    }
}

#[test]
fn endpoints_that_could_be_receivers_are_taken() {
    for url in [
        "https://receiver.example/",
        "https://receiver.example",
        "https://receiver.example:8443/a/b?tenant=1&x=%20",
        "https://8.8.8.8/events",
        "https://[2606:4700::1111]/events",
        "https://bücher.example/",
        "https://internal.example/",
        "https://with_underscore.example/",
        "HTTPS://RECEIVER.EXAMPLE/",
    ] {
        assert_eq!(reason(url, false), "", "{url}");
    }
}

#[test]
fn endpoints_that_cannot_be_receivers_are_refused_with_the_reason() {
    for (url, why) in [
        ("", "is not an absolute URL"),
        ("receiver.example/events", "is not an absolute URL"),
        ("https://", "is not an absolute URL"),
        ("https://receiver.example:99999/", "is not an absolute URL"),
        ("http://receiver.example/", "must be an https URL"),
        ("ftp://receiver.example/", "must be an https URL"),
        ("file:///etc/passwd", "must be an https URL"),
        ("https://user@receiver.example/", "must not hold credentials; use authorization_header"),
        (
            "https://user:pw@receiver.example/",
            "must not hold credentials; use authorization_header",
        ),
        ("https://receiver.example/#here", "must not have a fragment"),
        ("https://receiver.example:0/", "must not have the port 0"),
        ("https://receiver.example/a b", "holds a space, a control character or a backslash"),
        (" https://receiver.example/", "holds a space, a control character or a backslash"),
        ("https://receiver\t.example/", "holds a space, a control character or a backslash"),
        (
            "https://receiver.example\\@10.0.0.1/",
            "holds a space, a control character or a backslash",
        ),
        ("https://a..example/", "does not name a host"),
        ("https://a+b.example/", "does not name a host"),
        ("https://-a-.example/", "does not name a host"),
    ] {
        assert_eq!(reason(url, false), why, "{url}");
        assert_eq!(reason(url, true), why, "{url} with private ones allowed");
    }
}

#[test]
fn an_endpoint_is_as_long_as_2048_characters_and_no_longer() {
    let long = |length: usize| format!("{:x<length$}", "https://receiver.example/");
    assert_eq!(reason(&long(2_048), false), "");
    assert_eq!(reason(&long(2_049), false), "is longer than 2048 characters");
}

#[test]
fn hosts_that_only_a_local_network_knows_need_the_operators_leave() {
    for url in [
        "https://localhost/",
        "https://LOCALHOST:8443/",
        "https://localhost./",
        "https://a.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://router.home.arpa/",
        "https://intranet/",
    ] {
        assert_eq!(reason(url, false), "names a host that only a local network knows", "{url}");
        assert_eq!(reason(url, true), "", "{url} with private ones allowed");
    }
}

#[test]
fn no_spelling_of_an_address_gets_around_the_check() {
    for (url, kind) in [
        ("https://127.0.0.1/", "loopback"),
        ("https://127.1/", "loopback"),
        ("https://0x7f.1/", "loopback"),
        ("https://0177.0.0.1/", "loopback"),
        ("https://2130706433/", "loopback"),
        ("https://0x7f000001/", "loopback"),
        ("https://127.0.0.1./", "loopback"),
        ("https://%31%32%37.0.0.1/", "loopback"),
        ("https://１２７.0.0.1/", "loopback"),
        ("https://127。0。0。1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[0:0:0:0:0:0:0:1]/", "loopback"),
        ("https://0/", "unspecified"),
        ("https://[::]/", "unspecified"),
        ("https://2852039166/", "metadata"),
        ("https://[fd00:ec2::254]/", "metadata"),
        ("https://[::ffff:127.0.0.1]/", "IPv4-mapped"),
        ("https://[::ffff:7f00:1]/", "IPv4-mapped"),
        ("https://[::127.0.0.1]/", "IPv4-compatible"),
        ("https://[64:ff9b::8.8.8.8]/", "NAT64"),
        ("https://[64:ff9b:1::8.8.8.8]/", "NAT64"),
    ] {
        let why = format!("leads to an address that is not allowed: {kind}");
        assert_eq!(reason(url, false), why, "{url}");
    }
}

#[test]
fn an_operator_who_allows_private_endpoints_does_not_allow_metadata() {
    assert_eq!(reason("https://127.0.0.1:8443/", true), "");
    assert_eq!(reason("https://[::1]:8443/", true), "");
    for url in ["https://169.254.169.254/", "https://[fd00:ec2::254]/", "https://2852039166/"] {
        assert_eq!(reason(url, true), "leads to an address that is not allowed: metadata", "{url}");
    }
}
