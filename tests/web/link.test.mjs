import assert from "node:assert/strict";
import { test } from "node:test";

import { Link } from "#page/link.js";

/** A link whose socket has been opened, and how many ms it waits after each end. */
function opened() {
    const sockets = [];
    globalThis.WebSocket = class {
        static OPEN = 1;
        readyState = 1;
        constructor() { sockets.push(this); }
        send() {}
        close() {}
    };
    const waits = [];
    const link = new Link("ws://host/", { open() {}, line() {}, lost: (again) => waits.push(again) }, () => 0);
    sockets[0].onopen();
    return { link, waits, end: (code) => sockets.at(-1).onclose({ code }) };
}

test("a link that is cut comes back at once, and later if the server says so", () => {
    for (const [code, least, most] of [[1006, 0, 1_000], [1001, 0, 1_000], [1013, 10_000, 11_000]]) {
        const { link, waits, end } = opened();
        end(code);
        link.close();
        assert.ok(waits[0] >= least && waits[0] <= most, `${code}: ${waits[0]}`);
    }
});
