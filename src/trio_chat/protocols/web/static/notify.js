// Notifications of the browser: of messages that call for the person, while they do not see them.

import { shownLines } from "./text.js";

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
