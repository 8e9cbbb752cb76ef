"""Safetensors files by another hand than the product's: reads them with the rules of the format, writes one of every kind.

tensor_file.py read FILE    prints the metadata, and of each tensor its name, kind, shape and values
tensor_file.py write FILE   writes the file that the tests read

Only numpy is needed. Source: the format description of huggingface/safetensors.
"""

import json
import struct
import sys

import numpy

KINDS = {
    "F64": numpy.float64,
    "F32": numpy.float32,
    "F16": numpy.float16,
    "I64": numpy.int64,
    "I32": numpy.int32,
    "I16": numpy.int16,
    "I8": numpy.int8,
    "U64": numpy.uint64,
    "U32": numpy.uint32,
    "U16": numpy.uint16,
    "U8": numpy.uint8,
    "BOOL": numpy.bool_,
    # numpy has no such floats: their bits are looked at.
    "BF16": numpy.uint16,
    "F8_E4M3": numpy.uint8,
    "F8_E5M2": numpy.uint8,
}


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), f"a name stands twice: {names}"
    return dict(pairs)


def read(path):
    with open(path, "rb") as file:
        whole = file.read()
    (length,) = struct.unpack("<Q", whole[:8])
    assert length <= 100_000_000 and 8 + length <= len(whole), f"a header of {length} bytes"
    assert whole[8:9] == b"{", "the header does not begin with {"
    header = json.loads(whole[8 : 8 + length].decode("utf-8"), object_pairs_hook=unique)
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values()), metadata
    data = whole[8 + length :]
    end = 0
    tensors = {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert set(entry) == {"dtype", "shape", "data_offsets"}, entry
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name} begins at {begin}, what is before it ends at {end}"
        end = stop
        kind = numpy.dtype(KINDS[entry["dtype"]])
        values = numpy.frombuffer(data[begin:stop], dtype=kind.newbyteorder("<")).reshape(entry["shape"])
        # What torch demands before it looks at bytes as numbers.
        aligned = (8 + length + begin) % kind.itemsize == 0
        tensors[name] = (entry["dtype"], values, aligned)
    assert end == len(data), f"{len(data)} bytes of data, {end} of them tensors"
    return metadata, tensors


def write(path):
    tensors = [
        (f"kinds/{kind}", kind, numpy.arange(6).reshape(2, 3).astype(dtype))
        for kind, dtype in KINDS.items()
        if kind not in ("BF16", "F8_E4M3", "F8_E5M2")
    ]
    tensors += [
        ("kinds/BF16", "BF16", (numpy.arange(6, dtype="<f4").view("<u4") >> 16).astype("<u2").reshape(2, 3)),
        ("kinds/F8_E4M3", "F8_E4M3", numpy.array([[0x00, 0x38, 0x40], [0x44, 0x48, 0x4A]], numpy.uint8)),
        ("kinds/F8_E5M2", "F8_E5M2", numpy.array([[0x00, 0x3C, 0x40], [0x42, 0x44, 0x45]], numpy.uint8)),
        ("scalar", "F32", numpy.array(2.5, numpy.float32)),
        ("empty", "F32", numpy.zeros((0, 4), numpy.float32)),
        ("a name: with spaces, größer", "I32", numpy.array([7], numpy.int32)),
        ("special", "F32", numpy.array([numpy.nan, numpy.inf, -numpy.inf, -0.0], numpy.float32)),
    ]
    header = {"__metadata__": {"format": "np", "step": "1200"}}
    data = b""
    for name, kind, values in sorted(tensors, key=lambda tensor: (-tensor[2].itemsize, tensor[0])):
        values = values.astype(values.dtype.newbyteorder("<"))
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header, ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main(command, path):
    if command == "write":
        write(path)
        return
    metadata, tensors = read(path)
    for name, value in sorted(metadata.items()):
        print(f"# {name} = {value}")
    for name, (kind, values, aligned) in sorted(tensors.items()):
        shape = ",".join(str(length) for length in values.shape)
        print(f"{name}|{kind}|{shape}|{values.tobytes().hex()}|{'aligned' if aligned else 'not aligned'}")


if __name__ == "__main__":
    main(*sys.argv[1:])
