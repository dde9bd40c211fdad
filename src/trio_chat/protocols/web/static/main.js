// The page: joins the model with the views, and, in the tab that leads, with the server.

import { Unsupported } from "./commands.js";
import { byId } from "./dom.js";
import { Frame } from "./frame.js";
import { Input } from "./input.js";
import { escape, fold, isRoom, messagesOf, newToken, roomName } from "./irc.js";
import { address, Link, Tabs } from "./link.js";
import { Log } from "./log.js";
import { Model } from "./model.js";
import { Panels } from "./panels.js";
import { Session } from "./session.js";
import { Memory, Store } from "./store.js";
import { isInvisible } from "./text.js";
import { listen, Notifier } from "./window.js";

const LINES_MAX = 500; // of one paste: nobody reads more
const MARK_AFTER = 500; // ms until the server is told how far we have read
const PAGES_MAX = 30; // of history, to find one message
const LOBBY = "#lobby";

export class Chat {
    /** @type {Session | null} */
    session = null;
    /** @type {Link | null} */
    link = null;
    /** @type {Who} */
    who = { nick: "" };
    drawing = false;
    sought = { id: "", pages: 0 }; // a message that history is searched for
    fresh = true; // whether nothing is known yet
    build = "";
    marking = 0;
    seq = 0; // of the text that was said last

    constructor() {
        this.secure = isSecureContext;
        this.store = new Store(storage(), location.pathname);
        this.invitation = invitation(location.hash);
        this.notifier = new Notifier(this);
        this.model = new Model(Date.now, (place, line) => this.notifier.call(place, line));
        this.model.ignored = this.store.kept.ignored;
        this.model.focused = document.hasFocus();
        this.panels = new Panels(this);
        this.frame = new Frame(this);
        this.log = new Log(this, byId("log"), byId("down"), byId("news"));
        this.input = new Input(this, byId("composer"));
        this.last = this.invitation.room || this.store.kept.current;
        this.#dress();
        this.tabs = new Tabs(`trio-chat:${location.pathname}`, {
            lead: () => this.#lead(),
            follow: () => this.#follow(),
            snapshot: () => this.model.state,
            restore: (state) => this.#restore(state),
            hear: (message) => this.#hear(message),
            request: (wish) => this.#request(wish),
        });
        listen(this);
    }

    // ── the connection, in the tab that leads ────────────────────────────────────────────────────

