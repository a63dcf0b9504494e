"""The secret key: made once, for its owner only."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from config.secret import installation_secret


def test_it_is_made_once_and_read_ever_after(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "data"

    key = installation_secret(directory)

    assert len(key) >= 50
    assert installation_secret(directory) == key
    assert [path.name for path in directory.iterdir()] == ["secret_key"]


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    installation_secret(tmp_path)

    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_each_installation_has_its_own(tmp_path: Path) -> None:
    assert installation_secret(tmp_path / "one") != installation_secret(tmp_path / "two")


def test_all_that_start_at_once_use_the_same(tmp_path: Path) -> None:
    together = Barrier(8)

    def start(_: int) -> str:
        together.wait()
        return installation_secret(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(start, range(8)))

    assert keys == {(tmp_path / "secret_key").read_text()}


def test_without_a_place_to_keep_it_there_is_one_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a directory should be")

    assert len(installation_secret(tmp_path / "data")) >= 50
    assert (tmp_path / "data").read_text() == "a file where a directory should be"
