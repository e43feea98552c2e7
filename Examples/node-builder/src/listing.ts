export interface Listing {
    id: number;
    street: string;
    price: number;
    sqm: number;
}

export function pricePerSqm(listing: Listing): number {
    if (listing.sqm <= 0) throw new Error("bad area");
    return Math.round((listing.price / listing.sqm) * 100) / 100;
}

export function cheapest(listings: Listing[], count = 1): Listing[] {
    return [...listings].sort((a, b) => pricePerSqm(a) - pricePerSqm(b)).slice(0, count);
}
