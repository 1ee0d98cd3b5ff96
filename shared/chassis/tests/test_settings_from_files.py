"""Can a service be told its secrets by files, and does it keep quiet about them when something is missing?"""

from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.migrating import app_role
from chassis.settings import Settings

PASSWORD = "p4ssword"  # made up, for looking for it where it must not be
SECRETS = {
    "samordna_database_url": f"postgresql://plan_app:{PASSWORD}@postgres/plan\n",
    "samordna_keys_database_url": f"postgresql://plan_app:{PASSWORD}@postgres/plan_keys\n",
    "samordna_nats_url": f"nats://plan:{PASSWORD}@nats:4222\n",
    "somebody_elses": "not ours",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as containers get it under /run/secrets, and nothing else in the environment but where it is."""
    for name in ("DATABASE_URL", "KEYS_DATABASE_URL", "NATS_URL", "MASTER_KEY_FILE"):
        monkeypatch.delenv(f"SAMORDNA_{name}", raising=False)
    for name, content in SECRETS.items():
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("SAMORDNA_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("SAMORDNA_MASTER_KEY_FILE", str(tmp_path / "master_key"))
    return tmp_path


def test_a_secret_is_read_from_its_file_without_the_line_end(folder: Path) -> None:
    settings = Settings()  # type: ignore[call-arg]
    assert settings.database_url == f"postgresql://plan_app:{PASSWORD}@postgres/plan"
    assert settings.nats_url == f"nats://plan:{PASSWORD}@nats:4222"
    assert settings.secrets_dir == folder


def test_the_environment_goes_before_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMORDNA_NATS_URL", "nats://elsewhere")
    assert Settings().nats_url == "nats://elsewhere"  # type: ignore[call-arg]


def test_a_migration_finds_the_running_role_in_the_file(folder: Path) -> None:
    assert app_role() == '"plan_app"'


def test_a_missing_secret_is_named_and_the_others_are_not_shown(folder: Path) -> None:
    (folder / "samordna_keys_database_url").unlink()
    with pytest.raises(ValidationError) as told:
        Settings()  # type: ignore[call-arg]
    assert "keys_database_url" in str(told.value)
    assert PASSWORD not in str(told.value)


def test_a_folder_that_is_not_there_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMORDNA_SECRETS_DIR", str(folder / "nowhere"))
    with pytest.raises(ValueError, match="nowhere, which is not a folder"):
        Settings()  # type: ignore[call-arg]
