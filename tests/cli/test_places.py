"""What can be written for a host, a port and a room, and what it means."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat import Settings, SettingsError, open_chat
from trio_chat.cli import trust
from trio_chat.cli.configure import load
from trio_chat.settings import ClientSettings
from trio_chat.settings.pins import pin_in_link, read_pin, shown_pin
from trio_chat.settings.places import Place, read_place


def where(**options: str) -> tuple[str, int, str]:
    settings = load({name.replace("_", "."): v for name, v in options.items()}, (), None).settings
    return settings.host, settings.port, settings.client.room


def complaint(**options: str) -> str:
    with pytest.raises(SettingsError) as caught:
        where(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


PIN = "ab" * 32

PLACES = [
    ("chat.example", "chat.example", 55555, "#lobby"),
    ("chat.example:6000", "chat.example", 6000, "#lobby"),
    ("127.0.0.1:6000", "127.0.0.1", 6000, "#lobby"),
    ("::1", "::1", 55555, "#lobby"),
    ("[::1]", "::1", 55555, "#lobby"),
    ("[::1]:6000", "::1", 6000, "#lobby"),
    ("fe80::1%eth0", "fe80::1%eth0", 55555, "#lobby"),
    ("[fe80::1%eth0]:6000", "fe80::1%eth0", 6000, "#lobby"),
    ("*:6000", "*", 6000, "#lobby"),
    ("[::]:0", "::", 0, "#lobby"),
    ("unix:/run/chat:1", "unix:/run/chat:1", 55555, "#lobby"),
    ("irc://chat.example", "chat.example", 6667, "#lobby"),
    ("irc://chat.example/", "chat.example", 6667, "#lobby"),
    ("IRC://chat.example/python", "chat.example", 6667, "#python"),
    ("irc://chat.example:6000/python", "chat.example", 6000, "#python"),
    ("irc://chat.example:6000/#python", "chat.example", 6000, "#python"),
    ("irc://chat.example:6000#python", "chat.example", 6000, "#python"),
    ("irc://chat.example:6000/##python", "chat.example", 6000, "##python"),
    ("irc://chat.example:6000/%23gr%C3%BCn", "chat.example", 6000, "#grün"),
    ("irc://chat.example/&local", "chat.example", 6667, "&local"),
    ("irc://chat.example/python,ischannel,needpass", "chat.example", 6667, "#python"),
    ("irc://[::1]:6000/python", "::1", 6000, "#python"),
    ("irc://chat.example/a?x=y", "chat.example", 6667, "#a"),  # for clients newer than we are
    ("ircs://chat.example", "chat.example", 6697, "#lobby"),
    ("IRCS://chat.example:6000/#python?x=y&z", "chat.example", 6000, "#python"),
    ("ircs://[fe80::1%eth0]:6000?x", "fe80::1%eth0", 6000, "#lobby"),
    ("ircs://chat.example/a%3Fb", "chat.example", 6697, "#a?b"),
    ("https://chat.example:6000/", "chat.example", 6000, "#lobby"),
    ("https://chat.example:6000/#?invite=abc", "chat.example", 6000, "#lobby"),
    ("HTTPS://chat.example/#tea?invite=abc", "chat.example", 443, "#tea"),
    ("http://127.0.0.1:6000/#tea", "127.0.0.1", 6000, "#tea"),
]


@pytest.mark.parametrize(("text", "host", "port", "room"), PLACES)
def test_a_place(text, host, port, room, monkeypatch):
    assert where(host=text) == (host, port, room)
    monkeypatch.setenv("TRIO_CHAT_HOST", text)
    assert where() == (host, port, room)
    settings = Settings()
    assert (settings.host, settings.port, settings.client.room) == (host, port, room)


def test_a_link_may_be_copied_from_the_source_of_a_page() -> None:
    place = read_place(f"ircs://chat.example?pin={PIN}&amp;invite=abc")
    assert (place.pin, place.invite) == (PIN, "abc")


def test_the_address_of_the_page_is_as_good_as_a_link() -> None:
    page = read_place("https://chat.example:6000/#tea?invite=abc")
    assert page == read_place("ircs://chat.example:6000/tea?invite=abc")
    assert read_place("http://[::1]:6000/#?invite=abc").tls == "off"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("chat.example:", "the port must be a number"),
        ("chat.example:x", "the port must be a number"),
        ("chat.example:65536", "the port must be a number"),
        ("chat.example:-1", "the port must be a number"),
        ("chat.example:1:2", "the port must be a number"),
        ("[::1]:", "the port must be a number"),
        (":6000", "must be a name, an address"),
        ("[::1", "must be a name, an address"),
        ("[::1]6000", "must be a name, an address"),
        ("[chat.example]", "must be a name, an address"),
        ("chat.example/python", "with a room it is a link: ircs://HOST:PORT/ROOM"),
        ("chat.example:6000/#python", "with a room it is a link"),
        ("irc://", "must be a name, an address"),
        ("https://chat.example/chat/", "open it in a browser"),
        ("tls://chat.example", "the only URLs are ircs://HOST:PORT/ROOM"),
        ("irc://chat.example/a,needkey", "use /join ROOM KEY"),
        ("irc://chat.example/a?key=b", "use /join ROOM KEY"),
        ("ircs://chat.example/a?pin=0&key=b", "use /join ROOM KEY"),
        ("ircs://chat.example?pin=abc", "its pin must be the SHA-256 of a certificate"),
        ("ircs://chat.example?pin=", "64 hexadecimal digits"),
        (f"ircs://chat.example?pin={PIN}&pin={'b' * 64}", "a link has one pin"),
        (f"irc://chat.example?pin={PIN}", "a link with a pin begins with ircs://"),
        ("ircs://chat.example/a%0Ab", "cannot be a room"),
        ("ircs://chat.example/a%00", "cannot be a room"),
        (f"ircs://chat.example/{'a' * 300}", "cannot be a room"),
        ("ircs://chat.example:6697x", "the port must be a number"),
        ("irc://chat.example/a,b", "'b' after the room means nothing here"),
        ("irc://chat.example/al,isnick", "names a person"),
        ("irc://chat.example?invite=ab cd", "a link has no blanks or line breaks in it"),
    ],
)
def test_what_is_no_place(text, why):
    line = complaint(host=text)
    assert line.startswith(f"--host {text}: ")
    assert why in line


@pytest.mark.parametrize(
    "text",
    [
        "irc://al:secret@h",
        "irc://secret@h",
        "irc://al:secret/@h",
        "al:secret@h",
        "ircs://al:secret@h",
    ],
)
def test_a_password_in_an_address_is_never_shown(text, monkeypatch):
    line = complaint(host=text)
    assert "(hidden)@h: " in line
    monkeypatch.setenv("TRIO_CHAT_HOST", text)
    assert "secret" not in line + complaint()
    with pytest.raises(ValueError, match="host ") as caught:
        open_chat(text, nick="al")
    assert "secret" not in str(caught.value)


def test_what_holds_a_password_instead_is_told():
    assert complaint(host="irc://al:secret@h").endswith(
        "or a password; set TRIO_CHAT_CLIENT__NICK and TRIO_CHAT_CLIENT__PASSWORD"
    )


@given(st.text(max_size=20) | st.from_regex(r"(irc://)?\[?[a-f0-9:.]{0,9}\]?(:\d*)?(/#?.*)?"))
def test_whatever_is_written_is_a_place_or_a_sentence(text):
    try:
        place: Place | str = read_place(text)
    except ValueError as error:
        place = str(error)
    assert isinstance(place, Place) or place.isprintable()


HOSTS = st.sampled_from(
    ["chat.example", "127.0.0.1", "::1", "fe80::1%eth0", "CHAT", "xn--bcher-kva"]
)
NAMES = st.text(st.characters(exclude_characters=",:"), min_size=1, max_size=20).filter(
    lambda name: name.isprintable() and " " not in name
)


@given(
    HOSTS,
    st.sampled_from(["", "6697", "55555"]),
    st.just("") | NAMES.map("#{}".format) | NAMES.map("&{}".format),
    st.just("") | st.binary(min_size=32, max_size=32).map(bytes.hex),
)
def test_a_link_means_what_it_was_made_of(host, port, room, pin):
    place = Place(host, port, room, "ircs", pin)
    assert read_place(str(place)) == place
    assert read_place(f"{place}{'&' if pin else '?'}new=1&x") == place


def test_a_link_is_as_short_as_it_can_be():
    link = "ircs://chat.example:55555/#tea?pin=q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s"
    assert str(Place("chat.example", "55555", "#tea", "ircs", PIN)) == link


@pytest.mark.parametrize(
    "text",
    [
        PIN,
        PIN.upper(),
        ":".join(["AB"] * 32),
        f"SHA256:{PIN}",
        f"sha256={PIN}",
        "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s",
        "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s=",
    ],
)
def test_a_pin_may_be_written_in_every_usual_way(text):
    assert read_pin(text) == PIN


@given(st.binary(min_size=32, max_size=32))
def test_a_pin_is_the_same_wherever_it_is_shown(digest):
    pin = digest.hex()
    assert read_pin(shown_pin(pin)) == read_pin(pin_in_link(pin)) == pin
    assert read_pin(base64.b64encode(digest).decode()) == pin


@given(st.text(max_size=80))
def test_whatever_is_written_is_a_pin_or_a_sentence(text):
    try:
        pin = read_pin(text)
    except ValueError as error:
        pin = str(error)
    assert pin.isprintable()
    assert len(pin) == 64 or "64 hexadecimal digits" in pin


def test_a_link_says_whether_tls_is_spoken():
    def trusted(**options: str) -> tuple[str, str]:
        named = {name.replace("_", ".", 1): v for name, v in options.items()}
        client = load(named, (), None).settings.client
        return client.tls, client.pin

    assert trusted(host="ircs://h") == ("on", "")
    assert trusted(host="irc://h") == ("off", "")
    assert trusted(host="h") == ("auto", "")
    assert trusted(host=f"ircs://h?pin={PIN}") == ("on", PIN)
    assert trusted(host=f"ircs://h?pin={PIN}", client_pin=f"SHA256:{PIN}") == ("on", PIN)
    assert trusted(host="ircs://h", client_pin=PIN) == ("on", PIN)
    assert Settings(host=f"ircs://h/a?pin={PIN}").client.pin == PIN


def test_what_a_link_says_goes_with_it(monkeypatch):
    """A link in the environment says nothing of a server that is named on the command line."""
    monkeypatch.setenv("TRIO_CHAT_HOST", "irc://there.example:7000/python")
    settings = load({"host": "here.example"}, (), None).settings
    assert (settings.host, settings.port) == ("here.example", 55555)
    assert (settings.client.tls, settings.client.room) == ("auto", "#lobby")


def test_a_link_is_an_argument():
    settings = load({"link": "ircs://h:6000/python"}, (), None).settings
    assert (settings.host, settings.port, settings.client.room) == ("h", 6000, "#python")
    assert complaint(link="ircs://h:x").startswith("ircs://h:x: the port must be")
    assert (
        complaint(link="ircs://h", host="h") == "where to go is either a link or --host, not both"
    )


def test_the_same_port_twice_is_no_contradiction():
    assert where(host="chat.example:6000", port="6000")[1] == 6000
    assert where(host="irc://chat.example/python", port="6000")[1] == 6000
    assert where(host="irc://h/python", client_room="python")[2] == "#python"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"host": "h:6000", "port": "7000"}, "--port 7000"),
        ({"host": "[::1]:6000", "port": "7000"}, "--port 7000"),
        ({"host": "irc://h:6000", "port": "7000"}, "--port 7000"),
        ({"host": "irc://h/python", "client_room": "#rust"}, "--room #rust"),
        ({"host": "ircs://h", "client_tls": "off"}, "--tls off"),
        ({"host": "irc://h", "client_tls": "on"}, "--tls on"),
        ({"host": f"ircs://h?pin={PIN}", "client_pin": "b" * 64}, f"--pin {'b' * 64}"),
        ({"host": f"ircs://h?pin={PIN}", "client_pin": "b"}, "--pin b"),
    ],
)
def test_a_contradiction_is_told(options, name):
    assert complaint(**options) == (f"--host {options['host']}: {name} contradicts it")


def test_what_is_nearer_wins(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_PORT", "7000")
    assert where(host="h:6000")[1] == 6000
    assert where(host="irc://h")[1] == 7000
    monkeypatch.setenv("TRIO_CHAT_HOST", "elsewhere:7000")
    assert where(port="6000") == ("elsewhere", 6000, "#lobby")


def test_in_a_program_too():
    with pytest.raises(SettingsError, match="contradict each other"):
        Settings(host="h:6000", port=7000)
    assert Settings(host="irc://h/python", client=ClientSettings()).client.room == "#python"
    assert Settings(host="irc://h/a", client=ClientSettings(room="#b")).client.room == "#b"


@pytest.mark.parametrize(
    ("room", "name"),
    [("python", "#python"), ("#python", "#python"), ("##python", "##python"), ("&here", "&here")],
)
def test_a_room_may_be_written_without_its_first_character(room, name):
    assert where(client_room=room)[2] == name


@pytest.mark.parametrize("room", ["", "#", "two words", "a,b", "#\x07"])
def test_what_is_no_room(room):
    assert complaint(client_room=room).startswith("--room ")


@pytest.mark.parametrize("options", [{"port": "0"}, {"host": "*"}, {"host": "h:0"}])
def test_where_no_client_can_go(options):
    with pytest.raises(SettingsError):
        trust.for_client(load(options, (), None))
    trust.for_server(load(options, (), None))


def test_a_folder_that_names_a_place_gets_no_password(monkeypatch, tmp_path, capsys):
    (tmp_path / ".env").write_text("TRIO_CHAT_HOST=irc://there.example/python\n")
    monkeypatch.setenv("TRIO_CHAT_CLIENT__PASSWORD", "hunter2")
    settings = trust.for_client(load({}, (), None))
    assert settings.client.password.get_secret_value() == ""
    assert "there.example:6667" in capsys.readouterr().err


def test_what_is_wrong_with_a_setting_is_told_without_its_value() -> None:
    with pytest.raises(SettingsError, match=r"^client\.password \(TRIO_CHAT_CLIENT__") as caught:
        Settings(client={"password": "open sesame "})
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"PORT": "1x"}, "port (TRIO_CHAT_PORT): must be a whole number from 0 up to 65535"),
        (
            {"LIMITS__ROOMS": "0", "LOG__LEVEL": "loud"},
            "limits.rooms (TRIO_CHAT_LIMITS__ROOMS): must be a whole number from 1 up to 1000000\n"
            "log.level (TRIO_CHAT_LOG__LEVEL): must be one of debug, info, warning, error",
        ),
        ({"HOST": "there:6000", "PORT": "6001"}, "'there:6000' and port 6001 contradict"),
        ({"LIMITS": '{"rooms": 0}'}, "limits.rooms (TRIO_CHAT_LIMITS__ROOMS): must be"),
        ({"LIMITS": "7"}, "limits"),
    ],
)
def test_a_program_is_told_in_a_line_each_what_is_wrong(variables, why, monkeypatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"TRIO_CHAT_{name}", value)
    with pytest.raises(SettingsError) as caught:
        Settings()
    assert why in str(caught.value)
    assert str(caught.value).count("\n") == why.count("\n")
