"""Other machines: a worker there is reached by ssh, and its failures become sentences."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from engine.errors import MyelinError
from engine.run import protocol

COMMAND = "myelin worker"
RUNS = "myelin-runs"
"""Where runs lie on another machine, below the folder in which its worker starts (the home)."""

SSH = ("ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15")

# what ssh says, and what that means for the user; {at} is the host
WORDS = (
    ("could not resolve hostname", "there is no host {at}: check its name"),
    (
        "host key verification failed",
        "the key of {at} is not known: run `ssh {at}` once in a terminal to accept it",
    ),
    ("identification has changed", "the key of {at} has changed: run `ssh {at}` in a terminal to see why"),
    ("permission denied", "{at} does not let us in: set up a key so that `ssh {at}` asks for no password"),
    ("too many authentication failures", "{at} does not let us in: name the right key in ~/.ssh/config"),
    ("connection refused", "{at} does not answer: no ssh server runs there, or its port is another"),
    ("no route to host", "{at} cannot be reached: check the network"),
    ("network is unreachable", "{at} cannot be reached: check the network"),
    ("timed out", "{at} cannot be reached: it did not answer in time"),
    ("no module named", "{at} has a Python without Myelin: install it there, or name another command"),
    (
        "command not found",
        "{at} does not know the command `{command}`: install Myelin there, or name its path",
    ),
    (": not found", "{at} does not know the command `{command}`: install Myelin there, or name its path"),
    ("no such file or directory", "{at} does not know the command `{command}`: name the path of its Python"),
)


class HostError(MyelinError):
    """A host as it is described cannot be used."""


@dataclass(frozen=True)
class Host:
    """A machine that ssh reaches as ``address``; ``command`` starts a worker there.

    A command that is only the path of a Python stands for the worker of the Myelin installed in it.
    """

    name: str
    address: str
    command: str = COMMAND

    def problem(self) -> str | None:
        """Why it cannot be used, in one sentence."""
        if not self.address.strip():
            return "name the machine as for ssh: host, user@host or an alias of ~/.ssh/config"
        if self.address.startswith("-") or any(letter.isspace() for letter in self.address):
            return f"a host cannot be called {self.address!r}: write it as for ssh, such as user@host"
        try:
            if not shlex.split(self.command):
                return f"name the command that starts a worker there, such as `{COMMAND}`"
        except ValueError:
            return "the command has an open quotation mark"
        return None

    @property
    def started_by(self) -> str:
        """The command as the shell over there gets it."""
        words = shlex.split(self.command)
        alone = len(words) == 1 and PurePosixPath(words[0]).name.startswith("python")
        return f"{self.command} -P -m engine.run.worker" if alone else self.command

    @property
    def argv(self) -> list[str]:
        """What joins our stdin and stdout to a worker there."""
        return [*SSH, "--", self.address, self.started_by]

    def folder(self, out: Path) -> str:
        """The folder there that stands for the folder of a run here."""
        return str(PurePosixPath(RUNS, out.parent.name, out.name))

    def failure(self, status: int, last_words: str, was_up: bool) -> str:
        """Why the worker there has ended; ``was_up``: it had answered before."""
        at = {"at": self.address, "command": self.started_by}
        said = last_words.lower()
        for words, sentence in WORDS if not was_up else ():
            if words in said:
                return sentence.format(**at)
        if status == 127:
            return dict(WORDS)["command not found"].format(**at)
        if was_up and status == 255:
            return f"the connection to {self.address} is lost: what ran there has ended"
        last = f": {last_words}" if last_words else ""
        return f"the worker on {self.address} has ended (exit status {status}){last}"


def version_problem(hello: protocol.Message, at: str) -> str | None:
    """Why we cannot speak with a worker that has said hello, in one sentence."""
    theirs = hello.get("protocol")
    if theirs == protocol.VERSION:
        return None
    older = "there" if isinstance(theirs, int) and theirs < protocol.VERSION else "here"
    return (
        f"the worker on {at} speaks version {theirs} of the protocol and we speak {protocol.VERSION}:"
        f" install a newer Myelin {older}"
    )
