//! Moments and lengths of time as JSON spells them: RFC 3339 in UTC, and seconds with an `s` behind;
//! with 0, 3, 6 or 9 digits of a second.

use std::fmt::Write;

/// Seconds of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
/// Seconds of the longest Duration.
const LONGEST: i64 = 315_576_000_000;
const DAY: i64 = 86_400;

/// Writes a moment; `false` if it is none.
pub(crate) fn write_timestamp(seconds: i64, nanos: i32, out: &mut String) -> bool {
    if !(FIRST..=LAST).contains(&seconds) || !(0..1_000_000_000).contains(&nanos) {
        return false;
    }
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    for (number, digits, behind) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (hour, 2, ':'),
        (minute, 2, ':'),
        (second, 2, '\0'),
    ] {
        push_digits(number, digits, out);
        if behind != '\0' {
            out.push(behind);
        }
    }
    push_fraction(i64::from(nanos), out);
    out.push('Z');
    true
}

/// Writes a length of time; `false` if it is none.
pub(super) fn write_duration(seconds: i64, nanos: i32, out: &mut String) -> bool {
    let opposed = (seconds > 0 && nanos < 0) || (seconds < 0 && nanos > 0);
    if seconds.abs() > LONGEST || nanos.unsigned_abs() >= 1_000_000_000 || opposed {
        return false;
    }
    if seconds < 0 || nanos < 0 {
        out.push('-');
    }
    // Writing into a String can't fail.
    let _ = write!(out, "{}", seconds.unsigned_abs());
    push_fraction(i64::from(nanos.unsigned_abs()), out);
    out.push('s');
    true
}

/// Reads a moment, with any offset.
pub(super) fn read_timestamp(text: &str) -> Option<(i64, i32)> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| digits(bytes.get(from..to)?);
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    if !(is(4, b'-') && is(7, b'-') && is(10, b'T') && is(13, b':') && is(16, b':')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let day_count = days(year, month, day);
    if civil(day_count) != (year, month, day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let rest = text.get(19..)?;
    let zone = rest.find(['Z', '+', '-'])?;
    let (fraction, zone) = rest.split_at(zone);
    let nanos = read_fraction(fraction)?;
    let seconds = day_count * DAY + hour * 3_600 + minute * 60 + second - offset(zone)?;
    (FIRST..=LAST).contains(&seconds).then_some((seconds, nanos))
}

/// Reads a length of time.
pub(super) fn read_duration(text: &str) -> Option<(i64, i32)> {
    let text = text.strip_suffix('s')?;
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let point = text.find('.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at(point);
    if !(1..=12).contains(&whole.len()) {
        return None;
    }
    let seconds = digits(whole.as_bytes()).filter(|&seconds| seconds <= LONGEST)?;
    let nanos = read_fraction(fraction)?;
    if seconds == LONGEST && nanos > 0 {
        return None;
    }
    Some(if negative { (-seconds, -nanos) } else { (seconds, nanos) })
}

/// `Z`, or hours and minutes east of it, in seconds.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let bytes = zone.as_bytes();
    if bytes.len() != 6 || bytes[3] != b':' {
        return None;
    }
    let (hours, minutes) = (digits(&bytes[1..3])?, digits(&bytes[4..6])?);
    let seconds = (hours <= 23 && minutes <= 59).then_some(hours * 3_600 + minutes * 60)?;
    Some(if bytes[0] == b'-' { -seconds } else { seconds })
}

/// Nothing, or a point and one to nine digits.
fn read_fraction(text: &str) -> Option<i32> {
    let Some(fraction) = text.strip_prefix('.') else {
        return text.is_empty().then_some(0);
    };
    let missing = u32::try_from(9_usize.checked_sub(fraction.len())?).ok()?;
    let nanos = digits(fraction.as_bytes())? * 10_i64.pow(missing);
    i32::try_from(nanos).ok()
}

fn digits(bytes: &[u8]) -> Option<i64> {
    let sum =
        |sum: i64, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0'));
    if bytes.is_empty() { None } else { bytes.iter().try_fold(0, sum) }
}

fn push_digits(number: i64, count: u32, out: &mut String) {
    for place in (0..count).rev() {
        let digit = u8::try_from(number / 10_i64.pow(place) % 10).unwrap_or_default();
        out.push(char::from(b'0' + digit));
    }
}

fn push_fraction(nanos: i64, out: &mut String) {
    if nanos == 0 {
        return;
    }
    out.push('.');
    if nanos % 1_000_000 == 0 {
        push_digits(nanos / 1_000_000, 3, out);
    } else if nanos % 1_000 == 0 {
        push_digits(nanos / 1_000, 6, out);
    } else {
        push_digits(nanos, 9, out);
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the day that comes and goes is the last of a year; in eras of
    // 400 years, which are all of the same length.
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The inverse of [`civil`], for any number of a month and a day.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_all_years_comes_back() {
        for day in FIRST / DAY..=LAST / DAY {
            let (year, month, of_month) = civil(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
    }

    #[test]
    fn moments_are_spelt_as_protobuf_spells_them() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_732_190_400, 10_000_000, "2024-11-21T12:00:00.010Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (FIRST, 0, "0001-01-01T00:00:00Z"),
            (LAST, 1_000, "9999-12-31T23:59:59.000001Z"),
        ] {
            let mut out = String::new();
            assert!(write_timestamp(seconds, nanos, &mut out));
            assert_eq!(out, text);
            assert_eq!(read_timestamp(text), Some((seconds, nanos)));
        }
        assert_eq!(read_timestamp("1970-01-01T01:30:00+01:30"), Some((0, 0)));
        assert!(!write_timestamp(LAST + 1, 0, &mut String::new()));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "2024-11-21",
            "2024-11-21T12:00:00",
            "2024-11-21t12:00:00Z",
            "2024-11-21T12:00:00z",
            "2024-11-21 12:00:00Z",
            "2023-02-29T12:00:00Z",
            "2024-13-01T12:00:00Z",
            "2024-11-21T24:00:00Z",
            "2024-11-21T12:00:60Z",
            "2024-11-21T12:00:00.Z",
            "2024-11-21T12:00:00.1234567890Z",
            "2024-11-21T12:00:00+1:00",
            "2024-11-21T12:00:00+24:00",
            "2024-11-21T12:00:00Zx",
            "0000-11-21T12:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "é024-11-21T12:00:00Z",
        ] {
            assert_eq!(read_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_come_back() {
        for (seconds, nanos, text) in [
            (0, 0, "0s"),
            (3, 0, "3s"),
            (3, 1, "3.000000001s"),
            (-3, -500_000_000, "-3.500s"),
            (0, -1_000, "-0.000001s"),
            (LONGEST, 0, "315576000000s"),
        ] {
            let mut out = String::new();
            assert!(write_duration(seconds, nanos, &mut out));
            assert_eq!(out, text);
            assert_eq!(read_duration(text), Some((seconds, nanos)));
        }
        for text in ["", "s", "3", "-s", "3.s", ".5s", "+3s", "3 s", "315576000001s", "1e3s"] {
            assert_eq!(read_duration(text), None, "{text}");
        }
    }
}
