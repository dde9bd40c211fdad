"""With Limnoria, and a plugin of ours that obeys."""

import sys
from pathlib import Path

from remote import NICK, PORT

CONFIGURATION = f"""\
supybot.nick: {NICK}
supybot.networks: test
supybot.networks.test.servers: 127.0.0.1:{PORT}
supybot.networks.test.ssl: False
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
