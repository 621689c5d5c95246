/** What the first number of a tensor tells the odd network process to do. */
export const acts = { plain: 0, slow: 1, crash: 2, hang: 3, nonsense: 4 } as const;
