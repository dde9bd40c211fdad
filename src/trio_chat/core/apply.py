"""The table of effects: each kind of event, and the function that applies it."""

from trio_chat.core.effects import Effects, accounts, messages, people, realm, rooms

EFFECTS: Effects = {
    **messages.EFFECTS,
    **rooms.EFFECTS,
    **people.EFFECTS,
    **accounts.EFFECTS,
    **realm.EFFECTS,
}
