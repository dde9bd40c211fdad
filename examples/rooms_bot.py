"""A bot in two rooms: what somebody says to it alone, as "#tea the kettle is on", it says in the
room, and it answers once that is there. TRIO_CHAT_HOST and TRIO_CHAT_PORT say where.
"""

import trio

import trio_chat

ROOMS = ("#lobby", "#tea")


async def carry(chat: trio_chat.Chat, senders: dict[str, str]) -> None:
    """``senders`` are those of what is on its way, by its token."""
    async for message in chat:
        match message:
            case trio_chat.Said(nick=nick, to=to, text=text) if to and nick != chat.nick:
                room, _, text = text.partition(" ")
                if room in ROOMS and text.strip():
                    token = trio_chat.new_token()
                    senders[token] = nick
                    await chat.say_to(room, f"{nick} says: {text}", token=token)
                else:
                    await chat.say_to(nick, f"Begin with {' or '.join(ROOMS)}.")
            case trio_chat.Acknowledged(token=token, msgid=msgid) if token in senders:
                await chat.say_to(senders.pop(token), f"It is there, as {msgid}.")
            case trio_chat.Failed(token=token, why=why) if token in senders:
                await chat.say_to(senders.pop(token), f"It is not there: {why}")


async def main() -> None:
    settings = trio_chat.Settings()
    where = settings.host, settings.port
    state = trio_chat.ResumeState()  # with it, nothing is lost nor comes twice after a cut
    senders: dict[str, str] = {}
    while True:
        try:
            async with trio_chat.open_chat(
                *where, nick="porter", room="", rooms="many", state=state
            ) as chat:
                for room in () if state.rooms else ROOMS:
                    await chat.join(room)
                await carry(chat, senders)
        except (trio_chat.CannotConnect, trio_chat.ConnectionLost) as error:
            print(error)
        await trio.sleep(2)


if __name__ == "__main__":
    trio.run(main)
