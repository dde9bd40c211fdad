// The line being written: it grows, completes, recalls what was said before, and answers a message.

import { complete, enter, Unsupported, withEmoji } from "./commands.js";
import { colour, h, icon, iconButton, show } from "./dom.js";
import { shownLines } from "./text.js";

const BEFORE_MAX = 100; // what was written before
const TYPING_EVERY = 3_000; // ms

export class Input {
    /** @type {string[]} */
    before = [];
    at = 0; // in `before`
    draft = "";
    /** @type {{start: number, found: {text: string, note: string}[]}} */
    offer = { start: 0, found: [] };
    chosen = -1;
    toldTyping = 0;

    /** @param {Chat} chat @param {HTMLElement} form */
    constructor(chat, form) {
        this.chat = chat;
        this.area = h("textarea", {
            rows: "1", name: "message", autocomplete: "off", maxlength: "20000",
            "aria-autocomplete": "list", "aria-controls": "offer", "aria-label": "Message", enterkeyhint: "send",
            input: () => this.#typed(), keydown: (event) => this.#key(event),
        });
        this.list = h("ul", { id: "offer", role: "listbox", "aria-label": "Completions", hidden: true });
        this.list.addEventListener("pointerdown", (event) => this.#pick(event));
        this.answer = h("div", { class: "answer", hidden: true });
        this.emoji = iconButton("smile", "Emoji", () => chat.panels.emoji((picture) => this.insert(picture)));
        this.send = h("button", { type: "submit", class: "icon send", "aria-label": "Send", title: "Send" }, icon("send"));
        form.append(this.list, this.answer, h("div", { class: "line" }, this.area, this.emoji, this.send));
        addEventListener("resize", () => this.#grow());
        form.addEventListener("submit", (event) => (event.preventDefault(), this.enter()));
    }

    /** Show what is being written in a place.
     * @param {Place} place */
    turnTo(place) {
        this.area.value = place.draft;
        this.at = this.before.length;
        this.#close();
        this.#grow();
    }

    /** @param {Place} place */
    draw(place) {
        const can = place.name ? `Message ${place.name}` : "Commands begin with /, as in /join #python";
        if (this.area.placeholder !== can) {
            this.area.placeholder = can;
            this.area.setAttribute("aria-label", can);
        }
        const line = place.reply ? place.ids.get(place.reply) : undefined;
        this.answer.hidden = !line;
        show(this.answer, `${place.reply} ${line?.rev}`, () => line ? [
            h("span", {}, "Answering ", h("b", { class: colour(line.nick) }, line.nick), " ", h("bdi", {}, shownLines(line.text).slice(0, 100))),
            iconButton("close", "Do not answer", () => this.chat.reply(null)),
        ] : []);
    }

    focus() {
        this.area.focus({ preventScroll: true });
    }

    /** @param {string} text */
    insert(text) {
        const { selectionStart, selectionEnd } = this.area;
        this.area.setRangeText(text, selectionStart, selectionEnd, "end");
        this.focus();
        this.#typed();
    }

    enter() {
        const text = this.area.value;
        if (!text.trim()) return;
        try {
            enter(this.chat, withEmoji(text));
        } catch (error) {
            if (!(error instanceof Unsupported)) throw error;
            return this.chat.note(error.message);
        }
        if (!/^\/(login|register|password|token)\b/.test(text)) this.before = [...this.before.filter((one) => one !== text), text].slice(-BEFORE_MAX);
        this.at = this.before.length;
        this.toldTyping = 0;
        this.#set("");
        this.chat.log.toEnd();
    }

    /** @param {string} text */
    #set(text) {
        this.area.value = text;
        this.chat.here.draft = text;
        this.chat.store.write(`draft:${this.chat.here.name}`, text || null);
        this.#close();
        this.#grow();
    }

    #grow() {
        this.area.style.height = "auto";
        this.area.style.height = `${this.area.scrollHeight}px`;
    }

