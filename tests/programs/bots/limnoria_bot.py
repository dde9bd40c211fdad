"""With Limnoria, and a plugin of ours that obeys."""

import os
import sys
from pathlib import Path

from remote import HOST, NICK, PASSWORD, PORT, TLS

CONFIGURATION = f"""\
supybot.nick: {NICK}
supybot.networks: test
supybot.networks.test.servers: {HOST}:{PORT}
supybot.networks.test.ssl: {TLS}
supybot.networks.test.ssl.authorityCertificate: {os.environ.get("SSL_CERT_FILE", "")}
supybot.networks.test.sasl.username: {NICK}
supybot.networks.test.sasl.password: {PASSWORD}
supybot.drivers.maxReconnectWait: 1
supybot.directories.plugins: {Path(__file__).parent / "limnoria"}
supybot.plugins: Remote
supybot.plugins.Remote: True
supybot.log.stdout.level: WARNING
"""

Path("limnoria.conf").write_text(CONFIGURATION)
sys.argv[1:] = ["--allow-root", "limnoria.conf"]

from supybot.scripts import limnoria  # noqa: E402

limnoria.main()
