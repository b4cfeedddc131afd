"""Decoders at their worst: what a stranger's bytes may make of one. Run by a worker, never here."""

import ctypes
import os
import time


def echo(*parts: bytes) -> bytes:
    """Its arguments, joined."""
    return b",".join(parts)


def fill(amount: bytes) -> bytes:
    """Takes so many bytes and touches them."""
    return b"%d" % len(bytearray(int(amount)).replace(b"\0", b"\1"))


def fill_outside_python(amount: bytes) -> bytes:
    """As a C library does, which then goes on with a null pointer."""
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    ctypes.memset(library.malloc(int(amount)), 1, int(amount))
    return b"taken"


def crash(_: bytes) -> bytes:
    """Reads where nothing is."""
    return ctypes.string_at(0)


def turn(_: bytes) -> bytes:
    """Never ends."""
    while True:
        pass


def sleep(_: bytes) -> bytes:
    """Never ends, and takes no time of the processor."""
    time.sleep(3600)
    return b""


def shout(amount: bytes) -> bytes:
    """A long answer."""
    return bytes(int(amount))


def stumble(data: bytes) -> bytes:
    """An error that quotes the bytes."""
    raise ValueError(f"about {data!r}")


def complain(data: bytes) -> bytes:
    """Quotes what it has read, as native code does, past Python's own streams."""
    os.write(2, data)
    return b""


def remember(data: bytes) -> bytes:
    """What was said before, kept where the whole process sees it."""
    before = os.environ.get("SAID", "")
    os.environ["SAID"] = data.decode()
    return before.encode()


def environment(_: bytes) -> bytes:
    """The names that it was told."""
    return ",".join(sorted(os.environ)).encode()


def write(path: bytes) -> bytes:
    """Leaves a file behind."""
    with open(path, "wb") as file:  # noqa: PTH123 - bytes
        return b"%d" % file.write(b"left behind")


def process(_: bytes) -> bytes:
    """The process that forked this one."""
    return b"%d" % os.getppid()
