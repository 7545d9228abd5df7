"""Settings of the API: addresses, limits on clients, and how long it waits."""

from pydantic import BaseModel, Field

from settings.types import Bind, Origin, OwnPort, Url, Urls


class ApiSettings(BaseModel):
    """Where the API listens, and its limits."""

    api_bind: Bind = Field("127.0.0.1", description="address that the API listens on")
    api_port: OwnPort = Field(9000, description="port that the API listens on")
    site_url: Origin = Field(
        "http://127.0.0.1:9000", description="public address of the pages; links in mails begin with it"
    )
    api_url: Url = Field("http://127.0.0.1:9000", description="address of the API, for `turnstile status`")
    api_connections: int = Field(
        4_000, ge=1, le=100_000, description="maximum number of connections to the API; further ones get 503"
    )
    api_connections_per_client: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="the same per client (an IPv4 address or an IPv6 /64 network), if there are no proxies",
    )
    cors_origins: Urls | None = Field(
        None,
        description="origins whose scripts may use the API, such as https://shop.example, separated by commas",
    )
    api_metrics_bind: Bind = Field(
        "127.0.0.1", description="address of the API's /metrics; make it reachable for operators only"
    )
    api_metrics_port: OwnPort = Field(9100, description="port of the API's /metrics; 0 for any free port")
    purchase_wait: float = Field(2.0, ge=0, le=30, description="seconds that POST /purchases waits for the decision")
    most_waiting: int = Field(
        1_000,
        ge=1,
        le=10_000,
        description="maximum number of purchases waiting in an API process; further ones get 503",
    )

    @property
    def allowed_origins(self) -> list[str]:
        """The origins whose scripts may use the API, as browsers send them."""
        return [url.strip().rstrip("/") for url in (self.cors_origins or "").split(",") if url.strip()]
