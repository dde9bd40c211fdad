"""What load() makes of options, environment and env file, and what it says when they are wrong."""

import re
from functools import reduce
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from processes import run
from trio_chat import Settings, SettingsError
from trio_chat.cli.configure import about, example_file, load, table
from trio_chat.server.passwords import hash_password
from trio_chat.settings import PREFIX
from trio_chat.settings.described import Setting, all_settings, shown
from trio_chat.settings.places import Address

ROOT = Path(__file__).parents[2]
SETTINGS = {setting.name: setting for setting in all_settings(Settings)}
NUMBERS = [s for s in SETTINGS.values() if s.field.annotation in (int, float)]


@pytest.fixture
def env_file(tmp_path):
    """Writes an env file of these lines and gives its path."""

    def write(*lines: str) -> Path:
        path = tmp_path / "settings.env"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


def complaints(*assignments: str, env_file: Path | None = None, **options: str) -> list[str]:
    """The lines that load() complains in."""
    with pytest.raises(SettingsError) as caught:
        load(options, assignments, env_file)
    return str(caught.value).splitlines()


def complaint(*assignments: str, env_file: Path | None = None, **options: str) -> str:
    [line] = complaints(*assignments, env_file=env_file, **options)
    return line


def bounds(setting: Setting) -> dict[str, float]:
    return {
        kind: getattr(bound, kind)
        for bound in setting.field.metadata
        for kind in ("ge", "gt", "le", "lt")
        if hasattr(bound, kind)
    }


# ── where a value comes from ───────────────────────────────────────────────────────────────


def test_everything_has_a_default():
    configuration = load({}, (), None)
    assert configuration.settings == Settings()
    assert configuration.settings.host == "127.0.0.1"
    assert configuration.settings.port == 55555
    assert set(configuration.origins) == set(SETTINGS)
    assert set(configuration.origins.values()) == {"default"}


def test_each_layer_wins_over_the_next(monkeypatch, env_file):
    file = env_file("TRIO_CHAT_PORT=1", "TRIO_CHAT_HOST=in-file", "TRIO_CHAT_LIMITS__ROOMS=1")
    monkeypatch.setenv("TRIO_CHAT_PORT", "2")
    monkeypatch.setenv("TRIO_CHAT_HOST", "in-environment")
    configuration = load({"port": "3", "host": None}, (), file)
    settings, origins = configuration.settings, configuration.origins
    assert (settings.port, origins["port"]) == (3, "command line")
    assert (settings.host, origins["host"]) == ("in-environment", "environment")
    assert (settings.limits.rooms, origins["limits.rooms"]) == (1, str(file))
    assert (settings.encoding, origins["encoding"]) == ("utf-8", "default")


def test_layers_meet_inside_a_section(monkeypatch, env_file):
    file = env_file("TRIO_CHAT_LIMITS__ROOMS=1", "TRIO_CHAT_LIMITS__CONNECTIONS=1")
    monkeypatch.setenv("TRIO_CHAT_LIMITS__CONNECTIONS", "2")
    limits = load({}, ["limits.line_bytes=100"], file).settings.limits
    assert (limits.rooms, limits.connections, limits.line_bytes) == (1, 2, 100)


def test_set_takes_every_setting():
    """Also that there is no secret: it may be set elsewhere."""
    defaults = [f"{s.name}={s.default}" for s in SETTINGS.values()]
    configuration = load({}, defaults, None)
    assert configuration.settings == Settings()
    assert set(configuration.origins.values()) == {"command line"}


SECRETS = [setting.name for setting in SETTINGS.values() if setting.lets_in]


@pytest.mark.parametrize("name", SECRETS)
def test_set_takes_no_secret(name):
    """Others can read the command line. What is said names where it may be, and not what it is."""
    with pytest.raises(SettingsError) as refused:
        load({}, [f"{name}=open-sesame"], None)
    told = str(refused.value)
    assert f"set {SETTINGS[name].variable} in the environment or a file" in told
    assert (f"or {name}_command" in told) is (f"{name}_command" in SETTINGS)
    assert "\n" not in told
    assert "sesame" not in told


