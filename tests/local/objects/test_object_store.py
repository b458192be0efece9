from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.backends.local.object_uris import ObjectUriError
from pipelines.backends.local.objects import NoSuchObjectError, ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """Return an empty store."""
    return ObjectStore(tmp_path / "s3")


def keys(store: ObjectStore, prefix: str) -> list[str]:
    """List the URIs of a prefix."""
    return [info.uri for info in store.list(prefix)]


def test_an_object_lies_at_bucket_and_key(store: ObjectStore) -> None:
    """`s3://bucket/key` is the file `<root>/bucket/key`, so ordinary tools can read it."""
    store.put_bytes("s3://bucket/a/b.csv", b"1,2")
    assert (store.root / "bucket/a/b.csv").read_bytes() == b"1,2"
    assert store.get_bytes("s3://bucket/a/b.csv") == b"1,2"


def test_a_missing_object_says_where_to_put_it(store: ObjectStore) -> None:
    """The error names the URI and the file that would be it."""
    with pytest.raises(NoSuchObjectError) as caught:
        store.get_bytes("s3://bucket/none")
    assert caught.value.path == store.root / "bucket/none"
    assert "s3://bucket/none" in caught.value.problem


def test_a_prefix_is_a_prefix_of_the_key(store: ObjectStore) -> None:
    """FACTS 11.8: `train` also matches `train_raw`, `train/` does not."""
    for key in ("d/train/x", "d/train_raw/y", "d/train", "d/other/train"):
        if key != "d/train":
            store.put_bytes(f"s3://bucket/{key}", b"")
    assert keys(store, "s3://bucket/d/train") == [
        "s3://bucket/d/train/x",
        "s3://bucket/d/train_raw/y",
    ]
    assert keys(store, "s3://bucket/d/train/") == ["s3://bucket/d/train/x"]
    assert len(keys(store, "s3://bucket")) == 3
    assert keys(store, "s3://nothing/here") == []


def test_a_listing_is_in_the_order_of_the_bytes_of_the_key(store: ObjectStore) -> None:
    """S3 sorts by the whole key: `a-b` comes before `a/b`, capitals before small letters."""
    for key in ("a/b", "a-b", "B"):
        store.put_bytes(f"s3://bucket/{key}", b"")
    assert keys(store, "s3://bucket/") == ["s3://bucket/B", "s3://bucket/a-b", "s3://bucket/a/b"]


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/../x", "s3://bucket/a/../../x", "s3://bucket/./x", "s3://../x", "/etc/passwd",
     "s3://.incoming/x", "s3://bucket/a\0b", "file:///x", "s3:///x"],
)  # fmt: skip
def test_a_key_that_would_leave_the_store_is_refused(store: ObjectStore, uri: str) -> None:
    """Neither reading nor writing may touch a file outside the bucket's folder."""
    for action in (store.get_bytes, store.exists, lambda one: store.put_bytes(one, b"")):
        with pytest.raises(ObjectUriError):
            action(uri)
    with pytest.raises(ObjectUriError):
        list(store.list(uri))


def test_empty_parts_of_a_key_are_dropped(store: ObjectStore) -> None:
    """A doubled slash in a joined URI reads what was written under the same URI."""
    store.put_bytes("s3://bucket//a//b", b"1")
    assert store.get_bytes("s3://bucket//a//b") == b"1"
    assert keys(store, "s3://bucket//a//") == ["s3://bucket/a/b"]


def test_a_prefix_that_is_an_object_downloads_as_one_file(
    store: ObjectStore, tmp_path: Path
) -> None:
    """SageMaker puts a single object under its base name."""
    store.put_bytes("s3://bucket/code/h/bundle.pyz", b"zip")
    assert store.download("s3://bucket/code/h/bundle.pyz", tmp_path / "in") == [
        tmp_path / "in/bundle.pyz"
    ]


@pytest.mark.parametrize("prefix", ["s3://bucket/d/train", "s3://bucket/d/train/"])
def test_a_folder_downloads_without_its_own_name(
    store: ObjectStore, tmp_path: Path, prefix: str
) -> None:
    """With or without a slash at the end the path inside the folder is kept."""
    store.put_bytes("s3://bucket/d/train/day=1/x.csv", b"1")
    store.download(prefix, tmp_path / "in")
    assert (tmp_path / "in/day=1/x.csv").read_bytes() == b"1"


def test_a_neighbour_with_the_same_beginning_keeps_its_name(
    store: ObjectStore, tmp_path: Path
) -> None:
    """`train_raw` comes along with `train`, beside its files, not among them."""
    store.put_bytes("s3://bucket/d/train/x", b"1")
    store.put_bytes("s3://bucket/d/train_raw/x", b"2")
    store.download("s3://bucket/d/train", tmp_path / "in")
    assert (tmp_path / "in/x").read_bytes() == b"1"
    assert (tmp_path / "in/train_raw/x").read_bytes() == b"2"


