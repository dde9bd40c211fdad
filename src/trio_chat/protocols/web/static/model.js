// What a person sees, as data: places with their lines, what is new in them, and who is there. It
// knows neither the network nor the document; a tab can send its state to another.

import { fold, isRoom } from "./irc.js";
import { names, shown, shownLines } from "./text.js";

const LINES_MAX = 20_000; // in one place; the oldest go
const TRIM = 1_000; // lines that go at once
const REACTED_MAX = 2_000; // messages of a place whose reactions are known
const SPEAKERS_MAX = 200;
const TYPING = 6_000; // ms after which somebody who types nothing more is not typing
const LATELY = 600_000; // ms for which a speaker's leaving is worth a line of its own
const NAMED_MAX = 10; // names in a line about comings and goings; the others are counted

// What somebody did before on the line about comings and goings, and does now.
/** @type {Record<string, string>} */
const AMOUNTS = {
    "joined, left": "came and went",
    "left, joined": "left and came back",
    "came and went, joined": "joined",
    "left and came back, left": "left",
};

/** @type {Record<string, string>} */
const STATUS = { o: "@", v: "+", h: "%", a: "&", q: "~" };

/** @returns {State} */
export const emptyState = () => ({
    nick: "", account: "", network: "", build: "", link: "down", again: 0, why: "",
    limits: { bytes: 0, lines: 1 }, away: false, places: new Map(), keys: 0,
});

export class Model {
    current = "";
    focused = true;
    atEnd = true; // whether the newest line of the current place is in view
    /** @type {string[]} */
    ignored = [];
    /** @type {Map<string, {place: Place, line: Shown}>} */
    ours = new Map(); // our lines that have not arrived, by their tokens

    /** `now` gives unix ms; `calls` is told of lines that call for the person.
     * @param {() => number} now @param {(place: Place, line: Shown) => void} calls */
    constructor(now, calls) {
        this.now = now;
        this.calls = calls;
        this.state = emptyState();
        this.open("");
    }

    // ── places ───────────────────────────────────────────────────────────────────────────────────

    /** @param {string} name */
    find(name) {
        return this.state.places.get(fold(name));
    }

    /** The place of that name, which is opened if need be.
     * @param {string} name */
    open(name) {
        const known = this.find(name);
        if (known) return known;
        /** @type {Place} */
        const place = {
            name, kind: !name ? "server" : isRoom(name) ? "room" : "person", joined: false, topic: "",
            members: new Map(), lines: [], ids: new Map(), reactions: new Map(), unread: 0, mentions: 0,
            marked: 0, told: 0, newFrom: 0, complete: false, asking: false, typing: new Map(),
            speakers: new Map(), draft: "", reply: "",
        };
        this.state.places.set(fold(name), place);
        return place;
    }

    /** The places in the order of the list: the server, rooms, people. */
    get places() {
        const rank = { server: 0, room: 1, person: 2 };
        return [...this.state.places.values()].sort((one, other) => rank[one.kind] - rank[other.kind]);
    }

    get here() {
        return this.find(this.current) ?? this.open("");
    }

    /** Whether the person is an operator of this room, or of its server. */
    get leads() {
        const { here, state } = this;
        return here.kind === "room" && (!!state.rules || !!here.members.get(fold(state.nick))?.prefixes.includes("@"));
    }

    /** @param {Place} place */
    close(place) {
        if (place.kind !== "server") this.state.places.delete(fold(place.name));
    }

    /** @param {Place} place */
    sees(place) {
        return this.focused && this.atEnd && place === this.here;
    }

    /** Go to a place: what was new there when it was left is not any more.
     * @param {Place} place */
    goTo(place) {
        const left = this.here;
        if (left !== place) this.looksAway(left);
        this.current = place.name;
    }

    /** The person looks elsewhere: what they have read of a place is not new any more.
     * @param {Place} place */
    looksAway(place) {
        if (!place.unread) place.newFrom = 0;
    }

    /** The person has read all of a place. Returns the time up to which, if that is news.
     * @param {Place} place */
    read(place) {
        const last = place.lines.findLast((line) => line.id);
        [place.unread, place.mentions] = [0, 0];
        const moved = last && last.time > Math.max(place.told, place.marked);
        if (!moved || place.kind === "server") return 0;
        place.told = last.time;
        return last.time;
    }

