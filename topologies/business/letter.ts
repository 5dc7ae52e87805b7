/** The notification of an order's end. */
export const letterText = (
  outcome: 'COMPLETED' | 'COMPENSATED' | 'REJECTED' | 'STUCK',
  reason: string | null,
): string => {
  if (outcome === 'COMPLETED') return 'your order is on its way'
  return `we could not fulfil your order: ${reason ?? 'please ask us'}`
}
