"""How is a service told where things are? By environment variables, each listed in docs/settings.md."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PARTS = ("api", "relay", "listen", "react", "views", "work")


class Settings(BaseSettings):
    """Every setting starts with SAMORDNA_. A secret can be given as a file: SAMORDNA_SECRETS_DIR/<name>."""

    model_config = SettingsConfigDict(env_prefix="SAMORDNA_", extra="ignore")

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
    trace_ratio: float = Field(0.1, description="Share of new traces that are sampled, 0 to 1", ge=0, le=1)
    log_level: str = Field("info", description="debug, info, warning or error")
    read_wait: float = Field(5.0, description="Seconds a read waits for its view before it answers 503")
    pool_size: int = Field(8, description="Connections to the service's database for reading")

    def has(self, part: str) -> bool:
        return part in self.parts.split(",")
