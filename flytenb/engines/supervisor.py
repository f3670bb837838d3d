"""Program that runs commands, each below a supervisor of its own: a fork of this process, which takes a millisecond.

A supervisor ends all processes of its command when its standard input is closed or written to. Each request on the
socket that is this program's standard input is the length of its content in 8 bytes, with the file descriptors of the
supervisor's standard input, its output, its report, and those that the command inherits. The content is marshalled:
the limits of memory and processes and the number of processors (0: unlimited), the working directory, the environment
and the command, in which NUL is the next inherited descriptor.

The report is a line with the number of the supervisor's process, and one at the end: `exit STATUS REASON`, or
`error NUMBER` if the command can't be started. Limits, and the end of processes that leave their group, need Linux;
elsewhere only the group is ended.
"""

import ctypes
import marshal
import os
import resource
import select
import signal
import socket
import sys
import time

_SET_DEATH_SIGNAL = 1
_SET_SUBREAPER = 36
_HEADROOM = 1 << 30
"""Bytes that one process may reserve beyond the limit of memory: many reserve more than they use."""


_SHORTEST_PAUSE = 0.02
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
"""Raised for a process that has ended in the meantime, or that isn't this user's."""


def main() -> None:
    """Start a supervisor for each request, until the other end is closed."""
    os.setsid()
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # what the notebook's process has inherited itself
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda number, frame: _reap() and None)
    link = socket.socket(fileno=os.dup(0))
    while True:
        header, descriptors, _, _ = socket.recv_fds(link, 8, 16)
        if not header:
            return
        content = b""
        while len(content) < (size := int.from_bytes(header, "big")):
            piece = link.recv(min(size - len(content), 1 << 20))
            if not piece:
                return
            content += piece
        try:
            is_supervisor = os.fork() == 0
        except OSError as error:
            os.write(descriptors[2], f"error {error.errno}\n".encode())
            is_supervisor = False
        if is_supervisor:
            try:
                link.close()
                _supervise(descriptors, *marshal.loads(content))
            finally:
                os._exit(1)
        for descriptor in descriptors:
            os.close(descriptor)


