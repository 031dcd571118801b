//! LOC: a place on the earth as text and as octets. RFC 1876 §2, §3.
//!
//! ```text
//!   52 22 23.000 N   4 53 32.000 E   -2.00m     0.00m 10000m    10m
//!   latitude         longitude       altitude   size, horizontal and vertical precision
//! ```

use super::fields::{Fault, Fields};

/// Appends the RDATA of a LOC record to `wire`.
pub(super) fn read(fields: &mut Fields<'_, '_>, wire: &mut Vec<u8>) -> Result<(), Fault> {
    /// The altitude that the wire calls 0, below the reference spheroid.
    const LOWEST_CM: i64 = -10_000_000;
    const DEFAULT_SIZE: u8 = 0x12;
    const DEFAULT_HORIZONTAL: u8 = 0x16;
    const DEFAULT_VERTICAL: u8 = 0x13;

    let latitude = angle(fields, "N", "S", 90)?;
    let longitude = angle(fields, "E", "W", 180)?;
    let altitude = centimetres(fields.word()?)
        .and_then(|above| u32::try_from(above.checked_sub(LOWEST_CM)?).ok())
        .ok_or_else(|| Fault::new("expected an altitude in metres, -100000 to 42849672.95"))?;
    let mut sizes = [DEFAULT_SIZE, DEFAULT_HORIZONTAL, DEFAULT_VERTICAL];
    for size in &mut sizes {
        if fields.peek().is_some() {
            *size = centimetres(fields.word()?)
                .and_then(power_of_ten)
                .ok_or_else(|| Fault::new("expected metres, 0 to 90000000"))?;
        }
    }
    wire.push(0);
    wire.extend(sizes);
    wire.extend([latitude, longitude, altitude].map(u32::to_be_bytes).as_flattened());
    Ok(())
}

/// Degrees, perhaps minutes, perhaps seconds, and a direction: thousandths of an arc second from
/// 2^31, which is the equator or the prime meridian.
fn angle(
    fields: &mut Fields<'_, '_>,
    positive: &str,
    negative: &str,
    degrees_max: u32,
) -> Result<u32, Fault> {
    const MIDDLE: u32 = 1 << 31;
    let wrong =
        || Fault::new(format!("expected degrees [minutes [seconds]] and {positive} or {negative}"));
    let mut thousandths: u32 = 0;
    for (unit, decimals, below) in
        [(3_600_000, 0, degrees_max + 1), (60_000, 0, 60), (1, 3, 60_000), (0, 0, 0)]
    {
        let word = fields.word()?;
        if thousandths > degrees_max * 3_600_000 {
            return Err(wrong());
        }
        let first = unit == 3_600_000;
        if !first && word.eq_ignore_ascii_case(positive) {
            return Ok(MIDDLE + thousandths);
        }
        if !first && word.eq_ignore_ascii_case(negative) {
            return Ok(MIDDLE - thousandths);
        }
        let value = decimal(word, decimals)
            .and_then(|value| u32::try_from(value).ok())
            .filter(|&value| value < below)
            .ok_or_else(wrong)?;
        thousandths += value * unit;
    }
    Err(wrong())
}

/// Metres with up to two decimals and perhaps an `m`, in centimetres.
fn centimetres(text: &str) -> Option<i64> {
    let text = text.strip_suffix(['m', 'M']).unwrap_or(text);
    match text.strip_prefix('-') {
        Some(below) => decimal(below, 2).map(|value| -value),
        None => decimal(text, 2),
    }
}

/// A number without a sign, in units of its last allowed decimal.
fn decimal(text: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty()
        || fraction.len() > decimals
        || !digits_only(whole)
        || !digits_only(fraction)
    {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
}

/// Centimetres as one digit and one power of ten, rounded down. RFC 1876 §2.
fn power_of_ten(centimetres: i64) -> Option<u8> {
    let mut digit = u64::try_from(centimetres).ok()?;
    let mut power = 0;
    while digit > 9 {
        digit /= 10;
        power += 1;
    }
    (power <= 9).then_some((digit as u8) << 4 | power)
}
