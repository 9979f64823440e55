"""Inside a job's process, before it reads anything: what it may not do from now on. The standard library only.

On Linux: memory, processor time, file sizes, open files (setrlimit); no network (a namespace of its own where the
system lets one be made, and sockets refused by seccomp); no other programs and processes (seccomp); nothing outside the
working folder can be written (Landlock, Linux 5.19); no capabilities, also if root runs it; it dies with its parent. On
macOS: the limits without memory. On Windows: the audit hook alone. Everywhere the hook refuses sockets and programs
that Python itself is asked for.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from typing import Any

REFUSED = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.kill",
    "os.startfile",
    "ctypes.dlopen",
    "winreg.",
)
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 1, 38, 22, 2
CLONE_NEWUSER, CLONE_NEWNET, CLONE_THREAD = 0x10000000, 0x40000000, 0x10000
CAPABILITIES = 0x20080522  # the third version of struct __user_cap_header_struct, two sets of 32 bits
EPERM, ENOSYS, SIGKILL = 1, 38, 9


def confine(parent: int, memory: int, seconds: float, file_size: int, open_files: int, folder: str) -> list[str]:
    """Confine this process; the names of what holds."""
    held = []
    if sys.platform == "linux":
        held += _linux(parent)
        held += ["files"] if landlock(folder) else []
    if os.name == "posix":
        held += _limits(memory, seconds, file_size, open_files)
    if sys.platform == "linux" and seccomp():
        held += ["sockets", "programs"]
    sys.addaudithook(_hook)
    return [*held, "hook"]


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event.startswith(REFUSED):
        raise PermissionError(f"a job may not: {event}")


def _limits(memory: int, seconds: float, file_size: int, open_files: int) -> list[str]:
    import resource

    wanted = [
        ("cpu", resource.RLIMIT_CPU, int(2 * seconds) + 1),
        ("file size", resource.RLIMIT_FSIZE, file_size),
        ("open files", resource.RLIMIT_NOFILE, open_files),
        ("core", resource.RLIMIT_CORE, 0),
    ]
    if sys.platform == "linux":
        # Address space counts mapped files and reserved room, data what is the process's own.
        wanted += [("memory", resource.RLIMIT_DATA, memory), ("address space", resource.RLIMIT_AS, 4 * memory)]
    held = []
    for name, which, most in wanted:
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # Of processor time the hard limit comes later: SIGXCPU says why, SIGKILL would not.
        beyond = most + 5 if which == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else most
        resource.setrlimit(which, (most, beyond))
        held.append(name)
    return held


def _linux(parent: int) -> list[str]:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before this was said
        os._exit(1)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    own = libc.unshare(CLONE_NEWNET) == 0 or libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0
    powerless = libc.capset(struct.pack("Ii", CAPABILITIES, 0), bytes(24)) == 0
    return ["dies with its parent"] + ["network namespace"] * own + ["no capabilities"] * powerless


# -- seccomp: a filter over the numbers of system calls (linux/seccomp.h, linux/bpf_common.h) ------------------------

# machine: AUDIT_ARCH, what is refused, clone, clone3
CALLS = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "bind": 49, "socketpair": 53, "fork": 57, "vfork": 58, "execve": 59, "kill": 62,
        "ptrace": 101, "unshare": 272, "setns": 308, "execveat": 322, "bpf": 321, "process_vm_readv": 310,
        "process_vm_writev": 311, "tkill": 200, "tgkill": 234, "io_uring_setup": 425, "pidfd_open": 434, "mount": 165,
    }, 56, 435),
    "aarch64": (0xC00000B7, {
        "socket": 198, "connect": 203, "bind": 200, "socketpair": 199, "execve": 221, "kill": 129, "ptrace": 117,
        "unshare": 97, "setns": 268, "execveat": 281, "bpf": 280, "process_vm_readv": 270, "process_vm_writev": 271,
        "tkill": 130, "io_uring_setup": 425, "pidfd_open": 434, "mount": 40,
    }, 220, 435),
}  # fmt: skip
LOAD, EQUAL, ALL_BITS, GIVE, GREATER = 0x20, 0x15, 0x45, 0x06, 0x35
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
X32 = 0x40000000  # the other numbers of x86_64


def seccomp() -> bool:
    """Refuse sockets, programs and processes in the kernel; threads stay."""
    machine = os.uname().machine
    if machine not in CALLS or sys.maxsize < 1 << 32:
        return False
    program = _program(*CALLS[machine])
    code = ctypes.create_string_buffer(program, len(program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_void_p(ctypes.addressof(head)), 0, 0) == 0)


def _program(arch: int, refused: dict[str, int], clone: int, clone3: int) -> bytes:
    """Instructions of classic BPF: (code, jump if true, jump if false, k)."""
    steps = [
        (LOAD, 0, 0, 4),
        (EQUAL, 1, 0, arch),
        (GIVE, 0, 0, KILL),  # seccomp_data: nr, arch, …, args
        (LOAD, 0, 0, 0),
        (GREATER, 0, 1, X32),
        (GIVE, 0, 0, ERRNO | EPERM),
        (EQUAL, 0, 1, clone3),
        (GIVE, 0, 0, ERRNO | ENOSYS),
    ]
    for number in refused.values():
        steps += [(EQUAL, 0, 1, number), (GIVE, 0, 0, ERRNO | EPERM)]
    steps += [
        (EQUAL, 0, 3, clone),
        (LOAD, 0, 0, 16),
        (ALL_BITS, 1, 0, CLONE_THREAD),
        (GIVE, 0, 0, ERRNO | EPERM),
        (GIVE, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


# -- Landlock: which files (linux/landlock.h) -------------------------------------------------------------------------

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
EVERYTHING = (1 << 14) - 1  # of the second version, the first by which files can move between folders
# What is left of /proc, /etc, /dev and /sys, where other processes and their arguments are, units with class codes,
# and for root the disks: what libraries ask of the machine, and of the process itself.
SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/sys/devices/system",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/openssl.cnf",
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
)


def landlock(folder: str) -> bool:
    """Nothing outside the folder can be written; read only what Python and the system need."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1) < 2:  # asks for the version
        return False
    rules = struct.pack("Q", EVERYTHING)
    ruleset = libc.syscall(CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    fine = [_allow(libc, ruleset, place, READ_FILE | READ_DIR) for place in {*SYSTEM, *_python(folder)}]
    fine.append(_allow(libc, ruleset, folder, EVERYTHING & ~EXECUTE))
    fine.append(_allow(libc, ruleset, "/dev/null", READ_FILE | WRITE_FILE))
    held = all(fine) and libc.syscall(RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return bool(held)


def _python(folder: str) -> set[str]:
    """Where it imports from; not a folder that this one is in: other jobs and the records are there as well."""
    own = os.path.realpath(folder)
    paths = {path for path in map(os.path.realpath, filter(None, sys.path)) if os.path.commonpath([path, own]) != path}
    return paths | {os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix)}


def _allow(libc: ctypes.CDLL, ruleset: int, place: str, access: int) -> bool:
    try:
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return True  # what is not there need not be allowed
    of_file = READ_FILE | WRITE_FILE  # what else there is can be allowed for folders only
    rule = struct.pack("=Qi", access if stat.S_ISDIR(os.fstat(handle).st_mode) else access & of_file, handle)
    done = libc.syscall(ADD_RULE, ruleset, 1, rule, 0)
    if not place.startswith("/proc/"):  # where a file is another one as soon as the system has forgotten it
        os.close(handle)
    return bool(done == 0)
