// Package recurring owns plans: gifts that are given again and again, a number of times or until their donor stops.
//
//	started ─── active ⇄ paused
//	   │           ├──────┴── cancelled   (the donor stopped it, or somebody did at Stripe)
//	   │           ├───────── finished    (all its payments have come)
//	   └───────────┴───────── failed      (it never began, or Stripe gave up)
//
// A plan is written with its first gift, in one transaction, before any call to Stripe, and has that gift's id. Each payment is
// a gift of its own: MatchChargesTx finds the plan of a charge by the bill it paid, counts it, and writes the gift, which the charge
// then settles like any other. What is given, and for which funds, are terms; a payment has those that stood when its
// bill was made.
//
// The count of payments is kept here and nowhere else. A plan of N payments ends at Stripe by a schedule of N periods, longer
// by each period that was not paid; and whatever became of the schedule, the plan is ended at Stripe when N payments have come,
// and a payment beyond them is given back.
//
// What happens at Stripe is asked for in three steps: a request is written; it is carried out, outside any transaction and under
// a key made of the request; what came of it is written with what follows. A request that finds no Stripe is tried again by
// its job. Where a plan stands at Stripe is never concluded from events: they make it be read again (Look).
//
// recurring renders nothing and sends nothing; a letter is the job of an event of a plan.
package recurring
