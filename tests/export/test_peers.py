"""Other people's software: whole or not at all, on top of our packages, and missed in one sentence."""

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import packaging
import pytest

from engine.cli import main
from engine.errors import MyelinError
from engine.export import peer_files, peers
from engine.export.peers import MissingPeer, PeerError, peer

SHIPPED = peer_files.FOLDER
BARN = {
    "barn.py": "import hayloft\nANIMAL = 'cow'\n",
    "lava/__init__.py": (
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Inner: level: int = 3\n"
        "@dataclass\nclass Outer: inner: Inner = Inner()\n"
    ),
}


def wheel(folder: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Write a package as pip installs it."""
    info = f"{name}-{version}.dist-info"
    parts = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*parts, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**parts, f"{info}/RECORD": record}.items():
            archive.writestr(path, text)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with requirement files, wheels that they ask for, and a place for environments; no network."""
    folder = tmp_path_factory.mktemp("farm")
    wheel(folder, "barn", "1.2", BARN)
    wheel(folder, "packaging", "999", {"packaging/__init__.py": "__version__ = 'of the peer'\n"})
    (folder / "shims").symlink_to(SHIPPED / "shims")
    head = "# title: The Farm\n# verifies: cattle\n# imports: barn lava\n# shims: lava\n# absent: hayloft\n"
    (folder / "farm.txt").write_text(f"{head}barn==1.2\n# pip: --no-deps\npackaging==999\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peer_files, "FOLDER", folder)
        patch.setenv("MYELIN_PEERS", str(folder / "peers"))
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(folder))
        patch.setenv("PIP_CONFIG_FILE", "")
        yield folder


def ignore(line: str) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def installed(farm: Path) -> peers.Peer:
    said: list[str] = []
    peers.install(["farm"], said.append)
    assert said == ["installing The Farm (cattle)"]
    return peer("farm")


def other(farm: Path, name: str, text: str) -> None:
    (farm / f"{name}.txt").write_text(f"# title: The {name}\n# verifies: nothing\n{text}\n")


def test_what_is_asked_for_is_there_in_its_version(installed: peers.Peer) -> None:
    assert installed.versions["barn"] == "1.2"
    assert installed.run("import barn; print(barn.ANIMAL)") == "cow\n"


def test_our_packages_are_shared_and_its_own_come_first(installed: peers.Peer) -> None:
    said = installed.run("import numpy, packaging; print(numpy.__file__); print(packaging.__version__)")
    import numpy

    assert said.splitlines() == [str(Path(numpy.__file__)), "of the peer"]
    assert packaging.__version__ != "of the peer"
    assert installed.versions["torch"].startswith("2.")
    assert not list(installed.python.parent.parent.rglob("torch"))


def test_our_own_code_is_not_seen_there(installed: peers.Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SHIPPED.parent.parent))
    with pytest.raises(PeerError, match="No module named 'engine'"):
        installed.run("import engine")


def test_a_stand_in_can_be_imported_and_named_but_not_used(installed: peers.Peer) -> None:
    script = """
        import hayloft.ladder
        from hayloft.ladder import Rung
        class Mine(Rung): pass
        def climb(rung: Rung | None, kind: Rung.Kind): pass
        assert not hasattr(Rung, "__set_name__")
        Rung.Kind(3)
    """
    with pytest.raises(PeerError, match=r"hayloft\.ladder\.Rung\.Kind is not installed"):
        installed.run("\n".join(line.strip() for line in script.splitlines()))


def test_the_shim_for_lava_changes_no_other_data_class(installed: peers.Peer) -> None:
    assert installed.run("import lava; print(lava.Outer().inner.level)") == "3\n"
    script = "from dataclasses import dataclass\n@dataclass\nclass A: a: int = 0\nhash(A())"
    with pytest.raises(PeerError, match="unhashable type: 'A'"):
        installed.run(script)


def test_what_is_installed_is_not_installed_again(installed: peers.Peer) -> None:
    before = installed.python.lstat().st_ctime_ns
    said: list[str] = []
    assert peers.try_to_install(["farm"], said.append) == {}
    assert said == []
    assert installed.python.lstat().st_ctime_ns == before


