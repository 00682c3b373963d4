"""Downloads against a server on this machine that resumes, breaks off, lies and lacks files."""

from __future__ import annotations

import errno
import gzip
import hashlib
import shutil
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from engine.data import fetch as fetching
from engine.data import store
from engine.data.fetch import CHUNK, fetch
from nodes.roles import DataInfo, DataSet, Remote
from nodes.samples import DataError

BODY = np.random.default_rng(0).bytes(700_000)


class Handler(BaseHTTPRequestHandler):
    """Serves `files`; `break_after` bytes it hangs up, the next `breaks` times."""

    files: ClassVar[dict[str, bytes]] = {}
    ranges: ClassVar[list[str]] = []
    breaks: ClassVar[int] = 0
    break_after: ClassVar[int] = 0
    knows_ranges: ClassVar[bool] = True
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        Handler.ranges.append(asked)
        body = self.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.knows_ranges else 0
        if start >= len(body):
            self.answer(416, {"Content-Range": f"bytes */{len(body)}"}, b"", 0)
            return
        self.answer(206 if start else 200, {}, body[start:], len(body) - start)

    def answer(self, status: int, headers: dict[str, str], body: bytes, length: int) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if Handler.breaks:
            Handler.breaks -= 1
            body = body[: Handler.break_after]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in {
        "files": {},
        "ranges": [],
        "breaks": 0,
        "break_after": 0,
        "knows_ranges": True,
    }.items():
        monkeypatch.setattr(Handler, name, value)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()


def data_set(*files: Remote) -> type[DataSet]:
    """A data set called toy, outside the registry."""

    class Toy(DataSet):
        type = "dataset.toy"
        info = DataInfo("Toy", "none", "this test", files)

    return Toy


def md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content).hexdigest()}"


def toy(address: str, content: bytes = BODY, **changed: str) -> type[DataSet]:
    """One unpacked file, a.bin."""
    Handler.files["/a.bin"] = content
    return data_set(Remote(**{"name": "a.bin", "url": f"{address}a.bin", "checksum": md5(BODY), **changed}))


def left(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_file_is_downloaded_verified_and_reported(server, tmp_path):
    seen = []
    paths = fetch(toy(server), tmp_path, progress=lambda *report: seen.append(report))
    assert paths == [tmp_path / "toy" / "a.bin"]
    assert paths[0].read_bytes() == BODY
    assert seen[-1] == ("a.bin", len(BODY), len(BODY))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert left(tmp_path) == ["toy/a.bin"]


def test_what_is_there_is_not_fetched_again(server, tmp_path):
    spec = toy(server)
    assert not store.at_hand(spec, tmp_path)
    fetch(spec, tmp_path)
    fetch(spec, tmp_path)
    assert store.at_hand(spec, tmp_path)
    assert len(Handler.ranges) == 1


def test_a_broken_connection_is_taken_up_where_it_broke(server, tmp_path):
    spec = toy(server)
    Handler.breaks, Handler.break_after = 2, 4 * CHUNK
    assert fetch(spec, tmp_path)[0].read_bytes() == BODY
    assert Handler.ranges == ["", f"bytes={4 * CHUNK}-", f"bytes={8 * CHUNK}-"]


def test_a_download_given_up_goes_on_the_next_time(server, tmp_path):
    spec = toy(server)
    part = tmp_path / "toy" / "a.bin.part"
    part.parent.mkdir()
    part.write_bytes(BODY[:200_000])
    assert fetch(spec, tmp_path)[0].read_bytes() == BODY
    assert Handler.ranges == ["bytes=200000-"]


def test_a_server_that_never_answers_leaves_the_part_and_a_sentence(server, tmp_path):
    spec = toy(server)
    Handler.breaks, Handler.break_after = 100, 0
    part = tmp_path / "toy" / "a.bin.part"
    part.parent.mkdir()
    part.write_bytes(BODY[:1000])
    with pytest.raises(DataError, match=r"a\.bin could not be downloaded after 1,000 bytes: .*\.$"):
        fetch(spec, tmp_path)
    assert part.read_bytes() == BODY[:1000]
    assert len(Handler.ranges) == fetching.ATTEMPTS_WITHOUT_PROGRESS


def test_a_server_without_ranges_starts_over(server, tmp_path):
    spec = toy(server)
    Handler.knows_ranges, Handler.breaks, Handler.break_after = False, 1, 300_000
    assert fetch(spec, tmp_path)[0].read_bytes() == BODY


@pytest.mark.parametrize("part", [BODY, BODY + b"more"], ids=["whole", "too long"])
def test_a_part_that_has_all_bytes_or_too_many(server, tmp_path, part):
    spec = toy(server)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "a.bin.part").write_bytes(part)
    assert fetch(spec, tmp_path)[0].read_bytes() == BODY


def test_no_network_is_one_sentence(tmp_path):
    spec = data_set(Remote("a.bin", "http://127.0.0.1:9/a.bin", md5(BODY)))
    with pytest.raises(
        DataError, match=r"a\.bin could not be downloaded: check the network .* --from FOLDER\.$"
    ):
        fetch(spec, tmp_path)


def test_a_missing_page_is_one_sentence(server, tmp_path):
    with pytest.raises(DataError, match=r"gone\.bin answers 404 .*--from FOLDER\.$"):
        fetch(toy(server, url=f"{server}gone.bin"), tmp_path)
    assert left(tmp_path) == []


def test_a_wrong_checksum_is_refused_and_nothing_stays(server, tmp_path):
    with pytest.raises(DataError, match=r"a\.bin arrived damaged .*\.$"):
        fetch(toy(server, BODY[::-1]), tmp_path)
    assert left(tmp_path) == []


