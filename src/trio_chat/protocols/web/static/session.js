// A person's session with the server: registration, rooms, and texts that arrive exactly once. It is
// given lines and gives lines; what it learns it tells as messages, plain objects that any tab can
// be sent.

import { History } from "./history.js";
import { understand } from "./inbound.js";
import { fold, linesOf, newToken, parse, tagged, write } from "./irc.js";
import { Login, LoginError } from "./login.js";

// Of the capabilities of our server, which has all of them: what another version of it lacks is not asked for.
const WANTED = new Set([
    "account-notify", "account-tag", "away-notify", "batch", "cap-notify", "chghost",
    "draft/channel-rename", "draft/chathistory", "draft/event-playback", "draft/message-redaction",
    "draft/multiline", "draft/read-marker", "echo-message", "extended-join", "labeled-response",
    "message-tags", "multi-prefix", "no-implicit-names", "sasl", "server-time", "setname", "soju.im/search", "standard-replies",
    "trio-chat/identity", "trio-chat/missed",
]);

const ON_THE_WAY_MAX = 64; // texts: one round trip, so this does not limit the speed
const ATTEMPTS = 30; // nicknames: nobody has so many clients
const SAME = 4; // attempts with the same one, as an old connection of ours may just be ending
const PATIENCE = 300; // ms between those

/** Whether this looks like an invitation, and is no password.
 * @param {string} entry */
const isInvitation = (entry) => /^[\w-]{43}$/.test(entry);

export class Session {
    /** @type {Map<string, string>} */
    offered = new Map(); // the server's capabilities, with their values
    /** @type {Map<string, Asked>} */
    labels = new Map();
    /** @type {Map<string, Batch>} */
    batches = new Map();
    /** @type {Set<string>} */
    onTheWay = new Set(); // tokens of texts sent on this connection
    /** @type {Set<string>} */
    joining = new Set(); // rooms that we have asked to enter
    /** @type {Set<string>} */
    told = new Set(); // tokens of texts that the tabs know of
    /** @type {Who} */
    who = { nick: "" };
    nick = "";
    wasIn = false; // whether the server has let us in before
    greeted = false; // and has told its message of the day
    history = new History(this);
    /** @type {Login | null} */
    login = null;
    prefixes = "@+"; // of operators and the like, as the server has them
    network = "";
    server = ""; // its name
    build = "";
    account = "";
    isClosed = false; // whether guests are let in by an invitation only
    reserved = ""; // why our nickname is somebody's
    farewell = ""; // why the server has ended the last connection before it let us in
    attempt = 1; // which nickname this is, if the first was taken
    counted = 0; // labels

    /** `secure`: nobody on the way can read what we send; `device`: what people call this browser;
     * `now` gives the time in unix ms; `later` does something after so many ms.
     * @param {{store: Store, tell: (message: Message) => void, send: (line: string) => void, secure: boolean,
     *     device: string, now: () => number, later: (what: () => void, ms: number) => void}} around */
    constructor({ store, tell, send, secure, device, now, later }) {
        this.store = store;
        this.tell = tell;
        this.send = send;
        this.secure = secure;
        this.device = device;
        this.now = now;
        this.later = later;
        this.#reset();
    }

