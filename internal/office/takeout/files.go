package takeout

// kind is what a column holds.
type kind int

const (
	text kind = iota
	number
	amount // in minor units in the database, in major units in the file
	moment
	day
)

type column struct {
	name  string
	kind  kind
	about string
	of    string // the expression; empty: the view's column of this name
}

type file struct {
	name, about, view, order string
	columns                  []column
}

// The columns keep their names and order: programs read the files. New ones come at the end.
var files = []file{
	{"donors.csv", "one row for each donor", "takeout_donor", "id", []column{
		{name: "donor", about: "id; other files refer to it", of: "id"},
		{name: "kind", about: "person or organisation"},
		{name: "first_name", about: "empty after an erasure, like all that follows"},
		{name: "last_name"}, {name: "organisation_name"}, {name: "email"}, {name: "phone"}, {name: "address_line1"}, {name: "address_line2"}, {name: "city"},
		{name: "region"}, {name: "postal_code"},
		{name: "country", about: "ISO 3166 code"},
		{name: "language", about: "of emails: en, es, pt or ht"},
		{name: "news", about: "true if the donor agreed to news"},
		{name: "created_at", kind: moment},
		{name: "first_gift_at", kind: moment},
	}},
	{"gifts.csv", "one row for each gift that was charged or received", "takeout_gift", "charged_at, id", []column{
		{name: "gift", about: "reference; other files refer to it", of: "public_ref"},
		{name: "donor", about: "id in donors.csv", of: "donor_id"},
		{name: "organisation", about: "slug of whom it was given to"},
		{name: "plan", about: "reference in plans.csv, if it is a payment of a recurring gift", of: "plan_ref"},
		{name: "status", about: "settled; processing, held or failed while or because the money is not there"},
		{name: "source", about: "form, plan, office or import"},
		{name: "frequency", about: "once, weekly, monthly, quarterly or yearly"},
		{name: "method", about: "card, bank_debit, check, cash, bank_transfer, stock …; empty if it is not settled"},
		{name: "charge", about: "id of the charge at the payment processor", of: "charge_ref"},
		{name: "amount", kind: amount},
		{name: "covered", kind: amount, about: "the part of it that the donor added for the processing fee"},
		{name: "returned", kind: amount, about: "refunded, or lost in a dispute"},
		{name: "currency", about: "ISO 4217 code"},
		{name: "charged_at", kind: moment, about: "when it was charged or received"},
		{name: "tax_date", kind: day, about: "the day that decides the tax year"},
		{name: "receipt", about: "number of the receipt that is valid; empty if there is none"},
		{name: "anonymous", about: "true if the donor is not to be named"},
	}},
	{"designations.csv", "one row for each gift and fund", "takeout_designation", "donation_id, n", []column{
		{name: "gift", about: "reference in gifts.csv", of: "public_ref"},
		{name: "n", kind: number, about: "1 for the gift's first fund"},
		{name: "fund", about: "code of the fund"},
		{name: "amount", kind: amount},
		{name: "currency"},
	}},
	{"receipts.csv", "one row for each receipt, valid or void", "takeout_receipt", "year, n", []column{
		{name: "receipt", about: "its number as it is printed", of: "number"},
		{name: "gift", about: "reference in gifts.csv", of: "public_ref"},
		{name: "year", kind: number},
		{name: "issued_at", kind: moment},
		{name: "voided_at", kind: moment, about: "empty if it is valid"},
		{name: "void_because", about: "correction, refund or dispute"},
	}},
	{"plans.csv", "one row for each recurring gift that began", "takeout_plan", "begun_at, id", []column{
		{name: "plan", about: "reference; other files refer to it", of: "public_ref"},
		{name: "donor", about: "id in donors.csv", of: "donor_id"},
		{name: "organisation"},
		{name: "status", about: "active, paused, finished, cancelled or failed"},
		{name: "frequency", about: "weekly, monthly, quarterly or yearly"},
		{name: "amount", kind: amount, about: "of each payment"},
		{name: "covered", kind: amount},
		{name: "currency"},
		{name: "total", kind: number, about: "payments in all; empty: until it is ended"},
		{name: "paid", kind: number, about: "payments made"},
		{name: "begun_at", kind: moment},
		{name: "next_at", kind: moment, about: "when the next payment is due"},
		{name: "paused_until", kind: moment},
		{name: "ended_at", kind: moment},
		{name: "ended_because"},
		{name: "customer", about: "id at the payment processor, by which it can hand over the card to another one", of: "customer_id"},
		{name: "subscription", about: "id at the payment processor", of: "subscription_id"},
		{name: "card_brand"}, {name: "card_last4"},
		{name: "card_expires", kind: day},
	}},
	{"plan_designations.csv", "one row for each recurring gift and fund, as it is now", "takeout_plan_part", "plan_id, n", []column{
		{name: "plan", about: "reference in plans.csv", of: "public_ref"},
		{name: "n", kind: number},
		{name: "fund", about: "code of the fund"},
		{name: "amount", kind: amount},
		{name: "currency"},
	}},
}
