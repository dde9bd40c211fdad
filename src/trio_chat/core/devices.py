"""The connections of somebody who is logged in, as they and operators of the server see them."""

from trio_chat.core.accounts import account_of
from trio_chat.core.room import Device, Person
from trio_chat.core.state import State
from trio_chat.core.views import DeviceView

#: The connections that one person may have.
DEVICES_MAX = 20


def devices_of(
    state: State, person: Person, via: str | None = None, *, nodes: bool = False
) -> tuple[DeviceView, ...]:
    """All of them, with their ``nodes`` if asked for; their owner asks ``via`` one."""
    account = account_of(state, person)
    labels = {key.key: key.label for key in account.keys} if account else {}

    def view(device: Device) -> DeviceView:
        here = via is not None and device is person.device(via)
        by_password = device.password_id == account.password_id if account else None
        return DeviceView(
            _number(person, device), labels.get(device.key, ""), by_password, device.client,
            device.address, device.secure, device.since, here,
            node_named(state, node_of(device.id)) if nodes else "",
        )  # fmt: skip

    return tuple(map(view, person.devices))


def nodes_of(state: State, person: Person) -> tuple[str, ...]:
    """The names of the nodes on which somebody's connections are, if there are several nodes."""
    if not state.nodes:
        return ()
    ids = dict.fromkeys(node_of(device.id) for device in person.devices)
    return tuple(node_named(state, id) for id in ids)


def node_named(state: State, id: str) -> str:
    """The name of a node, with its id if others have the same; the id, if the node does not live
    any more. Empty if there are no nodes.
    """
    if not state.nodes:
        return ""
    name = state.nodes.get(id, id)
    is_shared = [*state.nodes.values()].count(name) > 1
    return f"{name} ({id})" if is_shared else name


def numbered(person: Person, number: str) -> Device | None:
    """The connection with this number."""
    return next((one for one in person.devices if _number(person, one) == number), None)


def node_of(id: str) -> str:
    """The node on which a connection is, by its id; of a person's id, the one where they came."""
    return id.partition("-")[0]


def _number(person: Person, device: Device) -> str:
    """What names a connection for its owner; together with the node, if they have another one of
    the same number.
    """
    node, _, number = device.id.rpartition("-")
    if any(one.id.endswith(f"-{number}") for one in person.devices if one is not device):
        return f"{number}.{node}"
    return number