    #lead() {
        const { store, secure } = this;
        this.session = new Session({ store, secure, device: browser(), now: Date.now, later: setTimeout.bind(null), tell: (message) => this.tabs.tell(message), send: (line) => this.link?.send(line) });
        const { nick } = store.kept;
        this.session.wasIn = nick !== "";
        if (!nick || (this.invitation.entry && !this.model.state.network)) this.panels.ask();
        else this.enter(nick, "", this.invitation.entry || store.kept.entry);
    }

    /** Another tab has the connection, and tells what is known. */
    #follow() {
        this.link?.close();
        [this.link, this.session, this.fresh] = [null, null, true];
    }

    /** @param {string} nick @param {string} password @param {string} [entry]  a link, an invitation, or the password of this chat */
    enter(nick, password, entry = "") {
        this.invitation.entry = tokenOf(entry) || entry.trim();
        this.who = { nick, password, entry: this.invitation.entry };
        this.tabs.ask({ do: "enter", who: this.who });
    }

    /** @param {Wish} wish */
    #request(wish) {
        if (wish.do === "enter") this.#connect(wish.who);
        else if (wish.do === "leave") this.#leave(wish.words);
        else if (wish.do === "reconnect" || wish.do === "retry") this.link?.[wish.do]();
        else this.session?.request(wish);
    }

    /** @param {Who} who */
    #connect(who) {
        const { session } = this;
        if (!session) return;
        session.who = { ...who };
        const { room } = this.invitation;
        if (room) session.join(room);
        else if (!Object.keys(this.store.kept.rooms).length) session.join(LOBBY, "", "otherwise");
        this.link?.close();
        this.link = new Link(address(location), {
            open: () => session.open(),
            line: (line) => session.receive(line),
            lost: (again, why) => session.lost(again, why),
        });
    }

    /** @param {string} words */
    #leave(words) {
        this.link?.send(words ? `QUIT :${words}` : "QUIT");
        this.link?.close();
        this.link = null;
        this.session?.lost(0);
        this.tabs.tell({ type: "left chat" });
    }

    // ── messages and requests ────────────────────────────────────────────────────────────────────

    /** @param {Message} message */
    #hear(message) {
        this.model.hear(message);
        this.#after[message.type]?.(message);
        this.panels.waits?.(message);
        this.draw();
    }

    /** What else follows from a message.
     * @type {Record<string, (message: any) => void>} */
    #after = {
        linked: ({ build }) => this.#linked(build),
        refused: ({ about, why }) => this.#refused(about, why),
        "left chat": () => this.panels.ask(),
        talk: () => this.#remember(),
        JOIN: ({ own, place }) => own && this.#entered(place),
        page: () => this.#seek(),
        PART: ({ own }) => own && this.begun && this.#ready(),
        ready: () => this.#ready(),
    };

    /** @param {string} build */
    #linked(build) {
        this.link?.admitted();
        this.fresh = false;
        this.who.password = "";
        if (!this.build) this.build = build;
        if (this.invitation.entry || location.hash) history.replaceState(null, "", location.pathname);
        this.invitation = { room: "", entry: "" };
        byId("start").hidden = true;
        byId("chat").hidden = false;
        const { talks, current } = this.store.kept;
        for (const talk of talks) this.model.open(talk);
        this.#drafts();
        if (!this.model.current) this.goTo(isRoom(current) ? "" : current);
        this.input.focus();
    }

    /** @param {string} about @param {string} why */
    #refused(about, why) {
        this.link?.close();
        this.link = null;
        this.panels.ask(why, about);
    }

    /** @param {string} room */
    #entered(room) {
        this.#drafts();
        if (this.wanted !== fold(room) && (this.model.current || fold(this.last) !== fold(room))) return;
        this.wanted = "";
        this.#arrive(room);
    }

    /** Go to a place by ourselves; what somebody has begun to write meanwhile comes along.
     * @param {string} name */
    #arrive(name) {
        const place = this.model.find(name);
        if (place && !this.model.current) place.draft = [place.draft, this.here.draft].filter(Boolean).join(" ");
        this.goTo(name);
    }

    /** Show a room if the one of last time is not there, now that all are known; or if a guest who logs in has
     * left the one that was shown so. */
    #ready() {
        const room = this.model.places.find(({ kind, joined }) => kind === "room" && joined);
        if (!room || this.model.current !== this.begun || this.here.joined) return;
        this.#arrive(room.name);
        this.begun = room.name;
    }

    begun = ""; // the room that was shown so
    wanted = ""; // the room that the person has asked for
    last = ""; // the room where they were the last time

    /** @param {State} state */
    #restore(state) {
        if (!this.fresh || !state.network) return;
        this.model.restore(state);
        this.#linked(state.build);
        this.goTo(this.store.kept.current);
    }

    /** @param {Wish} wish */
    ask(wish) {
        this.tabs.ask(wish);
    }

    /** @param {string[]} words */
    line(...words) {
        this.ask({ do: "line", place: this.model.current, words });
    }

    get here() {
        return this.model.here;
    }

    // ── what the person does ─────────────────────────────────────────────────────────────────────

    /** @param {string} target @param {string} text @param {{action?: boolean, notice?: boolean}} how */
    say(target, text, how) {
        const { limits } = this.model.state;
        if (isInvisible(text)) throw new Unsupported("That has nothing visible in it, so it was not sent.");
        if (text.split("\n").length > LINES_MAX) throw new Unsupported(`At most ${LINES_MAX} lines can be sent at once.`);
        const { here } = this.model;
        const reply = fold(target) === fold(here.name) ? here.reply : "";
        messagesOf(target, text, how.action ?? false, limits).forEach((message, at) => {
            this.seq = Math.max(Date.now(), this.seq + 0.001); // several may be said in one millisecond
            this.store.put({ token: newToken(), target, text: message, ...how, ...(reply && !at ? { reply } : {}), seq: this.seq });
        });
        here.reply = "";
        if (!isRoom(target)) this.#remember(target);
        this.ask({ do: "texts" });
    }

    /** Go where a link leads that was opened in this page. */
    followLink() {
        const { room, entry } = invitation(location.hash);
        history.replaceState(null, "", location.pathname);
        if (entry) this.line("INVITATION", entry);
        if (room) this.join(room, "");
    }

    /** @param {string} text */
    note(text) {
        this.model.tell(this.here, text, { kind: "refusal" });
        this.draw();
    }

    /** @param {string} name */
    goTo(name) {
        const place = this.model.find(name) ?? this.model.open("");
        this.seen();
        this.model.goTo(place);
        this.begun = "";
        if (place.name) this.store.keep({ current: place.name });
        document.body.classList.remove("rooms", "people");
        this.input.turnTo(place);
        this.draw();
        if (matchMedia("(hover: hover)").matches) this.input.focus();
    }

    /** @param {string} nick */
    talk(nick) {
        if (isRoom(nick)) return this.join(nick, "");
        const isNew = !this.model.find(nick);
        this.model.open(nick);
        this.#remember(nick);
        if (isNew) this.ask({ do: "talk", place: nick });
        this.goTo(nick);
    }

    /** Keep which conversations are open.
     * @param {string} [nick] */
    #remember(nick) {
        const { talks, closed } = this.store.kept;
        const people = this.model.places.filter(({ kind }) => kind === "person").map(({ name }) => name);
        const all = new Map([...talks, ...people, ...(nick ? [nick] : [])].map((name) => [fold(name), name]));
        if (nick) delete closed[fold(nick)];
        this.store.keep({ talks: [...all.values()].slice(-100), closed });
    }

    /** @param {string} room @param {string} key */
    join(room, key) {
        const known = this.model.find(room);
        if (known?.joined) return this.goTo(known.name);
        this.wanted = fold(roomName(room));
        this.ask({ do: "join", room: roomName(room), key });
    }

    /** @param {Place} place */
    close(place) {
        if (place.kind === "server") throw new Unsupported("The server's page cannot be closed. /quit leaves.");
        const { places } = this.model;
        const next = places[places.indexOf(place) - 1] ?? places[0];
        if (place === this.here && next) this.goTo(next.name);
        this.model.close(place);
        if (place.kind === "room") return this.ask({ do: "part", room: place.name, why: "" });
        const { talks, closed } = this.store.kept;
        this.store.keep({ talks: talks.filter((name) => fold(name) !== fold(place.name)), closed: { ...closed, [fold(place.name)]: Date.now() } });
        this.draw();
    }

    /** @param {Shown | null} line */
    reply(line) {
        this.here.reply = line?.id ?? "";
        this.draw();
        this.input.focus();
    }

    /** @param {Shown} line @param {string} emoji */
    react(line, emoji) {
        const mine = this.here.reactions.get(line.id)?.get(emoji)?.includes(this.model.state.nick);
        this.ask({ do: "react", place: this.here.name, id: line.id, emoji, on: !mine });
    }

    older() {
        const { here } = this.model;
        const first = here.lines.find(({ id }) => id)?.id ?? "";
        if (!here.name || here.asking || here.complete || this.model.state.link !== "up" || (here.kind === "room" && !here.joined)) return;
        here.asking = true;
        this.ask({ do: "page", place: here.name, before: first });
    }

    /** Look for a message in history, page by page.
     * @param {string} id */
    find(id) {
        this.sought = { id, pages: 0 };
        this.older();
    }

    #seek() {
        const { id, pages } = this.sought;
        if (!id) return;
        const found = this.here.ids.has(id);
        const over = found || this.here.complete || pages > PAGES_MAX;
        this.sought = { id: over ? "" : id, pages: pages + 1 };
        if (!over) this.older();
        else if (found) this.log.goTo(id);
        else this.note("That message is not in the history any more, or too far back.");
    }

    /** @param {string} words @param {Record<string, string>} query */
    search(words, query) {
        const given = Object.entries(query).filter(([, value]) => value).map(([key, value]) => `${key}=${escape(value)}`);
        if (!this.panels.waits) return this.panels.search(words);
        this.ask({ do: "search", place: this.here.name, words, query: given.join(";") });
    }

    clear() {
        this.here.lines = this.here.lines.filter((line) => line.state !== "sent");
        this.here.ids.clear();
        this.draw();
    }

    /** @param {string} mask @param {boolean} on */
    ignore(mask, on) {
        const { ignored } = this.model;
        if (!mask) return this.note(`Ignored: ${ignored.join(", ") || "nobody"}.`);
        this.model.ignored = on ? [...ignored, mask] : ignored.filter((one) => fold(one) !== fold(mask));
        this.keep({ ignored: this.model.ignored });
        this.model.tell(this.here, on ? `${mask} is ignored from now on. /unignore ${mask} ends that.` : `${mask} is no longer ignored.`, { kind: "note" });
        this.draw();
    }

    /** Go to a place by its number, counted from 1, or by the beginning of its name.
     * @param {string} which */
    page(which) {
        const { places } = this.model;
        const bare = (/** @type {string} */ name) => fold(name.replace(/^[#&]/, ""));
        const found = places[Number(which) - 1] ?? places.find(({ name }) => name && bare(name).startsWith(bare(which)));
        if (!found) throw new Unsupported(`There is no page ${which}.`);
        this.goTo(found.name);
    }

    /** @param {string} words */
    quit(words) {
        this.ask({ do: "leave", words });
    }

    /** Leave, and let this browser know nothing of us: it may be somebody else's. */
    forget() {
        if (this.model.state.account) this.line("NS", "LOGOUT", "FORGET");
        this.quit("");
        this.store.clear();
        location.reload();
    }

    /** @param {Partial<Kept>} change */
    keep(change) {
        this.store.keep(change);
        this.#dress();
        this.draw();
    }

    #dress() {
        document.documentElement.dataset.theme = this.store.kept.theme;
    }

    /** Find what was being written in the places that are known by now. */
    #drafts() {
        for (const place of this.model.places) place.draft ||= this.store.read(`draft:${place.name}`) ?? "";
    }

    // ── reading ──────────────────────────────────────────────────────────────────────────────────

    /** The person sees the current place: tell the server how far they have read. */
    seen() {
        const { here } = this.model;
        if (!this.model.sees(here) || this.model.state.link !== "up") return;
        const time = this.model.read(here);
        if (!time) return;
        clearTimeout(this.marking);
        this.marking = setTimeout(() => this.ask({ do: "read", place: here.name, time }), MARK_AFTER);
    }

    get waiting() {
        return [...this.model.ours.values()].filter(({ line }) => line.state === "waiting").length;
    }

    isOld() {
        return this.build !== "" && this.model.state.build !== this.build;
    }

    // ── drawing ──────────────────────────────────────────────────────────────────────────────────

    /** Show everything again, once before the next frame. */
    draw() {
        if (this.drawing) return;
        this.drawing = true;
        const draw = () => {
            this.drawing = false;
            if (byId("chat").hidden) return this.panels.drawLink();
            this.log.draw(this.here);
            this.seen();
            this.frame.draw();
            this.input.draw(this.here);
        };
        if (document.hidden) setTimeout(draw, 250);
        else requestAnimationFrame(draw);
    }

    /** @param {"rooms" | "people"} what */
    toggle(what) {
        document.body.classList.toggle(innerWidth < (what === "people" ? 901 : 700) ? what : `no-${what}`);
    }
}