    // ── lines ────────────────────────────────────────────────────────────────────────────────────

    /** @param {Partial<Shown>} what
     * @returns {Shown} */
    line(what) {
        return {
            key: ++this.state.keys, id: "", time: this.now(), kind: "event", nick: "", text: "", own: false,
            mention: false, state: "sent", token: "", why: "", reply: "", rev: 0, ...what,
        };
    }

    /** Put a line where it belongs: by its id, or else at the end; what is on its way stays last.
     * @param {Place} place @param {Shown} line */
    insert(place, line) {
        const { lines } = place;
        let at = lines.length;
        while (at && line.state === "sent" && lines[at - 1]?.state === "waiting") at -= 1;
        if (line.id) {
            const before = (/** @type {Shown | undefined} */ other) => !!other && (other.id ? other.id > line.id : other.time > line.time);
            while (at && before(lines[at - 1])) at -= 1;
            place.ids.set(line.id, line);
        }
        lines.splice(at, 0, line);
        if (lines.length > LINES_MAX) this.#trim(place);
    }

    /** @param {Place} place */
    #trim(place) {
        for (const { id } of place.lines.splice(0, TRIM)) place.ids.delete(id);
        place.complete = false;
    }

    /** @param {Place} place @param {Shown} line */
    remove(place, line) {
        place.lines.splice(place.lines.lastIndexOf(line), 1);
    }

    /** Tell something in a line of our own.
     * @param {Place} place @param {string} text @param {Partial<Shown>} [what] */
    tell(place, text, what = {}) {
        this.insert(place, this.line({ text, ...what }));
    }

    // ── what happens ─────────────────────────────────────────────────────────────────────────────

    /** @param {Message} message */
    hear(message) {
        this.#heard[message.type]?.(message);
    }

    /** @type {Record<string, (message: any) => void>} */
    #heard = {
        linked: ({ nick, network, build, limits }) => {
            const first = !this.state.network;
            Object.assign(this.state, { nick, network, build, limits, rules: false, link: "catching up", again: this.now() });
            if (first) this.tell(this.open(""), `You are ${nick} on ${network}.`);
        },
        ready: () => (this.state.link = "up"),
        unlinked: ({ at, why }) => Object.assign(this.state, { link: "down", again: at, why }),
        account: ({ name }) => {
            if (name !== this.state.account) this.tell(this.here, name ? `You are logged in as ${name}.` : "You are logged out.", { kind: "note" });
            this.state.account = name;
        },
        note: ({ place, text, refusal }) => {
            const where = (place && this.find(place)) || (refusal || !place ? this.here : this.open(""));
            this.tell(where, text, { kind: refusal ? "refusal" : "note" });
        },
        said: (said) => this.#said(said),
        sent: (sent) => this.#sent(sent),
        failed: ({ token, why }) => {
            const known = this.ours.get(token);
            if (!known) return;
            this.remove(known.place, known.line);
            Object.assign(known.line, { state: "failed", why, rev: known.line.rev + 1 });
            this.insert(known.place, known.line);
        },
        discarded: ({ token }) => {
            const known = this.ours.get(token);
            if (known) this.remove(known.place, known.line);
            this.ours.delete(token);
        },
        TAGMSG: (tagged) => this.#tagged(tagged),
        REDACT: ({ place, nick, params: [, target, why] }) => {
            const line = this.find(place)?.ids.get(target);
            if (!line || line.kind === "removed") return;
            const text = `(removed by ${nick}${because(why)})`;
            Object.assign(line, { kind: "removed", text, mention: false, rev: line.rev + 1 });
        },
        MARKREAD: ({ params: [place, time] }) => this.#read(place, Date.parse(time.replace("timestamp=", "")) || 0),
        page: ({ place, complete }) => Object.assign(this.open(place), { asking: false, complete }),
        "caught up": ({ place }) => {
            const where = this.find(place);
            if (where && !where.marked) where.marked = where.lines.findLast(({ id }) => id)?.time ?? this.now();
        },
        talk: ({ place }) => void this.open(place),
        "kept out": ({ place, why }) => {
            const where = this.find(place) ?? this.here;
            this.tell(where, why, { kind: "refusal" });
        },
        JOIN: ({ place, nick, own, time }) => {
            if (own) return Object.assign(this.open(place), { joined: true, name: place });
            this.open(place).members.set(fold(nick), { nick, prefixes: "", away: false, bot: false });
            this.#comesOrGoes(this.open(place), nick, "joined", "", time);
        },
        PART: ({ place, nick, own, params: [, why], time }) => {
            const where = this.find(place);
            if (own) this.#out(where, `You have left ${place}${because(why)}`);
            else if (where?.members.delete(fold(nick))) this.#comesOrGoes(where, nick, "left", why, time);
        },
        KICK: (kicked) => {
            const { place, nick, past, params: [, target, why] } = kicked;
            const me = this.isMe(target);
            this.#event(kicked, `${nick} kicked ${me ? "you" : target} out${because(why !== nick && why)}`);
            if (past) return;
            this.find(place)?.members.delete(fold(target));
            if (me) this.#out(this.find(place), "");
        },
        QUIT: ({ nick, own, params: [why], time }) => {
            for (const place of own ? [] : this.state.places.values()) {
                const gone = place.members.delete(fold(nick)) || (place.kind === "person" && fold(place.name) === fold(nick));
                if (gone) this.#comesOrGoes(place, nick, "left", why, time);
            }
        },
        NICK: (renamed) => this.#renamed(renamed),
        RENAME: ({ nick, params: [place, to, why] }) => {
            const where = this.find(place);
            if (!where) return;
            this.state.places.delete(fold(place));
            this.state.places.set(fold(to), where);
            if (fold(this.current) === fold(place)) this.current = to;
            where.name = to;
            this.tell(where, `${nick} renamed ${place} to ${to}${because(why)}`);
        },
        roster: ({ place, people }) => {
            const where = this.find(place);
            if (where?.joined) where.members = new Map(people.map((/** @type {Member} */ one) => [fold(one.nick), one]));
        },
        topic: ({ place, text }) => (this.open(place).topic = text),
        TOPIC: (set) => {
            const { place, nick, past, params: [, text] } = set;
            if (!past) this.open(place).topic = text;
            this.#event(set, text ? `${nick} set the topic: ${text}` : `${nick} removed the topic`);
        },
        MODE: (set) => {
            const { place, nick, past, params: [target, letters, ...args] } = set;
            if (!isRoom(target)) return this.#ownMode(target, letters);
            if (!past) this.#modes(this.open(place), letters, [...args]);
            this.#event(set, banOf(set, letters, args) || `${nick} set mode ${[letters, ...args].join(" ")}`);
        },
        AWAY: ({ nick, params: { length } }) => {
            if (this.isMe(nick)) this.state.away = length > 0;
            for (const { members } of this.state.places.values()) {
                const member = members.get(fold(nick));
                if (member) member.away = length > 0;
            }
        },
        INVITE: ({ nick, params: [whom, room] }) => {
            if (this.isMe(whom)) this.tell(this.here, `${nick} invites you to ${room}: /join ${room}`, { kind: "note" });
        },
    };

    /** @param {any} said */
    #said(said) {
        if (this.ignores(said.nick) && !said.own) return;
        const place = this.open(said.place);
        const { id, time, nick, text, own, token, reply } = said;
        const known = this.ours.get(token);
        const twice = place.ids.has(id);
        if (known) this.remove(known.place, known.line);
        this.ours.delete(token);
        if (twice) return;
        const kind = said.action ? "action" : said.notice ? "notice" : "said";
        const line = this.line({ id, time, nick, text, own: own || !!known, reply, kind });
        if (known) line.key = known.line.key;
        line.mention = !line.own && names(shownLines(text), this.state.nick);
        this.insert(place, line);
        this.#spoke(place, nick, time);
        if (!line.own) this.#count(place, line, said.past);
    }

    /** Count a line as new, unless the person sees it, or has seen it elsewhere.
     * @param {Place} place @param {Shown} line @param {string} past */
    #count(place, line, past) {
        const old = past && (!place.marked || line.time <= place.marked);
        if (old || past === "page") return;
        const calls = line.mention || place.kind === "person";
        if (!this.sees(place)) {
            // What was missed may come after what is said now.
            const first = place.lines.find((one) => one === line || (place.unread && one.key === place.newFrom));
            place.newFrom = (first ?? line).key;
            place.unread += 1;
            place.mentions += Number(calls);
        }
        if (!past && calls) this.calls(place, line);
    }

    /** @param {Place} place @param {string} nick @param {number} time */
    #spoke(place, nick, time) {
        place.typing.delete(nick);
        if (time < (place.speakers.get(nick) ?? 0)) return;
        place.speakers.delete(nick);
        place.speakers.set(nick, time);
        if (place.speakers.size > SPEAKERS_MAX) place.speakers.delete(place.speakers.keys().next().value);
    }

    /** @param {any} sent */
    #sent({ token, target, text, action, notice, reply = "", failed = "" }) {
        const place = this.open(target);
        const known = this.ours.get(token);
        if (known) this.remove(place, known.line);
        const kind = action ? "action" : notice ? "notice" : "said";
        const line = known?.line ?? this.line({ text, kind, reply, token, own: true, nick: this.state.nick });
        Object.assign(line, { state: failed ? "failed" : "waiting", why: failed, rev: line.rev + 1 });
        this.insert(place, line);
        this.ours.set(token, { place, line });
    }

    /** @param {any} tagged */
    #tagged({ place, nick, own, past, tags }) {
        const where = this.find(place);
        const typing = tags.get("+typing");
        const react = tags.get("+draft/react");
        const emoji = shown(react ?? tags.get("+draft/unreact") ?? "").slice(0, 32);
        const target = tags.get("+draft/reply");
        if (!where || this.ignores(nick)) return;
        if (typing === "active" && !past && !own) where.typing.set(nick, this.now() + TYPING);
        else if (typing) where.typing.delete(nick);
        if (emoji && target) this.#reacted(where, target, nick, emoji, react !== undefined);
    }

    /** @param {Place} place @param {string} target @param {string} nick @param {string} emoji @param {boolean} on */
    #reacted(place, target, nick, emoji, on) {
        const known = place.reactions.get(target) ?? new Map();
        const nicks = (known.get(emoji) ?? []).filter((/** @type {string} */ one) => one !== nick);
        if (on) nicks.push(nick);
        if (nicks.length) known.set(emoji, nicks);
        else known.delete(emoji);
        place.reactions.set(target, known);
        if (place.reactions.size > REACTED_MAX) place.reactions.delete(place.reactions.keys().next().value);
        const line = place.ids.get(target);
        if (line) line.rev += 1;
    }

    /** @param {string} name @param {number} time */
    #read(name, time) {
        const place = this.find(name);
        if (!place || time <= place.marked) return;
        place.marked = time;
        const news = place.lines.filter((line) => line.id && line.time > time && !line.own && line.kind !== "event");
        if (news.length >= place.unread) return;
        place.unread = news.length;
        place.newFrom = news[0]?.key ?? 0;
        place.mentions = news.filter((line) => line.mention || place.kind === "person").length;
    }

    /** @param {Place | undefined} place @param {string} why */
    #out(place, why) {
        if (!place) return;
        place.joined = false;
        place.members = new Map();
        if (why) this.tell(place, why);
    }

    /** What has an id, as it is part of the history.
     * @param {any} event @param {string} text */
    #event({ place, id, time }, text) {
        const where = this.open(place);
        if (!where.ids.has(id)) this.tell(where, text, { id, time });
    }

    /** @param {Place} place @param {string} nick @param {string} did @param {string} why @param {number} time */
    #comesOrGoes(place, nick, did, why, time) {
        place.typing.delete(nick);
        if (this.ignores(nick)) return;
        if (place.kind === "person" || time - (place.speakers.get(nick) ?? 0) < LATELY) {
            return this.tell(place, `${nick} ${did}${because(why)}`);
        }
        const sent = place.lines.findLast((line) => line.state === "sent");
        const line = sent?.did ? sent : this.line({ did: {} });
        if (line !== sent) this.insert(place, line);
        const { [nick]: before = "", ...others } = line.did ?? {};
        line.did = { ...others, [nick]: AMOUNTS[`${before}, ${did}`] ?? did };
        line.text = summary(line.did);
        line.rev += 1;
    }

    /** @param {any} renamed */
    #renamed({ nick, own, params: [to] }) {
        if (own) this.state.nick = to;
        for (const place of this.state.places.values()) {
            const member = place.members.get(fold(nick));
            place.speakers = new Map([...place.speakers].map(([one, at]) => [one === nick ? to : one, at]));
            place.typing.delete(nick);
            if (!member) continue;
            place.members.delete(fold(nick));
            place.members.set(fold(to), { ...member, nick: to });
            this.tell(place, own ? `You are ${to} now` : `${nick} is now ${to}`);
        }
    }

    /** @param {string} nick @param {string} letters */
    #ownMode(nick, letters) {
        const sign = /([+-])[A-Za-z]*o/.exec(letters)?.[1];
        if (!sign || !this.isMe(nick)) return;
        this.state.rules = sign === "+";
        this.tell(this.here, `You are ${this.state.rules ? "an operator of this server now" : "no operator of this server any more"}.`, { kind: "note" });
    }

    /** @param {Place} place @param {string} letters @param {string[]} args */
    #modes(place, letters, args) {
        let on = true;
        for (const letter of letters) {
            if (letter === "+" || letter === "-") on = letter === "+";
            const prefix = STATUS[letter];
            if (!prefix && !(/[beIk]/.test(letter) || (letter === "l" && on))) continue;
            const member = place.members.get(fold(args.shift() ?? ""));
            if (!member || !prefix) continue;
            const others = member.prefixes.replace(prefix, "");
            member.prefixes = on ? [...(prefix + others)].sort((a, b) => "~&@%+".indexOf(a) - "~&@%+".indexOf(b)).join("") : others;
        }
    }

    /** @param {string} nick */
    isMe(nick) {
        return fold(nick) === fold(this.state.nick);
    }

    /** @param {string} nick */
    ignores(nick) {
        return this.ignored.some((name) => fold(name) === fold(nick));
    }

    /** Time has passed: people may have stopped typing. Returns whether that changes anything. */
    tick() {
        const over = [...this.here.typing].filter(([, until]) => until < this.now());
        for (const [nick] of over) this.here.typing.delete(nick);
        return over.length > 0;
    }

    /** Take what another tab knows.
     * @param {State} state */
    restore(state) {
        this.state = state;
        this.ours.clear();
        for (const place of state.places.values()) {
            for (const line of place.lines) if (line.state !== "sent") this.ours.set(line.token, { place, line });
        }
    }
}

