#!/usr/bin/env python3
"""Makes fuzz/seeds from the golden files: small messages and databases of every kind."""

import json
import pathlib
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


def bare(blob):
    """The QTensorProto inside a blob, which is its last field."""
    at = blob.index(b"QTensor", 0) + len("QTensor") + 1
    while blob[at] >= 128:
        at += 1
    return blob[at + 1 :]


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
