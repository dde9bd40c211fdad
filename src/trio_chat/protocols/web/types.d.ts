// The shapes that the page's modules hand each other, for the type checker and for readers: browsers
// are not sent this file.

/** A line of IRC: `source` is the whole prefix, `nick` the name in it; `command` is in capitals. */
interface Line {
    tags: Map<string, string>;
    source: string;
    nick: string;
    command: string;
    params: string[];
}

/** What one message may hold, as the server says; one line if it says nothing. */
interface Limits { bytes: number; lines: number }

/** A text of ours that has not arrived: `seq` orders them, `failed` tells why it was not taken. */
interface OurText {
    token: string;
    target: string;
    text: string;
    action?: boolean;
    notice?: boolean;
    reply?: string; // id of the message that it answers
    seq: number;
    failed?: string;
}

/**
 * What the person has chosen, and where they were. `rooms` are those to enter, with their keys,
 * and `why`, if the person has not asked for it just now (`Session.join`); `closed` are private conversations, each with the time (ms)
 * until which nobody wants to see it;
 * `entry` is the invitation or password without which this chat lets no guests in.
 */
interface Kept {
    nick: string;
    theme: "auto" | "dark" | "light";
    typing: boolean;
    notify: boolean;
    rooms: Record<string, { name: string; key: string; why?: string }>;
    talks: string[];
    closed: Record<string, number>;
    current: string;
    ignored: string[];
    entry: string;
}

/** A message of the session: what has happened. Its `type` tells which other fields it has. */
type Message = { type: string } & Record<string, any>;

/** A request to the session: what a tab wants done; `do` tells which other fields it has. */
type Wish = { do: string } & Record<string, any>;

/** What the answer to a labelled line is for: `kind` tells what was asked, `place` where. */
type Asked = { kind: string; place: string } & Record<string, any>;

/** An open batch; `pieces` are the lines of a message of several. */
interface Batch {
    kind: string;
    target: string;
    asked: Asked | undefined;
    opening: Line;
    outer: string;
    pieces: { text: string; joined: boolean }[];
    command: string;
}

/** Who wants in: with a password, to an account; with an invitation, or the password of the chat. */
interface Who { nick: string; password?: string; entry?: string }

/** A place that we catch up with: AFTER an id, or the LATEST if it is new to us. */
interface Gap { place: string; asked: "AFTER" | "LATEST"; from: string; total: number }

/** What a link tells: that it is open, a line, that it is lost, after how many ms it is tried again (0 if
 * it is not), and why, as far as that is known. */
interface LinkHeard { open(): void; line(line: string): void; lost(again: number, why: string): void }

/** How a piece of text looks: `colour` is one of IRC's first 16, or -1. */
interface Look { bold: boolean; italic: boolean; underline: boolean; strike: boolean; colour: number }

/** A piece of text with one look; a link if it has an address. */
interface Piece { text: string; look: Look; href?: string }

/** A line on the screen. `id` is the server's, empty if it has none yet; `time` in unix ms. */
interface Shown {
    key: number;
    id: string;
    time: number;
    kind: "said" | "action" | "notice" | "removed" | "event" | "note" | "refusal";
    nick: string;
    text: string;
    own: boolean;
    mention: boolean;
    state: "sent" | "waiting" | "failed";
    token: string;
    why: string;
    reply: string;
    rev: number; // raised by each change, so that the line is drawn again
    did?: Record<string, string>; // what has become of those who came and went
}

interface Member { nick: string; prefixes: string; away: boolean; bot: boolean }

/** A room, a conversation or the server, as a person sees it; `marked` is read up to there (ms). */
interface Place {
    name: string;
    kind: "server" | "room" | "person";
    joined: boolean;
    topic: string;
    members: Map<string, Member>;
    lines: Shown[];
    ids: Map<string, Shown>;
    reactions: Map<string, Map<string, string[]>>; // who reacted how, by the id of the message
    unread: number;
    mentions: number;
    marked: number;
    told: number;
    newFrom: number; // the key of the line above which "new" is drawn
    complete: boolean;
    asking: boolean;
    typing: Map<string, number>;
    speakers: Map<string, number>; // when they last spoke (ms), the latest last
    draft: string;
    reply: string;
}

/** All that a tab shows; it can be sent to another. */
interface State {
    nick: string;
    account: string;
    network: string;
    build: string;
    link: "down" | "catching up" | "up";
    again: number; // when the connection is tried again (0: it is not), or has been found, unix ms
    why: string; // the server's words for opening none
    limits: Limits;
    away: boolean;
    places: Map<string, Place>;
    keys: number;
    rules?: boolean; // whether the person is an operator of the server
}

/** What a command does, for what follows it. */
type Act = (chat: Chat, rest: string) => void;

/** Attributes of an element, and what listens to its events. */
interface Properties {
    click?(event: MouseEvent): unknown;
    input?(event: Event): unknown;
    keydown?(event: KeyboardEvent): unknown;
    submit?(event: SubmitEvent): unknown;
    [name: string]: any;
}

/** What `h` puts into an element; what is empty is left out. */
type Child = string | Node | false | 0 | null | undefined;

/** A row of the log: the line, or the words of a date or of "new"; `sig` tells what it shows. */
interface Row { key: string; sig: string; make: () => HTMLElement }

/** What a menu offers: the words, and what they do, or the line that they send; null divides, what is empty
 * is left out. */
type Choice = [string, string[] | (() => void)];
type MaybeChoice = Choice | null | undefined | false | "";

/** A field of a form: its label, and the attributes of the input. */
type Field = { label: string; id: string } & Record<string, any>;

/** What can be found: the words that show it, and what is done if it is chosen. */
interface Found { words: (Node | string)[]; does: () => void }

type Chat = import("./static/main.js").Chat;
type Session = import("./static/session.js").Session;
type Store = import("./static/store.js").Store;

/** A line in its place: what it answers, and the batch that it is in. */
interface Around { asked: Asked | undefined; batch: Batch | undefined }

/** What a line of the server means to a session. */
type Means = (session: Session, line: Line, around: Around) => void;

// Newer than the type checker.
interface Array<T> { findLast(predicate: (value: T) => unknown): T | undefined }
