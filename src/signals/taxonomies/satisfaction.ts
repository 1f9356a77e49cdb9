/** How sure it is that somebody is content, by how often it was said. */
export const satisfactionOf = (count: number): number => [0, 0.6, 0.8][count] ?? 0.95
