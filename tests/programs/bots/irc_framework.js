// With irc-framework, the library of The Lounge and Kiwi IRC: node irc_framework.js PORT tcp|web.
// Says what it hears; answers "you there?".
globalThis.WebSocket = require("ws");
const { Client } = require("irc-framework");
const web = require("irc-framework/src/transports/websocket.js");

const [port, how] = process.argv.slice(2);
const client = new Client();
client.connect({
    host: "127.0.0.1", port: Number(port), nick: how, username: how, gecos: how, auto_reconnect: false,
    ...(how === "web" ? { transport: web, path: "/", tls: false } : {}),
});
client.on("registered", () => client.join("#lobby"));
client.on("join", (event) => event.nick === how && client.say("#lobby", `it is ${how} 👋`));
client.on("message", (event) => {
    console.log(`heard ${event.nick} ${event.message}`);
    if (event.message === "you there?") client.say("#lobby", `${how} is`);
    if (event.message === "go") client.quit("bye");
});
client.on("raw", (event) => !event.from_server && /^PONG/.test(event.line) && console.log("pong"));
client.on("socket close", () => console.log("closed"));
