// The connection to the server: a WebSocket with a line of IRC in each message (ircv3.net,
// "websocket"), opened again when it is lost; and which tab of the browser has it.

const SILENCE = 20_000; // ms after which the server is asked whether it is there
const ANSWER = 10_000; // ms more after which it is not
const AGAIN_LEAST = 500; // ms before the first new attempt, doubled by each that fails
const AGAIN_MOST = 30_000;
const LATER = { code: 1013, wait: 10_000 }; // ms before the first attempt if we could not take all that came (RFC 6455, 7.4.1)
const WORDS = 5_000; // ms for an answer that says why there is no connection
const FROZEN = 3_000; // ms without an answer after which a tab is taken to be frozen

// If the page is answered, but no WebSocket: it is, by a connection that is still open, also to somebody who
// is kept out since.
const UNHEARD_MAX = 5; // attempts before this is said
const UNHEARD = "The server answers, but opens no WebSocket: it may keep you out, or something in between lets none through or hides this page's address (web.url).";

/** The address of the server that this page came from.
 * @param {{protocol: string, host: string, pathname: string}} page */
export const address = ({ protocol, host, pathname }) =>
    `${protocol === "https:" ? "wss" : "ws"}://${host}${pathname.replace(/[^/]*$/, "")}`;

/** A link that stays: it connects until it is closed. */
export class Link {
    /** @param {string} url @param {LinkHeard} heard @param {() => number} random  from 0 to 1 */
    constructor(url, heard, random = Math.random) {
        this.url = url;
        this.heard = heard;
        this.random = random;
        this.failures = 0;
        this.closed = false;
        this.why = ""; // the server's words for opening no connection
        /** @type {WebSocket | null} */
        this.socket = null;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
        this.connect();
    }

    connect() {
        clearTimeout(this.timer);
        const socket = new WebSocket(this.url, ["text.ircv3.net"]);
        this.socket = socket;
        this.#watch(socket);
        socket.onopen = () => {
            this.why = "";
            this.heard.open();
        };
        socket.onmessage = ({ data }) => {
            this.#watch(socket);
            this.heard.line(String(data));
        };
        socket.onclose = ({ code }) => this.#lost(socket, code === LATER.code ? LATER.wait : 0);
    }

    /** Note that somebody is in: the next attempt, if one is needed, comes soon. */
    admitted() {
        this.failures = 0;
    }

    /** @param {string} line */
    send(line) {
        if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(line);
    }

    /** Try again now, if the link is lost: the network is back, or the person has asked. */
    retry() {
        if (!this.socket && !this.closed) this.connect();
    }

    /** Ask whether the server is there, as the machine may have slept. */
    probe() {
        if (this.socket) this.#ask(this.socket);
    }

    /** Drop the connection, and connect again. */
    reconnect() {
        this.failures = 0;
        if (this.socket) this.#drop(this.socket);
        else this.retry();
    }

    close() {
        this.closed = true;
        clearTimeout(this.timer);
        if (this.socket) this.#drop(this.socket);
    }

    /** @param {WebSocket} socket */
    #watch(socket) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.#ask(socket), SILENCE);
    }

    /** @param {WebSocket} socket */
    #ask(socket) {
        clearTimeout(this.timer);
        this.send("PING lag");
        this.timer = setTimeout(() => this.#drop(socket), ANSWER);
    }

    /** Give a socket up. Its own end may take minutes to be told.
     * @param {WebSocket} socket */
    #drop(socket) {
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
        this.#lost(socket);
    }

    /** @param {WebSocket} socket @param {number} [least]  ms until the next attempt */
    #lost(socket, least = 0) {
        if (this.socket !== socket) return;
        this.socket = null;
        this.failures += 1;
        this.#again(least);
        if (this.failures > 1) this.#explain(least);
    }

    /** @param {number} least  ms until the next attempt */
    #again(least) {
        clearTimeout(this.timer);
        const most = Math.min(AGAIN_MOST, AGAIN_LEAST * 2 ** (this.failures - 1));
        const again = least + Math.round(most * (0.5 + this.random() / 2)); // not everybody at once
        if (!this.closed) this.timer = setTimeout(() => this.connect(), again);
        this.heard.lost(this.closed ? 0 : again, this.why);
    }

    /** @param {number} least  ms until the next attempt */
    async #explain(least) {
        const { failures } = this;
        const { why, wait } = await explanation(this.url.replace(/^ws/, "http"));
        if (this.socket || this.closed || failures !== this.failures) return;
        this.why = why ?? (failures > UNHEARD_MAX ? UNHEARD : "");
        this.#again(Math.max(wait, least));
    }
}

