// What is asked in a window of its own: who you are, menus, search, the rooms there are, help.

import { EMOJI, search } from "./commands.js";
import { byId, colour, h, iconButton, momentOf } from "./dom.js";
import { countdown, lost } from "./frame.js";
import { fold, roomName } from "./irc.js";
import { piecesOf, shownLines } from "./text.js";
import { COMMANDS } from "./words.js";

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
        const { who, store, invitation, secure } = this.chat;
        const asksEntry = about === "entry" && /invitation|password/i.test(why);
        // Whoever may come in by an invitation is not asked for a password that they do not have.
        const needsAccount = about === "login" || (!asksEntry && /account|log ?in/i.test(why));
        const described = { autocapitalize: "none", spellcheck: "false", "aria-describedby": "why" };
        const nick = field({ ...described, label: "Nickname", id: "nick", name: "username", autocomplete: "username", maxlength: "20", required: true,
            value: who.nick || store.kept.nick, "aria-invalid": about === "nick" && "true" });
        const entry = field({ ...described, label: "Invitation, or the password of this chat", id: "entry", type: /password/i.test(why) ? "password" : "text",
            maxlength: "300", value: invitation.entry || store.kept.entry, "aria-invalid": String(who.entry !== "") });
        const password = field({ label: "Password", id: "password", type: "password", autocomplete: "current-password", maxlength: "300" });
        const more = h("details", { open: needsAccount || who.password }, h("summary", {}, "I have an account here"), ...password);
        const button = h("button", { type: "submit", class: "main" }, "Enter");
        const submit = (/** @type {Event} */ event) => {
            event.preventDefault();
            button.disabled = true;
            button.textContent = "Entering…";
            this.chat.enter(nick[1].value.trim(), more.open ? password[1].value : "", entry[1].value);
        };
        const invited = invitation.entry && !why ? ` You are invited${invitation.room ? ` to ${invitation.room}` : ""}.` : "";
        this.#tell(why && `${why.replace(/\.$/, "")}.`);
        this.countdown.textContent = "";
        this.start.hidden = false;
        byId("chat").hidden = true;
        this.start.replaceChildren(h("form", { class: "card", submit },
            h("h1", {}, document.title.split(" – ").at(-1) || "trio-chat"), h("p", {}, `Pick a nickname and talk.${invited}`),
            ...nick, this.why, this.countdown, ...(asksEntry ? entry : []), more, button,
            !secure && h("p", { class: "hint" }, "This page came without encryption, so there are no logins and no notifications here.")));
        (asksEntry ? entry : needsAccount && nick[1].value ? password : nick)[1].focus();
    }

    /** Say why nobody is in yet, if there is no connection. It is tried again by itself. */
    drawLink() {
        const { state } = this.chat.model;
        const words = state.link === "down" && state.again ? lost(state) : "";
        if (!words) return;
        if (this.start.hidden || !this.why.isConnected) this.ask(words);
        this.#tell(words);
        this.countdown.textContent = countdown(state);
    }

    /** @param {string} why */
    #tell(why) {
        this.why.hidden = !why;
        if (this.why.textContent !== why) this.why.textContent = why;
    }

    // ── windows ──────────────────────────────────────────────────────────────────────────────────

    close() {
        /** @type {HTMLDialogElement | null} */
        const dialog = document.querySelector("dialog[open]");
        dialog?.close();
        dialog?.remove(); // for the browser tells us later, and another may open before
    }

    /** Open a window; whatever is open closes.
     * @param {string} title @param {Node[]} content @param {string} [kind] */
    window(title, content, kind = "") {
        this.close();
        const dialog = h("dialog", { class: `panel ${kind}`, "aria-label": title,
            click: ({ target, currentTarget }) => target === currentTarget && this.close(),
            keydown: (event) => event.key === "Escape" && (event.preventDefault(), this.close()) },
        h("div", { class: "head" }, h("h2", {}, title), iconButton("close", "Close", () => this.close())), ...content);
        dialog.addEventListener("close", () => {
            dialog.remove();
            if (this.isOpen) return; // the window that has taken its place
            this.waits = null;
            if (matchMedia("(hover: hover)").matches) this.chat.input.focus();
        });
        document.body.append(dialog);
        dialog.showModal();
        return dialog;
    }

    /** @param {string} title @param {MaybeChoice[]} choices @param {Event | HTMLElement} at */
    menu(title, choices, at) {
        const items = choices.filter((choice) => choice === null || choice).map((choice) => {
            if (!choice) return h("hr");
            const [words, does] = choice;
            const click = () => (this.close(), typeof does === "function" ? does() : this.chat.line(...does));
            return h("button", { type: "button", role: "menuitem", click }, words);
        });
        const dialog = this.window(title, [h("div", { role: "menu", "aria-label": title, keydown: step }, ...items)], "menu");
        const box = at instanceof MouseEvent && at.clientX ? { left: at.clientX, bottom: at.clientY }
            : (at instanceof HTMLElement ? at : /** @type {HTMLElement} */ (at.target)).getBoundingClientRect();
        const { width, height } = dialog.getBoundingClientRect();
        if (innerWidth < 700) return;
        dialog.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
        dialog.style.top = `${Math.max(8, Math.min(box.bottom + 4, innerHeight - height - 8))}px`;
    }

    /** A choice that asks for what it needs; the last field counts.
     * @param {string} words @param {Field | Field[]} fields @param {(text: string, form: HTMLFormElement) => void} then
     * @returns {Choice} */
    #asking(words, fields, then) {
        const title = words.replace("…", "");
        const rows = [fields].flat();
        return [words, () => {
            const inputs = rows.map((row) => field({ autocomplete: "off", ...row }));
            const submit = (/** @type {Event} */ event) => {
                event.preventDefault();
                this.close();
                then(inputs.at(-1)?.[1].value ?? "", form);
            };
            const form = h("form", { submit }, ...inputs.flat(), h("button", { type: "submit", class: "main" }, "OK"));
            this.window(title, [form], "small");
            inputs.at(-1)?.[1].select();
        }];
    }

    /** A choice whose line may end with a reason.
     * @param {string} words @param {string} label @param {string[]} line */
    #because(words, label, ...line) {
        return this.#asking(words, { label, id: "field" }, (why) => this.chat.line(...line, ...(why ? [why] : [])));
    }

    // ── menus ────────────────────────────────────────────────────────────────────────────────────

    /** @param {Event} event */
    meMenu(event) {
        const { chat } = this;
        const { nick, away, account } = chat.model.state;
        const { theme, typing, notify } = chat.store.kept;
        const themes = /** @type {const} */ (["auto", "dark", "light"]);
        const next = themes[(themes.indexOf(theme) + 1) % 3];
        const named = (/** @type {string | undefined} */ one) => (one === "auto" ? "as the system" : one);
        const guest = !account && chat.secure;
        this.menu(nick, [
            this.#asking("Change nickname…", { label: "New nickname", id: "field", value: nick, maxlength: "20" }, (to) => to && chat.line("NICK", to)),
            away ? ["I am back", ["AWAY"]] : this.#asking("Away…", { label: "What others are told", id: "field" }, (text) => chat.line("AWAY", text || "away")),
            null,
            account && ["Log out", ["NS", "LOGOUT", "FORGET"]],
            guest && this.#password("Make this nickname mine…", "register", { readonly: true }, { autocomplete: "new-password", minlength: "8" }),
            guest && this.#password("Log in…", "login", {}, { autocomplete: "current-password" }),
            null,
            [notify ? "Turn notifications off" : "Turn notifications on", () => void chat.notifier.set(!notify)],
            [typing ? "Do not tell when I type" : "Tell others when I type", () => chat.keep({ typing: !typing })],
            [`Colours: ${named(theme)} → ${named(next)}`, () => chat.keep({ theme: next })],
            null,
            ["Help", () => this.help()],
            ["Leave", () => chat.quit("")],
            ["Leave, and forget me in this browser", () => chat.forget()],
        ], event);
    }

    /** A choice that asks for a password, so that password managers know what for.
     * @param {string} words @param {"register" | "login"} what
     * @param {Record<string, any>} ofName @param {Record<string, any>} ofPassword */
    #password(words, what, ofName, ofPassword) {
        const name = { label: "Nickname", id: "name", name: "username", autocomplete: "username", value: this.chat.model.state.nick, ...ofName };
        return this.#asking(words, [name, { label: "Password", id: "field", name: "password", type: "password", required: true, ...ofPassword }],
            (password, form) => this.chat.ask({ do: what, name: form.username.value, password }));
    }

    /** @param {string} nick @param {Event | HTMLElement} at */
    personMenu(nick, at) {
        const { chat } = this;
        const { model } = chat;
        const { here: { name: room, members }, leads } = model;
        const others = !model.isMe(nick);
        const member = leads && members.get(fold(nick));
        const may = others && member;
        const [op, voice] = ["@", "+"].map((sign) => member && member.prefixes.includes(sign));
        const why = "Why (others are told)";
        this.menu(nick, [
            others && ["Message in private", () => chat.talk(nick)],
            others && ["Mention", () => chat.input.insert(`${nick}: `)],
            ["Who is that?", ["WHOIS", nick]],
            others && [model.ignores(nick) ? "Stop ignoring" : "Ignore", () => chat.ignore(nick, !model.ignores(nick))],
            member && null,
            member && [op ? "Take operator status away" : "Make operator", ["MODE", room, op ? "-o" : "+o", nick]],
            member && [voice ? "Take voice away" : "Give voice", ["MODE", room, voice ? "-v" : "+v", nick]],
            may && this.#because("Mute…", why, "MUTE", room, nick),
            may && this.#because("Remove from the room…", why, "KICK", room, nick),
            may && this.#because("Ban…", why, "BAN", room, nick),
        ], at);
    }

    /** @param {Place} place @param {Event | HTMLElement} at */
    placeMenu(place, at) {
        const { chat } = this;
        const { name, topic } = place;
        const isRoom = place.kind === "room";
        this.menu(name || "Server", [
            ["Search…", () => this.search()],
            isRoom && this.#asking("Set the topic…", { label: "Topic", id: "field", value: topic, maxlength: "390" }, (text) => chat.line("TOPIC", name, text)),
            isRoom && this.#asking("Invite somebody…", { label: "Nickname", id: "field" }, (nick) => nick && chat.line("INVITE", nick, name)),
            isRoom && ["Bans and mutes", ["MODE", name, "+b"]],
            null,
            ["Clear", () => chat.clear()],
            name && [isRoom ? "Leave" : "Close", () => chat.close(place)],
        ], at);
    }

    /** @param {Shown} line @param {Event | HTMLElement} at */
    lineMenu(line, at) {
        const { chat } = this;
        const { here: { name }, leads } = chat.model;
        const links = piecesOf(line.text).flatMap(({ href }) => href ?? []);
        const said = line.id && name && ["said", "action", "notice"].includes(line.kind);
        const theirs = line.nick && !line.own;
        const mayRemove = said && (line.own || leads);
        this.menu("Message", [
            said && ["Reply", () => chat.reply(line)],
            said && ["React…", () => this.react(line)],
            ["Copy text", () => void navigator.clipboard?.writeText(shownLines(line.text))],
            ...links.slice(0, 3).map((href) => /** @type {Choice} */ ([`Open ${href.slice(0, 40)}`, () => void open(href, "_blank", "noopener,noreferrer")])),
            theirs && [`About ${line.nick}…`, () => this.personMenu(line.nick, at)],
            said && theirs && this.#because("Report to the operators…", "Why", "REPORT", name, line.id),
            mayRemove && null,
            mayRemove && ["Remove", ["REDACT", name, line.id]],
        ], at);
    }

    // ── finding ──────────────────────────────────────────────────────────────────────────────────

    /** A window with a field, and below it what fits to the words in it.
     * @param {string} title @param {string} label @param {HTMLElement} list @param {(words: string) => void} draw
     * @param {Properties} [how]  attributes of the field */
    #find(title, label, list, draw, how = {}) {
        /** @type {HTMLInputElement} */
        const input = h("input", { type: "search", placeholder: label, "aria-label": label, input: () => draw(input.value.trim()), ...how });
        this.window(title, [input, list]);
        draw("");
        input.focus();
    }

    /** @param {Shown} line */
    react(line) {
        this.emoji((picture) => this.chat.react(line, picture), REACTIONS);
    }

    /** @param {(picture: string) => void} then @param {string[]} [first] */
    emoji(then, first = []) {
        const all = new Map([...EMOJI].map(([name, picture]) => [picture, name]));
        const begin = first.map((picture) => /** @type {const} */ ([picture, all.get(picture) ?? "emoji"]));
        const grid = h("div", { class: "emoji" });
        this.#find("Emoji", "Name of an emoji", grid, (words) => {
            const found = [...all].filter(([, name]) => name.includes(words.toLowerCase()));
            grid.replaceChildren(...[...(words ? [] : begin), ...found].map(([picture, name]) =>
                h("button", { type: "button", title: name, "aria-label": name, click: () => (this.close(), then(picture)) }, picture)));
        }, { keydown: (event) => event.key === "Enter" && /** @type {HTMLElement | null} */ (grid.firstElementChild)?.click() });
    }

    /** Let one of what fits be chosen, by Enter or a click.
     * @param {string} title @param {string} label @param {(words: string) => Found[]} find */
    #choose(title, label, find) {
        let [chosen, typed] = [0, ""];
        const list = h("ul", { class: "found", role: "listbox", id: "found", "aria-label": title });
        const draw = () => {
            const found = find(typed);
            chosen = Math.max(0, Math.min(chosen, found.length - 1));
            list.replaceChildren(...found.map(({ words, does }, at) => h("li", { role: "option", id: `found${at}`, "aria-selected": String(at === chosen), click: () => (this.close(), does()) }, ...words)));
            list.children[chosen]?.scrollIntoView({ block: "nearest" });
            list.previousElementSibling?.setAttribute("aria-activedescendant", found.length ? `found${chosen}` : "");
        };
        const keydown = (/** @type {KeyboardEvent} */ event) => {
            const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
            if (event.key === "Enter") /** @type {HTMLElement | undefined} */ (list.children[chosen])?.click();
            else if (by) chosen += by, draw();
            else return;
            event.preventDefault();
        };
        this.#find(title, label, list, (words) => ([chosen, typed] = [0, words], draw()),
            { role: "combobox", "aria-controls": "found", "aria-expanded": "true", keydown });
        return draw;
    }

    /** Go to a place by a part of its name, or to one that is not open yet; also to one of the rooms that
     * the server tells of, if they are asked for.
     * @param {boolean} [asks] */
    go(asks = false) {
        const { chat } = this;
        const { model } = chat;
        /** @type {{room: string, count: number, topic: string}[]} */
        let rooms = [];
        const draw = this.#choose(asks ? "Join a room" : "Go to", asks ? "Name of a room, old or new" : "Room or person", (words) => {
            const fits = (/** @type {string} */ name) => fold(name).includes(fold(words));
            const name = roomName(words);
            const open = model.places.filter((place) => !asks && place.name && fits(place.name));
            const people = [...model.here.members.values()].filter(({ nick }) => !asks && words && fits(nick) && !model.find(nick) && !model.isMe(nick));
            const listed = rooms.filter(({ room, topic }) => fits(room) || fits(topic)).sort((one, other) => other.count - one.count);
            const isNew = /^\S+$/.test(words) && !listed.some(({ room }) => fold(room) === fold(name)) && (asks || !model.find(name));
            return [
                ...open.map((place) => ({ words: [place.name], does: () => chat.goTo(place.name) })),
                ...people.slice(0, 20).map(({ nick }) => ({ words: ["Talk to ", h("b", { class: colour(nick) }, nick)], does: () => chat.talk(nick) })),
                ...listed.map(({ room, count, topic }) => ({ words: [h("b", {}, room), h("small", {}, `${count} there${topic ? ` · ${topic}` : ""}`)], does: () => chat.join(room, "") })),
                ...(isNew ? [{ words: [`${rooms.length ? "Make" : "Join"} ${name}`], does: () => chat.join(name, "") }] : []),
            ];
        });
        if (!asks) return;
        this.waits = (message) => message.type === "listed" && ([{ rooms }] = [message], draw());
        chat.ask({ do: "list" });
    }

    /** @param {string} [words] */
    search(words = "") {
        const { chat } = this;
        const title = `Search ${chat.here.name}`;
        const list = h("ul", { class: "found", "aria-live": "polite" });
        const run = (/** @type {Event} */ event) => {
            event.preventDefault();
            this.#showHits(list, [], "Searching…");
            try {
                search(chat, input.value);
            } catch (error) {
                this.#showHits(list, [], String(/** @type {Error} */ (error).message));
            }
        };
        const input = h("input", { type: "search", placeholder: "Words; from:NAME before:2024-12-31 after:2024-12-31", "aria-label": title, value: words });
        this.window(title, [h("form", { class: "line", submit: run }, input, h("button", { type: "submit", class: "main" }, "Search")), list]);
        this.waits = ({ type, found, refused }) => type === "found" && this.#showHits(list, found.reverse(), refused || "Nothing was found.");
        input.focus();
        if (words) input.form?.requestSubmit();
    }

    /** @param {HTMLElement} list @param {any[]} found  lines, with their places @param {string} none  what is said if there are none */
    #showHits(list, found, none) {
        const { chat } = this;
        const hits = found.map(({ nick, text, time, place, id }) => h("li", {},
            h("button", { type: "button", click: () => (this.close(), chat.goTo(place), chat.log.goTo(id)) },
                h("small", {}, `${momentOf(time)} `), h("b", { class: colour(nick) }, nick), " ", h("bdi", {}, shownLines(text)))));
        list.replaceChildren(...(hits.length ? hits : [h("li", { class: "none" }, none)]));
    }

    /** Messages that mention us: in all places that are open, and what only the server knows. */
    mentions() {
        const lines = this.chat.model.places.flatMap(({ name, lines }) => lines.filter(({ mention }) => mention).map((line) => ({ ...line, place: name })));
        const list = h("ul", { class: "found", "aria-live": "polite" });
        const show = (/** @type {any[]} */ found) => {
            const all = [...new Map([...found, ...lines].map((line) => [line.id, line])).values()];
            this.#showHits(list, all.sort((one, other) => other.time - one.time).slice(0, 100), "Nobody has mentioned you lately.");
        };
        show([]);
        this.window("Mentions of you", [list]);
        this.waits = ({ type, found }) => type === "found" && show(found);
        this.chat.ask({ do: "mentions" });
    }

    help() {
        const commands = Object.entries(COMMANDS).map(([name, [args, does]]) => [`/${name} ${args}`.trim(), does]);
        const body = h("div", { class: "help", tabindex: "0" });
        this.#find("Help", "Filter", body, (words) =>
            body.replaceChildren(...section("Keys", KEYS, words), ...section("Signs", SIGNS, words), ...section("Commands", commands, words)));
    }
}

/** A label, and the input below it.
 * @param {Field} field
 * @returns {[HTMLLabelElement, HTMLInputElement]} */
const field = ({ label, ...attributes }) =>
    [h("label", { for: attributes.id }, label), h("input", attributes)];

/** @param {string} title @param {string[][]} rows @param {string} words */
function section(title, rows, words) {
    const fit = rows.filter((row) => row.join(" ").toLowerCase().includes(words.toLowerCase()));
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