def test_set_takes_hashes():
    """Nobody gets in by one."""
    hashed = hash_password("open-sesame")
    load({}, [f"server.password={hashed}", f"irc.operators=boss={hashed}"], None)


COMMANDS = [
    *(["server"], ["client"], ["config"], ["invite"], ["health"], ["admin"]),
    *(["history", "check"], ["history", "export"], ["history", "backup", "copy"]),
    ["history", "restore", "copy"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_no_command_takes_a_secret(command):
    done = await run(*command, "--set", "nodes.password=open-sesame")
    assert (done.code, done.out, done.err.count("\n")) == (78, "", 1)
    assert "TRIO_CHAT_NODES__PASSWORD" in done.err
    assert "sesame" not in done.err


def test_a_value_may_hold_an_equals_sign():
    assert load({}, ["client.nick=a=b"], None).settings.client.nick == "a=b"


def test_dot_env_is_read_where_it_is_and_unless_another_is_named(tmp_path, env_file):
    (tmp_path / ".env").write_text("TRIO_CHAT_PORT=1\n")
    found = load({}, (), None)
    assert (found.settings.port, found.origins["port"]) == (1, ".env")
    assert load({}, (), env_file("TRIO_CHAT_PORT=2")).settings.port == 2


def test_names_are_known_in_any_case(monkeypatch, env_file):
    monkeypatch.setenv("trio_chat_port", "1")
    configuration = load({}, (), env_file("trio_chat_limits__rooms=2"))
    assert (configuration.settings.port, configuration.settings.limits.rooms) == (1, 2)
    assert configuration.origins["port"] == "environment"


def test_an_env_file_may_hold_other_programs_variables(env_file):
    file = env_file("# a comment", "", "export TRIO_CHAT_PORT='1'", "PORT=2", "HOST=elsewhere")
    settings = load({}, (), file).settings
    assert (settings.port, settings.host) == (1, "127.0.0.1")


def test_an_env_file_may_begin_with_a_byte_order_mark(tmp_path):
    file = tmp_path / "notepad.env"
    file.write_bytes(b"\xef\xbb\xbfTRIO_CHAT_PORT=1\r\nTRIO_CHAT_HOST=there\r\n")
    settings = load({}, (), file).settings
    assert (settings.port, settings.host) == (1, "there")


def test_the_variable_that_names_the_env_file_is_no_mistake(monkeypatch, env_file):
    monkeypatch.setenv("TRIO_CHAT_ENV_FILE", str(env_file()))
    assert load({}, (), None).settings == Settings()


# ── misspelt names ─────────────────────────────────────────────────────────────────────────


def test_a_misspelt_name_in_the_environment(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_PROT", "1")
    assert complaint() == (
        "TRIO_CHAT_PROT in the environment is not a setting. Did you mean TRIO_CHAT_PORT?"
    )


def test_a_misspelt_name_in_the_env_file(env_file):
    file = env_file("TRIO_CHAT_LIMITS_ROOMS=1")
    assert complaint(env_file=file) == (
        f"TRIO_CHAT_LIMITS_ROOMS in {file}, line 1 is not a setting. "
        "Did you mean TRIO_CHAT_LIMITS__ROOMS?"
    )


def test_a_misspelt_name_in_set():
    assert complaint("limits.linebytes=100") == (
        "--set limits.linebytes: there is no such setting. Did you mean limits.line_bytes?"
    )


@pytest.mark.parametrize("name", ["TRIO_CHAT_LIMITS", "TRIO_CHAT_LIMITS__ROOMS__MOST"])
def test_a_section_or_part_of_a_setting_is_none(monkeypatch, name):
    monkeypatch.setenv(name, "{}")
    assert complaint().startswith(f"{name} in the environment is not a setting. Did you mean ")


def test_a_name_like_no_other_points_to_the_list(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_ZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZZ", "1")
    assert complaint().endswith("is not a setting. 'trio-chat config' lists all of them")


def test_set_without_a_value():
    assert complaint("port") == "--set port: write it as NAME=VALUE"


# ── values out of bounds ───────────────────────────────────────────────────────────────────

BEYOND = [
    (setting, value)
    for setting in NUMBERS
    for kind, bound in bounds(setting).items()
    for value in [str(bound + {"ge": -1, "gt": 0, "le": 1, "lt": 0}[kind])]
]


@pytest.mark.parametrize(("setting", "value"), BEYOND, ids=lambda x: getattr(x, "name", x))
def test_a_number_out_of_bounds_gives_one_telling_line(setting, value):
    line = complaint(f"{setting.name}={value}")
    assert line.startswith(f"--set {setting.name}={value}: must be a ")
    assert setting.unit in line
    assert str(bounds(setting)["le"]) in line


# What else must be set with some settings.
NEEDED = {"tls.sts_days": ["tls.certificate=file", "tls.key=file"]}


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
def test_both_bounds_can_be_had_unless_one_is_excluded(setting):
    for kind in {"ge", "le"} & set(bounds(setting)):
        value = bounds(setting)[kind]
        needed = NEEDED.get(setting.name, [])
        settings = load({}, [f"{setting.name}={value}", *needed], None).settings
        assert reduce(getattr, setting.name.split("."), settings) == value


@pytest.mark.parametrize("name", ["port", "limits.messages_per_second"])
@pytest.mark.parametrize("value", ["", "abc", "nan", "inf", "-inf", "1e999", "0x10", "ten"])
def test_what_is_no_number_is_refused(name, value):
    assert complaint(f"{name}={value}").startswith(f"--set {name}={value}: ")


def test_the_line_names_where_the_value_is_from(monkeypatch, env_file):
    monkeypatch.setenv("TRIO_CHAT_PORT", "abc")
    assert complaint() == (
        "TRIO_CHAT_PORT=abc (environment): must be a whole number from 0 up to 65535"
    )
    monkeypatch.delenv("TRIO_CHAT_PORT")
    file = env_file("TRIO_CHAT_PORT=abc")
    assert complaint(env_file=file).startswith(f"TRIO_CHAT_PORT=abc ({file}): ")
    assert complaint(port="abc").startswith("--port abc: ")


def test_a_choice_names_what_there_is():
    assert complaint("log.level=loud") == (
        "--set log.level=loud: must be one of debug, info, warning, error"
    )


def test_a_switch_names_what_it_takes():
    assert complaint("client.retry=perhaps") == (
        "--set client.retry=perhaps: must be true or false"
    )


@pytest.mark.parametrize("path", ["off", "none", "unix:/run/admin", "127.0.0.1:1", "admin.sock"])
def test_what_is_no_path_for_the_socket_of_operators(path):
    """It would be one in the current folder, where nobody looks for it."""
    assert complaint(f"ops.admin={path}") == (
        f"--set ops.admin={path}: must be auto, a path from / or ~ on, or empty"
    )


@pytest.mark.parametrize("path", ["auto", "", "/run/chat/admin", "~/admin"])
def test_a_path_for_the_socket_of_operators(path):
    assert load({}, [f"ops.admin={path}"], None).settings.ops.admin == path


@pytest.mark.parametrize("host", ["", "unix:", "two words", "a\tb"])
def test_a_bad_host(host):
    assert complaint(host=host).endswith(
        ": must be a name, an address, unix:PATH, or * for a server"
    )


@pytest.mark.parametrize("host", ["localhost", "::1", "*", "unix:/tmp/chat", "192.0.2.1"])
def test_a_good_host(host):
    assert load({"host": host}, (), None).settings.host == host


@pytest.mark.parametrize(
    "room", ["", "#", "lobby", "#two words", "#" + "x" * 50, "#a,b", "##", "#²"]
)
def test_a_bad_lobby(room):
    assert complaint(f"server.lobby={room}").startswith(f"--set server.lobby={room}: ")


@pytest.mark.parametrize("room", ["#x", "#" + "x" * 49, "#Über-uns_2.0+"])
def test_a_good_lobby(room):
    assert load({}, [f"server.lobby={room}"], None).settings.server.lobby == room


def test_each_wrong_value_has_a_line_of_its_own(monkeypatch, env_file):
    monkeypatch.setenv("TRIO_CHAT_ENCODING", "no-such")
    file = env_file("TRIO_CHAT_LIMITS__ROOMS=0")
    lines = complaints("server.lobby=x", env_file=file, port="70000")
    assert sorted(line.partition("=")[0] for line in lines) == [
        "--port 70000: must be a whole number from 0 up to 65535",
        "--set server.lobby",
        "TRIO_CHAT_ENCODING",
        "TRIO_CHAT_LIMITS__ROOMS",
    ]


def test_each_misspelt_name_in_the_environment_has_a_line_of_its_own(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_PROT", "1")
    monkeypatch.setenv("TRIO_CHAT_HORST", "1")
    assert len(complaints()) == 2


def test_each_bad_assignment_has_a_line_of_its_own():
    assert len(complaints("prot=1", "horst=2", "port")) == 3


def test_a_value_of_several_lines_makes_one_line_and_steers_no_terminal(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_PORT", "1\n2\x1b[2J")
    assert complaint().isprintable()


# ── env files that cannot be read ──────────────────────────────────────────────────────────


def test_an_env_file_that_is_not_there(tmp_path):
    file = tmp_path / "none.env"
    assert complaint(env_file=file) == (
        f"cannot read the settings in {file}: no such file or directory"
    )


def test_a_directory_for_an_env_file(tmp_path):
    assert complaint(env_file=tmp_path) == f"cannot read the settings in {tmp_path}: is a directory"


def test_an_env_file_that_cannot_be_opened(tmp_path):
    loop = tmp_path / "loop.env"
    loop.symlink_to(loop)  # unlike a file without rights, not even root can read it
    assert complaint(env_file=loop).startswith(f"cannot read the settings in {loop}: ")


def test_an_env_file_that_is_not_utf_8(tmp_path):
    file = tmp_path / "latin.env"
    file.write_bytes(b"TRIO_CHAT_CLIENT__NICK=J\xf6rg\n")
    assert complaint(env_file=file) == f"{file}, line 1: not UTF-8"


# ── secrets ────────────────────────────────────────────────────────────────────────────────


def test_a_secret_is_not_shown():
    assert shown(SecretStr("hunter2")) == "(hidden)"
    assert shown(SecretStr("")) == ""


def test_the_default_of_a_secret_is_not_shown():
    field = FieldInfo(annotation=SecretStr, default=SecretStr("hunter2"))
    assert Setting("server.password", field).default == "(hidden)"


# ── encodings ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-16",
        "utf-7",
        "iso2022_jp",
        "raw_unicode_escape",
        "no-such",
        "rot13",
        "base64",
        "cp037",
        "utf-8-sig",
        "idna",
        "",
    ],
)
def test_an_encoding_without_ascii_in_it(encoding):
    line = complaint(encoding=encoding)
    assert line.startswith(f"--encoding {encoding}: ")
    assert "utf-8" in line


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("latin-1", "iso8859-1"), ("ascii", "ascii"), ("shift_jis", "shift_jis"), ("UTF8", "utf-8")],
)
def test_an_encoding_with_ascii_in_it(encoding, name):
    assert load({"encoding": encoding}, (), None).settings.encoding == name


# ── more addresses ─────────────────────────────────────────────────────────────────────────


def test_a_list_of_addresses():
    addresses = "127.0.0.1:1, [::1]:2,unix:/tmp/x,chat.example:3,"
    settings = load({}, [f"server.listen={addresses}"], None).settings
    assert settings.server.listen == (
        Address("127.0.0.1", 1),
        Address("::1", 2),
        Address("unix:/tmp/x"),
        Address("chat.example", 3),
    )
    assert shown(settings.server.listen) == "127.0.0.1:1,[::1]:2,unix:/tmp/x,chat.example:3"


def test_no_more_addresses():
    assert load({}, ["server.listen="], None).settings.server.listen == ()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.0.1:", ":1", "::1:1x", "[::1]", "a:70000", "a:-1", "unix:", "a:1:2"],
)
def test_a_bad_address(address):
    assert complaint(f"server.listen=127.0.0.1:1,{address}") == (
        f"--set server.listen=127.0.0.1:1,{address}: "
        f"{address!r} is not HOST:PORT, [IPV6]:PORT or unix:PATH"
    )


# ── how a value is shown ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5.0, "5"),
        (0.25, "0.25"),
        (1_000_000.0, "1000000"),
        (10_000_000, "10000000"),
        (True, "true"),
    ],
)
def test_a_value_is_shown_as_one_would_write_it(value, text):
    assert shown(value) == text


