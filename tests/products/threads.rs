//! Results depend neither on the number of threads, whether they share rows or one row's outputs, nor
//! on the processor.

use crate::case::{Case, Codes, METHODS, Random, options};
use caffe2_qtensor::{ProductOptions, QTensor};

#[test]
fn any_number_gives_the_same() {
    let mut random = Random(2);
    // Threads get a million products or more each; single rows are shared by their panels.
    let shapes = [
        (100, 130, 257),
        (97, 64, 1000),
        (2, 70, 131_073),
        (1, 1, 70_001),
        (1, 64, 40_000),
        (1, 65, 40_000),
        (1, 300, 20_000),
        (3, 400, 4000),
    ];
    for shape in shapes {
        let case = Case::new(&mut random, shape);
        case.check(&mut random, 1);
        case.check(&mut random, 5);
        same_for_all(&case);
    }
    // Of -1, 0 and 1, so that no method is left out.
    for shape in [(1, 300, 20_000), (50, 200, 1000)] {
        let codes = [Codes::Any; 2];
        let case = Case::of(&mut random, shape, [(1, true); 2], codes);
        case.check(&mut random, 3);
        same_for_all(&case);
    }
}

fn same_for_all(case: &Case) {
    let packed = case.packed();
    let dims = [case.rows as i64, case.outputs as i64];
    for method in METHODS.into_iter().filter(|method| case.takes(*method)) {
        let run = |threads| {
            let options =
                ProductOptions { method: Some(method), threads, ..ProductOptions::default() };
            let mut values = vec![f32::NAN; case.count()];
            packed.product(&case.x, &[], &mut values, &options).unwrap();
            let mut sums = vec![-1; case.count()];
            packed.product_sums(&case.x, &mut sums, &options).unwrap();
            let mut out = QTensor::with_shape(&dims, 9, true).unwrap();
            out.set_scale(100.0);
            packed.product_codes(&case.x, &[], &mut out, &options).unwrap();
            (values, sums, out.data().unwrap().to_vec())
        };
        let first = run(1);
        for threads in [0, 2, 3, 7, 1000] {
            assert!(run(threads) == first, "{method:?} on {threads}: {case:?}");
        }
    }
}

/// The bits of values and codes, as every processor makes them.
#[test]
fn every_processor_gives_the_same() {
    let mut random = Random(13);
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut note = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for _ in 0..300 {
        let shape = (random.size(9), random.size(70), random.size(99));
        let case = Case::new(&mut random, shape);
        let (packed, added) = (case.packed(), random.added(case.outputs));
        let mut values = vec![f32::NAN; case.count()];
        packed.product(&case.x, &added, &mut values, &options(1)).unwrap();
        values.iter().for_each(|value| note(&value.to_bits().to_le_bytes()));
        let dims = [case.rows as i64, case.outputs as i64];
        let mut out = QTensor::with_shape(&dims, 12, true).unwrap();
        out.set_scale(random.number() * 10.0);
        packed.product_codes(&case.x, &added, &mut out, &options(1)).unwrap();
        note(out.data().unwrap());
    }
    assert_eq!(hash, 0x48cd_51e8_ecab_45a7, "{hash:#x}");
}
