import { cheapest, pricePerSqm, Listing } from "./listing";

const http = require("http");
const ms = require("ms");
const debug = require("debug")("listing");

const listings: Listing[] = [
    { id: 1, street: "Elm 4", price: 300000, sqm: 80 },
    { id: 2, street: "Oak 9", price: 250000, sqm: 50 },
];

if (process.argv.includes("--once")) {
    const report = { best: cheapest(listings), ppm: listings.map(pricePerSqm), uptime: ms(90000) };
    console.log(JSON.stringify(report));
} else {
    const server = http.createServer((request: any, response: any) => {
        debug(request.url);
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(cheapest(listings, 2)));
    });
    server.listen(process.env.PORT || 3000);
}
