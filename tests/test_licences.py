"""The record of licences names every pinned package in its pinned version, and nothing else."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_record_of_licences_matches_what_is_installed() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    rows = re.findall(
        r"^\| ([\w.-]+) \| (\d[\w.]*) \| (.+?) \|", (ROOT / "docs/licences.md").read_text(), re.MULTILINE
    )
    assert {name: version for name, version, _ in rows} == pinned
    assert len(rows) == len(pinned)


def test_optional_packages_have_their_version_and_licence_on_record() -> None:
    setup = (ROOT / "setup.cfg").read_text()
    record = (ROOT / "docs" / "licences.md").read_text()
    for name in ("pcsc", "postgresql"):
        extra = re.search(rf"^{name} =\n((?:    .+\n)+)", setup, re.MULTILINE)
        assert extra
        for package, version in re.findall(r"^    ([\w.-]+)==(\S+)$", extra[1], re.MULTILINE):
            assert f"{package} {version}, under " in record


def test_every_loaded_model_has_a_licence_on_record() -> None:
    record = (ROOT / "docs" / "licences.md").read_text()
    manifest = (ROOT / "models" / "manifest.toml").read_text()
    files = {path.rsplit("/")[-1] for path in re.findall(r'file = "\w+:([^"]+)"', manifest)}
    assert files
    assert {file for file in files if f"| {file} |" not in record} == set()
