//! Bodies, compressed: a write costs a unit for each started kB of the item.
//!
//! The first byte says how the others are written: [`PLAIN`], or [`ZSTD_1`]. A dictionary is never
//! changed, since there are items that were written with it; a better one is another byte.

use std::sync::LazyLock;

use ssf::table::{BoxError, TableError};
use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
    zstd_safe,
};

/// JSON text.
const PLAIN: u8 = 0;
/// JSON text, compressed by zstd with the dictionary 1.
const ZSTD_1: u8 = 1;

/// Made by `dictionary.py` beside it.
const DICTIONARY_1: &[u8] = include_bytes!("dictionary-1.zstd");
/// Higher levels take longer and gain little: see the README.
const LEVEL: i32 = 6;
/// A shorter body is not worth the work: with its keys it is far below one kB.
const WORTH_IT: usize = 256;
/// No body is longer (`ssf::table::check_write`); what claims to be is not ours.
const MAX_BODY: usize = 1024 * 1024;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

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

fn compress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
    // Our first byte names it already.
    compressor.set_parameter(zstd_safe::CParameter::DictIdFlag(false))?;
    compressor.compress(body)
}

fn decompress(packed: &[u8]) -> Result<Vec<u8>, BoxError> {
    let size =
        zstd_safe::get_frame_content_size(packed).map_err(|_| "its body is no zstd frame")?;
    let size = size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= MAX_BODY);
    let size = size.ok_or("its body is too large, or does not say how large it is")?;
    Ok(Decompressor::with_prepared_dictionary(&DECODER)?.decompress(packed, size)?)
}