def test_a_key_cannot_be_an_object_and_a_folder(store: ObjectStore) -> None:
    """S3 allows it, a file system does not: said in our own words, the first object stays."""
    store.put_bytes("s3://bucket/a", b"1")
    with pytest.raises(ObjectUriError, match="both an object and a folder"):
        store.put_bytes("s3://bucket/a/b", b"2")
    store.put_bytes("s3://bucket/c/d", b"1")
    with pytest.raises(ObjectUriError, match="both an object and a folder"):
        store.put_bytes("s3://bucket/c", b"2")
    assert store.get_bytes("s3://bucket/a") == b"1"
    assert list((store.root / ".incoming").iterdir()) == []


def test_uploading_a_folder_passes_over_what_is_no_file(store: ObjectStore, tmp_path: Path) -> None:
    """A pipe would block the reader for ever; a link to a file is that file."""
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/real").write_text("1")
    (folder / "link").symlink_to(folder / "deep/real")
    (folder / "dead").symlink_to(folder / "nowhere")
    os.mkfifo(folder / "pipe")
    store.upload_folder(folder, "s3://bucket/out")
    assert keys(store, "s3://bucket/") == ["s3://bucket/out/deep/real", "s3://bucket/out/link"]
    assert not (store.root / "bucket/out/link").is_symlink()


def test_deleting_takes_the_empty_folders_along(store: ObjectStore) -> None:
    """As in S3 a folder is nothing by itself, and deleting what is not there is no error."""
    store.put_bytes("s3://bucket/a/b/c", b"1")
    store.put_bytes("s3://bucket/a/d", b"1")
    store.delete("s3://bucket/a/b/c")
    store.delete("s3://bucket/a/b/c")
    assert not (store.root / "bucket/a/b").exists()
    store.put_bytes("s3://bucket/a/b", b"now an object")


KEY = st.lists(st.text("ab_", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(wanted=st.sets(KEY, max_size=6), prefix=st.text("ab_/", max_size=4))
def test_a_listing_is_a_filter_over_all_keys(
    tmp_path_factory: pytest.TempPathFactory, wanted: set[str], prefix: str
) -> None:
    """Whatever lies there, `list(prefix)` is every key that begins with the prefix."""
    store = ObjectStore(tmp_path_factory.mktemp("s3"))
    stored = set()
    for key in sorted(wanted, reverse=True):
        try:
            store.put_bytes(f"s3://bucket/{key}", b"")
        except ObjectUriError:
            continue
        stored.add(f"s3://bucket/{key}")
    parts = [part for part in prefix.split("/") if part]
    plain = "/".join(parts) + ("/" if parts and prefix.endswith("/") else "")
    assert set(keys(store, f"s3://bucket/{prefix}")) == {
        uri for uri in stored if uri.startswith(f"s3://bucket/{plain}")
    }


def test_a_file_is_taken_without_a_copy(store: ObjectStore, tmp_path: Path) -> None:
    """An output of many GB is moved; it is an object like any other, of now."""
    file = tmp_path / "out" / "large.bin"
    file.parent.mkdir()
    file.write_bytes(b"much")
    os.utime(file, (0, 0))
    file.chmod(0o400)
    inode = file.stat().st_ino
    (info,) = store.take_folder(file.parent, "s3://bucket/out")
    assert info.path.stat().st_ino == inode
    assert store.get_bytes("s3://bucket/out/large.bin") == b"much"
    assert info.path.stat().st_mode & 0o777 == 0o644
    assert info.path.stat().st_mtime > 0
    assert not file.exists()


@pytest.mark.parametrize("link", ["hardlink_to", "symlink_to"])
def test_a_file_with_another_name_is_copied(store: ObjectStore, tmp_path: Path, link: str) -> None:
    """Who writes to it under that name would write into the object."""
    other, file = tmp_path / "other", tmp_path / "file"
    other.write_bytes(b"mine")
    getattr(file, link)(other)
    store.take_file("s3://bucket/file", file)
    other.write_bytes(b"edited")
    assert store.get_bytes("s3://bucket/file") == b"mine"


def test_a_file_of_another_file_system_is_copied(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename cannot leave a file system."""
    (tmp_path / "file").write_bytes(b"far")
    rename = Path.replace

    def refused(self: Path, target: Path) -> Path:
        if self == tmp_path / "file":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", refused)
    store.take_file("s3://bucket/file", tmp_path / "file")
    assert store.get_bytes("s3://bucket/file") == b"far"


def test_a_file_whose_key_is_a_folder_stays(store: ObjectStore, tmp_path: Path) -> None:
    """It is refused as a copy is."""
    (tmp_path / "file").write_bytes(b"mine")
    store.put_bytes("s3://bucket/a/b", b"")
    with pytest.raises(ObjectUriError, match="both an object and a folder"):
        store.take_file("s3://bucket/a", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"mine"
