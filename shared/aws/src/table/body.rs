//! Bodies, compressed: a write costs a unit for each started kB of the item.
//!
//! The first byte says how the others are written: [`PLAIN`], or [`ZSTD_1`]. A dictionary is never
//! changed, since there are items that were written with it; a better one is another byte.

use std::{cell::RefCell, io, sync::LazyLock};

use ssf::table::{BoxError, TableError};
use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
    zstd_safe::{CParameter, get_frame_content_size},
};

/// JSON text.
const PLAIN: u8 = 0;
/// JSON text, compressed by zstd with the dictionary 1.
const ZSTD_1: u8 = 1;

/// Made by `dictionary.py` beside it.
const DICTIONARY_1: &[u8] = include_bytes!("dictionary-1.zstd");
/// Of made-up SETs of 1,444 bytes it makes 527 on average, 746 or more of one in a hundred; level 3
/// makes 545 and 776, and none makes less. One takes 26 µs (9 µs at level 3); a write unit costs as
/// much as 0.3 s of a function with 128 MB.
const LEVEL: i32 = 6;
/// A shorter body is not worth the work: with its keys it is far below one kB.
const WORTH_IT: usize = 256;
/// No body is longer (`ssf::table::check_write`); what claims to be is not ours.
const MAX_BODY: usize = 1024 * 1024;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

// To make one takes longer than to use it.
thread_local! {
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(compressor());
    static DECOMPRESSOR: RefCell<Decompressor<'static>> = RefCell::new(decompressor());
}

/// `body` as it is kept.
pub(super) fn pack(body: String) -> Result<Vec<u8>, TableError> {
    let packed = if body.len() < WORTH_IT { None } else { Some(compress(body.as_bytes())) };
    let packed = packed.transpose().map_err(|error| TableError::Unavailable(error.into()))?;
    let (format, bytes) = match packed {
        Some(packed) if packed.len() < body.len() => (ZSTD_1, packed),
        Some(_) | None => (PLAIN, body.into_bytes()),
    };
    let mut kept = Vec::with_capacity(bytes.len() + 1);
    kept.push(format);
    kept.extend(bytes);
    Ok(kept)
}

/// The body that [`pack`] packed.
pub(super) fn unpack(kept: &[u8]) -> Result<String, BoxError> {
    let body = match kept.split_first() {
        Some((&PLAIN, body)) => body.to_vec(),
        Some((&ZSTD_1, packed)) => decompress(packed)?,
        Some((format, _)) => {
            return Err(format!("its body is of the unknown format {format}").into());
        }
        None => return Err("its body is empty".into()),
    };
    Ok(String::from_utf8(body)?)
}

fn compressor() -> Compressor<'static> {
    let compressor = Compressor::with_prepared_dictionary(&ENCODER);
    let mut compressor = compressor.expect("the dictionary fits");
    // Our first byte names it already.
    let unnamed = compressor.set_parameter(CParameter::DictIdFlag(false));
    unnamed.expect("zstd knows its own parameters");
    compressor
}

fn decompressor() -> Decompressor<'static> {
    Decompressor::with_prepared_dictionary(&DECODER).expect("the dictionary fits")
}

fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| compressor.compress(body))
}

fn decompress(packed: &[u8]) -> Result<Vec<u8>, BoxError> {
    let size = get_frame_content_size(packed).map_err(|_| "its body is no zstd frame")?;
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= MAX_BODY);
    let size = size.ok_or("its body is too large, or does not say how large it is")?;
    Ok(DECOMPRESSOR.with_borrow_mut(|decompressor| decompressor.decompress(packed, size))?)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    /// A SET as it is kept, signed with RS256.
    const SET: &str = include_str!("kept.json");

    #[test]
    fn what_was_packed_comes_back() {
        let large = "ü".repeat(200_000);
        for body in ["", "{}", &SET[..WORTH_IT - 1], &SET[..WORTH_IT], SET, &large] {
            let kept = pack(body.to_owned()).unwrap();
            let format = if body.len() < WORTH_IT { PLAIN } else { ZSTD_1 };
            assert_eq!(kept[0], format, "{body:.40}");
            assert!(kept.len() <= body.len() + 1);
            assert_eq!(unpack(&kept).unwrap(), body);
        }
    }

    #[test]
    fn a_set_takes_less_than_half() {
        let kept = pack(SET.to_owned()).unwrap().len();
        assert!((400..600).contains(&kept), "{} bytes became {kept}", SET.len());
    }

    #[test]
    fn what_an_earlier_release_packed_is_read() {
        let kept = STANDARD.decode(include_str!("kept.zstd-1.base64").trim()).unwrap();
        assert_eq!(kept[0], ZSTD_1);
        assert_eq!(unpack(&kept).unwrap(), SET);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; MAX_BODY + 1], 1).unwrap();
        let with = |format: u8, body: &[u8]| [&[format], body].concat();
        for (kept, reason) in [
            (vec![], "its body is empty"),
            (vec![2, b'{', b'}'], "its body is of the unknown format 2"),
            (vec![PLAIN, 0xFF], "invalid utf-8 sequence of 1 bytes from index 0"),
            (with(ZSTD_1, b"{}"), "its body is no zstd frame"),
            (with(ZSTD_1, &bomb), "its body is too large, or does not say how large it is"),
        ] {
            assert_eq!(unpack(&kept).unwrap_err().to_string(), reason);
        }
        let mut broken = pack(SET.to_owned()).unwrap();
        broken.truncate(100);
        unpack(&broken).unwrap_err();
    }
}
