// Package refunds is the area of the office for refunds and for what a second person approves.
//
//	/office/{entity}/gifts/{ref}/refund   amounts by fund; what it does; the order, or the request to a second person
//	…/refunds                             all refunds of a scope, those of Stripe's dashboard too
//	…/approvals                           requests: those that wait for me, mine, all that were decided
//	…/approvals/{request}                      what a request would do; approve, decline, withdraw
//
// A kind of act that needs a second person is a desk.Act: Acts lists those of other areas. What a person approves is executed
// in the transaction of the approval.
//
// It moves no money: package office/refund orders refunds, and the database holds the rules.
package refunds
