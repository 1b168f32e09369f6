"""The system calls that sandboxed code may not make, as a filter that bubblewrap loads.

The first reason is memory: memfd and System V segments hold it without belonging to a process, so
no count over processes would see them. The second is the walls themselves: namespaces, mounts,
tracing and keys. The third is sockets that no network namespace parts, as VM sockets.
"""

from __future__ import annotations

import errno
import platform
import struct

# name: numbers on x86_64 and on aarch64
REFUSED: dict[str, tuple[int, int]] = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
}
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
NAMESPACES = 0x7E020080  # every CLONE_NEW* flag of clone
SOCKETS = (1, 2, 10)  # unix, inet, inet6: the network namespace parts all three
LOAD, AND, EQUAL, ABOVE, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000


def program(machine: str = "") -> bytes:
    """The filter in classic BPF; empty where this kind of machine has no table here."""
    found = MACHINES.get(machine or platform.machine())
    if found is None:
        return b""
    at, architecture = found
    lines = [
        *_step(LOAD, 4),
        *_step(EQUAL, architecture, yes=1),
        *_step(RETURN, KILL),  # another calling convention would have other numbers
        *_step(LOAD, 0),
        *_step(ABOVE, 0x40000000, no=1),
        *_step(RETURN, KILL),  # x32: the same calls under other numbers
    ]
    for numbers in REFUSED.values():
        lines += [*_step(EQUAL, numbers[at], no=1), *_step(RETURN, REFUSE | errno.EPERM)]
    # its flags lie in memory, which a filter cannot read; the C library then falls back to clone
    lines += [*_step(EQUAL, CLONE3[at], no=1), *_step(RETURN, REFUSE | errno.ENOSYS)]
    lines += [
        *_step(EQUAL, CLONE[at], no=5),
        *_step(LOAD, 16),
        *_step(AND, NAMESPACES),
        *_step(EQUAL, 0, no=1),
        *_step(RETURN, ALLOW),
        *_step(RETURN, REFUSE | errno.EPERM),
        *_step(EQUAL, SOCKET[at], yes=1),
        *_step(RETURN, ALLOW),
        *_step(LOAD, 16),
    ]
    for family in SOCKETS:
        lines += [*_step(EQUAL, family, no=1), *_step(RETURN, ALLOW)]
    lines += _step(RETURN, REFUSE | errno.EAFNOSUPPORT)
    return b"".join(lines)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> list[bytes]:
    """One instruction: how many to skip where it holds, and where it does not."""
    return [struct.pack("=HBBI", code, yes, no, value)]
