"""Every setting of a node, in one frozen tree.

The text under a field is its description: it is shown by ``tinyqq config show`` and makes
docs/reference/settings.md. Where values come from is the matter of :mod:`tinyqq.app.sources`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic.networks import IPvAnyNetwork
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tinyqq.errors import InvalidRequest
from tinyqq.log import LogFormat, LogLevel
from tinyqq.model.connection import Limits
from tinyqq.presence.redis_url import parse_redis_url
from tinyqq.registry.zookeeper_url import parse_zookeeper_url

ENV_PREFIX: Final = "TINYQQ_"
ENV_DELIMITER: Final = "__"

Port = Annotated[int, Field(ge=0, le=65535)]


MEMORY: Final = "memory"
PROXY: Final = "proxy"
Role = Literal["proxy", "user", "friend", "group", "chat", "offline"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
MIN_SECRET_BYTES: Final = 16


def _check_registry(value: str) -> str:
    return _check_url(value, parse_zookeeper_url)


def _check_presence(value: str) -> str:
    return _check_url(value, parse_redis_url)


def _check_url(value: str, parse: Callable[[str], object]) -> str:
    if value != MEMORY:
        try:
            parse(value)
        except InvalidRequest as exc:
            raise ValueError(f"must be {MEMORY} or an {exc.fields['wrong']}") from exc
    return value


def _check_public(*schemes: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in schemes or not parts.hostname):
            raise ValueError(f"must be {schemes[0]}://host:port or {schemes[1]}://host:port")
        return value.rstrip("/")

    return check


def _check_store(value: str) -> str:
    parts = urlsplit(value)
    if "://" in value and (parts.scheme != "s3" or not parts.hostname):
        raise ValueError("must be a folder or s3://bucket/prefix")
    return value


def _split(value: object) -> object:
    """``a, b`` as two items: how a list is written in one environment variable."""
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    return value


class _Part(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ListenSettings(_Part):
    """Where the node listens."""

    host: str = "127.0.0.1"
    """Address to listen on. 127.0.0.1: this machine alone; 0.0.0.0: every network it is in."""
    tcp_port: Port = 7001
    """Port of the TCP protocol. 0: any free one. A default port that is taken moves to the next
    free one; a configured one that is taken is an error."""
    http_port: Port = 7080
    """Port of HTTP and WebSocket; 0 and moving as above."""
    node_port: Port = 7101
    """Port for the other nodes of a cluster. 0: any free one; they learn it from the registry."""
    public_tcp: Annotated[str, AfterValidator(_check_public("tinyqq", "tinyqqs"))] = ""
    """URL by which clients reach the TCP port, `tinyqq(s)://host:port`, as the unit directory tells
    it. Empty: where it listens; if that is every network, at the host by which a client reached
    the directory."""
    public_http: Annotated[str, AfterValidator(_check_public("http", "https"))] = ""
    """The same for HTTP and WebSocket, `http(s)://host:port`."""
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)] = ()
    """Addresses or networks of reverse proxies. They are believed who the client is: by
    X-Forwarded-For on the HTTP port, by the PROXY protocol (version 1 or 2) on the TCP port."""


class TlsSettings(_Part):
    """Encryption of both ports. Without a certificate they speak plainly."""

    cert_file: Path | None = None
    """Certificate chain, PEM. With key_file: both ports speak TLS only."""
    key_file: Path | None = None
    """Private key, PEM, not encrypted."""
    self_signed: bool = False
    """Make a certificate in the data folder at the first start and use it: for a LAN, where
    clients pin its fingerprint."""

    @property
    def is_on(self) -> bool:
        """Whether the ports speak TLS."""
        return self.self_signed or self.cert_file is not None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("tls.cert_file and tls.key_file go together")
        if self.self_signed and self.cert_file is not None:
            raise ValueError("choose one: tls.self_signed or tls.cert_file with tls.key_file")
        return self


class LimitSettings(_Part):
    """What connections may do. Clients are told, and a client that goes beyond is refused or
    closed."""

    max_frame_bytes: int = Field(default=1024 * 1024, ge=4096, le=16 * 1024 * 1024)
    """Largest body of one packet, either way."""
    max_text_chars: int = Field(default=10_000, ge=1)
    """Longest text of a message."""
    max_in_flight: int = Field(default=256, ge=1, le=65_536)
    """Requests of one connection that wait for their answer; one more closes it."""
    idle_timeout_s: float = Field(default=90.0, gt=0)
    """Silence after which a connection is closed. Clients send a heartbeat after a third of it."""
    log_in_timeout_s: float = Field(default=20.0, gt=0)
    """Time from connecting to being logged in."""

    max_connections: int = Field(default=50_000, ge=1)
    """Connections of this node; one more is closed at once."""
    log_ins_per_s: float = Field(default=200.0, ge=0)
    """Log-ins that this node takes, so that those who are here are served while many come back at
    once. More are told when to come, each at another moment; the unit directory sends clients no
    faster either. 0: any number."""
    max_output_bytes: int = Field(default=1024 * 1024, ge=64 * 1024)
    """Bytes that wait for one slow client. Beyond it pushes are dropped, and the client fetches
    what it missed when it reads again."""
    requests_per_s: float = Field(default=200.0, ge=0)
    """Requests of one client, messages not counted. 0: any number."""
    sends_per_s: float = Field(default=5000.0, ge=0)
    """Messages of one client. 0: any number."""

    def to_limits(self) -> Limits:
        """What the protocol tells clients."""
        return Limits(
            max_frame_bytes=self.max_frame_bytes,
            max_text_chars=self.max_text_chars,
            max_in_flight=self.max_in_flight,
            idle_timeout_s=self.idle_timeout_s,
            log_in_timeout_s=self.log_in_timeout_s,
        )


class AccountSettings(_Part):
    """Accounts, passwords and tokens."""

    registration: Literal["open", "invite", "closed"] = "open"
    """Who may make an account: anybody, whoever has the invite code, or nobody but
    `tinyqq user add`."""
    invite_code: SecretStr = SecretStr("")
    """The code that registration = "invite" asks for."""
    sessions_per_kind: int = Field(default=1, ge=0)
    """Sessions that one account may have per kind of device (desktop, mobile, web, cli); the oldest
    gives way to a newer one. 0: any number. Bots may always have any number."""
    log_ins_per_address_per_minute: int = Field(default=100, ge=0)
    """Log-ins by password that one network address may try; a whole school may sit behind one.
    0: any number. Each account also has a limit of its own."""
    registrations_per_address_per_hour: int = Field(default=60, ge=0)
    """Accounts that one network address may make; a wrong invitation code counts as one. 0: any
    number."""
    access_token_lifetime_s: int = Field(default=900, ge=60)
    """How long an access token is good."""
    refresh_token_lifetime_s: int = Field(default=90 * 24 * 3600, ge=3600)
    """How long a device may stay away before it must log in by password again."""
    argon2_memory_kib: int = Field(default=19_456, ge=8)
    """Memory of one password check (Argon2id). Lower it only for load tests."""
    argon2_passes: int = Field(default=2, ge=1)
    """Passes of one password check."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.registration == "invite" and not self.invite_code.get_secret_value():
            raise ValueError('accounts.registration = "invite" needs accounts.invite_code')
        return self


