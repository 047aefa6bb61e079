import { closest, distance } from 'fastest-levenshtein'

/** "Did you mean": the candidate nearest to what was typed, if it is near enough to be meant. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const list = [...candidates]
  if (list.length === 0) return undefined
  const best = closest(typed, list)
  return distance(typed, best) <= Math.max(2, Math.floor(typed.length / 3)) ? best : undefined
}
