"""How is a service told where things are? By environment variables (docs/settings.md), and secrets by files."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

PARTS = ("api", "relay", "listen", "react", "views", "work")


class Told(BaseSettings):
    """What a process is told from outside. Every name starts with SAMORDNA_. What is not in the environment is looked
    for as a file of that name, in lower case, in the folder SAMORDNA_SECRETS_DIR: so a password need not stand in an
    environment.

    What is missing is named; the values of the others, which may be passwords, are never shown with it."""

    model_config = SettingsConfigDict(env_prefix="SAMORDNA_", extra="ignore", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        folder = os.environ.get("SAMORDNA_SECRETS_DIR")
        if not folder:
            return init_settings, env_settings
        if not Path(folder).is_dir():
            raise ValueError(f"SAMORDNA_SECRETS_DIR is {folder}, which is not a folder.")
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder)


class Settings(Told):
    """What every service is told; a service's own settings stand in its `settings.py`."""

    database_url: str = Field(description="PostgreSQL of this service, as the running role")
    keys_database_url: str = Field(description="PostgreSQL of this service's keys, as the running role")
    owner_database_url: str = Field("", description="The same database as its owner; only `migrate` needs it")
    keys_owner_database_url: str = Field("", description="The keys' database as its owner; only `migrate` needs it")
    nats_url: str = Field(description="NATS with this service's user and password")
    master_key_file: Path = Field(description="File with the 32-byte master key in base64")
    issuer: str = Field("", description="The `iss` that tokens must have")
    jwks_url: str = Field("", description="Where the issuer's public keys are")
    audience: str = Field("samordna", description="The `aud` that tokens must have")
    clock: str = Field("system", description="`system`, or `simulated:<file>` in the local stack")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, description="Port to listen on")
    parts: str = Field(",".join(PARTS), description="Which parts this process runs, separated by commas")
    trace_file: Path | None = Field(None, description="Write spans to this file as JSON lines")
    trace_ratio: float = Field(1.0, description="Share of new traces that are sampled, 0 to 1", ge=0, le=1)
    trace_per_second: float = Field(
        50.0, description="New traces that a process samples a second, on average (`inf`: no limit)", gt=0
    )
    log_level: str = Field("info", description="debug, info, warning or error")
    read_wait: float = Field(5.0, description="Seconds a read waits for its view before it answers 503")
    pool_size: int = Field(8, description="Connections to the service's database for reading")
    secrets_dir: Path | None = Field(None, description="Folder with a file for each setting that is kept as a secret")

    def has(self, part: str) -> bool:
        return part in self.parts.split(",")
