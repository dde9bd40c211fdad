// A server for the session to talk with: it notes what it is sent, and answers as it is told to.

import { Session } from "#page/session.js";
import { Memory, Store } from "#page/store.js";

const CAPS =
    "batch draft/chathistory draft/event-playback draft/message-redaction draft/multiline=max-bytes=4096,max-lines=32 " +
    "draft/read-marker echo-message labeled-response message-tags sasl=PLAIN,SCRAM-SHA-256 server-time " +
    "standard-replies trio-chat/identity";

export class Peer {
    sent = [];
    told = [];

    constructor(storage = new Memory(), nick = "alice") {
        this.store = new Store(storage, "/");
        this.session = new Session({
            store: this.store,
            tell: (message) => this.told.push(message),
            send: (line) => this.sent.push(line),
            secure: true,
            device: "test",
            now: () => 1_700_000_000_000,
            later: (what) => what(),
        });
        this.session.who = { nick };
    }

    /** The lines sent since the last time that have a word in them. */
    take(word = "") {
        const found = this.sent.filter((line) => line.includes(word));
        this.sent = [];
        return found;
    }

    say(...lines) {
        for (const line of lines) this.session.receive(line);
    }

    /** Connect, and be let in; then the welcome is not over yet. */
    welcome(nick = "alice") {
        this.session.open();
        this.say(`:s CAP * LS :${CAPS}`);
        const [request] = this.take("CAP REQ");
        this.say(`:s CAP * ACK :${request.split(":")[1]}`, `:s 001 ${nick} :Welcome`, `:s 005 ${nick} NETWORK=net :are`);
    }

    /** Connect, and be let in. */
    enter(nick = "alice") {
        this.welcome(nick);
        this.say(`:s 422 ${nick} :No MOTD`);
        this.answer("TARGETS", (label) => [`@label=${label} :s BATCH +t draft/chathistory-targets`, ":s BATCH -t"]);
    }

    /** Answer the question with this word by lines of its label; the rest stays. */
    answer(word, lines) {
        const asked = this.sent.find((line) => line.includes(word));
        if (!asked) throw new Error(`nobody asked for ${word}, but ${this.sent.join(" | ")}`);
        this.sent = this.sent.filter((line) => line !== asked);
        this.say(...lines(label(asked)));
    }

    /** Enter a room with nothing in it but what is given. */
    join(room, ...history) {
        this.session.join(room);
        this.enters(room);
        this.answer("CHATHISTORY LATEST", (it) => page(it, room, history));
    }

    /** Let it into a room that it has asked for. */
    enters(room, id = "0001-1") {
        this.answer(`JOIN ${room}`, (it) => [`@label=${it};msgid=${id} :alice!a@h JOIN ${room}`]);
    }
}

export const label = (line) => /label=(\d+)/.exec(line)[1];
export const token = (line) => /trio-chat\/id=([0-9a-f]+)/.exec(line)[1];
export const page = (it, room, lines) => [
    `@label=${it} :s BATCH +h chathistory ${room}`, ...lines.map((line) => `@batch=h;${line}`), ":s BATCH -h"];
