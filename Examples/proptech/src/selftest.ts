import { cheapest, pricePerSqm } from "./listing";

const dear = { id: 1, street: "a", price: 100, sqm: 10 };
const cheap = { id: 2, street: "b", price: 90, sqm: 10 };

if (pricePerSqm(dear) !== 10) throw new Error("pricePerSqm");
if (cheapest([dear, cheap])[0].id !== 2) throw new Error("cheapest");
console.log("2 tests passed");
