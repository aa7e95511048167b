//! `.npy` files: every version, byte order, element type and order, and headers that lie.

use caffe2_qtensor::{DenseTensor, ElementType, ElementsRef, Error, ErrorKind};
use qtensor_cli::input::npy::{Header, write};

/// A file with this header, padded as NumPy does or not at all.
fn file(version: u8, header: &str, elements: &[u8]) -> Vec<u8> {
    let mut bytes = [b"\x93NUMPY", &[version, 0][..]].concat();
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend(header.as_bytes());
    bytes.extend(elements);
    bytes
}

fn header(descr: &str, fortran: bool, shape: &str) -> String {
    let fortran = if fortran { "True" } else { "False" };
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

fn read(bytes: &[u8]) -> Result<DenseTensor, Error> {
    let mut rest = bytes;
    let header = Header::read(&mut rest)?;
    assert_eq!(header.offset as usize, bytes.len() - rest.len());
    let present = rest.len() as u64;
    header.read_elements(&mut rest, present)
}

#[test]
fn every_version_and_element_type() {
    for version in [1, 2, 3] {
        let number = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
        for (descr, little, expected) in [
            ("f4", [1.5f32, -2.0].map(f32::to_le_bytes).concat(), ElementsRef::Float(&[1.5, -2.0])),
            (
                "f8",
                [1.5f64, -2.0].map(f64::to_le_bytes).concat(),
                ElementsRef::Double(&[1.5, -2.0]),
            ),
            ("f2", vec![0, 0x3e, 0, 0xc0], ElementsRef::Float16(&[0x3e00, 0xc000])),
            ("b1", vec![1, 0], ElementsRef::Bool(&[1, 0])),
            ("u1", vec![1, 255], ElementsRef::Uint8(&[1, 255])),
            ("i1", vec![1, 255], ElementsRef::Int8(&[1, -1])),
            ("u2", vec![1, 0, 255, 255], ElementsRef::Uint16(&[1, 65535])),
            ("i2", vec![1, 0, 255, 255], ElementsRef::Int16(&[1, -1])),
            ("i4", [1i32, -2].map(i32::to_le_bytes).concat(), ElementsRef::Int32(&[1, -2])),
            ("i8", [1i64, -2].map(i64::to_le_bytes).concat(), ElementsRef::Int64(&[1, -2])),
        ] {
            let size = little.len() / 2;
            let big: Vec<u8> = little.chunks(size).flat_map(number).collect();
            for (order, bytes) in [('<', &little), ('=', &little), ('|', &little), ('>', &big)] {
                let text = header(&format!("{order}{descr}"), false, "(2,)");
                let tensor = read(&file(version, &text, bytes)).unwrap();
                assert_eq!((tensor.dims(), tensor.elements()), (&[2][..], expected), "{text}");
            }
        }
    }
}

#[test]
fn fortran_order_becomes_c_order() {
    // Elements whose values are their places in row-major order.
    let dims = [3usize, 4, 5];
    let mut bytes = Vec::new();
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                bytes.extend((((i * dims[1] + j) * dims[2] + k) as f32).to_le_bytes());
            }
        }
    }
    let tensor = read(&file(1, &header("<f4", true, "(3, 4, 5)"), &bytes)).unwrap();
    let expected: Vec<f32> = (0..60).map(|place| place as f32).collect();
    assert_eq!(tensor.as_f32(), Some(&expected[..]));
    let one = read(&file(1, &header("<f4", true, "(60L,)"), &bytes)).unwrap();
    assert_eq!((one.dims(), one.as_f32().unwrap()[1]), (&[60][..], 20.0));
}

#[test]
fn scalars_and_empty_arrays() {
    let scalar = read(&file(1, &header("<f4", false, "()"), &2.5f32.to_le_bytes())).unwrap();
    assert_eq!((scalar.dims(), scalar.as_f32()), (&[][..], Some(&[2.5][..])));
    for (shape, dims) in [("(0,)", &[0][..]), ("(3, 0, 2)", &[3, 0, 2])] {
        for fortran in [false, true] {
            let empty = read(&file(2, &header(">f8", fortran, shape), &[])).unwrap();
            assert_eq!((empty.dims(), empty.elements().len()), (dims, 0));
        }
    }
}

