// Package share computes what each fund has of a payment, of its fees and of a refund, and the postings of fees.
//
// It owns no table and reads nothing: package settlement stores the shares and posts the entries. All amounts are minor
// units of one currency.
//
//	payment by a processor   OfCharge: the processing fee and the sponsor's fee
//	payment without one      OfOfflineGift: the sponsor's fee
//	refund or dispute        Take: which funds pay it; AddFeesGivenBack: which fees a refund gives back
//
// Divisions are by largest remainder, so the parts of an amount always add up to it.
package share