/** Why a server opens no WebSocket. A browser does not tell a page, but a request is answered in words;
 * none if the page is there. `wait` is in ms.
 * @param {string} url */
async function explanation(url) {
    const patience = new AbortController();
    setTimeout(() => patience.abort(), WORDS);
    try {
        const answer = await fetch(url, { cache: "no-store", signal: patience.signal });
        if (answer.ok) return { why: undefined, wait: 0 };
        const isPlain = answer.headers.get("Content-Type")?.startsWith("text/plain");
        const why = isPlain ? await answer.text() : `The server answers ${answer.status}.`;
        return { why: why.replace("This is a chat server. ", "").trim().slice(0, 300), wait: 1000 * Number(answer.headers.get("Retry-After")) };
    } catch {
        return { why: "", wait: 0 }; // nobody answers
    }
}

/**
 * Share one connection between the tabs of a browser, as they are one person. One leads: it has the
 * connection, and tells the others every message; they ask it for all that they want done.
 * @template Message, Request, Snapshot
 */
export class Tabs {
    /** `lead` and `follow` tell a tab which it does from now on; `snapshot` gives all that is known, for
     * a tab that begins to follow to `restore`.
     * @param {string} name
     * @param {{lead: () => void, follow: () => void, snapshot: () => Snapshot, restore: (all: Snapshot) => void,
     *     hear: (message: Message) => void, request: (request: Wish) => void}} tab */
    constructor(name, tab) {
        this.name = name;
        this.tab = tab;
        this.leads = false;
        this.turn = new AbortController(); // of the request for our turn to lead
        this.release = () => {}; // ends our turn
        this.channel = new BroadcastChannel(name);
        this.channel.onmessage = ({ data }) => this.#receive(data);
        if (navigator.locks) {
            document.addEventListener("freeze", () => this.#yield());
            document.addEventListener("resume", () => this.#follow());
            this.#follow();
        } else queueMicrotask(() => this.#lead()); // not a secure context: each tab is on its own
    }

    #lead() {
        clearTimeout(this.timer);
        this.leads = true;
        this.tab.lead();
    }

    /** Wait for our turn to lead; at once if the tab that leads does not answer, as it is frozen. */
    #follow() {
        this.tab.follow();
        this.turn = new AbortController();
        this.#wait({ signal: this.turn.signal });
        this.channel.postMessage({ kind: "hello" });
        this.timer = setTimeout(() => this.leads || this.#wait({ steal: true }), FROZEN);
    }

    /** @param {LockOptions} how */
    async #wait(how) {
        try {
            await navigator.locks.request(this.name, how, () => new Promise((resolve) => {
                this.release = () => resolve(undefined);
                this.#lead();
            }));
        } catch { // another tab leads now, as we were frozen without a word
            if (this.leads) (this.#yield(), this.#follow());
        }
    }

    /** Let another tab lead: this one is about to be frozen, or was. */
    #yield() {
        clearTimeout(this.timer);
        this.turn.abort();
        if (!this.leads) return;
        this.leads = false;
        this.tab.follow();
        this.release();
    }

    /** @param {{kind: string, body?: any}} data */
    #receive({ kind, body }) {
        if (kind === "snapshot") clearTimeout(this.timer);
        if (!this.leads) {
            if (kind === "message") this.tab.hear(body);
            if (kind === "snapshot") this.tab.restore(body);
        } else if (navigator.locks) {
            if (kind === "hello") this.channel.postMessage({ kind: "snapshot", body: this.tab.snapshot() });
            if (kind === "request") this.tab.request(body);
        }
    }

    /** Tell a message to all tabs.
     * @param {Message} message */
    tell(message) {
        if (navigator.locks) this.channel.postMessage({ kind: "message", body: message });
        this.tab.hear(message);
    }

    /** Ask for something, wherever the connection is.
     * @param {Wish} request */
    ask(request) {
        if (this.leads) this.tab.request(request);
        else this.channel.postMessage({ kind: "request", body: request });
    }
}
