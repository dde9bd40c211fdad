// The login to an account (ircv3.net, "sasl"): SCRAM-SHA-256 (RFC 5802, RFC 7677), so that nobody
// who stands between learns the password; PLAIN where only that can show a token of /token.

const CHUNK = 400; // characters of base64 in one AUTHENTICATE
const ITERATIONS = { least: 4096, most: 5_000_000 };
const HEADER = "n,,";

const encoder = new TextEncoder();

/** Why a login has failed, in words for the person. */
export class LoginError extends Error {}

/** @param {Uint8Array | ArrayBuffer} data */
const base64 = (data) => btoa(String.fromCharCode(...new Uint8Array(data)));

/** @param {string} text */
const unbase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

/** Passwords that look the same give the same bytes (RFC 4013): other blanks are blanks, what nobody
 * sees is dropped.
 * @param {string} password */
export const prepared = (password) =>
    password.replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, " ")
        .replace(/[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g, "")
        .normalize("NFKC");

/** The end of SCRAM that knows the password: `first`, `prove`, `check`, in this order. */
export class Scram {
    /** @param {string} name @param {string} password @param {string} nonce */
    constructor(name, password, nonce) {
        this.bare = `n=${name.replace(/=/g, "=3D").replace(/,/g, "=2C")},r=${nonce}`;
        this.password = password;
        this.nonce = nonce;
        this.signature = "";
    }

    first() {
        return HEADER + this.bare;
    }

    /** Answer the challenge; takes a while, as the keys are derived slowly on purpose.
     * @param {string} challenge */
    async prove(challenge) {
        const found = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})$/.exec(challenge);
        const [, nonce = "", salt = "", count = ""] = found ?? [];
        const iterations = Number(count);
        if (!found || !nonce.startsWith(this.nonce) || nonce === this.nonce) distrust("bad challenge");
        if (iterations < ITERATIONS.least || iterations > ITERATIONS.most) distrust("bad iterations");
        const salted = await derive(this.password, unbase64(salt), iterations);
        const final = `c=${btoa(HEADER)},r=${nonce}`;
        const auth = [this.bare, challenge, final].join(",");
        this.signature = base64(await hmac(await hmac(salted, "Server Key"), auth));
        const key = await hmac(salted, "Client Key");
        const stored = await crypto.subtle.digest("SHA-256", key);
        const signature = new Uint8Array(await hmac(stored, auth));
        const proof = new Uint8Array(key).map((byte, at) => byte ^ (signature[at] ?? 0));
        return `${final},p=${base64(proof)}`;
    }

    /** Check that the server knows the password, too.
     * @param {string} final */
    check(final) {
        if (!this.signature || final.split(",")[0] !== `v=${this.signature}`) {
            distrust("it does not know the password either");
        }
    }
}

/** @param {string} why */
function distrust(why) {
    throw new LoginError(`The server does not log people in as it should: ${why}.`);
}

/** @param {string} password @param {Uint8Array} salt @param {number} iterations */
async function derive(password, salt, iterations) {
    const key = await crypto.subtle.importKey(
        "raw", encoder.encode(prepared(password)), "PBKDF2", false, ["deriveBits"]);
    return crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256);
}

/** @param {ArrayBuffer} secret @param {string} text */
async function hmac(secret, text) {
    const how = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", secret, how, false, ["sign"]);
    return crypto.subtle.sign("HMAC", key, encoder.encode(text));
}

/** One login: send `mechanism`, give each AUTHENTICATE of the server's to `answer`, and its word that
 * we are logged in to `check`. */
export class Login {
    /**
     * @param {string} name
     * @param {string} password
     * @param {string} nonce
     * @param {string[]} offered  the server's mechanisms
     * @param {boolean} secure  whether nobody on the way can read what we send
     */
    constructor(name, password, nonce, offered, secure) {
        this.name = name;
        this.password = password;
        this.nonce = nonce;
        this.known = globalThis.crypto?.subtle ? ["SCRAM-SHA-256"] : [];
        if (secure) this.known.push("PLAIN");
        this.left = this.known.filter((mechanism) => offered.includes(mechanism));
        this.scram = new Scram(name, password, nonce);
        this.step = 0;
        this.challenge = "";
        this.isAgain = false; // whether somebody who is logged in shows the password
        this.mechanism = this.#next();
    }

    #next() {
        const mechanism = this.left.shift();
        if (!mechanism) throw new LoginError("To log in, open this page by https://.");
        [this.step, this.challenge] = [0, ""];
        return mechanism;
    }

    /** The parameters of our next AUTHENTICATE lines.
     * @param {string} chunk */
    async answer(chunk) {
        this.challenge += chunk === "+" ? "" : chunk;
        if (chunk.length === CHUNK) return [];
        const challenge = new TextDecoder().decode(unbase64(this.challenge));
        this.challenge = "";
        return chunks(await this.#respond(challenge));
    }

    /** @param {string} challenge */
    async #respond(challenge) {
        this.step += 1;
        if (this.mechanism === "PLAIN") return `\0${this.name}\0${this.password}`;
        if (this.step === 1) return this.scram.first();
        if (this.step === 2) return this.scram.prove(challenge);
        this.scram.check(challenge);
        return "";
    }

    /** Check that the server has proved what it has to, now that it says we are logged in. */
    check() {
        if (this.mechanism !== "PLAIN" && this.step < 3) distrust("it proved nothing");
    }

    /** The mechanism to try next, as this one has failed: a token of /token can be shown by PLAIN alone.
     * @param {string} why */
    refused(why) {
        if (!/^[0-9a-f]{32}$/.test(this.password) || !this.left.length) throw new LoginError(why);
        this.mechanism = this.#next();
        return this.mechanism;
    }
}

/** @param {string} response */
function chunks(response) {
    const text = base64(encoder.encode(response));
    const found = text.match(/.{1,400}/g) ?? [];
    return text.length % CHUNK ? found : [...found, "+"];
}
