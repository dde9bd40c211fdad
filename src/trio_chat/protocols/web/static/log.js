// The log: of a place's lines, those that are near what is visible. A place in the log is a line,
// never a number of pixels; so nothing moves while somebody reads.

import { colour, dayOf, h, icon, iconButton, midnight, momentOf, timeOf } from "./dom.js";
import { fold } from "./irc.js";
import { piecesOf, shown, shownLines } from "./text.js";

const WINDOW = 130; // lines in the document: with a date above each, still fewer than 300 rows
const STEP = 50; // lines by which the window moves
const NEAR = 600; // pixels to its edge at which it does
const TOGETHER = 5 * 60_000; // ms between lines of one person that stand together

export class Log {
    /** @type {Map<string, {sig: string, node: HTMLElement}>} */
    rows = new Map();
    /** @type {Place | null} */
    place = null;
    /** @type {Shown | null} */
    first = null; // of the window; null if it follows the end
    wanted = 0; // the key of a line to show as soon as it is there
    told = 0; // the key of the newest line that was read out
    /** @type {Map<Shown, HTMLElement>} */
    heard = new Map(); // the last ones that were

    /** @param {Chat} chat @param {HTMLElement} element @param {HTMLElement} down @param {HTMLElement} news */
    constructor(chat, element, down, news) {
        this.chat = chat;
        this.element = element;
        this.down = down;
        this.news = news;
        element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
        element.addEventListener("keydown", (event) => this.#key(event));
        element.addEventListener("click", (event) => this.#click(event));
        element.addEventListener("contextmenu", (event) => this.#menu(event));
        element.addEventListener("pointerover", (event) => this.#hover(event));
        element.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.tools.remove());
        down.addEventListener("click", () => this.toEnd());
        new ResizeObserver(() => this.first || this.#stick()).observe(element);
        this.tools = h("div", { class: "tools" },
            iconButton("smile", "React", () => this.#act("react")),
            iconButton("reply", "Reply", () => this.#act("reply")),
            iconButton("more", "More", (event) => this.#act("menu", event)));
    }

    /** @param {Place} place */
    draw(place, anchor = this.first && this.#anchor()) {
        if (place !== this.place) this.#turnTo(place);
        const [from, to] = this.#window(place);
        this.#put(this.#rowsOf(place, from, to));
        if (!this.first) this.#stick();
        else if (anchor) this.element.scrollTop += anchor.node.offsetTop - anchor.top;
        if (this.element.scrollTop < NEAR) requestAnimationFrame(() => this.#scrolled());
        this.#readOut(place);
        this.down.hidden = this.chat.model.atEnd = !this.first;
        const label = place.unread ? `${place.unread} new` : "Newest";
        if (this.down.textContent !== label) this.down.replaceChildren(icon("down"), label);
        if (this.wanted) this.#reveal();
    }

    /** @param {Place} place */
    #turnTo(place) {
        this.place = place;
        this.first = null;
        this.tools.remove();
        this.rows.clear();
        this.element.replaceChildren();
        this.element.setAttribute("aria-label", place.name ? `Messages in ${place.name}` : "Messages of the server");
        this.told = place.lines.at(-1)?.key ?? 0;
    }

    /** The indexes of the lines in the window.
     * @param {Place} place */
    #window({ lines }) {
        const at = this.first ? lines.lastIndexOf(this.first) : -1;
        const from = at < 0 ? Math.max(0, lines.length - WINDOW) : at;
        if (at < 0) this.first = null;
        return [from, Math.min(lines.length, from + WINDOW)];
    }

    // ── rows ─────────────────────────────────────────────────────────────────────────────────────

    /** @param {Place} place @param {number} from @param {number} to */
    #rowsOf(place, from, to) {
        /** @type {Row[]} */
        const rows = [this.#top(place, from)];
        for (let at = from; at < to; at += 1) {
            const [line, before] = [place.lines[at], place.lines[at - 1]];
            if (!line) continue;
            const newDay = !before || midnight(line.time) !== midnight(before.time);
            if (newDay && line.state === "sent") rows.push(divider(`day ${midnight(line.time)}`, "day", dayOf(line.time)));
            const isNew = line.key === place.newFrom;
            if (isNew) rows.push(divider("new", "new", "new"));
            const goes = !newDay && !isNew && !!before && together(before, line);
            rows.push(this.#row(place, line, goes));
        }
        return rows;
    }

    /** @param {Place} place @param {number} from */
    #top(place, from) {
        const begin = place.complete || place.kind === "server";
        const words = from ? "" : place.asking || !this.chat.model.state.network ? "Loading…"
            : place.lines.length ? (begin && place.name ? `This is where ${place.name} begins.` : "")
                : place.kind === "person" ? `Say hello to ${place.name}: nobody else reads it.`
                    : place.kind === "room" ? "Nobody has said anything here yet. Say hello!" : "";
        return { key: "top", sig: words, make: () => h("div", { class: "top" }, words) };
    }

    /** @param {Place} place @param {Shown} line @param {boolean} goes  whether it goes on with the one before */
    #row(place, line, goes) {
        const prefix = place.members.get(fold(line.nick))?.prefixes[0] ?? "";
        const answered = line.reply ? place.ids.get(line.reply) : undefined;
        const sig = `${line.rev} ${line.state} ${line.kind} ${goes} ${prefix} ${answered ? answered.rev : "-"} ${line.time}`;
        return { key: String(line.key), sig, make: () => this.#make(place, line, goes, prefix, answered) };
    }

    /** @param {Place} place @param {Shown} line @param {boolean} goes @param {string} prefix
     * @param {Shown | undefined} answered */
    #make(place, line, goes, prefix, answered) {
        const spoken = line.nick !== "" && line.kind !== "event";
        const classes = ["row", line.kind, line.state, line.mention && "mention", line.own && "own", goes && "goes"];
        const time = h("time", { datetime: new Date(line.time).toISOString(), title: momentOf(line.time) }, timeOf(line.time));
        const who = spoken && h("span", { class: "who" },
            prefix && line.kind !== "action" && h("span", { class: "prefix" }, prefix),
            line.kind === "action" ? "* " : "",
            h("button", { type: "button", class: `nick ${colour(line.nick)}`, tabindex: "-1", "data-nick": line.nick }, h("bdi", {}, line.nick)),
            h("span", { class: "unseen" }, line.kind === "action" ? " " : ": "));
        const reactions = place.reactions.get(line.id);
        const body = h("div", { class: "body" },
            line.reply && this.#quote(line, answered),
            line.mention && h("span", { class: "unseen" }, "(mentions you) "),
            h("span", { class: "text", dir: "auto" }, ...textOf(line)),
            line.state === "waiting" && h("span", { class: "state", title: "Being sent: the server has not confirmed it yet" }, " ⋯", h("span", { class: "unseen" }, "being sent")),
            line.state === "failed" && this.#failed(line),
            reactions?.size && this.#reactions(reactions));
        return h("div", { class: classes.filter(Boolean).join(" "), "data-key": String(line.key), tabindex: "-1" }, time, who, body);
    }

    /** @param {Shown} line @param {Shown | undefined} answered */
    #quote(line, answered) {
        const words = answered ? shownLines(answered.text).replace(/\n/g, " ").slice(0, 200) : "an earlier message";
        return h("button", { type: "button", class: "quote", tabindex: "-1", "data-id": line.reply },
            h("span", { class: "unseen" }, "In answer to "),
            answered && h("b", { class: colour(answered.nick) }, `${answered.nick} `), h("bdi", {}, words));
    }

    /** @param {Shown} line */
    #failed(line) {
        return h("span", { class: "failure" }, h("span", { class: "why" }, `✗ Not sent. ${shown(line.why)}`),
            h("button", { type: "button", "data-again": line.token }, "Send again"),
            h("button", { type: "button", "data-discard": line.token }, "Discard"));
    }

    /** @param {Map<string, string[]>} reactions */
    #reactions(reactions) {
        const me = this.chat.model.state.nick;
        return h("span", { class: "reactions" }, ...[...reactions].map(([emoji, nicks]) =>
            h("button", { type: "button", tabindex: "-1", "data-emoji": emoji, title: nicks.join(", "), class: nicks.includes(me) ? "mine" : "",
                "aria-label": `${emoji} by ${nicks.join(", ")}` }, h("span", {}, emoji), String(nicks.length))));
    }

    /** Bring the document in line with the rows.
     * @param {Row[]} rows */
    #put(rows) {
        const keys = new Set(rows.map(({ key }) => key));
        for (const [key, { node }] of this.rows) {
            if (keys.has(key)) continue;
            node.remove();
            this.rows.delete(key);
        }
        /** @type {ChildNode | null} */
        let next = this.element.firstChild;
        for (const { key, sig, make } of rows) {
            let known = this.rows.get(key);
            if (!known || known.sig !== sig) {
                const node = make();
                if (known?.node === next) next = known?.node.nextSibling ?? null;
                if (known?.node.contains(document.activeElement)) setTimeout(() => node.focus({ preventScroll: true }));
                known?.node.remove();
                known = { sig, node };
                this.rows.set(key, known);
            }
            if (known.node === next) next = next.nextSibling;
            else this.element.insertBefore(known.node, next);
        }
    }

    // ── scrolling ────────────────────────────────────────────────────────────────────────────────

    /** The first row that is visible, and where it is. */
    #anchor() {
        const { scrollTop } = this.element;
        for (const { node } of this.rows.values()) {
            if (node.isConnected && node.dataset.key && node.offsetTop + node.offsetHeight > scrollTop) return { node, top: node.offsetTop };
        }
        return null;
    }

    #stick() {
        this.element.scrollTop = this.element.scrollHeight;
    }

    /** Let the window follow what is visible, and ask for what is before the first line. */
    #scrolled() {
        const { place, element } = this;
        if (!place) return;
        const { scrollTop, scrollHeight, clientHeight } = element;
        const [from, to] = this.#window(place);
        const below = scrollHeight - scrollTop - clientHeight;
        const last = place.lines.length - 1;
        if (below < 40 && to > last) this.#move(null);
        else if (below < NEAR && to <= last) this.#move(place.lines[Math.min(from + STEP, last)]);
        else if (scrollTop < NEAR && from) this.#move(place.lines[Math.max(0, from - STEP)]);
        else if (below > 40) this.#move(this.first ?? place.lines[from]);
        if (scrollTop < NEAR && !from) this.chat.older();
    }