def test_a_full_disk_is_one_sentence_and_keeps_what_came(server, tmp_path, monkeypatch):
    spec = toy(server)

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError, match=r"the disk is full: make room in .*toy and run the command again\.$"):
        fetch(spec, tmp_path, progress=full)
    assert left(tmp_path) == ["toy/a.bin.part"]
    assert fetch(spec, tmp_path)[0].read_bytes() == BODY


def test_a_place_that_cannot_be_written_is_one_sentence(server, tmp_path):
    (tmp_path / "toy").write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be written: .*MYELIN_DATA.*\.$"):
        fetch(toy(server), tmp_path)


# -- archives ---------------------------------------------------------------------------------------


def zipped(tmp_path: Path, **contents: bytes) -> bytes:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name.replace("__", "/"), content)
    content = path.read_bytes()
    path.unlink()
    return content


def test_archives_are_unpacked_and_removed(server, tmp_path):
    folder, packed = zipped(tmp_path, Train__0__b=b"one"), gzip.compress(BODY)
    Handler.files = {"/x/file_downloaded": folder, "/c.gz": packed}
    spec = data_set(
        Remote("Train", f"{server}x/file_downloaded", md5(folder), unpack="zip"),
        Remote("c", f"{server}c.gz", "sha256:" + hashlib.sha256(packed).hexdigest(), unpack="gz"),
    )
    fetch(spec, tmp_path)
    assert left(tmp_path) == ["toy/Train/0/b", "toy/c"]
    assert (tmp_path / "toy" / "c").read_bytes() == BODY


@pytest.mark.parametrize("unpack", ["zip", "gz"])
def test_half_an_archive_leaves_nothing_half_made(server, tmp_path, unpack):
    whole = zipped(tmp_path, a=BODY) if unpack == "zip" else gzip.compress(BODY)
    Handler.files[f"/a.{unpack}"] = whole[: len(whole) // 2]
    spec = data_set(Remote("a", f"{server}a.{unpack}", "", unpack=unpack))
    with pytest.raises(DataError, match=r"cannot be unpacked: it is damaged or cut short\.$"):
        fetch(spec, tmp_path)
    assert left(tmp_path) in ([], [f"toy/a.{unpack}.part"])
    Handler.files[f"/a.{unpack}"] = whole
    assert fetch(spec, tmp_path)[0].read_bytes() == BODY


def test_an_archive_of_something_else_is_named(server, tmp_path):
    Handler.files["/a.zip"] = zipped(tmp_path, other=b"x")
    with pytest.raises(DataError, match=r"a\.zip does not hold a: .*\.$"):
        fetch(data_set(Remote("a", f"{server}a.zip", "", unpack="zip")), tmp_path)


def test_an_archive_cannot_write_outside_its_folder(server, tmp_path):
    Handler.files["/a.zip"] = zipped(tmp_path, **{"..__..__evil": b"x", "a": b"y"})
    fetch(data_set(Remote("a", f"{server}a.zip", "", unpack="zip")), tmp_path / "root")
    assert not list(tmp_path.glob("evil"))
    assert all(path.startswith("root/toy/") for path in left(tmp_path))


# -- mirrors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["a.zip", "a.gz", "a", "toy/a.zip"])
def test_a_local_mirror_may_hold_any_form(tmp_path, form):
    mirror, packed = tmp_path / "mirror", zipped(tmp_path, a=BODY)
    (mirror / form).parent.mkdir(parents=True)
    (mirror / form).write_bytes({"zip": packed, "gz": gzip.compress(BODY)}.get(form.partition(".")[2], BODY))
    spec = data_set(Remote("a", "http://127.0.0.1:9/a", md5(packed), unpack="zip"))
    assert fetch(spec, tmp_path / "root", mirror)[0].read_bytes() == BODY
    assert (mirror / form).exists()


def test_a_mirror_on_the_web_replaces_the_address(server, tmp_path):
    Handler.files["/mine/a.bin"] = BODY
    spec = data_set(Remote("a.bin", "http://127.0.0.1:9/a.bin", md5(BODY)))
    assert fetch(spec, tmp_path, f"{server}mine")[0].read_bytes() == BODY


def test_a_mirror_that_lacks_or_damaged_the_file_is_named(tmp_path):
    spec, mirror = data_set(Remote("a", "http://127.0.0.1:9/a", md5(BODY), unpack="gz")), tmp_path / "mirror"
    with pytest.raises(DataError, match=r"mirror is no folder: .*\.$"):
        fetch(spec, tmp_path / "root", mirror)
    mirror.mkdir()
    with pytest.raises(DataError, match=r"mirror holds neither a\.gz nor a\.$"):
        fetch(spec, tmp_path / "root", mirror)
    (mirror / "a.gz").write_bytes(gzip.compress(b"other"))
    with pytest.raises(DataError, match=r"its checksum is wrong\.$"):
        fetch(spec, tmp_path / "root", mirror)
    assert left(tmp_path / "root") == []


def test_a_folder_is_mirrored_whole(tmp_path):
    (tmp_path / "mirror" / "Train" / "3").mkdir(parents=True)
    (tmp_path / "mirror" / "Train" / "3" / "x.bin").write_bytes(b"12345")
    spec = data_set(Remote("Train", "http://127.0.0.1:9/a", "", unpack="zip"))
    fetch(spec, tmp_path / "root", tmp_path / "mirror")
    shutil.rmtree(tmp_path / "mirror")
    assert left(tmp_path / "root") == ["toy/Train/3/x.bin"]


def test_a_set_of_ones_own_files_is_not_downloaded(tmp_path):
    with pytest.raises(DataError, match=r"toy is not downloaded: this test\.$"):
        fetch(data_set(), tmp_path)
