// Elements made of data. Text becomes text, never markup.

import { fold } from "./irc.js";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 24; // of nicknames, in style.css

/** @type {Record<string, string>} */
const ICONS = {
    menu: "M4 7h16M4 12h16M4 17h16",
    people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-4 3-6 6-6s6 2 6 6M16 4.5a3.5 3.5 0 0 1 0 6M17.5 14.5c2 .8 3.5 2.5 3.5 5.5",
    search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
    close: "M6 6l12 12M18 6L6 18",
    send: "M4 12l16-8-5 16-3-7z",
    reply: "M10 7L4 12l6 5v-3c5 0 8 1 10 5 0-6-3-10-10-10z",
    smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.5 14.5c2 2.5 5 2.5 7 0M9 9.5v.01M15 9.5v.01",
    more: "M5 12v.01M12 12v.01M19 12v.01",
    down: "M12 5v14M6 13l6 6 6-6",
    plus: "M12 5v14M5 12h14",
};

/** @param {Child[]} children */
const real = (children) => /** @type {(string | Node)[]} */ (children.filter((child) => child !== "" && child));

/** Make an element. Properties that are functions listen to an event of that name; others are
 * attributes, left out if they are false or empty, and named alone if they are true.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Properties} [properties] @param {Child[]} children */
export function h(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
        if (typeof value === "function") element.addEventListener(name, value);
        else if (value !== false && value !== undefined && (value !== "" || name.startsWith("data-"))) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...real(children));
    return element;
}

/** @param {string} name */
export function icon(name) {
    const [svg, path] = [document.createElementNS(SVG, "svg"), document.createElementNS(SVG, "path")];
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", ICONS[name] ?? "");
    svg.append(path);
    return svg;
}

/** A button that shows an icon; its label says what it does.
 * @param {string} name @param {string} label @param {(event: Event) => void} click
 * @param {Properties} [properties] */
export const iconButton = (name, label, click, properties = {}) =>
    h("button", { type: "button", class: "icon", "aria-label": label, title: label, click, ...properties }, icon(name));

/** Put children into an element if what they show has changed.
 * @param {Element & {shown?: string}} element @param {string} shown @param {() => Child[]} children */
export function show(element, shown, children) {
    if (element.shown === shown) return;
    element.shown = shown;
    element.replaceChildren(...real(children()));
}

/** The class of a nickname's colour, the same for all spellings of it.
 * @param {string} nick */
export function colour(nick) {
    let sum = 7;
    for (const char of fold(nick)) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
    return `c${sum % COLOURS}`;
}

/** @param {string} id */
export function byId(id) {
    const found = document.getElementById(id);
    if (!found) throw new Error(`index.html has no ${id}`);
    return found;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const days = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** @param {number} time  unix ms */
export const timeOf = (time) => clock.format(time);

/** The day of a moment, as the moment when it began.
 * @param {number} time  unix ms */
export const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);

/** @param {number} time  unix ms */
export const dayOf = (time) => days.format(time);

/** @param {number} time  unix ms */
export const momentOf = (time) => `${short.format(time)}, ${clock.format(time)}`;