    /** @param {Shown | null | undefined} first */
    #move(first = null) {
        if (first === this.first || !this.place) return;
        const anchor = this.#anchor();
        this.first = first;
        this.draw(this.place, anchor);
        this.chat.seen();
    }

    toEnd() {
        this.#move(null); // at once: a scroll that is still to be told is of the window that is shown
        this.chat.seen();
        this.chat.draw();
    }

    /** @param {number} pages */
    page(pages) {
        this.element.scrollBy({ top: pages * this.element.clientHeight * 0.9 });
    }

    /** Show a line, from history if need be.
     * @param {string} id */
    goTo(id) {
        const line = this.place?.ids.get(id);
        if (line) this.wanted = line.key;
        else this.chat.find(id);
        this.chat.draw();
    }

    #reveal() {
        const key = this.wanted;
        const lines = this.place?.lines ?? [];
        const at = lines.findIndex((line) => line.key === key);
        this.wanted = 0;
        if (at < 0) return;
        this.first = lines[Math.max(0, at - WINDOW / 2)] ?? null;
        if (this.place) this.draw(this.place);
        const node = this.rows.get(String(key))?.node;
        node?.scrollIntoView({ block: "center" });
        node?.classList.add("found");
        node?.focus({ preventScroll: true });
    }

    // ── reading out ──────────────────────────────────────────────────────────────────────────────

    /** Give new lines of this place to screen readers, a sentence each.
     * @param {Place} place */
    #readOut(place) {
        const told = this.told;
        this.told = Math.max(told, place.lines.at(-1)?.key ?? 0);
        const fresh = place.lines.slice(-20).filter((line) => line.key > told && !line.own && line.kind !== "event" && Date.now() - line.time < 60_000);
        for (const line of fresh) {
            const words = shownLines(line.text).replace(/\n/g, " ");
            const start = line.kind === "action" ? `${line.nick} ` : line.nick ? `${line.nick}: ` : "";
            const node = h("p", {}, `${timeOf(line.time)} ${start}${words}`);
            this.heard.set(line, node);
            this.news.append(node);
        }
        const old = [...this.heard.keys()].slice(0, -20);
        for (const [line, node] of this.heard) {
            if (line.kind !== "removed" && !old.includes(line)) continue;
            node.remove();
            this.heard.delete(line);
        }
    }

    // ── what the person does ─────────────────────────────────────────────────────────────────────

    /** The line of the row that something is in.
     * @param {EventTarget | null} target */
    #lineOf(target) {
        const row = target instanceof Element ? target.closest(".row") : null;
        const key = Number(row instanceof HTMLElement ? row.dataset.key : 0);
        const line = this.place?.lines.findLast((one) => one.key === key);
        return line && row instanceof HTMLElement ? { line, row } : null;
    }

    /** @param {Event} event */
    #hover({ target }) {
        const found = this.#lineOf(target);
        if (!found?.line.id || ["event", "removed"].includes(found.line.kind)) this.tools.remove();
        else if (this.tools.parentNode !== found.row) found.row.append(this.tools);
    }

    /** @param {"react" | "reply" | "menu"} what @param {Event} [event] */
    #act(what, event) {
        const found = this.#lineOf(this.tools);
        if (!found) return;
        if (what === "react") this.chat.panels.react(found.line);
        if (what === "reply") this.chat.reply(found.line);
        if (what === "menu") this.chat.panels.lineMenu(found.line, event ?? found.row);
    }

    /** @param {MouseEvent} event */
    #click(event) {
        const { target } = event;
        const button = target instanceof Element ? target.closest("button") : null;
        const found = this.#lineOf(target);
        if (!button) {
            if (found && matchMedia("(hover: none)").matches) this.#hover(event);
            return;
        }
        const { nick, id, again, discard, emoji } = button.dataset;
        if (nick) this.chat.panels.personMenu(nick, event);
        if (id) this.goTo(id);
        if (again) this.chat.ask({ do: "again", token: again });
        if (discard) this.chat.ask({ do: "discard", token: discard });
        if (emoji && found) this.chat.react(found.line, emoji);
    }

    /** @param {MouseEvent} event */
    #menu(event) {
        const found = this.#lineOf(event.target);
        const link = event.target instanceof Element && event.target.closest("a");
        if (!found || link || String(getSelection())) return;
        event.preventDefault();
        this.chat.panels.lineMenu(found.line, event);
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        const rows = [...this.element.querySelectorAll(".row")];
        const at = rows.findIndex((row) => row === document.activeElement);
        const found = this.#lineOf(document.activeElement);
        const to = { ArrowUp: at < 0 ? rows.length - 1 : at - 1, ArrowDown: at + 1 }[event.key];
        if (to !== undefined) {
            const row = rows[to];
            if (row instanceof HTMLElement) row.focus();
        } else if (event.key === "Enter" && found && document.activeElement === found.row) {
            this.chat.panels.lineMenu(found.line, found.row);
        } else return;
        event.preventDefault();
    }
}

/** @param {string} key @param {string} kind @param {string} words */
const divider = (key, kind, words) =>
    ({ key, sig: words, make: () => h("div", { class: `divider ${kind}`, role: "separator", "aria-label": words }, h("span", {}, words)) });

/** @param {Shown} before @param {Shown} line */
const together = (before, line) =>
    before.nick === line.nick && line.nick !== "" && line.time - before.time < TOGETHER && !line.reply &&
    before.kind === line.kind && line.kind === "said";

/** @param {Shown} line */
function textOf(line) {
    if (line.kind === "removed" || !line.nick) return [document.createTextNode(line.text)];
    return piecesOf(line.text).map(({ text, look, href }) => {
        const styles = [look.bold && "bold", look.italic && "italic", look.underline && "underline", look.strike && "strike", look.colour >= 0 && `irc${look.colour}`];
        const classes = styles.filter(Boolean).join(" ");
        if (href) return h("a", { href, rel: "noopener noreferrer nofollow", target: "_blank", class: classes }, text);
        return classes ? h("span", { class: classes }, text) : document.createTextNode(text);
    });
}
