"""How is this service told where its mail server, its SMS gateway and its rules are? By environment variables."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from pydantic import Field

from chassis.settings import Told
from notification_service.loading import load, shipped
from notification_service.rules import Rulebook
from notification_service.sms import HttpGateway, SmsGateway

SCHEMES = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class NotificationSettings(Told):
    """What only this service needs; every name begins with SAMORDNA_. Secrets may be files, as the chassis has it."""

    smtp_url: str = Field(
        "smtp://127.0.0.1:25",
        description="Mail server: smtp://host:port (TLS when offered), smtp+starttls:// or smtps://, user:password@",
    )
    smtp_from: str = Field("noreply@samordna.invalid", description="The sender's address of every e-mail")
    smtp_timeout: float = Field(10.0, description="Seconds the mail server may take for one answer", gt=0)
    sms_url: str = Field(
        "", description="SMS gateway: where messages are posted; empty: none, and e-mail or the inbox is used instead"
    )
    sms_token: str = Field("", description="The password with which the SMS gateway knows this service")
    sms_timeout: float = Field(10.0, description="Seconds the SMS gateway may take for one answer", gt=0)
    rules_file: Path | None = Field(None, description="A rule file to use instead of those that are shipped")

    def rulebooks(self) -> list[Rulebook]:
        """The rules to work by. Raises RuleError, which names the file, the rule and the field."""
        return [load(self.rules_file)] if self.rules_file else [load(f) for f in shipped()]

    def sms_gateway(self) -> SmsGateway | None:
        """Where SMS are handed over, None when there is nowhere. Raises ValueError without repeating the setting."""
        if not self.sms_url:
            return None
        url = urlsplit(self.sms_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("SAMORDNA_SMS_URL must begin with https:// or http:// and name a host.")
        return HttpGateway(self.sms_url, self.sms_token, self.sms_timeout)

    def mail_server(self) -> dict[str, object]:
        """What aiosmtplib has to know. Raises ValueError without repeating the setting, which may hold a password."""
        url = urlsplit(self.smtp_url)
        if url.scheme not in SCHEMES or not url.hostname:
            raise ValueError(f"SAMORDNA_SMTP_URL must begin with one of {', '.join(SCHEMES)}:// and name a host.")
        return {
            "hostname": url.hostname,
            "port": url.port or SCHEMES[url.scheme],
            "username": unquote(url.username) if url.username else None,
            "password": unquote(url.password) if url.password else None,
            "use_tls": url.scheme == "smtps",
            "start_tls": {"smtps": False, "smtp+starttls": True}.get(url.scheme),
            "timeout": self.smtp_timeout,
        }
