// Package event applies the stored events of a payment processor: which rows an event changes, and in which order.
//
// The adapter of a processor (package stripepay) stores each event once and translates it into a Fact; it decides
// nothing. A Worker claims the events that are due in batches and applies each batch in one transaction, in the order
// of locks (batch.go). Therefore the result does not depend on the order in which events arrive.
//
//	an event: new ──┬── done
//	                ├── parked     (it waits for its donation, its charge or its balance transaction;
//	                │               tried again after a growing delay)
//	                └── set_aside  (MaxFailures attempts failed; the reason is stored)
//
// A charge settles its donation here. Money that moves later is not booked here: the event requests an import of the
// balance (package stripebalance) and waits until package settlement has booked it. The import makes it due again.
package event
