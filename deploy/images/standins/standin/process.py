"""The process around a stand-in: start by name, log, signals, exit.

Used by bin/stand-in and by every component. Modules are imported late, so that a process answers
TERM and its first request early. Log lines never hold secrets: callers pass none.
"""
import os
import signal
import sys
import threading
import time

from standin import title

LOG_FILE_LIMIT_BYTES = 8 * 1024 * 1024
CLOSE_DEADLINE_S = 2.0


class Refused(Exception):
    """The program will not start: `status` is its exit status, the text says why."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Log:
    """Lines in glog's form on stderr, and in `<log_dir>/<component>.INFO` where one is given."""

    def __init__(self, component, log_dir=None):
        self.component = component
        self.lock = threading.Lock()
        self.path = None
        if log_dir:
            os.makedirs(log_dir, exist_ok=True)
            self.path = os.path.join(log_dir, component + ".INFO")
            self.append(title(component) + "\n")

    def info(self, text):
        self.write("I", text)

    def warning(self, text):
        self.write("W", text)

    def error(self, text):
        self.write("E", text)

    def write(self, severity, text):
        now = time.time()
        stamp = time.strftime("%m%d %H:%M:%S", time.localtime(now))
        text = text.replace("\n", " ")  # one event is one line, whatever a client sent
        line = (f"{severity}{stamp}.{int(now % 1 * 1e6):06d} {os.getpid()} {self.component}] "
                f"{text}\n")
        with self.lock:
            try:
                sys.stderr.write(line)
                sys.stderr.flush()
                if self.path:
                    self.append(line)
            except OSError:
                pass  # a full disk or a closed pipe must not stop the service

    def append(self, line):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(line)
            size_bytes = file.tell()
        if size_bytes > LOG_FILE_LIMIT_BYTES:
            os.replace(self.path, self.path + ".1")


class Process:
    """Ends the program once, from any thread; `closers` run first when the end is orderly."""

    def __init__(self, component):
        self.log = Log(component)
        self.closers = []
        self.status = None
        self.lock = threading.Lock()
        # The C handler itself writes the signal's number here: a Python handler would come too
        # late where the signal arrives just before the main thread blocks.
        self.told_to_end, self.end = os.pipe()
        os.set_blocking(self.end, False)
        signal.set_wakeup_fd(self.end, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)

    def leave(self, status, reason):
        """Orderly end: sessions are closed first, so that a successor takes over at once."""
        with self.lock:
            if self.status is None:
                self.log.info(reason)
                self.status = status
                os.write(self.end, b"\0")

    def abort(self, status, reason):
        """End now, for one that must not serve another request. Does not return."""
        self.log.error(reason)
        os._exit(status)

    def wait(self):
        number = os.read(self.told_to_end, 1)[0]
        if number:
            self.status = 128 + number
        closing = threading.Thread(target=self.close, daemon=True)
        closing.start()
        closing.join(CLOSE_DEADLINE_S)
        os._exit(self.status)

    def close(self):
        for closer in self.closers:
            try:
                closer()
            except Exception:  # nothing may keep a process that was told to end
                pass


def run(name, argv, environ):
    """The whole life of the stand-in called `name`. Does not return."""
    component = "mesos-agent" if name == "mesos-slave" else name
    if component not in ("mesos-master", "mesos-agent", "marathon", "chronos"):
        sys.exit(f"{name}: no such stand-in (mesos-master, mesos-agent, marathon, chronos)")
    if "--version" in argv:
        print(title(component))
        sys.exit(0)
    if "--help" in argv:
        from standin.flags import usage
        print(usage(component))
        sys.exit(0)
    process = Process(component)
    process.log.info(title(component))
    threading.Thread(target=start_or_end, args=(component, process, argv, environ),
                     daemon=True, name="start").start()
    process.wait()  # the main thread only waits: a signal is answered at any moment


def start_or_end(component, process, argv, environ):
    try:
        start(component, process, argv, environ)
        return
    except Refused as refusal:
        status, text = refusal.status, str(refusal)
    except Exception as error:  # a thread's end must be the program's end
        status, text = 1, f"failed to start: {type(error).__name__}: {error}"
    if process.status is None:
        sys.stderr.write(f"{component} (stand-in): {text}\n")
        sys.stderr.flush()
        os._exit(status)


def start(component, process, argv, environ):
    if component == "mesos-master":
        from standin.master import start as begin
    elif component == "mesos-agent":
        from standin.agent import start as begin
    elif component == "marathon":
        from standin.marathon import start as begin
    else:
        from standin.chronos import start as begin
    begin(process, argv, environ)
