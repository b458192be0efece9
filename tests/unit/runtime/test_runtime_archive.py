from __future__ import annotations

import gzip
import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.runtime.archive import pack, unpack
from pipelines.runtime.archive_members import ArchiveError, ArchiveLimits, limits_from

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"", **fields: object) -> Member:
    """A tar member; `fields` are those of TarInfo."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def write_tar(path: Path, members: list[Member], mode: str = "w:gz") -> Path:
    """Write members as they are given, whatever they say."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """The empty folder to unpack into."""
    folder = tmp_path / "outer" / "into"
    folder.mkdir(parents=True)
    return folder


SYMLINK = {"type": tarfile.SYMTYPE}
ATTACKS: dict[str, list[Member]] = {
    "absolute": [member("/etc/evil", b"x")],
    "parent": [member("../evil", b"x")],
    "parent inside": [member("a/../../evil", b"x")],
    "backslash": [member("..\\evil", b"x")],
    "symlink out": [member("a", linkname="../evil", **SYMLINK)],
    "symlink absolute": [member("a", linkname="/etc/passwd", **SYMLINK)],
    "write through symlink": [member("a", linkname="b", **SYMLINK), member("a/evil", b"x")],
    "symlink by symlink": [
        member("d", linkname=".", **SYMLINK),
        member("e", linkname="d/../../evil", **SYMLINK),
    ],
    "symlink collapsed": [
        member("x", linkname=".", **SYMLINK),
        member("e", linkname="x/../evil", **SYMLINK),
    ],
    "symlink by symlinks out": [
        member("d/e/a", linkname="../..", **SYMLINK),
        member("b", linkname="d/e/a/../evil", **SYMLINK),
    ],
    "symlink in a circle": [
        member("a", linkname="b", **SYMLINK),
        member("b", linkname="./a", **SYMLINK),
    ],
    "hard link out": [member("a", type=tarfile.LNKTYPE, linkname="../evil")],
    "hard link absolute": [member("a", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "hard link to nothing": [member("a", type=tarfile.LNKTYPE, linkname="b")],
    "hard link to symlink": [
        member("b", linkname="c", **SYMLINK),
        member("a", type=tarfile.LNKTYPE, linkname="b"),
    ],
    "device": [member("a", type=tarfile.CHRTYPE)],
    "fifo": [member("a", type=tarfile.FIFOTYPE)],
    "twice": [member("a", linkname="b", **SYMLINK), member("a", b"x")],
    "below a file": [member("a", b"x"), member("a/b", b"x")],
}


@pytest.mark.parametrize("members", ATTACKS.values(), ids=ATTACKS)
def test_a_hostile_tar_is_refused_and_nothing_is_written(
    into: Path, tmp_path: Path, members: list[Member]
) -> None:
    """Every member is checked before the first is written, the good one before the bad too."""
    path = write_tar(tmp_path / "a.tar.gz", [member("good.txt", b"good"), *members])
    with pytest.raises(ArchiveError, match=r"^a\.tar\.gz: "):
        unpack(path, into)
    assert list(into.parent.rglob("*")) == [into]


@pytest.mark.parametrize("name", ["/evil", "../evil", "a/../../evil", "..\\evil"])
def test_a_hostile_zip_is_refused(into: Path, tmp_path: Path, name: str) -> None:
    """The same rules hold for zip."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("good.txt", "good")
        archive.writestr(name, "x")
    with pytest.raises(ArchiveError):
        unpack(path, into)
    assert list(into.parent.rglob("*")) == [into]


def test_a_zip_with_a_link_out_is_refused(into: Path, tmp_path: Path) -> None:
    """A zip marks symbolic links in its external attributes."""
    path = tmp_path / "a.zip"
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "../../evil")
    with pytest.raises(ArchiveError, match="leads out"):
        unpack(path, into)


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        (ArchiveLimits(members=2), "more than 2 members"),
        (ArchiveLimits(file_bytes=9), "larger than 9 bytes"),
        (ArchiveLimits(total_bytes=29), "larger than 29 bytes in total"),
    ],
)
def test_an_archive_over_a_limit_is_refused(
    into: Path, tmp_path: Path, limits: ArchiveLimits, text: str
) -> None:
    """Members, the size of one, and the size of all are bounded."""
    path = write_tar(tmp_path / "a.tar.gz", [member(name, b"x" * 10) for name in "abc"])
    with pytest.raises(ArchiveError, match=text):
        unpack(path, into, limits)
    assert not list(into.iterdir())


