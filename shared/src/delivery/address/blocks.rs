//! The blocks of addresses that nothing is sent to, after IANA's special-purpose registries
//! (RFC 6890) and the clouds' manuals.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use self::Rule::{Embedding, Never, Private};

/// Addresses with the same leading bits.
#[derive(Debug)]
pub(super) struct Block {
    /// The leading bits; those of IPv4 addresses stand at the left, too.
    prefix: u128,
    /// How many leading bits count.
    length: u32,
    /// What such addresses are called.
    pub(super) kind: &'static str,
    /// Whether they are sent to.
    pub(super) rule: Rule,
}

/// Whether the addresses of a block are sent to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rule {
    /// If the IPv4 address in their last 32 bits is.
    Embedding,
    /// Never.
    Never,
    /// If the operator allows it.
    Private,
}

impl Block {
    /// The block that `ip` is in, if it is in one.
    pub(super) fn of(ip: IpAddr) -> Option<&'static Self> {
        let (bits, blocks) = match ip {
            IpAddr::V4(ip) => (left(ip), V4),
            IpAddr::V6(ip) => (ip.to_bits(), V6),
        };
        blocks.iter().find(|block| (block.prefix ^ bits) >> (128 - block.length) == 0)
    }
}

/// The IPv4 address in the last 32 bits of `ip`, or `ip` itself if it is one.
pub(super) fn embedded(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [.., a, b, c, d] = ip.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
    }
}

const fn left(ip: Ipv4Addr) -> u128 {
    (ip.to_bits() as u128) << 96
}

const fn v4(octets: [u8; 4], length: u32, kind: &'static str, rule: Rule) -> Block {
    Block { prefix: left(Ipv4Addr::from_octets(octets)), length, kind, rule }
}

const fn v6(segments: [u16; 4], length: u32, kind: &'static str, rule: Rule) -> Block {
    let [a, b, c, d] = segments;
    Block { prefix: Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_bits(), length, kind, rule }
}

const fn v6_host(ip: Ipv6Addr, kind: &'static str, rule: Rule) -> Block {
    Block { prefix: ip.to_bits(), length: 128, kind, rule }
}

/// The first that fits counts.
const V4: &[Block] = &[
    // Credentials, instance data, name and time servers of AWS (EC2, ECS, EKS), Google Cloud,
    // Azure and others; the last two are Alibaba's and Azure's own.
    v4([169, 254, 169, 0], 24, "metadata", Never),
    v4([169, 254, 170, 0], 24, "metadata", Never),
    v4([100, 100, 100, 200], 32, "metadata", Never),
    v4([168, 63, 129, 16], 32, "metadata", Never),
    v4([0, 0, 0, 0], 8, "unspecified", Never),
    v4([10, 0, 0, 0], 8, "private", Private),
    v4([100, 64, 0, 0], 10, "shared", Private),
    v4([127, 0, 0, 0], 8, "loopback", Private),
    v4([169, 254, 0, 0], 16, "link-local", Private),
    v4([172, 16, 0, 0], 12, "private", Private),
    v4([192, 0, 0, 0], 24, "reserved", Never),
    v4([192, 0, 2, 0], 24, "documentation", Never),
    v4([192, 88, 99, 0], 24, "6to4", Never),
    v4([192, 168, 0, 0], 16, "private", Private),
    v4([198, 18, 0, 0], 15, "benchmarking", Never),
    v4([198, 51, 100, 0], 24, "documentation", Never),
    v4([203, 0, 113, 0], 24, "documentation", Never),
    v4([224, 0, 0, 0], 4, "multicast", Never),
    v4([255, 255, 255, 255], 32, "broadcast", Never),
    v4([240, 0, 0, 0], 4, "reserved", Never),
];

/// The first that fits counts.
const V6: &[Block] = &[
    // AWS (instance data, name server, EKS) and Google Cloud.
    v6([0xfd00, 0x0ec2, 0, 0], 32, "metadata", Never),
    v6_host(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), "metadata", Never),
    v6_host(Ipv6Addr::UNSPECIFIED, "unspecified", Never),
    v6_host(Ipv6Addr::LOCALHOST, "loopback", Private),
    // Both good for nothing but getting around the table for IPv4.
    v6([0, 0, 0, 0], 96, "IPv4-compatible", Never),
    Block {
        prefix: Ipv4Addr::UNSPECIFIED.to_ipv6_mapped().to_bits(),
        length: 96,
        kind: "IPv4-mapped",
        rule: Never,
    },
    // In a network without IPv4, this is how a receiver without IPv6 is reached.
    v6([0x64, 0xff9b, 0, 0], 96, "NAT64", Embedding),
    // Of the local-use prefix nobody can say where in it the IPv4 address stands (RFC 8215).
    v6([0x64, 0xff9b, 1, 0], 48, "NAT64", Never),
    v6([0x2001, 0, 0, 0], 32, "Teredo", Never),
    v6([0x2001, 2, 0, 0], 48, "benchmarking", Never),
    v6([0x2001, 0, 0, 0], 23, "reserved", Never),
    v6([0x2001, 0x0db8, 0, 0], 32, "documentation", Never),
    v6([0x2002, 0, 0, 0], 16, "6to4", Never),
    v6([0x3fff, 0, 0, 0], 20, "documentation", Never),
    v6([0xfc00, 0, 0, 0], 7, "unique-local", Private),
    v6([0xfe80, 0, 0, 0], 10, "link-local", Private),
    v6([0xff00, 0, 0, 0], 8, "multicast", Never),
    // All but 2000::/3, from which addresses are given out.
    v6([0, 0, 0, 0], 3, "reserved", Never),
    v6([0x4000, 0, 0, 0], 2, "reserved", Never),
    v6([0x8000, 0, 0, 0], 1, "reserved", Never),
];