def test_a_script_gets_arguments_input_and_surroundings(installed: peers.Peer, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import os, sys; print(sys.argv[1:], os.environ['X'], sys.stdin.read(), os.getcwd())")
    said = installed.run(script, "a", "b", cwd=tmp_path, env={"X": "y"}, stdin="ä".encode())
    assert said.split() == ["['a',", "'b']", "y", "ä", str(tmp_path)]
    assert list(tmp_path.iterdir()) == [script]


def test_without_a_folder_a_script_runs_in_one_that_is_gone_afterwards(installed: peers.Peer) -> None:
    assert not Path(installed.run("import os; open('x', 'w').close(); print(os.getcwd(), end='')")).exists()


def test_a_failing_script_is_reported_by_the_last_line_it_said(installed: peers.Peer) -> None:
    with pytest.raises(PeerError, match=r"^farm: the script failed: ValueError: no cow$"):
        installed.run("raise ValueError('no cow')")
    with pytest.raises(PeerError, match="exit status 3"):
        installed.run("raise SystemExit(3)")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_a_script_that_takes_too_long_ends_with_what_it_started(installed: peers.Peer) -> None:
    # What it starts has the same standard output, for whose end `run` waits: past the limit of this test.
    script = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(1000)'])"
    with pytest.raises(PeerError, match="still running after 2 s"):
        installed.run(script, timeout=2)


def test_a_missing_peer_is_one_sentence_with_the_command(farm: Path) -> None:
    other(farm, "barnyard", "barn==1.2")
    with pytest.raises(MissingPeer) as caught:
        peer("barnyard")
    assert str(caught.value) == (
        "The barnyard is not installed for verification; run `myelin peers install barnyard`."
    )
    assert peers.installed()["barnyard"] is False
    with pytest.raises(MyelinError, match=r"no peer environment 'stable'.*farm"):
        peer("stable")


def test_a_changed_requirement_or_a_damaged_stamp_counts_as_not_installed(
    installed: peers.Peer, farm: Path
) -> None:
    file, stamp = farm / "farm.txt", farm / "peers" / "farm" / peers.STAMP
    wanted, right = file.read_text(), stamp.read_text()
    for text, content in (
        (wanted.replace("barn==1.2", "barn==1.3"), right),
        (wanted, ""),
        (wanted, "[]"),
        (wanted, '{"digest": 1}'),
    ):
        file.write_text(text)
        stamp.write_text(content)
        assert not peers.installed()["farm"]
    file.write_text(f"{wanted}# only words\n")
    stamp.write_text(right)
    assert peers.installed()["farm"]


def test_what_pip_cannot_find_leaves_nothing_that_counts_as_installed(farm: Path) -> None:
    other(farm, "empty", "surely-no-such-package==1")
    with pytest.raises(
        MyelinError, match="The empty could not be installed: No matching distribution"
    ) as caught:
        peers.install(["empty"], ignore)
    assert "\n" not in str(caught.value)
    assert not peers.installed()["empty"]
    other(farm, "empty", "# only what is shared")
    peers.install(["empty"], ignore)
    assert peer("empty").run("import numpy; print(1)") == "1\n"


def test_what_does_not_load_does_not_count_as_installed(farm: Path) -> None:
    other(farm, "broken", "# imports: json hayloft")
    with pytest.raises(MyelinError, match=r"The broken is installed but does not load: .*hayloft"):
        peers.install(["broken"], ignore)
    assert not peers.installed()["broken"]


def test_one_broken_off_is_made_anew(farm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*anything: object) -> None:
        raise KeyboardInterrupt

    other(farm, "late", "# only what is shared")
    with monkeypatch.context() as patch:
        patch.setattr(peers, "_tried", stopped)
        with pytest.raises(KeyboardInterrupt):
            peers.install(["late"], ignore)
    assert not peers.installed()["late"]
    (farm / "peers" / "late" / "rubbish").touch()
    peers.install(["late"], ignore)
    assert peers.installed()["late"]
    assert not (farm / "peers" / "late" / "rubbish").exists()


def test_a_folder_of_something_else_is_left_alone(farm: Path) -> None:
    other(farm, "thesis", "barn==1.2")
    place = farm / "peers" / "thesis"
    place.mkdir(parents=True)
    (place / "chapter.tex").touch()
    with pytest.raises(MyelinError, match="something other than a peer environment"):
        peers.install(["thesis"], ignore)
    assert [path.name for path in place.iterdir()] == ["chapter.tex"]


def test_a_place_that_cannot_be_written_to_is_one_sentence(
    farm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MYELIN_PEERS", str(tmp_path / "file"))
    with pytest.raises(MyelinError, match="MYELIN_PEERS may name another folder"):
        peers.install(["farm"], ignore)


def test_what_is_not_for_this_system_is_not_among_the_default_ones(farm: Path) -> None:
    other(farm, "moon", "# systems: moonos\nbarn==1.2")
    other(farm, "dear", "# extra: takes a day\nbarn==1.2")
    assert "farm" in peers.default()
    assert {"moon", "dear"}.isdisjoint(peers.default())
    with pytest.raises(MyelinError, match="The moon cannot be had for this system, only for moonos"):
        peers.install(["moon"], ignore)


def test_the_command_lists_what_there_is(installed: peers.Peer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["peers", "--json"]) == 0
    one = json.loads(capsys.readouterr().out)["peers"]["farm"]
    assert one["installed"]
    assert one["versions"]["barn"] == "1.2"
    assert one["bytes"] > 0
    assert main(["peers"]) == 0
    assert "barn 1.2, packaging 999" in capsys.readouterr().out


def test_the_command_says_what_failed_and_installs_the_rest(
    farm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other(farm, "wrong", "surely-no-such-package==1")
    other(farm, "right", "# only what is shared")
    assert main(["peers", "install", "wrong", "right"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3  # one line for the start of each, one for the failure
    assert "The wrong could not be installed" in said[-1]
    assert peers.installed()["right"]
    assert main(["peers", "install", "stable"]) == 1
    assert "no peer environment 'stable'" in capsys.readouterr().err


def test_a_missing_program_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MYELIN_PEERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in peers.TOOLS:
        with pytest.raises(MissingPeer, match=rf"^{name} is not installed .*`"):
            peers.tool(name)


def test_a_program_is_found_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / ("gcc.exe" if sys.platform == "win32" else "gcc")
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.tool("gcc") == str(program)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.txt")), ids=lambda path: path.stem)
def test_the_shipped_files_pin_what_they_ask_for_and_leave_torch_alone(path: Path) -> None:
    wanted = peer_files._read(path)
    assert wanted.imports
    assert all(shim.is_file() for shim in wanted.shims)
    assert {"torch", "lightning"}.isdisjoint(wanted.distributions)
    assert [line for line in wanted.lines if "==" not in line] in ([], ["numpy<2.4"])