#[test]
fn what_is_written_is_read_again() {
    for dims in [&[][..], &[1], &[7], &[2, 3], &[2, 0, 3], &[1, 1, 1, 1, 5]] {
        let size = dims.iter().product::<i64>() as usize;
        let values: Vec<f32> = (0..size).map(|value| value as f32 - 2.0).collect();
        let mut bytes = Vec::new();
        write(&mut bytes, dims, &values).unwrap();
        assert_eq!(bytes.len() % 64, size * 4 % 64);
        let tensor = read(&bytes).unwrap();
        assert_eq!((tensor.dims(), tensor.as_f32()), (dims, Some(&values[..])));
    }
}

#[test]
fn headers_that_lie_are_refused() {
    use ErrorKind::{Malformed, Overflow, ShapeMismatch, Unsupported};
    let good = header("<f4", false, "(2,)");
    let f4 = |shape: &str| header("<f4", false, shape);
    let cases: Vec<(String, usize, ErrorKind, &str)> = vec![
        (f4("(3,)"), 8, ShapeMismatch, "number of bytes behind the header is 8, but it must be 12"),
        (f4("(1,)"), 8, ShapeMismatch, "must be 4"),
        (f4("(4611686018427387904, 4)"), 8, Overflow, "size of the array"),
        (f4("(1099511627776, 1)"), 8, ShapeMismatch, "4398046511104"),
        (f4("(9223372036854775808,)"), 8, Malformed, "no number of 63 bits"),
        (f4("(-2,)"), 8, Malformed, "no number of 63 bits"),
        (f4("(2.0,)"), 8, Malformed, "no comma between two numbers"),
        (f4("(2"), 8, Malformed, "no number of 63 bits"),
        (f4("[2]"), 8, Malformed, "its shape is no tuple"),
        (f4("((2,),)"), 8, Malformed, "no number of 63 bits"),
        (f4(&format!("({})", "1, ".repeat(65))), 4, Malformed, "more than 64 dimensions"),
        (header("<c8", false, "(1,)"), 8, Unsupported, "'<c8'"),
        (header("<u8", false, "(1,)"), 8, Unsupported, "'<u8'"),
        (header("|O", false, "(1,)"), 8, Unsupported, "'|O'"),
        (header("", false, "(1,)"), 8, Unsupported, "element type"),
        (header("f4", false, "(2,)"), 8, Unsupported, "'f4'"),
        (good.replace("'<f4'", "[('a', '<f4')]"), 8, Malformed, "its elements have fields"),
        (good.replace("False", "0"), 8, Malformed, "neither True nor False"),
        (good.replace("'descr': '<f4', ", ""), 8, Malformed, "no field 'descr'"),
        (good.replace("'shape'", "'descr'"), 8, Malformed, "no string where one belongs"),
        (good.replace("'shape': (2,)", "'fortran_order': True"), 8, Malformed, "a key twice"),
        (good.replace("shape", "sharp"), 8, Malformed, "a key that is not known"),
        (good.replace('\'', ""), 8, Malformed, "no string where one belongs"),
        (good.replace("}\n", "} x"), 8, Malformed, "goes on behind the dictionary"),
        ("{".repeat(1000), 8, Malformed, "no string where one belongs"),
        (String::new(), 8, Malformed, "no dictionary"),
        ("{'descr".to_owned(), 8, Malformed, "ends within a string"),
        (format!("{good}{}", " ".repeat(70_000)), 8, Malformed, "longer than 65536 bytes"),
    ];
    for (header, length, kind, words) in cases {
        let version = if header.len() > 60_000 { 2 } else { 1 };
        let error = read(&file(version, &header, &vec![0; length])).expect_err(&header);
        assert_eq!(error.kind(), kind, "{header}: {error}");
        assert!(error.to_string().contains(words), "{header}: {error}");
    }
    let mut other = file(1, &good, &[0; 8]);
    other[6] = 4;
    assert!(read(&other).unwrap_err().to_string().contains("version of the .npy file is 4"));
}

#[test]
fn every_cut_and_every_changed_byte_is_refused_or_read() {
    let whole = file(1, &header("<f4", true, "(2, 3)"), &[7; 24]);
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
    for place in 0..whole.len() - 24 {
        for byte in 0..=255 {
            let mut changed = whole.clone();
            changed[place] = byte;
            if let Ok(tensor) = read(&changed) {
                assert_eq!(tensor.elements().len() * size_of(tensor.elements().element_type()), 24);
            }
        }
    }
}

fn size_of(element: ElementType) -> usize {
    element.size()
}
