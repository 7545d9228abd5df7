"""compose.stripe.yml: what asks Stripe has its keys and a way out, and nothing else has."""

import json
import subprocess
from pathlib import Path

import pytest

from settings import Settings
from tests.golang import program
from tests.settings_names import variables
from tests.unit.deploy.conftest import FILES
from tests.unit.deploy.conftest import variables as variables_of

ROOT = Path(__file__).parents[3]
ASKING = {"api", "payments", "tools"}


@pytest.mark.parametrize("files", [FILES[:1], FILES], ids=["one broker", "three brokers"])
def test_what_asks_stripe_has_its_keys_and_a_way_out(files: tuple[str, ...]) -> None:
    options = ("-no-interpolation", "-no-path-resolution", "-format", "json")
    command = (program("compose-go"), *options, *files, "compose.stripe.yml")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    services = loaded["services"]
    keys = {"turnstile_stripe_key", "turnstile_stripe_webhook_key"}
    for name, service in services.items():
        told, targets = variables_of(service), {each.get("target", "") for each in service.get("secrets") or ()}
        assert (told.get("TURNSTILE_PAYMENT_PROVIDER") == "stripe") is (name in ASKING), name
        assert (keys <= targets) is (name in ASKING), name
        assert ("stripe" in service["networks"]) is (name in ASKING), name
    assert {key.upper() for key in keys} | set(variables_of(services["api"])) <= variables(Settings) | {
        "TURNSTILE_SECRETS_DIR"
    }
    assert not loaded["networks"]["stripe"].get("internal")
