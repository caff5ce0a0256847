/** How whoever waits for a copy hears of it. */

/** Told what is being done now, often; whoever asked decides what to show of it. */
export type Tell = (doing: string) => void;
