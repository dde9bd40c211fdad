// What is asked in a window of its own: who you are, menus, search, the rooms there are, help.

import { search } from "./commands.js";
import { byId, colour, h, iconButton, momentOf } from "./dom.js";
import { countdown, lost } from "./frame.js";
import { fold, isRoom } from "./irc.js";
import { piecesOf, shownLines } from "./text.js";
import { COMMANDS, EMOJI } from "./words.js";

/** @typedef {import("./main.js").Chat} Chat */

/** What a menu offers: the words, and what they do; null divides.
 * @typedef {[string, () => void] | null} Choice */

const REACTIONS = ["👍", "❤️", "😂", "🎉", "😮", "😢", "👀", "✅"];

const KEYS = [
    ["Enter", "send"], ["Shift+Enter", "a new line in the same message"], ["↑ ↓", "what you wrote before"],
    ["Tab", "complete a name, #room, /command or :emoji:"], ["Alt+↑ Alt+↓", "the room before, the next room"],
    ["Alt+A", "the next room with something new"], ["Ctrl+G", "go to a room or a person by name"],
    ["Ctrl+Shift+F", "search here"], ["PageUp PageDown", "scroll"], ["Esc", "close what is open; else to the newest message"],
    ["F1", "this help"], ["F2", "show or hide the rooms"], ["F4", "messages that mention you"], ["F7", "show or hide the people here"],
    ["F8", "the menu of this room"], ["Shift+Tab, then ↑ ↓ Enter", "choose a message, and open its menu"],
];

const SIGNS = [
    ["The browser's warning", "before this page means that the server has made its certificate for itself; one of a CA ends that"],
    ["3", "beside a room: the number of unread messages"], ["@3", "of them, those that mention you or are private"],
    ["⋯", "being sent: the server has not confirmed it yet"], ["✗", "not sent, and why"],
    ["@alice, +bob", "alice is an operator here, bob may always speak"],
];

export class Panels {
    /** @param {Chat} chat */
    constructor(chat) {
        this.chat = chat;
        this.start = byId("start");
        this.countdown = h("p", { class: "hint", "aria-hidden": "true" });
        this.why = h("p", { id: "why", class: "why", role: "alert" });
        /** @type {((message: any) => void) | null} */
        this.waits = null; // a window that waits for an answer
    }

    /** Whether a window is open. */
    get isOpen() {
        return document.querySelector("dialog[open]") !== null;
    }

    // ── who you are ──────────────────────────────────────────────────────────────────────────────

    /** Ask who wants in; `why` is what the server says against it.
     * @param {string} [why] @param {string} [about] */
    ask(why = "", about = "") {
        const { chat } = this;
        const needsAccount = about === "login" || /account|log ?in/i.test(why);
        const nick = h("input", { id: "nick", name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: "20",
            required: true, value: chat.who.nick || chat.store.kept.nick, "aria-describedby": "why", "aria-invalid": why && about === "nick" ? "true" : "" });
        const asksEntry = about === "entry" && /invitation|password/i.test(why);
        const entry = h("input", { id: "entry", type: /password/i.test(why) ? "password" : "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", maxlength: "300",
            value: chat.invitation.entry || chat.store.kept.entry, "aria-describedby": "why", "aria-invalid": String(chat.who.entry !== "") });
        const password = h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", maxlength: "300" });
        const more = h("details", { open: needsAccount || chat.who.password }, h("summary", {}, "I have an account here"),
            h("label", { for: "password" }, "Password"), password);
        const button = h("button", { type: "submit", class: "main" }, "Enter");
        const submit = (/** @type {Event} */ event) => {
            event.preventDefault();
            button.disabled = true;
            button.textContent = "Entering…";
            chat.enter(nick.value.trim(), more.open ? password.value : "", entry.value);
        };
        const invited = chat.invitation.entry && !why ? ` You are invited${chat.invitation.room ? ` to ${chat.invitation.room}` : ""}.` : "";
        this.#tell(why && `${why.replace(/\.$/, "")}.`);
        this.countdown.textContent = "";
        this.start.hidden = false;
        byId("chat").hidden = true;
        this.start.replaceChildren(h("form", { class: "card", submit },
            h("h1", {}, document.title.split(" – ").at(-1) || "trio-chat"),
            h("p", {}, `Pick a nickname and talk.${invited}`),
            h("label", { for: "nick" }, "Nickname"), nick,
            this.why, this.countdown,
            ...(asksEntry ? [h("label", { for: "entry" }, "Invitation, or the password of this chat"), entry] : []), more, button,
            !chat.secure && h("p", { class: "hint" }, "This page came without encryption, so there are no logins and no notifications here.")));
        (asksEntry ? entry : needsAccount && nick.value ? password : nick).focus();
    }

