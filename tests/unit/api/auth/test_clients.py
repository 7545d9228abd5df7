"""Who a client is."""

from api.auth.clients import address_key, client_of


def test_one_network_of_ipv6_is_one_client() -> None:
    assert client_of("2001:db8::1") == client_of("2001:db8::ffff:2") != client_of("2001:db8:0:1::1")
    assert client_of("192.0.2.1") != client_of("192.0.2.2")
    assert client_of(None) == ""


def test_an_address_of_ipv4_is_the_same_client_over_ipv6() -> None:
    assert client_of("::ffff:192.0.2.1") == client_of("192.0.2.1") != client_of("::ffff:192.0.2.2")


def test_all_spellings_of_an_address_are_one() -> None:
    spellings = ("Ada@STRA\u00dfE.example", "ada@xn--strae-oqa.example", "ADA@stra\u00dfe.example")
    assert len({address_key(each) for each in spellings}) == 1
    assert address_key("İDA@buyer.example") == address_key("ida@buyer.example")
    assert address_key("ΝΙΚΟΣ@buyer.example") == address_key("νικοσ@buyer.example")
    assert address_key("no address") == "no address"
