// What stands around the log: the list of places, the bar above, the people, and how the connection is.

import { byId, colour, h, icon, iconButton, show } from "./dom.js";
import { fold } from "./irc.js";
import { piecesOf } from "./text.js";

const KEEPS_NOTHING = "This browser keeps nothing, so a message that has not arrived is lost when you close the page.";
const BRIEF = 700; // ms of catching up that nobody needs to be told of
const LIST = new Intl.ListFormat("en-GB"); // one, two and three
const PEOPLE_MAX = 200; // in the list; the others are counted

export class Frame {
    /** @param {Chat} chat */
    constructor(chat) {
        this.chat = chat;
        this.rooms = byId("rooms");
        this.top = byId("top");
        this.people = byId("people");
        this.banner = byId("banner");
        this.countdown = h("span", { "aria-hidden": "true" });
        this.typing = byId("typing");
        this.rooms.addEventListener("click", (event) => this.#go(event));
        this.people.addEventListener("click", (event) => this.#person(event));
    }

    draw() {
        this.#drawRooms();
        this.#drawTop();
        this.#drawPeople();
        this.#drawBanner();
        this.#drawTyping();
        document.title = this.#title();
    }

    #title() {
        const { places, state, here } = this.chat.model;
        const calls = places.reduce((sum, place) => sum + place.mentions, 0);
        const news = places.some((place) => place.unread);
        const sign = calls ? `(${calls}) ` : news ? "• " : "";
        return `${sign}${here.name || "Server"} – ${state.network || "trio-chat"}`;
    }

    // ── places ───────────────────────────────────────────────────────────────────────────────────

    #drawRooms() {
        const { model } = this.chat;
        const { state, here, places } = model;
        const sig = JSON.stringify([state.nick, state.account, state.away, state.network, here.name,
            places.map((place) => [place.name, place.unread, place.mentions, place.joined, this.#fails(place)])]);
        show(this.rooms, sig, () => [
            h("div", { class: "head" }, h("strong", {}, state.network || "trio-chat"),
                iconButton("search", "Go to a room (Ctrl+G)", () => this.chat.panels.go())),
            h("div", { class: "list" }, ...this.#group("Rooms", "room", () => this.chat.panels.go(true), "Join a room"),
                ...this.#group("People", "person", () => this.chat.panels.go(), "Talk to somebody"),
                ...this.#group("", "server")),
            this.#me(),
        ]);
    }

    /** @param {string} title @param {string} kind @param {() => void} [add] @param {string} [label] */
    #group(title, kind, add, label = "") {
        const places = this.chat.model.places.filter((place) => place.kind === kind);
        const head = h("div", { class: "title" }, h("h2", {}, title), add && iconButton("plus", label, add));
        return [...(title ? [head] : []), h("ul", {}, ...places.map((place) => h("li", {}, this.#place(place))))];
    }

    /** @param {Place} place */
    #place(place) {
        const chosen = place === this.chat.model.here;
        const fails = this.#fails(place);
        const classes = ["place", place.unread && "news", (place.mentions || fails) && "calls", fails && "fails", place.kind === "room" && !place.joined && "out"];
        const count = fails ? "✗" : place.mentions ? `@${place.mentions}` : place.unread ? String(place.unread) : "";
        const words = fails ? ", something was not sent" : place.mentions ? `, ${place.mentions} for you` : place.unread ? `, ${place.unread} new` : "";
        const label = place.kind === "server" ? "Server" : place.name;
        return h("button", { type: "button", class: classes.filter(Boolean).join(" "), "data-place": place.name, "aria-current": chosen && "page" },
            h("bdi", { class: place.kind === "person" ? colour(place.name) : "" }, label),
            count && h("span", { class: "count", "aria-hidden": "true" }, count), words && h("span", { class: "unseen" }, words));
    }

    /** Whether something that we said there was not sent.
     * @param {Place} place */
    #fails(place) {
        return [...this.chat.model.ours.values()].some((our) => our.place === place && our.line.state === "failed");
    }

    #me() {
        const { state } = this.chat.model;
        const how = state.away ? "away" : state.account ? "logged in" : "guest";
        return h("button", { type: "button", class: "me", click: (event) => this.chat.panels.meMenu(event) },
            h("span", {}, h("b", { class: colour(state.nick) }, state.nick), h("small", {}, how)), icon("more"), h("span", { class: "unseen" }, "your menu"));
    }

    /** @param {Event} event */
    #go({ target }) {
        const button = target instanceof Element ? target.closest("[data-place]") : null;
        if (button instanceof HTMLElement) this.chat.goTo(button.dataset.place ?? "");
    }

    // ── above ────────────────────────────────────────────────────────────────────────────────────

    #drawTop() {
        const { here, places } = this.chat.model;
        const elsewhere = places.some((place) => place !== here && place.unread);
        const calls = places.reduce((sum, place) => sum + (place === here ? 0 : place.mentions), 0);
        const sig = JSON.stringify([here.name, here.topic, here.members.size, here.kind, elsewhere, calls]);
        show(this.top, sig, () => [
            h("button", { type: "button", class: "icon narrow", "aria-label": `Rooms${calls ? `, ${calls} for you` : elsewhere ? ", something new" : ""}`,
                click: () => this.chat.toggle("rooms") }, icon("menu"),
            elsewhere && h("span", { class: calls ? "badge calls" : "badge" }, calls ? String(calls) : "")),
            h("h1", { class: here.kind === "person" ? colour(here.name) : "" }, h("bdi", {}, here.name || "Server")),
            h("div", { class: "topic", title: here.topic }, ...topicOf(here.topic)),
            here.name && iconButton("search", "Search (Ctrl+Shift+F)", () => this.chat.panels.search()),
            here.kind === "room" && h("button", { type: "button", class: "icon count", "aria-label": `People here: ${here.members.size}`, title: "People here (F7)",
                click: () => this.chat.toggle("people") }, icon("people"), String(here.members.size)),
            here.name && iconButton("more", `${here.kind === "room" ? "Room" : "Conversation"} menu (F8)`, (event) => this.chat.panels.placeMenu(here, event)),
        ]);
    }

    // ── people ───────────────────────────────────────────────────────────────────────────────────

    #drawPeople() {
        const { here } = this.chat.model;
        const members = [...here.members.values()];
        this.people.hidden = here.kind !== "room" || !members.length;
        const sig = JSON.stringify([here.name, members]);
        show(this.people, sig, () => {
            const rank = (/** @type {Member} */ member) => "~&@%+".indexOf(member.prefixes[0] ?? "?") + 1 || 9;
            members.sort((one, other) => rank(one) - rank(other) || (fold(one.nick) < fold(other.nick) ? -1 : 1));
            const more = members.length - PEOPLE_MAX;
            return [
                h("div", { class: "head" }, h("h2", {}, `${members.length} here`), iconButton("close", "Close", () => this.chat.toggle("people"), { class: "icon narrow" })),
                h("ul", { class: "list" }, ...members.slice(0, PEOPLE_MAX).map(person), more > 0 && h("li", { class: "more" }, `and ${more} more`)),
            ];
        });
    }

    /** @param {Event} event */
    #person(event) {
        const button = event.target instanceof Element ? event.target.closest("[data-nick]") : null;
        if (button instanceof HTMLElement) this.chat.panels.personMenu(button.dataset.nick ?? "", event);
    }

    // ── how it is ────────────────────────────────────────────────────────────────────────────────

    #drawBanner() {
        const { state } = this.chat.model;
        const waiting = this.chat.waiting ? ` ${this.chat.waiting === 1 ? "1 message waits" : `${this.chat.waiting} messages wait`}.` : "";
        const down = state.link === "down";
        const words = down ? lost(state) + waiting
            : state.link === "catching up" && Date.now() - state.again > BRIEF ? "Catching up…" : this.chat.store.full ? KEEPS_NOTHING : "";
        const old = state.link === "up" && this.chat.isOld();
        this.banner.hidden = !words && !old;
        this.banner.className = state.link;
        this.countdown.textContent = countdown(state);
        show(this.banner, `${words}${down}${old}`, () => old
            ? ["There is a newer version of this page. ", h("button", { type: "button", click: () => location.reload() }, "Reload")]
            : [h("span", {}, words), down && this.countdown, down && h("button", { type: "button", click: () => this.chat.ask({ do: "retry" }) }, "Try now")]);
    }

