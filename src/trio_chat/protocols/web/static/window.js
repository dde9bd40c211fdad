// The window: the keys that work everywhere in it, what becomes of it, and notifications of messages that call
// for the person while they do not see it.

import { byId } from "./dom.js";
import { shownLines } from "./text.js";

/** @type {Record<string, (chat: Chat) => void>} */
const KEYS = {
    "Alt+ArrowUp": (chat) => step(chat, -1),
    "Alt+ArrowDown": (chat) => step(chat, 1),
    "Alt+A": (chat) => {
        const news = chat.model.places.filter((place) => place.unread && place !== chat.here);
        const next = news.find((place) => place.mentions) ?? news[0];
        if (next) chat.goTo(next.name);
    },
    "Ctrl+G": (chat) => chat.panels.go(),
    "Ctrl+K": (chat) => chat.panels.go(),
    "Ctrl+Shift+F": (chat) => chat.panels.search(),
    Escape: (chat) => {
        if (document.body.matches(".rooms, .people")) document.body.classList.remove("rooms", "people");
        else if (chat.here.reply) chat.reply(null);
        else chat.log.toEnd();
        chat.input.focus();
    },
    PageUp: (chat) => chat.log.page(-1),
    PageDown: (chat) => chat.log.page(1),
    F1: (chat) => chat.panels.help(),
    F2: (chat) => chat.toggle("rooms"),
    F4: (chat) => chat.panels.mentions(),
    F7: (chat) => chat.toggle("people"),
    F8: (chat) => chat.panels.placeMenu(chat.here, byId("top")),
};

/** @param {Chat} chat */
export function listen(chat) {
    addEventListener("focus", () => focus(chat, true));
    addEventListener("blur", () => focus(chat, false));
    addEventListener("online", () => (chat.ask({ do: "retry" }), chat.link?.probe()));
    addEventListener("storage", () => chat.session?.proceed()); // a text of another tab: now we can read it
    addEventListener("hashchange", () => location.hash && chat.followLink());
    addEventListener("keydown", (event) => press(chat, event));
    byId("chat").addEventListener("click", ({ target }) => {
        if (target === byId("chat")) document.body.classList.remove("rooms", "people");
    });
    setInterval(() => (chat.model.tick() || chat.model.state.link !== "up") && chat.draw(), 1000);
}

/** @param {Chat} chat @param {boolean} focused */
function focus(chat, focused) {
    chat.model.focused = focused;
    if (focused) chat.link?.probe();
    else chat.model.looksAway(chat.here);
    chat.draw();
}

/** @param {Chat} chat @param {KeyboardEvent} event */
function press(chat, event) {
    if (byId("chat").hidden || chat.panels.isOpen) return;
    const { key, ctrlKey, altKey, shiftKey, metaKey, target } = event;
    const letter = key.length === 1;
    const shift = shiftKey && (ctrlKey || !letter);
    const does = KEYS[[ctrlKey && "Ctrl", altKey && "Alt", shift && "Shift", letter ? key.toUpperCase() : key].filter(Boolean).join("+")];
    if (does) {
        does(chat);
        event.preventDefault();
    } else if (letter && !ctrlKey && !altKey && !metaKey && !(target instanceof HTMLInputElement)) chat.input.focus();
}

/** @param {Chat} chat @param {number} by */
function step(chat, by) {
    const { places } = chat.model;
    const order = [...places.filter(({ name }) => name), ...places.filter(({ name }) => !name)];
    const next = order[(order.indexOf(chat.here) + by + order.length) % order.length];
    if (next) chat.goTo(next.name);
}

export class Notifier {
    /** @param {Chat} chat */
    constructor(chat) {
        this.chat = chat;
    }

    /** A line has come that names us, or that is private. Of several tabs, one tells.
     * @param {Place} place @param {Shown} line */
    call(place, line) {
        const { chat } = this;
        const seen = chat.model.sees(place) && !document.hidden;
        const may = chat.tabs?.leads && chat.store.kept.notify && "Notification" in window && Notification.permission === "granted";
        if (seen || !may) return;
        const title = place.kind === "person" ? line.nick : `${line.nick} in ${place.name}`;
        const body = shownLines(line.text).slice(0, 200);
        const notification = new Notification(title, { body, tag: place.name, icon: "icon.svg" });
        notification.onclick = () => {
            window.focus();
            chat.goTo(place.name);
            notification.close();
        };
    }

    /** Turn notifications on, if the browser lets us, or off. Only after a click may we ask.
     * @param {boolean} on */
    async set(on) {
        if (on && !("Notification" in window)) return this.chat.note("This browser shows no notifications for this page; it may want https:// for that.");
        const allowed = !on || (await Notification.requestPermission()) === "granted";
        if (allowed) this.chat.keep({ notify: on });
        else this.chat.note("The browser allows no notifications from this page; its settings for this page can.");
    }
}
