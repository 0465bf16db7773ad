// Package plan defines plans: donations that are repeated, N times or until the donor stops them. It contains their
// statuses, the dates of their charges, and what a donor can change.
//
//	started ─── active ⇄ paused
//	   │           ├──────┴── cancelled   (by the donor, at Stripe, or because a payment was disputed and lost)
//	   │           ├───────── finished    (all N payments were made)
//	   └───────────┴───────── failed      (the first payment was never made, or Stripe gave up collecting)
//
// A plan takes over every change of its subscription at Stripe: amount, frequency, dates, pause and end
// (FollowTerms, FollowDates). A discount at Stripe changes no terms: NextCharge says what is charged with it. Cause says
// why a plan ended, as far as that is known; no page and no email says more.
//
// It reads no database and calls nothing: package recurring stores plans, counts their payments and asks Stripe for
// what is requested. A change of a Plan here is stored when recurring saves the plan.
package plan