def _supervise(
    descriptors: list[int],
    memory: int,
    processes: int,
    cpus: int,
    directory: str,
    environment: dict[str, str],
    command: list[str],
) -> None:
    """Run a command as its supervisor, and exit."""
    stop, output, report, *inherited = descriptors
    os.setsid()
    for source, target in ((stop, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for descriptor in (stop, output):
        os.close(descriptor)
    _control(_SET_SUBREAPER, 1)
    _take_precedence()
    wakeup, wakeup_end = os.pipe()
    for end in (wakeup, wakeup_end):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wakeup_end)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    os.write(report, f"{os.getpid()}\n".encode())
    os.set_inheritable(report, False)
    for descriptor in inherited:
        os.set_inheritable(descriptor, True)
    remaining = iter(inherited)
    words = [str(next(remaining)) if word == "\0" else word for word in command]
    child = _start(words, directory, environment, memory, processes, cpus)
    if isinstance(child, OSError):
        os.write(report, f"error {child.errno}\n".encode())
        os._exit(0)
    status, reason = _wait(child, wakeup, memory, processes)
    _end_all(child)
    os.write(report, f"exit {status} {reason}\n".encode())
    os._exit(0)


def _take_precedence() -> None:
    """Run before the command's processes, where that is permitted: a fork bomb would keep this one waiting."""
    try:  # noqa: SIM105 - contextlib is slow to import
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except (OSError, AttributeError):
        pass


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _start(
    command: list[str], directory: str, environment: dict[str, str], memory: int, processes: int, cpus: int
) -> int | OSError:
    """Start the command in a session of its own; return its process, or why it can't be started."""
    most = _threads_of_user() + processes if processes and os.getuid() else 0  # root has no such limit
    failed, failed_end = os.pipe()
    child = os.fork()
    if child:
        os.close(failed_end)
        number = os.read(failed, 16)
        os.close(failed)
        return OSError(int(number), "") if number else child
    try:
        os.setsid()
        _control(_SET_DEATH_SIGNAL, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for ignored in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(1, 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if memory:
            resource.setrlimit(resource.RLIMIT_DATA, (memory + _HEADROOM, memory + _HEADROOM))
        if most:
            resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
        if cpus and hasattr(os, "sched_setaffinity"):
            mine = sorted(os.sched_getaffinity(0))
            first = os.getpid() % len(mine)
            os.sched_setaffinity(0, (mine[first:] + mine[:first])[:cpus])
        os.chdir(directory)
        os.execvpe(command[0], command, environment)
    except OSError as error:
        os.write(failed_end, str(error.errno).encode())
    finally:
        os._exit(127)


def _wait(child: int, wakeup: int, memory: int, processes: int) -> tuple[int, str]:
    """Wait for the end of the command, of the standard input, or for a use beyond its limits."""
    pause = _SHORTEST_PAUSE
    while True:
        ready, _, _ = select.select([0, wakeup], [], [], pause if memory or processes else None)
        if wakeup in ready:
            os.read(wakeup, 4096)
        ended = dict(_reap())
        if child in ended:
            code = os.waitstatus_to_exitcode(ended[child])
            return (code if code >= 0 else 128 - code), ""
        if 0 in ready:
            return 128 + signal.SIGKILL, "stopped"
        if memory or processes:
            began = time.monotonic()
            found = _descendants()
            if processes and sum(found.values()) > processes:
                return 128 + signal.SIGKILL, f"more than {processes} processes"
            if memory and _is_beyond(found, memory):
                return 128 + signal.SIGKILL, "out of memory"
            cost = time.monotonic() - began
            pause = max(_SHORTEST_PAUSE, 20 * cost)


def _reap() -> list[tuple[int, int]]:
    """Reap the children that have ended, with those that lost their parent; return each with its status."""
    ended = []
    try:
        while found := os.waitpid(-1, os.WNOHANG):
            if not found[0]:
                break
            ended.append(found)
    except ChildProcessError:
        pass
    return ended


def _numbers() -> list[str]:
    """Return the numbers of all processes."""
    return [name for name in os.listdir("/proc") if name.isdigit()] if sys.platform == "linux" else []  # noqa: PTH208


def _descendants() -> dict[int, int]:
    """Return the processes below this one, each with its number of threads; some may be missing while others end."""
    mine = os.getpid()
    if not os.path.exists(f"/proc/{mine}/task/{mine}/children"):  # noqa: PTH110 - pathlib is slow to import
        return _descendants_among(_numbers())
    found: dict[int, int] = {}
    waiting = [mine]
    while waiting:
        process = waiting.pop()
        try:
            threads = os.listdir(f"/proc/{process}/task")  # noqa: PTH208
        except _GONE:
            continue
        found[process] = len(threads)
        for thread in threads:
            children = map(int, _read(f"/proc/{process}/task/{thread}/children").split())
            waiting += [child for child in children if child not in found]
    del found[mine]
    return found


def _descendants_among(numbers: list[str]) -> dict[int, int]:
    """Return them where the kernel doesn't list the children of a process."""
    children: dict[int, list[tuple[int, int]]] = {}
    for entry in numbers:
        fields = _read(f"/proc/{entry}/stat").rpartition(b")")[2].split()
        if fields and fields[0] != b"Z":
            children.setdefault(int(fields[1]), []).append((int(entry), int(fields[17])))
    found: dict[int, int] = {}
    waiting = [os.getpid()]
    while waiting:
        for process, threads in children.get(waiting.pop(), ()):
            found[process] = threads
            waiting.append(process)
    return found


def _threads_of_user() -> int:
    """Return the number of threads of this user, which a limit of processes counts too."""
    user = f"Uid:\t{os.getuid()}\t".encode()
    texts = [_read(f"/proc/{entry}/status") for entry in _numbers()]
    return sum(_number_after(b"Threads:", text) for text in texts if user in text)


def _is_beyond(processes: dict[int, int], memory: int) -> bool:
    """Tell whether processes use more memory. What they share counts once, which is only looked up if it matters."""
    used = sum(_kilobytes(f"/proc/{process}/status", (b"RssAnon:", b"RssShmem:")) for process in processes)
    if used * 1024 <= memory:
        return False
    shared = (b"Pss_Anon:", b"Pss_Shmem:")
    return sum(_kilobytes(f"/proc/{process}/smaps_rollup", shared) for process in processes) * 1024 > memory


def _kilobytes(path: str, names: tuple[bytes, ...]) -> int:
    text = _read(path)
    return sum(_number_after(name, text) for name in names)


def _number_after(name: bytes, text: bytes) -> int:
    rest = text.partition(b"\n" + name)[2].split(None, 1)
    return int(rest[0]) if rest else 0


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            return file.read()
    except _GONE:
        return b""


def _end_all(child: int) -> None:
    """Kill the command's group, which is atomic, then whatever has left it, until nothing is left."""
    _kill(child, is_group=True)
    # Each process that lost its parent is a child of this one, so without children there is nothing below.
    while _has_children():
        for process in _descendants():
            _kill(process)
        time.sleep(0.001)


def _has_children() -> bool:
    """Reap the children that have ended; return whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _kill(process: int, *, is_group: bool = False) -> None:
    try:  # noqa: SIM105 - as above
        (os.killpg if is_group else os.kill)(process, signal.SIGKILL)
    except _GONE:
        pass


main()