def test_a_file_has_8_gib_unless_the_environment_allows_more() -> None:
    """A small archive can unpack to a full disk; models of that size are rare."""
    gib = 1 << 30
    assert limits_from({}) == ArchiveLimits(100_000, 8 * gib, 32 * gib)
    assert limits_from({"PIPELINES_ARCHIVE_GIB": "100"}) == ArchiveLimits(
        100_000, 100 * gib, 400 * gib
    )
    for text in ("0", "-1", "1.5", "8GiB", "9" * 5000, "\u00b2"):
        with pytest.raises(ArchiveError, match="is not a number of GiB"):
            limits_from({"PIPELINES_ARCHIVE_GIB": text})


def test_the_environment_limits_an_archive(
    into: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is refused names the variable that allows it."""
    path = write_tar(tmp_path / "a.tar.gz", [member("a", b"x")])
    monkeypatch.setenv("PIPELINES_ARCHIVE_GIB", "none")
    with pytest.raises(ArchiveError, match="PIPELINES_ARCHIVE_GIB is `none`"):
        unpack(path, into)
    with pytest.raises(ArchiveError, match="to allow more, set PIPELINES_ARCHIVE_GIB"):
        unpack(path, into, ArchiveLimits(file_bytes=0))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"hello world" * 100,
    "cut": lambda data: data[: len(data) // 2],
    "cut at the end": lambda data: data[:-6],
    "flipped": lambda data: data[:40] + bytes([data[40] ^ 255]) + data[41:],
    "header": lambda data: gzip.compress(_break_second_header(gzip.decompress(data))),
}


def _break_second_header(data: bytes) -> bytes:
    at = data.index(b"second")
    return data[:at] + b"\xff" * 6 + data[at + 6 :]


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_archive_is_named_and_nothing_is_written(
    into: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    """Damage anywhere, also where tarfile would take it for the end of the archive."""
    path = tmp_path / "a.tar.gz"
    write_tar(path, [member("first", os.urandom(3000)), member("second", os.urandom(3000))])
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArchiveError, match=r"^a\.tar\.gz"):
        unpack(path, into)
    assert not list(into.iterdir())


def test_what_was_packed_is_unpacked_and_packing_is_deterministic(
    into: Path, tmp_path: Path
) -> None:
    """Files, empty folders, inner links and the executable bit come back; bytes are the same."""
    source = tmp_path / "source"
    (source / "deep" / "empty").mkdir(parents=True)
    (source / "deep" / "run.sh").write_bytes(b"x" * 100_000)
    (source / "deep" / "run.sh").chmod(0o700)
    (source / "deep" / "link").symlink_to("../top.txt")
    (source / "again").symlink_to("deep")
    (source / "chain").symlink_to("again/../deep/link")
    (source / "top.txt").write_text("top")
    os.link(source / "top.txt", source / "zz-same.txt")
    first, second = tmp_path / "1.tar.gz", tmp_path / "2.tar.gz"
    pack(source, first)
    os.utime(source / "top.txt", (1, 1))
    pack(source, second)
    assert first.read_bytes() == second.read_bytes()
    unpack(first, into)
    assert sorted(p.relative_to(into).as_posix() for p in into.rglob("*")) == [
        "again", "chain",
        "deep", "deep/empty", "deep/link", "deep/run.sh", "top.txt", "zz-same.txt",
    ]  # fmt: skip
    assert (into / "deep" / "link").readlink() == Path("../top.txt")
    assert (into / "zz-same.txt").read_text() == (into / "chain").read_text() == "top"
    assert os.access(into / "deep" / "run.sh", os.X_OK)
    assert not os.access(into / "top.txt", os.X_OK)


def test_zip_hard_links_and_plain_tar_are_unpacked(into: Path, tmp_path: Path) -> None:
    """Whatever model.tar.gz tools write that stays inside is taken."""
    path = write_tar(
        tmp_path / "a.tar",
        [member("./m/a", b"1"), member("./m/b", type=tarfile.LNKTYPE, linkname="./m/a")],
        "w",
    )
    unpack(path, into)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("z/", "")
        archive.writestr("z/c", "2")
    unpack(tmp_path / "a.zip", into)
    assert [(into / name).read_text() for name in ("m/a", "m/b", "z/c")] == ["1", "1", "2"]
