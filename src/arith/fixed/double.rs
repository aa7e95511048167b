//! Numbers of 106 bits: the sum of two doubles of which the second is at most half a unit in the last
//! place of the first. Source: Dekker, "A floating-point technique for extending the available
//! precision", 1971, with products by a fused multiplication and addition.

/// The sum of both.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Double(f64, f64);

impl Double {
    /// An integer, exactly.
    pub(super) fn of(integer: i64) -> Double {
        let [high, low] = [integer >> 32, integer & 0xffff_ffff];
        let high = f64::from(i32::try_from(high).unwrap_or(0)) * 4_294_967_296.0;
        two_sum(high, f64::from(u32::try_from(low).unwrap_or(0)))
    }

    pub(super) fn plus(self, other: Double) -> Double {
        let Double(sum, error) = two_sum(self.0, other.0);
        let Double(small, rest) = two_sum(self.1, other.1);
        let Double(sum, error) = quick_sum(sum, error + small);
        quick_sum(sum, error + rest)
    }

    pub(super) fn times(self, factor: f64) -> Double {
        let product = self.0 * factor;
        let error = self.0.mul_add(factor, -product);
        quick_sum(product, self.1.mul_add(factor, error))
    }

    /// The nearest double.
    pub(super) fn rounded(self) -> f64 {
        self.0 + self.1
    }
}

fn two_sum(a: f64, b: f64) -> Double {
    let sum = a + b;
    let of_b = sum - a;
    Double(sum, (a - (sum - of_b)) + (b - of_b))
}

/// Where the first is the larger one.
fn quick_sum(a: f64, b: f64) -> Double {
    let sum = a + b;
    Double(sum, b - (sum - a))
}