    #typed() {
        const { value } = this.area;
        this.chat.here.draft = value;
        if (!value.startsWith("/")) this.chat.store.write(`draft:${this.chat.here.name}`, value || null);
        this.#grow();
        const word = /(^\/\S*|(^|\s):[a-z0-9_+-]{2,})$/.test(value.slice(0, this.area.selectionStart));
        if (word) this.#open(-1);
        else this.#close();
        const tells = this.chat.store.kept.typing && value && !value.startsWith("/") && this.chat.here.name;
        if (tells && Date.now() - this.toldTyping > TYPING_EVERY) {
            this.toldTyping = Date.now();
            this.chat.ask({ do: "typing", place: this.chat.here.name, active: true });
        }
    }

    // ── completions ──────────────────────────────────────────────────────────────────────────────

    /** @param {number} chosen */
    #open(chosen) {
        this.offer = complete(this.chat, this.area.value.slice(0, this.area.selectionStart));
        this.chosen = chosen;
        this.#drawOffer();
    }

    #close() {
        this.offer = { start: 0, found: [] };
        this.chosen = -1;
        this.#drawOffer();
    }

    #drawOffer() {
        const { found } = this.offer;
        this.list.hidden = !found.length;
        if (this.chosen >= 0) this.area.setAttribute("aria-activedescendant", `offer${this.chosen}`);
        else this.area.removeAttribute("aria-activedescendant");
        this.list.replaceChildren(...found.map(({ text, note }, at) =>
            h("li", { id: `offer${at}`, role: "option", "aria-selected": String(at === this.chosen), "data-at": String(at) }, h("b", {}, text.trim()), h("small", {}, note))));
        this.list.children[this.chosen]?.scrollIntoView({ block: "nearest" });
    }

    /** @param {Event} event */
    #pick(event) {
        const option = event.target instanceof Element ? event.target.closest("li") : null;
        if (!(option instanceof HTMLElement)) return;
        event.preventDefault();
        this.#take(Number(option.dataset.at));
        this.#close();
    }

    /** Put a completion in place of the word.
     * @param {number} at */
    #take(at) {
        const { start, found } = this.offer;
        const text = found[at]?.text;
        if (text === undefined) return;
        this.area.setRangeText(text, start, this.area.selectionStart, "end");
        this.chat.here.draft = this.area.value;
        this.chosen = at;
    }

    /** Tab: the next candidate, or the one before.
     * @param {number} step */
    #complete(step) {
        if (!this.offer.found.length) this.#open(-1);
        const { length } = this.offer.found;
        if (!length) return false;
        const at = this.chosen < 0 && step < 0 ? length - 1 : (this.chosen + step + length) % length;
        this.#take(at);
        if (length === 1) this.#close();
        else this.#drawOffer();
        return true;
    }

    /** @param {KeyboardEvent} event */
    #key(event) {
        if (event.isComposing) return;
        if (this.#does(event)) event.preventDefault();
        else if (!["Shift", "Control", "Alt", "Meta"].includes(event.key) && event.key.length > 1 && event.key !== "Backspace") this.#close();
    }

    /** Do what a key does here. Returns whether it does anything.
     * @param {KeyboardEvent} event */
    #does({ key, shiftKey, ctrlKey, altKey, metaKey }) {
        const open = this.offer.found.length > 0;
        if (ctrlKey || metaKey) return false;
        if (altKey && key !== "Enter") return false;
        switch (key) {
        case "Enter":
            if (shiftKey || altKey) return altKey && (this.insert("\n"), true);
            if (matchMedia("(hover: none)").matches) return false;
            if (open && this.chosen >= 0) return this.#close(), true;
            return this.enter(), true;
        case "Tab":
            return this.area.value !== "" && this.#complete(shiftKey ? -1 : 1);
        case "Escape":
            return open && (this.#close(), true);
        case "ArrowUp":
        case "ArrowDown": {
            const step = key === "ArrowUp" ? -1 : 1;
            if (open) return this.#complete(step);
            return this.#recall(step);
        }
        default:
            return false;
        }
    }

    /** @param {number} step */
    #recall(step) {
        const { value, selectionStart } = this.area;
        const edge = step < 0 ? !value.slice(0, selectionStart).includes("\n") : !value.slice(selectionStart).includes("\n");
        const to = this.at + step;
        if (!edge || to < 0 || to > this.before.length) return false;
        if (this.at === this.before.length) this.draft = value;
        this.at = to;
        this.#set(this.before[to] ?? this.draft);
        return true;
    }
}