    /** Say why nobody is in yet, if there is no connection. It is tried again by itself. */
    drawLink() {
        const { state } = this.chat.model;
        const words = state.link === "down" && state.again ? lost(state) : "";
        if (!words) return;
        if (this.start.hidden) this.ask(words);
        this.#tell(words);
        this.countdown.textContent = countdown(state);
    }

    /** @param {string} why */
    #tell(why) {
        this.why.hidden = !why;
        if (this.why.textContent !== why) this.why.textContent = why;
    }

    // ── windows ──────────────────────────────────────────────────────────────────────────────────

    /** Open a window; whatever is open closes.
     * @param {string} title @param {(Node | string | false)[]} content @param {string} [kind] */
    window(title, content, kind = "") {
        document.querySelectorAll("dialog").forEach((one) => one.close());
        const close = () => dialog.close();
        const dialog = h("dialog", { class: `panel ${kind}`, "aria-label": title,
            click: (/** @type {Event} */ event) => event.target === dialog && close(),
            keydown: (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && (event.preventDefault(), close()) },
        h("div", { class: "head" }, h("h2", {}, title), iconButton("close", "Close", close)), ...content);
        dialog.addEventListener("close", () => {
            dialog.remove();
            this.waits = null;
            if (matchMedia("(hover: hover)").matches) this.chat.input.focus();
        });
        document.body.append(dialog);
        dialog.showModal();
        return dialog;
    }

    /** @param {string} title @param {Choice[]} choices @param {Event | HTMLElement} at */
    menu(title, choices, at) {
        const items = choices.map((choice) => {
            if (!choice) return h("hr");
            const [words, does] = choice;
            return h("button", { type: "button", role: "menuitem", click: () => (dialog.close(), does()) }, words);
        });
        const dialog = this.window(title, [h("div", { role: "menu", "aria-label": title, keydown: step }, ...items)], "menu");
        const box = at instanceof MouseEvent && at.clientX ? { left: at.clientX, bottom: at.clientY }
            : (at instanceof HTMLElement ? at : /** @type {HTMLElement} */ (at.target)).getBoundingClientRect();
        const { width, height } = dialog.getBoundingClientRect();
        if (innerWidth < 700) return;
        dialog.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
        dialog.style.top = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - height - 8))}px`;
    }

    /** Ask for one thing.
     * @param {string} title @param {string} label @param {(text: string) => void} then
     * @param {Record<string, any>} [how]  attributes of the field
     * @param {(Node | false)[]} more */
    prompt(title, label, then, how = {}, ...more) {
        const field = h("input", { id: "field", autocomplete: "off", ...how });
        const dialog = this.window(title, [h("form", { submit: (/** @type {Event} */ event) => {
            event.preventDefault();
            const text = field.value;
            dialog.close();
            then(text);
        } }, ...more.filter(Boolean), h("label", { for: "field" }, label), field, h("button", { type: "submit", class: "main" }, "OK"))], "small");
        field.select();
    }

    // ── menus ────────────────────────────────────────────────────────────────────────────────────

    /** @param {Event} event */
    meMenu(event) {
        const { chat } = this;
        const { state } = chat.model;
        const { theme, typing, notify } = chat.store.kept;
        const themes = /** @type {const} */ (["auto", "dark", "light"]);
        const next = themes[(themes.indexOf(theme) + 1) % 3];
        this.menu(state.nick, [
            ["Change nickname…", () => this.prompt("Change nickname", "New nickname", (nick) => nick && chat.line("NICK", nick), { value: state.nick, maxlength: "20" })],
            [state.away ? "I am back" : "Away…", () => state.away ? chat.line("AWAY") : this.prompt("Away", "What others are told", (text) => chat.line("AWAY", text || "away"))],
            null,
            ...(state.account ? [this.#choice("Log out", () => chat.line("NS", "LOGOUT", "FORGET"))]
                : chat.secure ? [this.#choice("Make this nickname mine…", () => this.#password("register")), this.#choice("Log in…", () => this.#password("login"))] : []),
            null,
            [notify ? "Turn notifications off" : "Turn notifications on", () => void chat.notifier.set(!notify)],
            [typing ? "Do not tell when I type" : "Tell others when I type", () => chat.keep({ typing: !typing })],
            [`Colours: ${theme === "auto" ? "as the system" : theme} → ${next === "auto" ? "as the system" : next}`, () => chat.keep({ theme: next })],
            null,
            ["Help", () => this.help()],
            ["Leave", () => chat.quit("")],
            ["Leave, and forget me in this browser", () => chat.forget()],
        ], event);
    }

    /** @param {string} words @param {() => void} does
     * @returns {Choice} */
    #choice = (words, does) => [words, does];

    /** Ask for a password, so that password managers know what for.
     * @param {"register" | "login"} what */
    #password(what) {
        const { nick } = this.chat.model.state;
        const isNew = what === "register";
        const name = h("input", { id: "name", name: "username", autocomplete: "username", value: nick, readonly: isNew });
        this.prompt(isNew ? "Make this nickname yours" : "Log in", "Password", (password) => {
            if (password) this.chat.ask({ do: what, name: name.value, password });
        }, { type: "password", name: "password", autocomplete: isNew ? "new-password" : "current-password", required: true, minlength: isNew ? "8" : "" },
        h("label", { for: "name" }, "Nickname"), name);
    }

    /** @param {string} nick @param {Event | HTMLElement} at */
    personMenu(nick, at) {
        const { chat } = this;
        const { here, leads, state } = chat.model;
        const own = fold(nick) === fold(state.nick);
        const member = here.members.get(fold(nick));
        const is = (/** @type {string} */ sign) => member?.prefixes.includes(sign);
        const room = here.name;
        const why = (/** @type {string} */ title, /** @type {(why: string) => void} */ then) => this.prompt(title, "Why (others are told)", then);
        this.menu(nick, [
            ...(own ? [] : [this.#choice("Message in private", () => chat.talk(nick)), this.#choice("Mention", () => chat.input.insert(`${nick}: `))]),
            ["Who is that?", () => chat.line("WHOIS", nick)],
            ...(own ? [] : [this.#choice(chat.model.ignores(nick) ? "Stop ignoring" : "Ignore", () => chat.ignore(nick, !chat.model.ignores(nick)))]),
            ...(leads && member ? [null,
                this.#choice(is("@") ? "Take operator status away" : "Make operator", () => chat.line("MODE", room, is("@") ? "-o" : "+o", nick)),
                this.#choice(is("+") ? "Take voice away" : "Give voice", () => chat.line("MODE", room, is("+") ? "-v" : "+v", nick)),
                ...(own ? [] : [
                    this.#choice("Mute…", () => why(`Mute ${nick}`, (text) => chat.line("MUTE", room, nick, ...(text ? [text] : [])))),
                    this.#choice("Remove from the room…", () => why(`Remove ${nick}`, (text) => chat.line("KICK", room, nick, ...(text ? [text] : [])))),
                    this.#choice("Ban…", () => why(`Ban ${nick}`, (text) => chat.line("BAN", room, nick, ...(text ? [text] : []))))])] : []),
        ], at);
    }

    /** @param {Place} place @param {Event | HTMLElement} at */
    placeMenu(place, at) {
        const { chat } = this;
        const { name } = place;
        const ofRoom = place.kind === "room";
        this.menu(name || "Server", [
            ["Search…", () => this.search()],
            ...(ofRoom ? [
                this.#choice("Set the topic…", () => this.prompt("Topic", "Topic", (text) => chat.line("TOPIC", name, text), { value: place.topic, maxlength: "390" })),
                this.#choice("Invite somebody…", () => this.prompt(`Invite to ${name}`, "Nickname", (nick) => nick && chat.line("INVITE", nick, name))),
                this.#choice("Bans and mutes", () => chat.line("MODE", name, "+b"))] : []),
            null,
            ["Clear", () => chat.clear()],
            ...(name ? [this.#choice(ofRoom ? "Leave" : "Close", () => chat.close(place))] : []),
        ], at);
    }

    /** @param {Shown} line @param {Event | HTMLElement} at */
    lineMenu(line, at) {
        const { chat } = this;
        const { here, leads, state: { caps } } = chat.model;
        const text = shownLines(line.text);
        const links = piecesOf(line.text).flatMap(({ href }) => href ?? []);
        const said = line.id && here.name && ["said", "action", "notice"].includes(line.kind);
        const row = at instanceof HTMLElement ? at : null;
        this.menu("Message", [
            ...(said ? [this.#choice("Reply", () => chat.reply(line)), this.#choice("React…", () => this.react(line, row))] : []),
            ["Copy text", () => void navigator.clipboard?.writeText(text)],
            ...links.slice(0, 3).map((href) => this.#choice(`Open ${href.slice(0, 40)}`, () => void open(href, "_blank", "noopener,noreferrer"))),
            ...(line.nick && !line.own ? [this.#choice(`About ${line.nick}…`, () => this.personMenu(line.nick, at))] : []),
            ...(said && !line.own ? [this.#choice("Report to the operators…", () => this.prompt("Report this message", "Why", (why) => chat.line("REPORT", here.name, line.id, ...(why ? [why] : []))))] : []),
            ...(said && caps.includes("draft/message-redaction") && (line.own || leads) ? [null, this.#choice("Remove", () => chat.line("REDACT", here.name, line.id))] : []),
        ], at);
    }

    // ── emoji ────────────────────────────────────────────────────────────────────────────────────

    /** @param {Shown} line @param {HTMLElement | null} _at */
    react(line, _at) {
        this.emoji((picture) => this.chat.react(line, picture), REACTIONS);
    }

    /** @param {(picture: string) => void} then @param {string[]} [first] */
    emoji(then, first = []) {
        const pick = (/** @type {string} */ picture, /** @type {string} */ name) =>
            h("button", { type: "button", title: name, "aria-label": name, click: () => (dialog.close(), then(picture)) }, picture);
        const all = new Map(Object.entries(EMOJI).map(([name, picture]) => [picture, name]));
        const grid = h("div", { class: "emoji" });
        const draw = (/** @type {string} */ words) => {
            const found = [...all].filter(([, name]) => name.includes(words));
            const begin = words ? [] : first.map((picture) => pick(picture, all.get(picture) ?? "emoji"));
            grid.replaceChildren(...begin, ...found.map(([picture, name]) => pick(picture, name)));
        };
        const field = h("input", { type: "search", placeholder: "Name of an emoji", "aria-label": "Name of an emoji", input: () => draw(field.value.trim().toLowerCase()),
            keydown: (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && /** @type {HTMLElement | null} */ (grid.firstElementChild)?.click() });
        const dialog = this.window("Emoji", [field, grid], "small");
        draw("");
        field.focus();
    }

    // ── finding ──────────────────────────────────────────────────────────────────────────────────

    /** A field, and below it what fits; Enter takes the chosen one.
     * @param {string} title @param {string} label
     * @param {(words: string) => {words: (Node | string)[], does: () => void}[]} find */
    #choose(title, label, find) {
        let chosen = 0;
        const list = h("ul", { class: "found", role: "listbox", id: "found", "aria-label": title });
        const draw = () => {
            const found = find(field.value.trim());
            chosen = Math.max(0, Math.min(chosen, found.length - 1));
            list.replaceChildren(...found.map(({ words, does }, at) => h("li", { role: "option", id: `found${at}`, "aria-selected": String(at === chosen), click: () => (dialog.close(), does()) }, ...words)));
            list.children[chosen]?.scrollIntoView({ block: "nearest" });
            field.setAttribute("aria-activedescendant", found.length ? `found${chosen}` : "");
        };
        const field = h("input", { type: "search", placeholder: label, "aria-label": label, role: "combobox", "aria-controls": "found", "aria-expanded": "true",
            input: () => (chosen = 0, draw()), keydown: (/** @type {KeyboardEvent} */ event) => {
                const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
                if (event.key === "Enter") /** @type {HTMLElement | undefined} */ (list.children[chosen])?.click();
                else if (by) chosen += by, draw();
                else return;
                event.preventDefault();
            } });
        const dialog = this.window(title, [field, list]);
        draw();
        field.focus();
        return draw;
    }

    /** Go to a place by a part of its name, or to one that is not open yet. */
    go() {
        const { chat } = this;
        this.#choose("Go to", "Room or person", (words) => {
            const key = fold(words);
            const open = chat.model.places.filter(({ name }) => name && fold(name).includes(key));
            const people = [...chat.model.here.members.values()].filter(({ nick }) => key && fold(nick).includes(key) && !chat.model.find(nick) && fold(nick) !== fold(chat.model.state.nick));
            const name = isRoom(words) ? words : `#${words}`;
            return [
                ...open.map((place) => ({ words: [place.name], does: () => chat.goTo(place.name) })),
                ...people.slice(0, 20).map(({ nick }) => ({ words: ["Talk to ", h("b", { class: colour(nick) }, nick)], does: () => chat.talk(nick) })),
                ...(words && !chat.model.find(name) && !/\s/.test(words) ? [{ words: [`Join ${name}`], does: () => chat.join(name, "") }] : []),
            ];
        });
    }

    /** The rooms that the server tells of. */
    rooms() {
        const { chat } = this;
        /** @type {{room: string, count: number, topic: string}[] | null} */
        let rooms = null;
        const draw = this.#choose("Join a room", "Name of a room, old or new", (words) => {
            const key = fold(words);
            const fit = (rooms ?? []).filter(({ room, topic }) => fold(room).includes(key) || fold(topic).includes(key));
            const name = isRoom(words) ? words : `#${words}`;
            const isNew = words && !/\s/.test(words) && !fit.some(({ room }) => fold(room) === fold(name));
            return [
                ...fit.sort((one, other) => other.count - one.count).map(({ room, count, topic }) => ({ words: [h("b", {}, room), h("small", {}, `${count} there${topic ? ` · ${topic}` : ""}`)], does: () => chat.join(room, "") })),
                ...(isNew ? [{ words: [`${rooms ? "Make" : "Join"} ${name}`], does: () => chat.join(name, "") }] : []),
            ];
        });
        this.waits = (message) => {
            if (message.type !== "listed") return;
            ({ rooms } = message);
            draw();
        };
        chat.ask({ do: "list" });
    }

    /** @param {string} [words] */
    search(words = "") {
        const { chat } = this;
        const list = h("ul", { class: "found", "aria-live": "polite" });
        const run = (/** @type {Event} */ event) => {
            event.preventDefault();
            list.replaceChildren(h("li", { class: "none" }, "Searching…"));
            try {
                search(chat, field.value);
            } catch (error) {
                list.replaceChildren(h("li", { class: "none" }, String(/** @type {Error} */ (error).message)));
            }
        };
        const field = h("input", { type: "search", placeholder: "Words; from:NAME before:2024-12-31 after:2024-12-31", "aria-label": `Search ${chat.model.here.name}`, value: words });
        const dialog = this.window(`Search ${chat.model.here.name}`, [h("form", { class: "line", submit: run }, field, h("button", { type: "submit", class: "main" }, "Search")), list]);
        this.waits = ({ type, found, refused }) => {
            if (type !== "found") return;
            const hits = found.map((/** @type {any} */ said) => this.#hit(said, () => (dialog.close(), chat.goTo(said.place), chat.log.goTo(said.id))));
            list.replaceChildren(...(hits.length ? hits.reverse() : [h("li", { class: "none" }, refused || "Nothing was found.")]));
        };
        field.focus();
        if (words) field.form?.requestSubmit();
    }

    /** @param {any} said @param {() => void} go */
    #hit({ nick, text, time }, go) {
        return h("li", {}, h("button", { type: "button", click: go }, h("small", {}, `${momentOf(time)} `), h("b", { class: colour(nick) }, nick), " ", h("bdi", {}, shownLines(text))));
    }

    /** Messages that mention us, in all places that are open. */
    mentions() {
        const { chat } = this;
        const lines = chat.model.places.flatMap((place) => place.lines.filter((line) => line.mention).map((line) => ({ ...line, place: place.name })));
        lines.sort((one, other) => other.time - one.time);
        const hits = lines.slice(0, 100).map((said) => this.#hit(said, () => (dialog.close(), chat.goTo(said.place), chat.log.goTo(said.id))));
        const dialog = this.window("Mentions of you", [h("ul", { class: "found" }, ...(hits.length ? hits : [h("li", { class: "none" }, "Nobody has mentioned you lately.")]))]);
    }

    // ── help ─────────────────────────────────────────────────────────────────────────────────────

    help() {
        const commands = Object.entries(COMMANDS).map(([name, [args, does]]) => [`/${name} ${args}`.trim(), does]);
        const body = h("div", { class: "help", tabindex: "0" });
        const draw = (/** @type {string} */ words) => body.replaceChildren(...section("Keys", KEYS, words), ...section("Signs", SIGNS, words), ...section("Commands", commands, words));
        const field = h("input", { type: "search", placeholder: "Filter", "aria-label": "Filter", input: () => draw(field.value.trim().toLowerCase()) });
        this.window("Help", [field, body]);
        draw("");
        field.focus();
    }
}

/** @param {string} title @param {string[][]} rows @param {string} words
 * @returns {Node[]} */
function section(title, rows, words) {
    const fit = rows.filter((row) => row.join(" ").toLowerCase().includes(words));
    return fit.length ? [h("h3", {}, title), h("dl", {}, ...fit.flatMap(([name = "", does = ""]) => [h("dt", {}, name), h("dd", {}, does)]))] : [];
}

/** The arrow keys in a menu.
 * @param {KeyboardEvent} event */
function step(event) {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || !(event.currentTarget instanceof HTMLElement)) return;
    const items = [...event.currentTarget.querySelectorAll("button")];
    items.at((items.findIndex((item) => item === document.activeElement) + by) % items.length)?.focus();
    event.preventDefault();
}
