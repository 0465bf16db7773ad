// Package plan defines plans: donations that are repeated, N times or until the donor stops them. It contains their
// statuses, the dates of their charges, and what a donor can change.
//
//	started ─── active ⇄ paused
//	   │           ├──────┴── cancelled   (by the donor, or by a person at Stripe)
//	   │           ├───────── finished    (all N payments were made)
//	   └───────────┴───────── failed      (the first payment was never made, or Stripe gave up collecting)
//
// It reads no database and calls nothing: package recurring stores plans, counts their payments and asks Stripe for
// what is requested. A change of a Plan here is stored when recurring saves the plan.
package plan
