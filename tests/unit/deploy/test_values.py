"""What a wrong value of the chart is told, without helm: values.schema.json."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from settings import Settings
from tests.yaml_files import read_yaml

CHART = Path(__file__).parents[3] / "deploy" / "helm"
VALUES = read_yaml((CHART / "values.yaml").read_text())
RULES = json.loads((CHART / "values.schema.json").read_text())
SCHEMA = jsonschema_rs.validator_for(RULES)

Change = Callable[[dict[str, Any]], object]


def test_the_chart_s_own_values_fit() -> None:
    SCHEMA.validate(VALUES)


def test_the_chart_takes_each_setting_of_the_parts_and_no_other() -> None:
    assert RULES["definitions"]["settings"]["propertyNames"]["enum"] == sorted(Settings.model_fields)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values.update(worker={}), "'worker' was unexpected"),
        (lambda values: values["workers"].update(ledgers={}), "'ledgers' was unexpected"),
        (lambda values: values["workers"]["ledger"].update(replica=3), "'replica' was unexpected"),
        (lambda values: values["workers"]["ledger"].update(replicas=0), "0 is less than the minimum"),
        (lambda values: values["workers"]["sales"]["autoscaling"].pop("lagRecords"), '"lagRecords" is a required'),
        (lambda values: values["settings"].update(smtp_port=587), '587 is not of type "string"'),
        (lambda values: values["settings"].update(site_urll="https://tickets.example"), "site_urll"),
        (lambda values: values["workers"]["ledger"]["settings"].update(standby="1"), "standby"),
        (lambda values: values["api"].update(memory="lots"), "lots"),
        (lambda values: values["api"]["reaches"].append("internet"), "internet"),
        (lambda values: values["backups"]["ledger-backup"].update(schedule="hourly"), "hourly"),
        (lambda values: values["paper"].update(enabled="yes"), '"yes" is not of type "boolean"'),
        (lambda values: values["stripe"].update(enabled=True), '"" is shorter than 1 character'),
        (lambda values: values["networkPolicies"]["ingress"].update(podSelectors={}), "'podSelectors' was unexpected"),
    ],
)
def test_a_wrong_value_is_named(change: Change, said: str) -> None:
    wrong = deepcopy(VALUES)
    change(wrong)
    with pytest.raises(jsonschema_rs.ValidationError, match=said):
        SCHEMA.validate(wrong)