/** The room and the invitation in a link: #ROOM?invite=TOKEN after the address.
 * @param {string} hash */
export function invitation(hash) {
    const [path = "", query = ""] = decoded(hash.replace(/^#/, "")).split("?");
    const room = path.includes("=") ? "" : path.replace(/^\//, "");
    return { room: room && roomName(room), entry: tokenOf(query || path) };
}

/** The token in a link; the server says if it is not whole.
 * @param {string} link */
const tokenOf = (link) => /(?:^|[?&])invite=([\w-]+)/.exec(link)?.[1] ?? "";

/** @param {string} text */
function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch {
        return "";
    }
}

/** What lasts as long as the browser keeps it; without locks between tabs, as long as the tab. */
function storage() {
    try {
        const found = navigator.locks ? localStorage : sessionStorage;
        found.getItem("");
        return found;
    } catch {
        return new Memory();
    }
}

/** What people call this browser. */
function browser() {
    const { userAgent } = navigator;
    const name = ["Firefox", "Edg", "OPR", "Chrome", "Safari"].find((one) => userAgent.includes(one)) ?? "Browser";
    const system = ["Android", "iPhone", "iPad", "Windows", "Mac", "Linux"].find((one) => userAgent.includes(one)) ?? "";
    return ["web", name === "Edg" ? "Edge" : name, system].filter(Boolean).join("-");
}

if (typeof document !== "undefined") new Chat();
