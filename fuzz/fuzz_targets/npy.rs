//! Any bytes as a `.npy` file, and as a header of one whose elements follow: what is read has the
//! elements that the bytes are, in the order that the header says.
#![no_main]

use caffe2_qtensor::{DenseTensor, ElementsRef};
use caffe2_qtensor_fuzz::npy;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(tensor) = npy(bytes) {
        written_again(&tensor);
    }
    // The dimensions and elements of the input, in both orders.
    let Some((&[rows, columns, kind, order], elements)) = bytes.split_first_chunk() else { return };
    let (rows, columns) = (usize::from(rows % 8), usize::from(columns % 8));
    let (name, size) =
        [("f4", 4), ("f8", 8), ("i2", 2), ("u1", 1), ("i8", 8)][usize::from(kind % 5)];
    let (big, fortran) = (order & 1 != 0, order & 2 != 0);
    let length = rows * columns * size;
    let elements = elements.get(..length);
    let Some(elements) = elements else { return };
    let file = file(name, big, fortran, (rows, columns), elements);
    let tensor = npy(&file).expect("a header as NumPy writes it");
    assert_eq!(tensor.dims(), [rows as i64, columns as i64]);
    let mut expected = Vec::new();
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let at = if fortran { column * rows + row } else { row * columns + column };
        let mut element = elements[at * size..][..size].to_vec();
        if big {
            element.reverse();
        }
        expected.extend(element);
    }
    assert_eq!(little_endian(&tensor), expected);
    // One byte more or fewer is refused.
    npy(&file[..file.len() - 1]).expect_err("an element is cut");
    npy(&[&file[..], &[0]].concat()).expect_err("a byte is left over");
});

fn file(name: &str, big: bool, fortran: bool, dims: (usize, usize), elements: &[u8]) -> Vec<u8> {
    let order = if big { '>' } else { '<' };
    let fortran = if fortran { "True" } else { "False" };
    let header = format!(
        "{{'descr': '{order}{name}', 'fortran_order': {fortran}, 'shape': ({}, {}), }}\n",
        dims.0, dims.1
    );
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), elements].concat()
}

fn little_endian(tensor: &DenseTensor) -> Vec<u8> {
    match tensor.elements() {
        ElementsRef::Float(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementsRef::Double(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementsRef::Int16(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementsRef::Int64(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        ElementsRef::Uint8(values) => values.to_vec(),
        other => panic!("{:?} was not asked for", other.element_type()),
    }
}

/// Floats that were read are written as a file that is read as the same.
fn written_again(tensor: &DenseTensor) {
    let ElementsRef::Float(values) = tensor.elements() else { return };
    let mut file = Vec::new();
    qtensor_cli::input::npy::write(&mut file, tensor.dims(), values).expect("memory");
    let again = npy(&file).expect("what was written can be read");
    assert_eq!(again.dims(), tensor.dims());
    assert_eq!(little_endian(&again), little_endian(tensor));
}
