// What outlives the page, in the browser's storage: every tab reads it, and writes its own keys.

import { newToken } from "./irc.js";

/** @type {Kept} */
const FIRST = {
    nick: "", theme: "auto", typing: false, notify: false, rooms: {}, talks: [], closed: {},
    current: "", ignored: [], entry: "",
};

/** Keys begin with the path of the page, as one host may serve several chats. A text has a key of its
 * own, so that a tab can write one without knowing of the others'. */
export class Store {
    /** @param {Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">} storage
     * @param {string} path */
    constructor(storage, path) {
        this.storage = storage;
        this.prefix = `trio-chat:${path}:`;
        /** Whether the browser refuses to keep anything, as it may in private windows. */
        this.full = false;
    }

    /** @returns {Kept} */
    get kept() {
        return { ...FIRST, ...this.read("kept") };
    }

    /** @param {Partial<Kept>} change */
    keep(change) {
        this.write("kept", { ...this.kept, ...change });
    }

    /** The secret by which the server knows us again. */
    get secret() {
        const known = this.read("secret");
        if (typeof known === "string") return known;
        const made = newToken();
        this.write("secret", made);
        return made;
    }

    /** The keys that begin like this.
     * @param {string} start */
    #keys(start) {
        const keys = Array.from({ length: this.storage.length }, (_, at) => this.storage.key(at) ?? "");
        return keys.filter((key) => key.startsWith(this.prefix + start)).map((key) => key.slice(this.prefix.length));
    }

    /** Forget all of it. */
    clear() {
        for (const key of this.#keys("")) this.write(key, null);
    }

    /** The texts that have not arrived, oldest first. */
    get texts() {
        const texts = this.#keys("text:").map((key) => this.read(key)).filter(Boolean);
        return texts.sort((one, other) => one.seq - other.seq);
    }

    /** @param {OurText} text */
    put(text) {
        this.write(`text:${text.token}`, text);
    }

    /** @param {string} token */
    drop(token) {
        this.write(`text:${token}`, null);
    }

    /** @param {string} key */
    read(key) {
        try {
            return JSON.parse(this.storage.getItem(this.prefix + key) ?? "null");
        } catch {
            return null;
        }
    }

    /** @param {string} key @param {unknown} value  nothing is kept for null */
    write(key, value) {
        try {
            if (value === null) this.storage.removeItem(this.prefix + key);
            else this.storage.setItem(this.prefix + key, JSON.stringify(value));
        } catch {
            this.full = true;
        }
    }
}

/** A storage for a browser that has none, or no use for one: it ends with the page. */
export class Memory {
    /** @type {Map<string, string>} */
    #items = new Map();
    key = (/** @type {number} */ at) => [...this.#items.keys()][at] ?? null;
    getItem = (/** @type {string} */ key) => this.#items.get(key) ?? null;
    setItem = (/** @type {string} */ key, /** @type {string} */ value) => void this.#items.set(key, value);
    removeItem = (/** @type {string} */ key) => void this.#items.delete(key);

    get length() {
        return this.#items.size;
    }
}