# ── what there is to set ───────────────────────────────────────────────────────────────────


def test_every_setting_says_what_it_does_and_every_number_has_bounds():
    assert [s.name for s in SETTINGS.values() if not s.field.description.endswith(".")] == []
    pairs = ({"ge", "gt"}, {"le", "lt"})
    assert [s.name for s in NUMBERS if not all(pair & set(bounds(s)) for pair in pairs)] == []


def test_every_number_that_measures_something_has_a_unit():
    counts = {"port", "limits.connections", "limits.connections_per_address"}
    counts |= {"limits.rooms", "limits.rooms_each"}
    assert {setting.name for setting in NUMBERS if not setting.unit} == counts


# ── the table and the example ──────────────────────────────────────────────────────────────


def test_the_table_has_a_line_for_each_setting(monkeypatch):
    monkeypatch.setenv("TRIO_CHAT_LIMITS__LINE_BYTES", "100")
    lines = table(load({"port": "1"}, ["client.retry=true"], None)).splitlines()
    assert [line.split()[0] for line in lines] == [s.variable for s in SETTINGS.values()]
    rows = {line.split()[0]: re.split(r"\s{2,}", line)[1:] for line in lines}
    assert rows["TRIO_CHAT_PORT"] == ["1", "command line"]
    assert rows["TRIO_CHAT_LIMITS__LINE_BYTES"] == ["100", "bytes", "environment"]
    assert rows["TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND"] == ["10", "messages per second", "default"]
    assert rows["TRIO_CHAT_CLIENT__RETRY"] == ["true", "command line"]
    assert rows["TRIO_CHAT_CLIENT__NICK"] == ["default"]


def test_the_example_at_the_top_of_the_project_is_up_to_date():
    assert (ROOT / "config.example.env").read_text(encoding="utf-8") == example_file()


def test_the_example_as_it_is_changes_nothing(env_file):
    assert set(load({}, (), env_file(example_file())).origins.values()) == {"default"}


def test_the_example_uncommented_gives_the_defaults(env_file):
    file = env_file(re.sub(rf"^#(?={PREFIX})", "", example_file(), flags=re.M))
    configuration = load({}, (), file)
    assert configuration.settings == Settings()
    assert set(configuration.origins.values()) == {str(file)}


def test_the_example_tells_of_every_setting():
    example = example_file()
    told = " ".join(example.replace("\n# ", " ").split())
    for setting in SETTINGS.values():
        assert about(setting) in told
        assert f"\n#{setting.variable}={setting.default}\n" in example
