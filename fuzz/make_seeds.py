#!/usr/bin/env python3
"""Makes fuzz/seeds from the golden files: small messages, databases, networks, arrays, programs."""

import json
import pathlib
import random
import struct

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
SEEDS = ROOT / "fuzz" / "seeds"


def lines(name):
    with open(DATA / name) as file:
        return [json.loads(line) for line in file]


def blobs(name, count, longest=400):
    """A few blobs of a golden file, spread over those that are short."""
    short = [bytes.fromhex(line["blob_hex"]) for line in lines(name)]
    short = sorted({blob for blob in short if 0 < len(blob) <= longest}, key=lambda b: (len(b), b))
    return short[:: max(1, len(short) // count)][:count]


def unusual():
    """Two messages of each kind in wire.jsonl."""
    kinds = {}
    for line in lines("wire.jsonl"):
        blob = bytes.fromhex(line["blob_hex"])
        if 0 < len(blob) <= 400:
            kinds.setdefault(line["what"], []).append(blob)
    return [blob for kind in sorted(kinds) for blob in kinds[kind][:2]]


def record(key, value):
    return struct.pack("<ii", len(key), len(value)) + key + value


def records(database):
    at, found = 0, []
    while at < len(database):
        key_length, value_length = struct.unpack_from("<ii", database, at)
        start = at + 8 + key_length
        found.append((database[at + 8 : start], database[start : start + value_length]))
        at = start + value_length
    return found


def bare(blob, wanted=5):
    """A message inside a blob, all of whose fields are messages or strings: the QTensorProto."""
    at = 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            value |= (blob[at] & 127) << shift
            at, shift = at + 1, shift + 7
            if blob[at - 1] < 128:
                return value

    while at < len(blob):
        tag, length = number(), number()
        if tag == wanted << 3 | 2:
            return blob[at : at + length]
        at += length
    raise ValueError("no such message")


def logarithmic(blob):
    return blob.replace(b"\x12\x07QTensor", b"\x12\x0aQTensorLog", 1)


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def chunk(begin, end, size, data_type, field):
    """Elements of an ordinary tensor, each the integer 1."""
    dims = b"\x08" + varint(size) + b"\x10" + varint(data_type)
    data = varint(field << 3 | 2) + varint(end - begin) + b"\x01" * (end - begin)
    segment = b"\x08" + varint(begin) + b"\x10" + varint(end)
    tensor = dims + data + b"\x5a" + varint(len(segment)) + segment
    return b"\x0a\x01w\x12\x06Tensor\x1a" + varint(len(tensor)) + tensor


def field(number, payload):
    """A field of bytes, an integer or a float."""
    if isinstance(payload, bytes):
        return varint(number << 3 | 2) + varint(len(payload)) + payload
    if isinstance(payload, float):
        return varint(number << 3 | 5) + struct.pack("<f", payload)
    return varint(number << 3) + varint(payload % 2**64)


def argument(name, *fields):
    return field(5, field(1, name) + b"".join(field(number, value) for number, value in fields))


def operator(kind, *arguments, output=b"w", more=b""):
    return field(2, field(2, output) + field(4, kind) + b"".join(arguments) + more)


def networks():
    """Each operator that fills a tensor, as they are written and with what is refused."""
    shape = argument(b"shape", (6, 2), (6, 2))
    packed = argument(b"shape", (6, b"\x02\x02"))
    floats = argument(b"values", *[(5, value) for value in (0.5, -1.5, 2.0, 3.25)])
    packed_floats = argument(b"values", (5, struct.pack("<4f", 1, 2, 3, 4)))
    ints = argument(b"values", *[(6, value) for value in (0, 1, 100, -1)])
    given = [
        operator(b"GivenTensorFill", shape, floats),
        operator(b"GivenTensorFill", packed, packed_floats),
        operator(b"GivenTensorDoubleFill", shape, floats),
        operator(b"GivenTensorBoolFill", shape, ints),
        operator(b"GivenTensorInt16Fill", shape, ints),
        operator(b"GivenTensorIntFill", shape, ints),
        operator(b"GivenTensorInt64Fill", shape, ints),
        operator(b"GivenTensorStringFill", shape, argument(b"values", (7, b"a"))),
        operator(b"Int8GivenTensorFill", shape, argument(b"values", (4, b"\x00\x01\x80\xff")),
                 argument(b"Y_scale", (2, 0.25)), argument(b"Y_zero_point", (3, 128))),
        operator(b"Int8GivenIntTensorFill", shape, ints, argument(b"Y_scale", (2, 0.5))),
    ]
    given += [operator(b"GivenTensorFill", shape, ints, argument(b"dtype", (3, t))) for t in (2, 6, 9)]
    constant = [
        operator(b"ConstantFill", shape, argument(b"value", (2, 1.5))),
        operator(b"ConstantFill", shape, argument(b"value", (3, 7))),
    ]
    constant += [
        operator(b"ConstantFill", shape, argument(b"value", (3, 1)), argument(b"dtype", (3, t)))
        for t in (1, 2, 5, 6, 8, 10, 13)
    ]
    others = [
        operator(b"ConstantFill", shape, argument(b"extra_shape", (6, 1))),
        operator(b"UniformFill", shape),
        operator(b"GivenTensorFill", shape, floats, more=field(1, b"input")),
        operator(b"GivenTensorFill", shape, shape, floats),
    ]
    name = field(1, b"init")
    return [name] + given + constant + others + [name + b"".join(given)]


def array(version, descr, fortran, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header + data


def arrays():
    types = ["<f4", ">f4", "<f8", "<f2", "|b1", "|u1", "|i1", "<u2", "<i2", ">i4", "<i8", "=f4"]
    whole = [array(1, it, False, "(2, 3)", bytes(range(6 * int(it[-1])))) for it in types]
    whole += [
        array(1, "<f4", True, "(2, 3)", bytes(24)),
        array(2, "<f4", True, "(2, 1, 3)", bytes(24)),
        array(3, "<f4", False, "()", bytes(4)),
        array(1, "<f4", False, "(3L,)", bytes(12)),
        array(1, "<f4", False, "(0, 9)", b""),
        array(1, "<c8", False, "(1,)", bytes(8)),
    ]
    # What the target makes a header of: rows, columns, type and order, and the elements.
    return whole + [bytes([3, 2, kind, order]) + bytes(range(48)) for kind in range(5) for order in (0, 3)]


def programs():
    """Programs of calls: any bytes are one. The first operations make tensors."""
    source = random.Random(9)
    prepare = bytes([200, 8, 2, 5])
    create = bytes([10, 0, 0, 0, 0, 1, 9])
    seeds = []
    for start in range(0, 256, 6):
        steps = bytes(source.randrange(224) for _ in range(200))
        seeds.append(prepare + steps[:60] + bytes([start]) + steps[60:130])
        seeds.append(create + bytes([start]) + steps[130:])
    return seeds


def measurements():
    """Programs that measure: operation 64, then what is asked for and of which object."""
    ok = [0, 1]

    def tensor(slot, dims, precision, signed):
        return [0, slot, 0, 0, *ok, len(dims), *dims, precision, signed]

    def codes(slot, count):
        return [0, slot, 14, 0, *ok, 0, 0, *(17 * it % 199 for it in range(count))]

    def channels(slot, axis, count):
        return [0, slot, 11, *ok, 1, axis, 0, *range(count), *range(count)]

    def logarithmic(slot):
        return [0, slot, 8, *ok, 5, 1]

    def measure(loss, slot, mask=0, axis=None, near=0, floats=(150, 200, 6, 9)):
        along = [0] if axis is None else [1, axis]
        drawn = [mask, 0, 0, near, len(floats) - 1, *floats]
        return [64, 0, loss, 0, slot, *ok, *along, 0, *drawn]

    def compare(loss, count, mask=0, many=0):
        floats = [4, 190, 150, 6, 201, 3], [4, 191, 150, 5, 203, 251, 0, 0, 128, 127, 0, 0, 0, 0]
        return [64, 0, loss, 5, *ok, count, many, mask, 0, 0, *floats[0], *floats[1]]

    def merge(loss, other):
        return [64, 0, loss, 7, other, *ok]

    def ask(loss, channel=0):
        return [it for which in range(4) for it in [64, 0, loss, 10, *ok, channel, which, 32]]

    def questions(slot):
        others = [it for which in (180, 196, 206) for it in [64, which, slot, *ok, 0]]
        return [64, 160, slot, *ok, 0, 0, *others]

    def energy(*rest):
        return [64, 222, *rest]

    def read(package, contents):
        return energy(9, package, contents) + energy(11, *ok, 0)

    everything = 128 | 7
    programs = [
        measure(0, 0) + measure(1, 0, near=1) + merge(0, 1) + ask(0),
        measure(0, 0, everything) + measure(1, 0, everything, near=1) + merge(1, 0) + ask(1),
        measure(0, 0, everything, 1) + measure(1, 0, everything, 1, 1) + merge(0, 1) + ask(0, 2),
        channels(0, 1, 3) + measure(0, 0, near=1) + measure(1, 0, 0, 1) + ask(0),
        channels(0, 0, 2) + measure(0, 0, 0, 0, 1) + measure(1, 0, 0, 0) + merge(1, 0) + ask(1, 1),
        logarithmic(0) + measure(0, 0, near=1) + measure(1, 0, everything) + ask(1),
        compare(0, 20, 130) + compare(1, 9, 130) + merge(0, 1) + merge(0, 0) + ask(0),
        compare(0, 23, 0, 250) + compare(1, 23, 0, 250) + merge(0, 1) + ask(0, 1),
        questions(0) + questions(1),
        energy(0, *ok, *range(8), 0, *range(5), 0, 0, 0) + energy(6, *ok, 0),
        energy(7, *ok, 0) + read(0, 3) + read(1, 5) + energy(13, *ok) + read(1, 7) + read(1, 0),
        energy(7, *ok, 0) + energy(9, 0, 9) + energy(13, *ok) + energy(7, *ok, 0) + energy(14),
        energy(15, *ok) + [64, 240, *ok, 11, *range(11), 0],
    ]
    makes = [
        tensor(0, (2, 3), 4, 1) + codes(0, 6),
        tensor(0, (5, 3, 2), 8, 0) + codes(0, 30),
        tensor(0, (1, 9), 6, 1) + codes(0, 9),
    ]
    seeds = []
    for number, program in enumerate(programs):
        make = makes[number % len(makes)]
        seeds.append(bytes(make + tensor(1, (11,), 2, 0) + program))
    return seeds


def write(folder, seeds):
    folder = SEEDS / folder
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for number, seed in enumerate(seeds):
        (folder / f"{number:03}").write_bytes(seed)


def main():
    small = (DATA / "blobs.minidb").read_bytes()
    ordinary = [value for _, value in records(small)]
    quantized = blobs("qtensor.jsonl", 14)
    types = [(2, 4), (5, 4), (6, 4), (7, 4), (8, 4), (9, 4), (10, 10), (12, 4), (1, 13), (5, 5), (6, 13)]
    dense = [chunk(0, 5, 5, number, field) for number, field in types]
    write(
        "blob",
        quantized
        + [bare(blob) for blob in quantized[::3]]
        + blobs("int8_tensor.jsonl", 10)
        + unusual()
        + ordinary
        + dense
        + [logarithmic(quantized[3])],
    )
    kinds = [bytes([kind]) + bare(blob) for kind in range(2) for blob in quantized[kind::2]]
    write("qtensor", kinds + [b"\x02" + bare(blob) for blob in blobs("int8_tensor.jsonl", 8)])
    ordinary = [ordinary for _, ordinary in records(small) if b"\x12\x06Tensor" in ordinary]
    write("tensor", [bare(blob, 3) for blob in dense + ordinary])
    write("net", networks())
    write("npy", arrays())
    write("calls", programs() + measurements())
    one = record(b"w", quantized[0])
    chunks = [record(b"w#%%%d" % k, chunk(4 * k, 4 * k + 4, 12, 10, 10)) for k in (2, 0, 1)]
    write(
        "minidb",
        [small, one, one + one, b"".join(chunks), small + b"".join(chunks), small[:-3]]
        + [record(key, value) for key, value in records(small)]
        + [one + record(b"bad", b"\x0a\x7f") + one, struct.pack("<ii", 1, 2**31 - 1) + b"w"]
        + [record(b"w", blob) for blob in unusual()[:10]],
    )


if __name__ == "__main__":
    main()
