"""Our client's session, and what a server has said to it."""

from trio_chat.protocols.client import Message
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState


def new_session(
    state: ResumeState | None = None, *, nick: str = "bob", room: str = "#lobby"
) -> IrcClientSession:
    return IrcClientSession(nick, rooms=[room], encoding="utf-8", state=state or ResumeState())


def hear(session: IrcClientSession, *lines: str) -> list[Message]:
    data = "".join(line.rstrip("\n").replace("\n", "\r\n") + "\r\n" for line in lines)
    return list(session.receive_data(data.encode()))


def offer(session: IrcClientSession, *caps: str) -> None:
    """The server has these capabilities, and grants them."""
    names = " ".join(cap.partition("=")[0] for cap in caps)
    hear(session, f":s CAP * LS :{' '.join(caps)}", f":s CAP * ACK :{names}")


def sent(session: IrcClientSession, now: float = 0) -> list[str]:
    """Without what keeps the link alive."""
    lines = session.data_to_send(now).decode().split("\r\n")[:-1]
    return [line for line in lines if line != "PING lag"]
