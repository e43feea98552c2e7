// Puts the compiled script under a name with its digest, and that name into the page.
import crypto from "crypto";
import fs from "fs";

const script = fs.readFileSync("/tmp/out/app.js", "utf8");
const digest = crypto.createHash("sha256").update(script).digest("hex").slice(0, 8);
const page = fs.readFileSync("public/index.html", "utf8");

fs.mkdirSync("build/static", { recursive: true });
fs.writeFileSync(`build/static/app.${digest}.js`, script);
fs.writeFileSync("build/index.html", page.replace("%APP%", `/static/app.${digest}.js`));
