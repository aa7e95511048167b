//! Products of random shapes, and of every shape at which something changes inside: the ends of words
//! and panels, blocks of rows, and sums that outgrow 32 bits.

use crate::case::{Case, Codes, Random, matrix, options};
use caffe2_qtensor::{PackedWeights, QTensor};

/// Of nine planes, of two, one, and as many as a byte holds.
const KINDS: [(u8, bool); 5] = [(8, true), (1, true), (1, false), (8, false), (7, true)];

#[test]
fn twenty_thousand_products() {
    let mut random = Random(1);
    for _ in 0..20_000 {
        let shape = (random.size(7), random.size(9), random.size(70));
        let case = Case::new(&mut random, shape);
        case.check(&mut random, 1);
    }
}

#[test]
fn every_number_of_columns_up_to_130() {
    let mut random = Random(4);
    for columns in 1..=130 {
        for kind in KINDS {
            // As many rows as a vector of them, and fewer.
            let (shape, other) = ((random.size(8), random.size(5), columns), random.kind());
            for kinds in [[kind, kind], [kind, other], [other, kind]] {
                let codes = if random.is_heads() { Codes::Any } else { Codes::Outermost };
                Case::of(&mut random, shape, kinds, [codes; 2]).check(&mut random, 1);
            }
        }
    }
}

#[test]
fn every_number_of_rows_and_outputs_around_an_end() {
    let mut random = Random(5);
    let rows = (1..=13).chain([47, 48, 49, 95, 96, 97]);
    for rows in rows {
        for outputs in [1, 63, 64, 65, 127, 128, 129] {
            let columns = random.size(40);
            let case = Case::new(&mut random, (rows, outputs, columns));
            case.check(&mut random, 1);
        }
    }
    for rows in [527, 528, 529, 1057] {
        for kind in KINDS {
            let (columns, other) = (random.size(20), random.kind());
            let shape = (rows, 65, columns);
            Case::of(&mut random, shape, [kind, other], [Codes::Any; 2]).check(&mut random, 1);
        }
    }
}

/// With the outermost codes 2^15 products are more than 32 bits hold.
#[test]
fn sums_beyond_32_bits() {
    const ENDS: [[Codes; 2]; 4] = [
        [Codes::Highest, Codes::Highest],
        [Codes::Lowest, Codes::Highest],
        [Codes::Highest, Codes::Lowest],
        [Codes::Lowest, Codes::Lowest],
    ];
    let mut random = Random(6);
    for columns in [16_383, 16_384, 16_385, 33_000, 70_001] {
        for kinds in [(8, true), (8, false)].map(|kind| [kind, (8, true)]) {
            for codes in ENDS {
                Case::of(&mut random, (2, 3, columns), kinds, codes).check(&mut random, 1);
            }
        }
        for (kinds, codes) in [
            ([(8, true), (8, false)], ENDS[1]),
            ([(8, false), (8, false)], ENDS[0]),
            ([(7, true), (8, false)], ENDS[1]),
            ([(1, true), (1, true)], ENDS[1]),
            ([(1, true), (8, true)], ENDS[3]),
            ([(7, true), (7, true)], [Codes::Any; 2]),
        ] {
            Case::of(&mut random, (3, 2, columns), kinds, codes).check(&mut random, 1);
        }
    }
}

#[test]
fn dimensions_before_the_last_are_rows() {
    let mut random = Random(3);
    let (x, codes) = matrix(&mut random, &[2, 3, 5], (4, true), Codes::Any);
    let mut flat = QTensor::with_shape(&[6, 5], 4, true).unwrap();
    flat.write_codes(&codes).unwrap();
    let (w, _) = matrix(&mut random, &[4, 5], (8, true), Codes::Any);
    let packed = PackedWeights::new(&w).unwrap();
    let (mut sums, mut others) = ([0; 24], [0; 24]);
    packed.product_sums(&x, &mut sums, &options(1)).unwrap();
    packed.product_sums(&flat, &mut others, &options(1)).unwrap();
    assert_eq!(sums, others);
    let (row, _) = matrix(&mut random, &[5], (8, true), Codes::Any);
    packed.product_sums(&row, &mut sums[..4], &options(1)).unwrap();
    // Codes that were never written are 0.
    let zeros = QTensor::with_shape(&[6, 5], 8, true).unwrap();
    packed.product_sums(&zeros, &mut sums, &options(1)).unwrap();
    assert_eq!(sums, [0; 24]);
}
