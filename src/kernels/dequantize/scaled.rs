//! Values computed one by one.

use super::{Kind, Level, Output, Step, value_of};

/// Compiles one loop for every level.
macro_rules! for_every_level {
    (
        $(#[$docs:meta])*
        $name:ident($($argument:ident: $type:ty),*) check $check:block loop $body:block
    ) => {
        $(#[$docs])*
        pub fn $name<T: Output>(level: Level, $($argument: $type),*) {
            #[inline(always)]
            fn portable<T: Output>($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2<T: Output>($($argument: $type),*) {
                portable($($argument),*);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
            fn avx512<T: Output>($($argument: $type),*) {
                portable($($argument),*);
            }

            $check
            match level.kind() {
                Kind::Portable => portable($($argument),*),
                // SAFETY: a level exists only where the machine has its instructions.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx2 => unsafe { avx2($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Kind::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    };
}

for_every_level! {
    /// The values of codes of at most 8 bits, each with its own scale and bias.
    ///
    /// A byte is a magnitude of `precision` bits with the sign in the bit behind it; with all 8
    /// bits taken, `signs` has 0 or 1 for each byte, or is empty where there are none. All other
    /// slices are of one length (the function panics otherwise).
    scaled(
        bytes: &[u8],
        signs: &[u8],
        precision: u8,
        scales: &[f64],
        biases: &[f64],
        values: &mut [T]
    ) check {
        let length = values.len();
        assert!(bytes.len() == length && scales.len() == length && biases.len() == length);
        assert!(signs.is_empty() || signs.len() == length, "a sign for each byte, or none");
        assert!((1..=8).contains(&precision), "codes of a byte have 1 to 8 bits");
    } loop {
        let steps = scales.iter().zip(biases);
        let codes = values.iter_mut().zip(bytes).zip(steps);
        if signs.is_empty() {
            let mask = 0xff_u8 >> (8 - precision);
            for ((value, byte), (scale, bias)) in codes {
                let step = Step { scale: *scale, bias: *bias };
                *value = value_of(&step, f64::from(byte & mask), byte & !mask != 0);
            }
        } else {
            for (((value, byte), (scale, bias)), sign) in codes.zip(signs) {
                let step = Step { scale: *scale, bias: *bias };
                *value = value_of(&step, f64::from(*byte), *sign != 0);
            }
        }
    }
}

for_every_level! {
    /// The values of codes of any precision up to 32, all with one step. The slices are of one
    /// length (the function panics otherwise).
    wide(step: &Step, codes: &[i64], values: &mut [T]) check {
        assert!(codes.len() == values.len(), "there is a value for each code");
    } loop {
        for (value, code) in values.iter_mut().zip(codes) {
            // 33 bits are exact in double precision.
            *value = T::nearest(step.scale * (*code as f64 + step.bias));
        }
    }
}
