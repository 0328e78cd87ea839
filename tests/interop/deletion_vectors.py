"""Deletion vectors as the Delta protocol describes them, read without any Delta software.

Comes in: a descriptor from the log, and how to read a file of the table. Goes out: the numbers of
the rows that are deleted. Whatever the protocol forbids is an assertion that fails. Source: Delta
Lake's PROTOCOL.md, "Deletion Vectors", "Deletion Vector Format" and "Deletion Vector File Storage
Format"; the bitmaps are RoaringFormatSpec's.
"""

import struct
import uuid
import zlib

from pyroaring import BitMap64

MAGIC = 1681511377
FILE_FORMAT = 1
_UUID_DIGITS = 20
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_WITH_RUNS, _WITHOUT_RUNS = 12347, 12346
# Fewer containers than these have no table of offsets when there are runs.
_NO_OFFSETS = 4
_MOST_OF_ARRAY = 4096


def deleted_rows(descriptor, read):
    """The rows that a vector deletes, ascending; `read` gives a file of the table by its path."""
    bitmap = bitmap_of(descriptor, read)
    magic = int.from_bytes(bitmap[:4], "little")
    assert magic == MAGIC, f"magic number {magic}"
    rows = BitMap64.deserialize(bitmap[4:])
    assert len(rows) == descriptor["cardinality"], (
        f"{len(rows)} rows in the bitmap, `cardinality` {descriptor['cardinality']}"
    )
    assert len(rows) > 0, "a vector that deletes nothing"
    return list(rows)


def bitmap_of(descriptor, read):
    """The bytes with the magic number and the bitmap."""
    size = descriptor["sizeInBytes"]
    if descriptor["storageType"] == "i":
        assert "offset" not in descriptor, "an inline vector with an offset"
        told = z85(descriptor["pathOrInlineDv"])
        # Z85 needs a multiple of four bytes; what fills it up does not count.
        assert len(told) == size + -size % 4, f"{len(told)} inline bytes, `sizeInBytes` {size}"
        return told[:size]
    file = read(path_of(descriptor))
    assert file[0] == FILE_FORMAT, f"version {file[0]} of a file of vectors"
    start = descriptor.get("offset", 0)
    assert start >= 1, f"offset {start} is the version's byte"
    (told,) = struct.unpack_from(">I", file, start)
    assert told == size, f"{told} bytes in the file, `sizeInBytes` {size}"
    bitmap = file[start + 4 : start + 4 + size]
    (checksum,) = struct.unpack_from(">I", file, start + 4 + size)
    assert checksum == zlib.crc32(bitmap), "the checksum is another"
    return bitmap


def path_of(descriptor):
    """The file that holds a vector, relative to the table."""
    assert descriptor["storageType"] == "u", descriptor
    told = descriptor["pathOrInlineDv"]
    prefix, digits = told[:-_UUID_DIGITS], told[-_UUID_DIGITS:]
    name = f"deletion_vector_{uuid.UUID(bytes=z85(digits))}.bin"
    return f"{prefix}/{name}" if prefix else name


def z85(text):
    """Bytes of a text in ZeroMQ's base 85."""
    assert len(text) % 5 == 0, f"{len(text)} digits"
    decoded = b""
    for at in range(0, len(text), 5):
        number = 0
        for digit in text[at : at + 5]:
            number = number * 85 + _Z85.index(digit)
        decoded += number.to_bytes(4, "big")
    return decoded


def containers(bitmap):
    """The kinds of the bitmap's containers in their order, from the bytes alone."""
    kinds = []
    (buckets,) = struct.unpack_from("<Q", bitmap, 4)
    at = 12
    for _ in range(buckets):
        at, more = _bucket(bitmap, at + 4)
        kinds += more
    assert at == len(bitmap), f"{len(bitmap) - at} bytes too many"
    return kinds


def _bucket(data, at):
    (cookie,) = struct.unpack_from("<I", data, at)
    at += 4
    if cookie & 0xFFFF == _WITH_RUNS:
        count = (cookie >> 16) + 1
        flags = int.from_bytes(data[at : at + (count + 7) // 8], "little")
        at += (count + 7) // 8
    else:
        assert cookie == _WITHOUT_RUNS, f"cookie {cookie}"
        (count,) = struct.unpack_from("<I", data, at)
        flags = 0
        at += 4
    sizes = [struct.unpack_from("<HH", data, at + 4 * number)[1] + 1 for number in range(count)]
    at += 4 * count
    if cookie == _WITHOUT_RUNS or count >= _NO_OFFSETS:
        at += 4 * count
    kinds = []
    for number, size in enumerate(sizes):
        if flags >> number & 1:
            kinds.append("run")
            at += 2 + 4 * struct.unpack_from("<H", data, at)[0]
        elif size <= _MOST_OF_ARRAY:
            kinds.append("array")
            at += 2 * size
        else:
            kinds.append("bitmap")
            at += 8192
    return at, kinds
