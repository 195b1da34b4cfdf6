"""Reads options as each program does: Mesos' flags, Marathon's and Chronos' scallop options.

The legal names, types and values are data in flags.json. Used once, at start. A message never
repeats a value that may hold a secret. Stricter than the programs: a variable with the program's
own prefix that names no flag is refused by all of them (Mesos itself ignores it in silence).
"""
import json
import os
import re

from standin import title
from standin.process import Refused

DURATION_UNITS_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "secs": 1, "mins": 60, "hrs": 3600,
                    "days": 86400, "weeks": 604800}
BYTES_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}
SECRET_NAME = re.compile(r"credential|password|secret|auth$|^zk$|^master$|api_key|raven_dsn|_url$")
MARATHON_REFUSED = 112


def table(component):
    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "flags.json")
    with open(path, encoding="utf-8") as file:
        everything = json.load(file)
    return everything[component], frozenset(everything["libprocess"])


def usage(component):
    flags, _ = table(component)
    lines = [title(component), "", "Flags (facts in flags.json):"]
    for name, flag in sorted(flags.items()):
        lines.append(f"  --{name} ({flag['type']})")
    return "\n".join(lines)


def duration_s(text):
    """'10secs' -> 10.0; ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)([a-z]+)", text)
    if not match or match.group(2) not in DURATION_UNITS_S:
        raise ValueError("a duration needs a number and one of " + " ".join(DURATION_UNITS_S))
    return float(match.group(1)) * DURATION_UNITS_S[match.group(2)]


def size_bytes(text):
    match = re.fullmatch(r"(\d+(?:\.\d*)?)([A-Z]+)", text)
    if not match or match.group(2) not in BYTES_UNITS:
        raise ValueError("a size needs a number and one of " + " ".join(BYTES_UNITS))
    return int(float(match.group(1)) * BYTES_UNITS[match.group(2)])


def boolean(text):
    if text in ("", "true", "1"):
        return True
    if text in ("false", "0"):
        return False
    raise ValueError("expected true or false")


def port(text):
    number = integer(text)
    if not 0 <= number <= 65535:
        raise ValueError("expected a port, 0 to 65535")
    return number


def integer(text):
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise ValueError("expected a whole number")
    return int(text)


def unsigned(text):
    number = integer(text)
    if number < 0:
        raise ValueError("expected a whole number that is not negative")
    return number


def json_value(text):
    if text.startswith("/"):
        text = read_file(text)
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("expected JSON") from None


def path_name(text):
    return text[len("file://"):] if text.startswith("file://") else text


READERS = {"string": str, "bool": boolean, "int": integer, "long": integer, "uint": unsigned,
           "double": float, "duration": duration_s, "bytes": size_bytes, "port": port,
           "path": path_name, "json": json_value}


def read_file(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(1024 * 1024)
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read '{path}': {reason(error)}") from None


def reason(error):
    return getattr(error, "strerror", None) or "not text"


def convert(flag, text):
    """The typed value of `text`; ValueError says what is wrong with it."""
    value = READERS[flag["type"]](text)
    if "one_of" in flag and value not in flag["one_of"]:
        raise ValueError("expected one of: " + (", ".join(map(str, flag["one_of"])) or "nothing"))
    if "each_of" in flag:
        strange = [item for item in value.split(",") if item and item not in flag["each_of"]]
        if strange:
            raise ValueError(f"unknown name '{strange[0]}'; known: " + ", ".join(flag["each_of"]))
    if "matches" in flag and not re.fullmatch(flag["matches"], value):
        raise ValueError(f"expected the form {flag['matches']}")
    for key, wrong in (("at_least", lambda v, bound: v < bound),
                       ("at_most", lambda v, bound: v > bound)):
        if key in flag:
            bound = duration_s(flag[key]) if flag["type"] == "duration" else flag[key]
            if wrong(value, bound):
                raise ValueError(f"must be {key.replace('_', ' ')} {flag[key]}")
    return value


def defaults(flags):
    values = {}
    for name, flag in flags.items():
        value = flag.get("default")
        if isinstance(value, str) and flag["type"] in ("duration", "bytes"):
            value = READERS[flag["type"]](value)
        values[name] = value
    return values


def shown(name, kind, text):
    """`text` as a message may hold it: JSON and secret names are masked."""
    return "****" if kind == "json" or SECRET_NAME.search(name) else text


def check_libprocess(environ, known, status):
    for variable in environ:
        if variable.startswith("LIBPROCESS_") and variable not in known:
            raise Refused(status, f"unknown variable '{variable}' (the stand-in refuses what "
                                  "libprocess would ignore)")


class MesosFlags:
    """--name=value and MESOS_NAME=value; the command line wins over the environment."""

    def __init__(self, component, argv, environ):
        self.flags, libprocess = table(component)
        self.canonical = {flag["alias"]: name for name, flag in self.flags.items()
                          if "alias" in flag}
        check_libprocess(environ, libprocess, 1)
        given = self.from_environment(environ)
        given.update(self.from_command_line(argv))
        self.texts = {}
        self.values = defaults(self.flags)
        written = {}
        for spelled, text in given.items():
            name = self.canonical.get(spelled, spelled)
            if name in written:
                raise Refused(1, f"Flag '{name}' is already loaded via name '{written[name]}'")
            written[name] = spelled
            self.load(name, text)

    def from_environment(self, environ):
        given = {}
        for variable, text in environ.items():
            if not variable.startswith("MESOS_"):
                continue
            name = variable[len("MESOS_"):].lower()
            if name not in self.flags and name not in self.canonical:
                raise Refused(1, f"unknown variable '{variable}' (the stand-in refuses what Mesos "
                                 "would silently ignore)")
            given[name] = text
        return given

    def from_command_line(self, argv):
        given = {}
        for argument in argv:
            if not argument.startswith("--"):
                raise Refused(1, "Failed to load flags: expected --name=value alone")
            name, equals, text = argument[2:].partition("=")
            if not equals and name.startswith("no-"):
                name, text = name[3:], "false"
                equals = "="
            known = self.canonical.get(name, name)
            if known not in self.flags:
                raise Refused(1, f"Failed to load unknown flag '{name}'")
            if not equals and self.flags[known]["type"] != "bool":
                raise Refused(1, f"Failed to load non-boolean flag '{name}': Missing value")
            if name in given:
                raise Refused(1, f"Failed to load flags: duplicate flag '{name}'")
            given[name] = text
        return given

    def load(self, name, text):
        flag = self.flags[name]
        try:
            if text.startswith("file://") and flag["type"] != "path":
                text = read_file(text[len("file://"):]).strip()
            self.values[name] = convert(flag, text)
        except ValueError as error:
            raise Refused(1, f"Failed to load flag '{name}': {error} "
                             f"(value '{shown(name, flag['type'], text)}')") from None
        self.texts[name] = text

    def display(self):
        """What /flags shows: texts, with secrets masked (Mesos itself shows those of --zk)."""
        texts = {}
        for name, value in self.values.items():
            text = self.texts.get(name, str(value).lower() if isinstance(value, bool) else value)
            if text is None:
                continue
            if name in ("zk", "master"):
                text = re.sub(r"//[^@/]+@", "//****@", text)
            elif self.flags[name]["type"] != "path":
                text = shown(name, self.flags[name]["type"], text)
            texts[name] = str(text)
        return texts


def scallop_arguments(prefix, environ, skip=()):
    """MARATHON_X=v -> ['--x', 'v']; an empty value gives a bare option."""
    arguments = []
    for variable, text in environ.items():
        if variable.startswith(prefix) and not variable.startswith(tuple(skip)):
            arguments.append("--" + variable[len(prefix):].lower())
            if text:
                arguments.append(text)
    return arguments


class ScallopFlags:
    """`--name value` or `--name=value`; toggles and presence flags stand alone."""

    def __init__(self, component, arguments, environ, status):
        self.flags, libprocess = table(component)
        self.status = status
        self.off = {flag["off"]: name for name, flag in self.flags.items() if "off" in flag}
        check_libprocess(environ, libprocess, status)
        self.values = defaults(self.flags)
        self.given = set()
        waiting = list(arguments)
        while waiting:
            self.take(waiting.pop(0), waiting)

    def refuse(self, text):
        raise Refused(self.status, "Error: " + text)

    def take(self, argument, waiting):
        if not argument.startswith("--"):
            self.refuse("excess argument (a value given to an option that takes none?)")
        spelled, equals, text = argument[2:].partition("=")
        name = self.off.get(spelled, spelled)
        if name not in self.flags:
            self.refuse(f"Unknown option '{spelled}'")
        if name in self.given:
            self.refuse(f"option '{name}' is given more than once")
        self.given.add(name)
        flag = self.flags[name]
        if flag["type"] in ("toggle", "presence"):
            if equals:
                self.refuse(f"option '{spelled}' takes no value")
            self.values[name] = spelled not in self.off
            return
        if not equals:
            if not waiting or waiting[0].startswith("--"):
                self.refuse(f"option '{name}' needs a value")
            text = waiting.pop(0)
        try:
            self.values[name] = convert(flag, text)
        except ValueError as error:
            self.refuse(f"bad value '{shown(name, flag['type'], text)}' of option "
                        f"'{name}': {error}")
