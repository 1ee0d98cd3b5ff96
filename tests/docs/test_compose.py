"""Is docker-compose.yml a compose file, and does it keep what the architecture promises: no default passwords, one user
per task, nothing open that can be closed?"""

import hashlib
import importlib
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chassis.settings import Told

Service = dict[str, Any]
SCHEMA_SUM = "d549057ebc2925f39f62799eab0db7b9e2c18b35b6c00595199116da3ed10e64"
SETTINGS = ("chassis.settings", "plan_service.settings", "meeting_service.settings", "notification_service.settings")


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Service]:
    return compose["services"]


@pytest.fixture(scope="module")
def settings() -> set[str]:
    """Every setting there is, as an environment variable."""
    for module in SETTINGS:
        importlib.import_module(module)
    return {f"SAMORDNA_{name.upper()}" for cls in _below(Told) for name in cls.model_fields}


def _below(cls: type[Told]) -> list[type[Told]]:
    return [cls, *(found for sub in cls.__subclasses__() for found in _below(sub))]


def secret_names(service: Service) -> set[str]:
    return {s if isinstance(s, str) else s["source"] for s in service.get("secrets", [])}


def test_it_fits_the_compose_specification(root: Path, compose: dict[str, Any]) -> None:
    content = (root / "tests/docs/schemas/compose-spec.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SCHEMA_SUM
    schema = json.loads(content)
    found = jsonschema.Draft202012Validator(schema).iter_errors(compose)
    assert [f"{'.'.join(map(str, e.absolute_path))}: {e.message}" for e in found] == []


def test_every_setting_it_gives_exists(services: dict[str, Service], settings: set[str]) -> None:
    given = {name for s in services.values() for name in s.get("environment", {}) if name.startswith("SAMORDNA_")}
    assert len(given) > 5
    assert given <= settings


def test_every_secret_that_is_a_setting_exists(services: dict[str, Service], settings: set[str]) -> None:
    targets = {s["target"] for service in services.values() for s in service.get("secrets", []) if "target" in s}
    assert {f"{t.upper()}" for t in targets if t.startswith("samordna_")} <= settings
    assert "samordna_database_url" in targets


def test_every_setting_named_anywhere_in_the_documents_exists(root: Path, documents: list[Path],
                                                              settings: set[str]) -> None:  # fmt: skip
    files = [*documents, root / "deploy" / "Dockerfile", root / "docker-compose.yml"]
    named = {(f.name, n) for f in files for n in re.findall(r"SAMORDNA_[A-Z_]*[A-Z]", f.read_text(encoding="utf-8"))}
    assert {(f, n) for f, n in named if n not in settings} == set()


def test_no_password_or_key_stands_in_it(compose: dict[str, Any], services: dict[str, Service]) -> None:
    for name, service in services.items():
        for variable, value in service.get("environment", {}).items():
            secret = re.search(r"PASSWORD|SECRET|MASTER_KEY|TOKEN|DATABASE_URL", variable)
            assert not secret or str(value).startswith(("/run/secrets", "/dev/null")), f"{name}: {variable}"
            assert not re.search(r"://[^/]*:[^/]*@", str(value)), f"{name}: {variable}"
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_every_secret_is_made_or_asked_for_by_the_script(root: Path, compose: dict[str, Any]) -> None:
    script = (root / "deploy/secrets.sh").read_text(encoding="utf-8")
    for name, secret in compose["secrets"].items():
        assert secret["file"].endswith(f"/{name}")
        tail = name.removeprefix("case_").removeprefix("meeting_").removeprefix("plan_").removeprefix("notification_")
        assert tail in script, f"{name} is not made by deploy/secrets.sh"


def test_every_secret_is_used_and_every_used_one_is_declared(
    compose: dict[str, Any], services: dict[str, Service]
) -> None:
    assert set[str]().union(*(secret_names(s) for s in services.values())) == set(compose["secrets"])


def test_who_serves_never_holds_the_owners_password(services: dict[str, Service]) -> None:
    for name, service in services.items():
        holds_owner = any("owner" in secret for secret in secret_names(service))
        assert holds_owner == (name.endswith("-migrate") or name == "postgres"), name


def test_a_service_holds_its_own_secrets_only(services: dict[str, Service]) -> None:
    for service in ("case", "plan", "meeting", "notification"):
        for name in (service, f"{service}-migrate"):
            assert all(secret.startswith(f"{service}_") for secret in secret_names(services[name]))


def test_everything_is_limited_closed_and_without_privileges(services: dict[str, Service]) -> None:
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"]), name
        assert not service.get("privileged"), name
        assert "/var/run/docker.sock" not in str(service.get("volumes", "")), name


def test_only_the_services_can_be_reached_and_only_from_this_machine(
    compose: dict[str, Any], services: dict[str, Service]
) -> None:
    assert compose["networks"]["inside"] == {"internal": True}
    for name, service in services.items():
        assert ("outside" in service["networks"]) == (name in ("case", "plan", "meeting", "notification")), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_a_service_waits_for_its_migration_and_the_broker(services: dict[str, Service]) -> None:
    for name in ("case", "plan", "meeting", "notification"):
        assert services[name]["depends_on"] == {
            f"{name}-migrate": {"condition": "service_completed_successfully"},
            "nats": {"condition": "service_healthy"},
        }
        assert services[f"{name}-migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
        assert services[f"{name}-migrate"]["restart"] == "no"


def test_every_part_says_how_it_is_or_why_not(root: Path, services: dict[str, Service]) -> None:
    assert "HEALTHCHECK" in (root / "deploy/Dockerfile").read_text(encoding="utf-8")
    for name, service in services.items():
        built = "build" in service and not name.endswith("-migrate")
        assert built or "healthcheck" in service, name


def test_every_mounted_file_is_there_and_cannot_be_written(root: Path, services: dict[str, Service]) -> None:
    mounts = [v for s in services.values() for v in s.get("volumes", []) if v["type"] == "bind"]
    assert mounts
    for mount in mounts:
        assert (root / mount["source"]).is_file(), mount["source"]
        assert mount["read_only"] is True


def test_no_image_is_whatever_is_newest(root: Path, services: dict[str, Service]) -> None:
    named = [s["image"] for s in services.values() if "build" not in s]
    named += re.findall(r"^ARG PYTHON=(.*)$", (root / "deploy/Dockerfile").read_text(), re.MULTILINE)
    assert len(named) == 4
    for image in named:
        assert re.search(r"[:-]?\d+(\.\d+)*", image), image
        assert "latest" not in image


def test_the_image_takes_in_what_it_copies_and_runs_as_nobody_in_particular(root: Path) -> None:
    dockerfile = (root / "deploy/Dockerfile").read_text(encoding="utf-8")
    allowed = {line[1:] for line in (root / "deploy/Dockerfile.dockerignore").read_text().splitlines()
               if line.startswith("!")}  # fmt: skip
    copied = {source for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, re.MULTILINE)
              for source in line.split()}  # fmt: skip
    assert copied == allowed
    assert all((root / path).exists() for path in copied)
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert "uv sync --package" in dockerfile
    assert "--frozen" in dockerfile
    version = re.search(r"^UV_VERSION := (\S+)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert version is not None
    assert f"uv=={version[1]}" in dockerfile
