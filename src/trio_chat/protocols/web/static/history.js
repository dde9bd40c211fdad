// History (ircv3.net, "chathistory"): what was said before we came, and what we have missed. Ids rise
// in every room and conversation, so they tell what is new; and each answer has our label.

import { fold, isRoom, write } from "./irc.js";

const FIRST = 100; // messages of a place that is new to us
const PAGE = 200; // messages of a page
const GAP_MAX = 5_000; // messages to fill a gap with: about an hour of a busy room
const TALKS_MAX = 100;
const MONTH = 30 * 24 * 3600 * 1000; // ms: older conversations are found by their name
const NEVER = "2200-01-01T00:00:00.000Z";

const TOO_LONG = `Messages are missing here: more than ${GAP_MAX.toLocaleString("en")} were said in the meantime.`;
const UNKNOWN = "Messages may be missing here: the server did not send all that was said in the meantime.";

export class History {
    /** @param {Session} session */
    constructor(session) {
        this.session = session;
        /** @type {Map<string, Gap>} */
        this.gaps = new Map();
        /** @type {Map<string, string>} */
        this.last = new Map(); // ids up to which we have seen everything, by place
        /** @type {Map<string, string>} */
        this.newest = new Map(); // ids of the newest that we have seen
        /** @type {Map<string, string>} */
        this.oldest = new Map();
        this.waits = false; // for the list of private conversations
    }

    /** The connection is lost: gaps remain, as `last` has not moved. */
    cut() {
        this.gaps.clear();
        this.waits = false;
    }

    get busy() {
        return this.waits || this.gaps.size > 0;
    }

    /** Ask which conversations there were lately. */
    welcome() {
        this.waits = true;
        const since = new Date(this.session.now() - MONTH).toISOString();
        const span = [`timestamp=${since}`, `timestamp=${NEVER}`, String(TALKS_MAX)];
        this.session.ask({ kind: "talks", place: "" }, write("CHATHISTORY", "TARGETS", ...span));
    }

    /** A conversation that went on at a time.
     * @param {string} nick @param {string} time */
    talked(nick, time) {
        if (isRoom(nick)) return;
        const { closed } = this.session.store.kept;
        if (Date.parse(time) <= (closed[fold(nick)] ?? 0)) return;
        this.session.tell({ type: "talk", place: nick });
        this.enter(nick);
    }

    talksOver() {
        this.waits = false;
        this.session.proceed();
    }

    /** Catch up with a place, which we are in from now on.
     * @param {string} place */
    enter(place) {
        if (this.gaps.has(fold(place))) return;
        if (!isRoom(place)) this.session.line("MARKREAD", place);
        const last = this.last.get(fold(place)) ?? "";
        this.#ask({ place, asked: last ? "AFTER" : "LATEST", from: last, total: 0 });
    }

    /** @param {Gap} gap */
    #ask(gap) {
        this.gaps.set(fold(gap.place), gap);
        const reference = gap.from ? `msgid=${gap.from}` : "*";
        const most = String(gap.asked === "LATEST" && !gap.total ? FIRST : PAGE);
        const asked = { kind: "gap", place: gap.place, gap };
        this.session.ask(asked, write("CHATHISTORY", gap.asked, gap.place, reference, most));
    }

    /**
     * Ask for what was said before all that we have.
     * @param {string} place
     * @param {string} before  the id of the first that the tab has; empty if it has none
     */
    page(place, before) {
        const [known] = [this.oldest.get(fold(place)) ?? "", before].filter(Boolean).sort();
        const words = known ? ["BEFORE", place, `msgid=${known}`] : ["LATEST", place, "*"];
        const asked = { kind: "page", place, count: 0 };
        this.session.ask(asked, write("CHATHISTORY", ...words, String(FIRST)));
    }

    /**
     * Note that we have an event; what comes live while a gap is open does not close it.
     * @param {string} place
     * @param {string} id
     * @param {Asked | undefined} asked  if it is history
     */
    saw(place, id, asked) {
        if (!id) return;
        const key = fold(place);
        if (asked) {
            asked.count = (asked.count ?? 0) + 1;
            if (id < (this.oldest.get(key) ?? "~")) this.oldest.set(key, id); // "~" is after all ids
        }
        if (asked && asked.kind !== "gap") return;
        raise(this.newest, key, id);
        if (asked ? asked.gap.asked === "AFTER" : !this.gaps.has(key)) raise(this.last, key, id);
    }

    /** The answer to a question of ours has come.
     * @param {Asked} asked */
    over(asked) {
        const { place, gap, count = 0 } = asked;
        if (asked.kind === "page") {
            this.session.tell({ type: "page", place, complete: !count });
        } else if (this.gaps.get(fold(place)) === gap) {
            this.#goOn(gap, count);
        }
    }

    /** @param {Gap} gap @param {number} count */
    #goOn(gap, count) {
        const last = this.last.get(fold(gap.place)) ?? "";
        const total = gap.total + count;
        if (gap.asked === "LATEST" || last === gap.from) return this.#close(gap);
        if (total < GAP_MAX) return this.#ask({ ...gap, from: last, total });
        this.#hole(gap, TOO_LONG);
    }

    /** The server does not answer a question.
     * @param {Asked} asked */
    failed(asked) {
        const { place, gap } = asked;
        if (asked.kind === "page") this.session.tell({ type: "page", place, complete: true });
        else if (gap.asked === "AFTER") this.#hole(gap, UNKNOWN);
        else this.#close(gap);
    }

    /** @param {Gap} gap @param {string} why */
    #hole(gap, why) {
        this.session.tell({ type: "note", place: gap.place, text: why });
        this.#ask({ ...gap, asked: "LATEST", from: "", total: 1 });
    }

    /** @param {Gap} gap */
    #close(gap) {
        const key = fold(gap.place);
        this.gaps.delete(key);
        raise(this.last, key, this.newest.get(key) ?? "");
        this.session.tell({ type: "caught up", place: gap.place });
        this.session.proceed();
    }

    /** Let a room have another name.
     * @param {string} room @param {string} to */
    rename(room, to) {
        for (const ids of [this.last, this.newest, this.oldest]) {
            const id = ids.get(fold(room));
            ids.delete(fold(room));
            if (id) ids.set(fold(to), id);
        }
    }
}

/** @param {Map<string, string>} ids @param {string} key @param {string} id */
function raise(ids, key, id) {
    if (id > (ids.get(key) ?? "")) ids.set(key, id);
}