    #reset() {
        for (const known of [this.offered, this.labels, this.batches, this.onTheWay, this.joining]) known.clear();
        this.registered = this.welcomeOver = this.ready = this.identified = false;
        this.login = null;
        this.reserved = this.account = "";
        this.isClosed = false;
        this.attempt = 1;
        this.history.cut();
    }

    // ── the connection ──────────────────────────────────────────────────────────────────────────

    /** Register, now that there is a connection. */
    open() {
        this.#reset();
        this.farewell = "";
        const { nick, entry } = this.who;
        const user = nick.replace(/[^A-Za-z0-9]/g, "").slice(0, 10) || "user";
        this.nick = nick;
        this.line("CAP", "LS", "302");
        if (entry) this.line("PASS", entry);
        this.line("NICK", nick);
        this.line("USER", user, "0", "*", nick);
    }

    /** @param {number} again  ms until the next attempt; 0 if there is none
     * @param {string} [why] */
    lost(again, why = "") {
        this.#reset();
        this.tell({ type: "unlinked", at: again && this.now() + again, why: why || this.farewell });
    }

    /** @param {string} text */
    receive(text) {
        const line = parse(text);
        if (line) understand(this, line);
    }

    /** Send a line. A name that a line cannot hold raises an Error.
     * @param {string[]} words */
    line(...words) {
        const [command = "", ...params] = words;
        this.send(write(command, ...params));
    }

    /** Send a line whose answer belongs to what was asked.
     * @param {Asked} asked @param {string} line @param {Record<string, string>} tags */
    ask(asked, line, tags = {}) {
        this.send(tagged({ label: this.label(asked), ...tags }, line));
    }

    /** @param {Asked} asked */
    label(asked) {
        const label = String(++this.counted);
        this.labels.set(label, asked);
        return label;
    }

    /** @param {string} nick */
    isMe(nick) {
        return fold(nick) === fold(this.nick);
    }

    // ── being let in ────────────────────────────────────────────────────────────────────────────

    /** All that the server offers is known: take what we can use. */
    offeredAll() {
        const wanted = [...this.offered.keys()].filter((cap) => WANTED.has(cap));
        if (wanted.length) this.line("CAP", "REQ", wanted.join(" "));
        else this.endOfCaps();
    }

    /** @param {string[]} caps */
    acknowledged(caps) {
        if (caps.includes("trio-chat/identity") && !this.registered) {
            this.identified = true;
            this.line("IDENTITY", this.store.secret);
        }
        if (caps.includes("sasl") && this.who.password && !this.registered) this.#logIn(this.who.nick, this.who.password);
        else this.endOfCaps();
    }

    endOfCaps() {
        if (!this.registered && !this.login) this.line("CAP", "END");
    }

    /** Nobody is let in by this name. Try the next, if this is a return, or the account of somebody who
     * is here with another device; or else ask the person.
     * @param {string} why */
    nickRefused(why) {
        this.attempt += 1;
        const known = this.wasIn || this.who.password;
        if (this.reserved || !known || this.attempt > ATTEMPTS) {
            const owned = `The nickname ${this.who.nick} is somebody's account. If it is yours, log in with its password; if not, pick another.`;
            return this.reserved ? this.refused("account", owned) : this.refused("nick", why);
        }
        const same = this.attempt <= SAME;
        this.nick = same ? this.who.nick : `${this.who.nick.slice(0, 16)}_${this.attempt - SAME + 1}`;
        this.later(() => this.registered || this.line("NICK", this.nick), same ? PATIENCE : 0);
    }

    /** @param {"nick" | "account" | "entry" | "login" | "server"} about @param {string} why */
    refused(about, why) {
        this.tell({ type: "refused", about, why });
    }

    /** @param {string} nick */
    welcomed(nick) {
        this.nick = nick;
        this.registered = this.wasIn = true;
        this.store.keep({ nick: this.who.nick });
        if (this.who.password && this.login) this.keepDevice();
        this.login = null;
    }

    /** The welcome is over: enter our rooms, and ask what was said meanwhile. */
    linked() {
        if (this.welcomeOver) return; // somebody has asked for the message of the day
        this.welcomeOver = this.greeted = true;
        this.#keepEntry();
        const { nick, network, build, limits } = this;
        this.tell({ type: "linked", nick, network, build, limits });
        if (!this.isMe(this.who.nick)) this.#tellNick();
        this.#tellTexts();
        this.history.welcome();
        const { rooms, talks } = this.store.kept;
        for (const { name, key, why } of Object.values(rooms)) this.join(name, key, why);
        for (const talk of talks) this.history.enter(talk);
        this.proceed();
    }

    /** Keep what has let us in, if we shall need it again. */
    #keepEntry() {
        const { entry = "" } = this.who;
        const needed = !this.account && (this.isClosed || !isInvitation(entry));
        this.who.entry = needed ? entry : "";
        this.store.keep({ entry: this.who.entry });
    }

    /** @param {string} name  of our account; empty if we have left it */
    known(name) {
        this.account = name;
        if (name) this.#keepEntry();
        this.tell({ type: "account", name });
    }

    #tellNick() {
        const why = this.reserved || `The nickname ${this.who.nick} is taken.`;
        this.tell({ type: "note", place: "", text: `${why} You are ${this.nick} for now; /nick changes that.` });
    }

    /** What one message may hold. */
    get limits() {
        const [, bytes = 0, lines = 1] = /max-bytes=(\d+),max-lines=(\d+)/.exec(this.offered.get("draft/multiline") ?? "") ?? [];
        return { bytes: Number(bytes), lines: Number(lines) };
    }

    // ── our account ─────────────────────────────────────────────────────────────────────────────

    /** @param {string} name @param {string} password */
    #logIn(name, password) {
        const offered = (this.offered.get("sasl") ?? "").split(",");
        this.#try(() => {
            this.login = new Login(name, password, newToken(), offered, this.secure);
            this.login.isAgain = this.account !== "";
            this.line("AUTHENTICATE", this.login.mechanism);
        });
    }

    /** @param {string} chunk */
    async authenticate(chunk) {
        const { login } = this;
        if (!login) return;
        await this.#try(async () => {
            const answer = await login.answer(chunk);
            if (login === this.login) for (const part of answer) this.line("AUTHENTICATE", part);
        });
    }

    loggedIn() {
        const { login } = this;
        if (!login) return;
        this.#try(() => {
            login.check();
            if (!this.registered) return this.line("CAP", "END");
            this.login = null;
            if (login.isAgain) this.tell({ type: "note", place: "", text: "That is the password." });
            this.keepDevice();
        });
    }

    /** @param {string} why */
    loginRefused(why) {
        this.#try(() => {
            if (this.login) this.line("AUTHENTICATE", this.login.refused(why));
        });
    }

    /** Do a step of the login; if it fails, we do not go in as a stranger.
     * @param {() => unknown} step */
    async #try(step) {
        try {
            await step();
        } catch (error) {
            if (!(error instanceof LoginError)) throw error;
            this.login = null;
            if (this.registered) this.tell({ type: "note", place: "", text: error.message, refusal: true });
            else this.refused("login", error.message);
        }
    }

    /** Let our secret log us in from now on, if nobody could overhear it. */
    keepDevice() {
        this.who.password = "";
        if (this.identified && this.secure) {
            this.ask({ kind: "quiet", place: "" }, write("NS", "TOKEN", "KEEP", this.device));
        }
    }

    // ── rooms ───────────────────────────────────────────────────────────────────────────────────

    /** Enter a room because somebody wants that, or else `why`: it is "remembered", and the server does not
     * let us in if we have left it by another device since; or "otherwise" we may be in none.
     * @param {string} room @param {string} key */
    join(room, key = "", why = "") {
        const { rooms } = this.store.kept;
        this.store.keep({ rooms: { ...rooms, [fold(room)]: { name: room, key, why } } });
        if (!this.welcomeOver) return; // then all that we want to be in are entered
        this.joining.add(fold(room));
        const tags = why ? { [`+trio-chat/${why}`]: "1" } : {};
        this.ask({ kind: "join", place: room }, write("JOIN", room, ...(key ? [key] : [])), tags);
    }

    /** We are in a room.
     * @param {string} room */
    entered(room) {
        const { rooms } = this.store.kept;
        const wanted = rooms[fold(room)];
        if (wanted) this.store.keep({ rooms: { ...rooms, [fold(room)]: { ...wanted, why: "remembered" } } });
        this.joined(room);
    }

    /** The server has answered whether we may enter a room.
     * @param {string} room */
    joined(room) {
        if (this.store.kept.rooms[fold(room)]?.why === "otherwise") this.forget(room);
        this.joining.delete(fold(room));
        this.proceed();
    }

    /** Do not enter a room again by ourselves.
     * @param {string} room */
    forget(room) {
        const { rooms } = this.store.kept;
        delete rooms[fold(room)];
        this.store.keep({ rooms });
    }

    // ── texts ───────────────────────────────────────────────────────────────────────────────────

    /** Send what waits, if everything said meanwhile is known. */
    proceed() {
        if (!this.ready && this.welcomeOver && !this.history.busy && !this.joining.size) {
            this.ready = true;
            this.tell({ type: "ready" });
        }
        this.#tellTexts();
        if (!this.ready) return;
        for (const text of this.store.texts) {
            if (this.onTheWay.size >= ON_THE_WAY_MAX) return;
            if (!text.failed && !this.onTheWay.has(text.token)) this.#say(text);
        }
    }

    #tellTexts() {
        for (const text of this.store.texts) {
            if (this.told.has(text.token)) continue;
            this.told.add(text.token);
            this.tell({ ...text, type: "sent", time: text.seq });
        }
    }

    /** @param {OurText} text */
    #say(text) {
        const { token, target, reply = "" } = text;
        this.onTheWay.add(token);
        const label = this.label({ kind: "text", place: target, token });
        try {
            const tags = { label, "+trio-chat/id": token, "+draft/reply": reply };
            for (const line of linesOf(target, text.text, text, tags)) this.send(line);
        } catch (error) {
            this.failed(token, String(/** @type {Error} */ (error).message));
        }
    }

    /** Whether this is a text of ours that has not arrived: nobody else knows its token before that.
     * @param {string} token */
    isOurs(token) {
        return token !== "" && this.store.read(`text:${token}`) !== null;
    }

    /** A text of ours is back.
     * @param {string} token */
    arrived(token) {
        this.onTheWay.delete(token);
        this.store.drop(token);
        this.proceed();
    }

    /** @param {string} token @param {string} why */
    failed(token, why) {
        this.onTheWay.delete(token);
        const text = this.store.read(`text:${token}`);
        if (!text) return;
        this.store.put({ ...text, failed: why });
        this.tell({ type: "failed", token, why });
        this.proceed();
    }

    /** @param {string} token */
    discard(token) {
        this.onTheWay.delete(token);
        this.store.drop(token);
        this.tell({ type: "discarded", token });
    }

    // ── what the tabs ask ───────────────────────────────────────────────────────────────────────

    /** @param {Wish} request */
    request(request) {
        try {
            this.#requests[request.do]?.(request);
        } catch (error) {
            const { message } = /** @type {Error} */ (error);
            this.tell({ type: "note", place: request.place ?? "", text: message, refusal: true });
        }
    }

    /** @type {Record<string, (request: Wish) => void>} */
    #requests = {
        texts: () => this.proceed(),
        again: ({ token }) => this.#again(token),
        discard: ({ token }) => this.discard(token),
        join: ({ room, key }) => this.join(room, key),
        part: ({ room, why }) => {
            this.forget(room);
            if (this.registered) this.line("PART", room, ...(why ? [why] : []));
        },
        talk: ({ place }) => this.history.enter(place),
        page: ({ place, before }) => this.history.page(place, before),
        read: ({ place, time }) => {
            if (!this.registered || !place) return;
            this.line("MARKREAD", place, `timestamp=${new Date(time).toISOString()}`);
        },
        typing: ({ place, active }) => {
            if (this.ready) this.send(`@+typing=${active ? "active" : "done"} ${write("TAGMSG", place)}`);
        },
        react: ({ place, id, emoji, on }) => {
            const tag = on ? "+draft/react" : "+draft/unreact";
            const asked = { kind: "command", place };
            this.ask(asked, write("TAGMSG", place), { [tag]: emoji, "+draft/reply": id });
        },
        search: ({ place, words, query }) =>
            this.ask({ kind: "search", place, words, found: [] }, write("SEARCH", query)),
        mentions: () => this.ask({ kind: "search", place: "", words: "", found: [] }, "MENTIONS 100"),
        list: () => this.ask({ kind: "list", place: "", rooms: [] }, "LIST"),
        line: ({ place, words }) => {
            if (!this.registered) throw new Error("There is no connection just now: try again later.");
            this.ask({ kind: "command", place }, write(words[0], ...words.slice(1)));
        },
        raw: ({ place, line }) => this.ask({ kind: "command", place }, line.replace(/[\r\n]/g, " ")),
        register: ({ password }) => {
            const asked = { kind: "register", place: "" };
            this.ask(asked, write("REGISTER", "*", "*", password));
        },
        login: ({ name, password }) => {
            if (!this.offered.has("sasl")) throw new Error("Nobody can log in here.");
            this.#logIn(name || this.nick, password);
        },
    };

    /** @param {string} token */
    #again(token) {
        const text = this.store.read(`text:${token}`);
        if (!text) return;
        this.store.put({ ...text, failed: "", seq: this.now() });
        this.tell({ ...text, type: "sent", time: this.now() });
        this.proceed();
    }
}