class GroupSettings(_Part):
    """Groups."""

    member_limit: int = Field(default=5000, ge=2, le=100_000)
    """Most members of one group."""


class ClusterSettings(_Part):
    """What the nodes of a cluster have in common. Without a registry it is not used."""

    secret: SecretStr = SecretStr("")
    """By which nodes know each other; the same on all of them, at least 16 bytes."""
    node_name: str = Field(default="", pattern=r"^[A-Za-z0-9_.-]{0,64}$")
    """What this node is called; no two of a cluster the same. Empty: the machine's name and a port.
    """
    advertise: str = ""
    """Host, or host:port, at which the other nodes reach this one; without a port:
    listen.node_port. Empty: listen.host, or the machine's address if that is every network."""
    cert_file: Path | None = None
    """This node's certificate, PEM; it names the host of the advertised address, and is good for
    servers and for clients. With key_file and authority_file: the nodes talk to each other by mTLS,
    and every one of them needs all three."""
    key_file: Path | None = None
    """Its private key, PEM, not encrypted."""
    authority_file: Path | None = None
    """Whose signature on another node's certificate is believed, PEM."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len({self.cert_file is None, self.key_file is None, self.authority_file is None}) > 1:
            raise ValueError(
                "cluster.cert_file, cluster.key_file and cluster.authority_file go together"
            )
        return self


class DrainSettings(_Part):
    """How a node leaves while others live: its clients are told where to go, and when."""

    window_s: float = Field(default=10.0, ge=0)
    """Over how long its clients leave, one after the other; longer if the others could not take
    them so fast (limits.log_ins_per_s)."""
    grace_s: float = Field(default=5.0, ge=0)
    """How long after that it waits for those who have not left."""


class HelperSettings(_Part):
    """The built-in helper account, 小Q (number 10000)."""

    enabled: bool = True
    """Whether every newcomer has it as a friend, and it answers."""


class HttpSettings(_Part):
    """The HTTP port."""

    metrics: bool = True
    """Whether /metrics is served. It is meant for the inside: keep it from the public."""
    web_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    """Origins (https://chat.example) of pages of other sites that may log in by password and make
    accounts, over the WebSocket. Who brings a token may from anywhere."""


class MediaSettings(_Part):
    """Files and pictures that messages refer to."""

    store: Annotated[str, AfterValidator(_check_store)] = ""
    """Where they lie. Empty: the folder `media` in the data folder. A path: that folder; the nodes
    of a cluster need one that all of them have mounted. `s3://bucket/prefix`: a bucket (needs
    tinyqq[s3])."""
    s3_endpoint: Annotated[str, AfterValidator(_check_public("https", "http"))] = ""
    """URL of the bucket's server, if it is not Amazon's."""
    s3_region: str = ""
    """Its region. Empty: as AWS_REGION says."""
    s3_access_key: str = ""
    """The key's name. Empty: as AWS_ACCESS_KEY_ID or the machine's role says."""
    s3_secret_key: SecretStr = SecretStr("")
    """The key itself. Empty: as AWS_SECRET_ACCESS_KEY or the machine's role says."""
    max_bytes: int = Field(default=100 * 1024 * 1024, ge=1, le=16 * 1024**3)
    """The largest file. Pictures: 32 MiB at most."""
    types: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ("*/*",)
    """Media types that are taken, as `image/*` or `application/pdf`; `*/*`: all."""
    quota_bytes: int = Field(default=2 * 1024**3, ge=0)
    """What the files of one account may take up together. 0: any number."""


class LogSettings(_Part):
    """The log, on stderr."""

    format: LogFormat = "auto"
    """console (for people), json (for machines), or auto: console on a terminal."""
    level: LogLevel = "info"
    """The least that is logged."""


class Settings(BaseSettings):
    """The whole tree. Made by :func:`tinyqq.app.sources.load_settings`, handed down as parts."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter=ENV_DELIMITER,
    )

    data_dir: Path = Path("data")
    """Folder of the embedded database and the self-signed certificate."""
    database_url: str = ""
    """Where messages and accounts are kept. Empty: an SQLite file, tinyqq.db, in the data folder.
    `mysql+asyncmy://user:password@host1,host2/database`: MariaDB or MySQL (needs tinyqq[cluster]);
    hosts are tried in turn, and `tinyqq migrate` makes the tables."""
    registry: Annotated[str, AfterValidator(_check_registry)] = MEMORY
    """Who knows which nodes live. memory: this process, a cluster of one.
    `zookeeper://[user:password@]host1,host2/chroot`: the nodes of a cluster (needs
    tinyqq[cluster]); clusters with different chroots do not see each other."""
    registry_session_timeout_s: float = Field(default=6.0, ge=1.0, le=60.0)
    """How long after its death the others still take a node for alive. ZooKeeper's own limits
    (minSessionTimeout) may make it longer."""
    presence: Annotated[str, AfterValidator(_check_presence)] = MEMORY
    """Who knows where users are. memory: this process. `redis://[:password@]host/0`,
    `redis+sentinel://host1,host2/name` or `redis+cluster://host1,host2`: the nodes of a cluster
    (needs tinyqq[cluster]); `?prefix=name` keeps several clusters apart in one Redis."""
    roles: Annotated[tuple[Role, ...], NoDecode, BeforeValidator(_split)] = ROLES
    """What this node does, of proxy, user, friend, group, chat, offline: `roles = ["user"]` is a
    UserServer beside the units of a cluster. proxy: it takes clients."""
    listen: ListenSettings = ListenSettings()
    cluster: ClusterSettings = ClusterSettings()
    drain: DrainSettings = DrainSettings()
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()
    accounts: AccountSettings = AccountSettings()
    groups: GroupSettings = GroupSettings()
    helper: HelperSettings = HelperSettings()
    http: HttpSettings = HttpSettings()
    media: MediaSettings = MediaSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _check_cluster(self) -> Self:
        secret = self.cluster.secret.get_secret_value()
        if self.registry != MEMORY and len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"cluster.secret: needs {MIN_SECRET_BYTES} bytes with this registry")
        if not self.roles:
            raise ValueError(f"roles: at least one of {', '.join(ROLES)}")
        if self.registry == MEMORY and set(self.roles) != set(ROLES):
            raise ValueError("roles: without a registry nobody else can have the others")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *args: PydanticBaseSettingsSource,
        **kwargs: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments alone: :func:`tinyqq.app.sources.load_settings` has gathered the rest."""
        return (init_settings,)

    @property
    def database(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{self.data_dir / 'tinyqq.db'}"
