/**
 * Durations are plain numbers of milliseconds, made by functions that name their unit.
 *
 * @example
 * const grace = seconds(30) // 30_000
 */
export const milliseconds = (count: number): number => count
export const seconds = (count: number): number => count * 1_000
export const minutes = (count: number): number => count * 60_000
export const hours = (count: number): number => count * 3_600_000
export const days = (count: number): number => count * 86_400_000
