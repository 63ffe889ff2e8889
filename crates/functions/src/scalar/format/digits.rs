//! Numbers as decimal digits, rounded as Java rounds: halves away from zero, doubles by their shortest digits.

/// A number not below zero: the digits behind `0.`, times ten to the power of `point`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    /// Of a finite double.
    pub(super) fn of_double(number: f64) -> Digits {
        Self::of_text(ryu::Buffer::new().format_finite(number.abs()))
    }

    /// Of a decimal.
    pub(super) fn of_decimal(unscaled: u128, scale: u8) -> Digits {
        let digits: Vec<u8> = unscaled.to_string().bytes().map(|b| b - b'0').collect();
        let point = digits.len() as i64 - i64::from(scale);
        Digits { digits, point }.trimmed()
    }

    fn of_text(text: &str) -> Digits {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = whole.bytes().chain(fraction.bytes()).map(|b| b.wrapping_sub(b'0')).collect();
        let point = whole.len() as i64 + exponent.parse::<i64>().unwrap_or(0);
        Digits { digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Digits {
        let zeros = self.digits.iter().take_while(|d| **d == 0).count();
        self.digits.drain(..zeros);
        self.point -= zeros as i64;
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        if self.digits.is_empty() {
            self.point = 1;
        }
        self
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The power of ten of the first digit.
    pub(super) fn exponent(&self) -> i64 {
        self.point - 1
    }

    /// Keeps so many digits, from the first one on.
    pub(super) fn rounded(mut self, keep: i64) -> Digits {
        let Ok(keep) = usize::try_from(keep) else { return Digits { digits: Vec::new(), point: 1 } };
        let Some(next) = self.digits.get(keep).copied() else { return self };
        self.digits.truncate(keep);
        if next >= 5 {
            let mut carried = true;
            for digit in self.digits.iter_mut().rev() {
                if *digit < 9 {
                    *digit += 1;
                    carried = false;
                    break;
                }
                *digit = 0;
            }
            if carried {
                self.digits.insert(0, 1);
                self.point += 1;
            }
        }
        self.trimmed()
    }

    fn digit(&self, index: i64) -> char {
        let digit = usize::try_from(index).ok().and_then(|i| self.digits.get(i)).copied().unwrap_or(0);
        char::from(b'0' + digit.min(9))
    }

    /// `ddd.ddd` with so many digits behind the point.
    pub(super) fn plain(&self, decimals: usize) -> String {
        let rounded = self.clone().rounded(self.point.saturating_add(decimals as i64));
        let mut out = String::new();
        for i in 0..rounded.point.max(1) {
            out.push(if rounded.point < 1 { '0' } else { rounded.digit(i) });
        }
        if decimals > 0 {
            out.push('.');
            out.extend((0..decimals as i64).map(|i| rounded.digit(rounded.point + i)));
        }
        out
    }

    /// `d.ddde+xx` with so many digits behind the point.
    pub(super) fn scientific(&self, decimals: usize) -> String {
        let rounded = self.clone().rounded(decimals as i64 + 1);
        let exponent = if rounded.is_zero() { 0 } else { rounded.exponent() };
        let mut out = String::from(rounded.digit(0));
        if decimals > 0 {
            out.push('.');
            out.extend((1..=decimals as i64).map(|i| rounded.digit(i)));
        }
        out.push_str(&format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()));
        out
    }
}
