// Package refund owns the refunds that staff order (tables refund_order, refund_order_part): which payment, how
// much from which fund, who ordered it and why, and where it stands at the payment processor.
//
//	ordered ── sent ──┬── succeeded ──── failed     the bank sent it back, weeks later perhaps: the donor is owed the money
//	                  ├── pending ──┬── succeeded
//	                  │             └── failed      it was never made
//	                  ├── failed
//	                  └── refused                   the processor made none and says why
//
// An order is committed before the processor is called, and a job calls it. Each call has the idempotency key
// refund:{order}:{try}, and the processor stores the order's id with the refund. Before it calls again, the job
// looks for the order's refund at the processor. So a server that is killed at any step, or an answer that is
// lost, makes no second refund.
//
// A gift by check, cash or transfer is refunded by the same order, with the same limit and second person. There is no processor to call: the order
// is booked in its own transaction (offlinepay.RefundOfflineTx), succeeded from the beginning, and the money is owed to the donor until package
// repayment has how it was repaid.
//
// The database holds the rules: the orders that are not in the books yet, and what was refunded, never come to
// more than was given, fund by fund; and above the entity's limit (org.LegalEntity.TwoPersonsRefund) an order
// names a request that a second person approved. Such an order does not count towards the limit.
//
// Of a payment by card it books nothing. Package settlement books a refund when the processor's balance shows it, from the funds that
// the order names, and replaces the receipt. A refund that somebody made in Stripe's dashboard has no order; List
// has it too.
package refund