/** @param {string | false | undefined} why */
const because = (why) => (why ? `: ${why}` : "");

/** One ban or mute in words, with its end and its reason; empty if it is another change.
 * @param {{ nick: string, tags: Map<string, string>, time: number }} set @param {string} letters @param {string[]} args */
function banOf({ nick, tags, time }, letters, [mask = "", ...others]) {
    if (!/^[+-]b$/.test(letters) || others.length) return "";
    const [seconds, why, named] = ["seconds", "why", "whom"].map((name) => shown(tags.get(`trio-chat/${name}`) ?? ""));
    const what = mask.startsWith("m:") ? "mute" : "ban";
    const whom = mask.replace(/^m:/, "").replace(/^a:/, "account ") + (named && ` (${named})`);
    if (letters === "-b") return `${nick} lifted the ${what} on ${whom}`;
    const ends = Number(seconds) ? ` until ${new Date(time + Number(seconds) * 1000).toLocaleString()}` : "";
    return `${nick} ${what === "ban" ? "banned" : "muted"} ${whom}${ends}${because(why)}`;
}

/** @param {Record<string, string>} did */
function summary(did) {
    /** @type {Map<string, string[]>} */
    const groups = new Map();
    for (const [nick, what] of Object.entries(did)) groups.set(what, [...(groups.get(what) ?? []), nick]);
    return [...groups].map(([what, nicks]) => {
        const more = nicks.length > NAMED_MAX ? ` and ${nicks.length - NAMED_MAX} more` : "";
        return `${nicks.slice(0, NAMED_MAX).map(shown).join(", ")}${more} ${what}`;
    }).join("; ");
}
