"""What is said at the start of an engine that is not set up as it should be."""

import logging
from collections.abc import Mapping

from trio_chat.settings.engine import Address

logger = logging.getLogger(__name__)


def look_at(address: Address, password: str, info: Mapping[str, str]) -> None:
    """Log what people should know of an engine, which says ``info`` of itself."""
    if not password and not address.is_local:
        logger.warning(
            "The engine asks for no password: whoever reaches it owns the chat.",
            extra={"event": "engine-open"},
        )
    policy = info.get("maxmemory_policy", "")
    if info.get("maxmemory") != "0" and policy != "noeviction":
        logger.warning(
            "The engine drops parts of the chat when its memory is full (%s).",
            policy,
            extra={"event": "engine-evicts", "reason": policy},
        )
    if info.get("aof_enabled") == "0":
        logger.info(
            "The engine writes no journal: it forgets the chat if it ends.",
            extra={"event": "engine-volatile"},
        )
