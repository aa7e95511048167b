//! What a program without the library does: bit by bit, or floats to bytes and back in a loop that
//! the compiler turns into SIMD.

use caffe2_qtensor::QTensor;

/// One element after the other, one bit after the other, as client code of Caffe2 does.
pub(crate) fn quantize_bits(values: &[f32], tensor: &mut QTensor) {
    let (precision, scale, bias) = (tensor.precision(), tensor.scale(), tensor.bias());
    let highest = f64::from((1_u32 << precision) - 1);
    for (index, value) in values.iter().enumerate() {
        let code = (f64::from(*value) / scale - bias).round_ties_even().clamp(0.0, highest) as u64;
        for bit in 0..precision {
            tensor.set_bit(bit, index, code >> bit & 1 != 0).expect("a bit");
        }
    }
}

/// The inverse.
pub(crate) fn dequantize_bits(tensor: &QTensor, values: &mut [f32]) {
    let (precision, scale, bias) = (tensor.precision(), tensor.scale(), tensor.bias());
    for (index, value) in values.iter_mut().enumerate() {
        let mut code = 0_u32;
        for bit in 0..precision {
            code |= u32::from(tensor.get_bit(bit, index).expect("a bit")) << bit;
        }
        *value = (scale * (f64::from(code) + bias)) as f32;
    }
}

/// Compiles a loop for the widest registers and picks at run time.
macro_rules! widest {
    ($(#[$docs:meta])* $name:ident($($argument:ident: $type:ty),*) $body:block) => {
        $(#[$docs])*
        #[inline(never)]
        pub(crate) fn $name($($argument: $type),*) {
            #[inline(always)]
            fn plain($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,fma")]
            fn avx512($($argument: $type),*) {
                plain($($argument),*);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $type),*) {
                plain($($argument),*);
            }

            #[cfg(target_arch = "x86_64")]
            {
                use std::arch::is_x86_feature_detected as has;
                if has!("avx512bw") && has!("avx512dq") && has!("avx512vl") && has!("avx512vbmi") {
                    // SAFETY: the machine has the features; F and FMA come with them.
                    return unsafe { avx512($($argument),*) };
                }
                if has!("avx2") && has!("fma") {
                    // SAFETY: the machine has the features.
                    return unsafe { avx2($($argument),*) };
                }
            }
            plain($($argument),*);
        }
    };
}

widest! {
    /// Floats to codes of a byte each, by a reciprocal: no planes, and not always the exact code.
    quantize_bytes(values: &[f32], inverse: f32, zero_point: f32, highest: f32, codes: &mut [u8]) {
        for (code, value) in codes.iter_mut().zip(values) {
            let position = (value * inverse + zero_point).round_ties_even();
            // The checks in `clamp` and `as` would keep the compiler from SIMD.
            let position = position.max(0.0).min(highest);
            // SAFETY: the position is between 0, which NaN becomes too, and at most 255.
            *code = unsafe { position.to_int_unchecked::<i32>() } as u8;
        }
    }
}

widest! {
    /// The inverse.
    dequantize_bytes(codes: &[u8], scale: f32, bias: f32, values: &mut [f32]) {
        for (value, code) in values.iter_mut().zip(codes) {
            *value = scale * (f32::from(*code) + bias);
        }
    }
}