    #drawTyping() {
        const nicks = [...this.chat.model.here.typing.keys()];
        const who = nicks.length > 3 ? `${nicks.length} people` : LIST.format(nicks);
        show(this.typing, nicks.join(), () => [nicks.length ? `${who} ${nicks.length > 1 ? "are" : "is"} typing…` : ""]);
    }
}

/** That there is no connection, and why.
 * @param {State} state */
export const lost = ({ why }) => `No connection. ${why}`.trim();

/** @param {State} state */
export function countdown({ again }) {
    const seconds = Math.max(0, Math.ceil((again - Date.now()) / 1000));
    return seconds ? `Trying again in ${seconds} s.` : "Trying…";
}

/** @param {string} topic */
const topicOf = (topic) => piecesOf(topic).map(({ text, href }) =>
    href ? h("a", { href, rel: "noopener noreferrer nofollow", target: "_blank" }, text) : text);

/** @param {Member} member */
const person = ({ nick, prefixes, away, bot }) =>
    h("li", {}, h("button", { type: "button", class: away ? "person away" : "person", "data-nick": nick },
        h("span", { class: "prefix", title: { "@": "operator", "+": "may always speak" }[prefixes[0] ?? ""] ?? "" }, prefixes[0] ?? ""),
        h("bdi", { class: colour(nick) }, nick), (away || bot) && h("small", {}, away ? "away" : "bot")));
