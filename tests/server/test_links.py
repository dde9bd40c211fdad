"""Where links lead, and the sentences that lead people to the page in the browser."""

import socket

import pytest

from trio_chat.server.links import addresses_of_machine, in_browser
from trio_chat.settings import WebSettings

URL = "https://chat.example.org/chat/"
PIN = "A" * 43


@pytest.mark.parametrize(
    ("link", "url", "page"),
    [
        ("irc://127.0.0.1:55555", "", "http://127.0.0.1:55555/"),
        ("ircs://a.example:6697/tea?invite=x", "", "https://a.example:6697/#tea?invite=x"),
        ("ircs://a.example:6697/tea?invite=x", URL, f"{URL}#tea?invite=x"),
        (f"ircs://a.example:6697?pin={PIN}&invite=x", URL, f"{URL}#?invite=x"),
        ("ircs://a.example:6697", "https://chat.example.org", "https://chat.example.org/"),
        ("token", URL, f"{URL}#?invite=token"),  # of a server that listens on a Unix socket alone
        ("", URL, URL),
    ],
)
def test_the_page_is_where_the_server_is_or_where_a_proxy_has_it(
    link: str, url: str, page: str
) -> None:
    assert in_browser(link, WebSettings(url=url)) == (f"Or open {page} in a browser.",)


@pytest.mark.parametrize(
    ("link", "web"),
    [("token", WebSettings()), ("irc://a.example:6697", WebSettings(enabled=False, url=URL))],
)
def test_nobody_is_led_to_where_no_page_is(link: str, web: WebSettings) -> None:
    assert in_browser(link, web) == ()


def test_only_the_server_itself_has_a_certificate_that_browsers_warn_of() -> None:
    link = f"ircs://a.example:6697?pin={PIN}"
    assert "which warns of the certificate" in in_browser(link, WebSettings())[0]


@pytest.mark.parametrize(
    "url", ["chat.example.org", "ftp://a/", f"{URL}#x", f"{URL}?x", "https:///"]
)
def test_the_address_of_the_page_is_one_of_http(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        WebSettings(url=url)


def test_a_service_that_may_not_ask_for_interfaces_still_has_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbid() -> None:
        raise OSError("Address family not supported by protocol")

    known = {*addresses_of_machine()}
    monkeypatch.setattr(socket, "if_nameindex", forbid)
    assert {*addresses_of_machine()} <= known
