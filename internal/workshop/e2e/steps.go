package e2e

// A Step is one step of a gift's path.
type Step struct {
	Group string // the part of the path
	At    Failpoint
	Pays  bool // true: the gift was started before and paying it leads to the step; false: submitting the form does
}

const emailJob = `NEW.kind = 'receipt_letter' AND NEW.state = `

// Steps are the steps of a gift's path in order: each row before and after it is written, and each commit.
var Steps = []Step{
	{"the button", Failpoint{Table: "donor", When: "BEFORE INSERT"}, false},
	{"the button", Failpoint{Table: "checkout", When: "AFTER INSERT"}, false},
	{"the button", Failpoint{Table: "donation", When: "AFTER INSERT"}, false},
	{"the button", Failpoint{Table: "designation", When: "BEFORE INSERT"}, false},
	{"the button", Failpoint{Table: "donation_contact", When: "AFTER INSERT"}, false},
	{"the button", Failpoint{Table: "donation", When: AtCommit}, false},
	{"the button", Failpoint{Table: "checkout", When: "BEFORE UPDATE", If: "NEW.session_id IS NOT NULL AND OLD.session_id IS NULL"}, false}, // Stripe has answered
	{"the button", Failpoint{Table: "checkout", When: "AFTER UPDATE", If: "NEW.session_id IS NOT NULL AND OLD.session_id IS NULL"}, false},

	{"the webhook", Failpoint{Table: "stripe_event", When: "BEFORE INSERT"}, true}, // paid, and no webhook is stored
	{"the webhook", Failpoint{Table: "stripe_event", When: "AFTER INSERT"}, true},
	{"the webhook", Failpoint{Table: "stripe_event", When: AtCommit}, true},
	{"the webhook", Failpoint{Table: "donation", When: "BEFORE UPDATE", If: "NEW.status = 'settled'"}, true}, // stored, not drained
	{"the webhook", Failpoint{Table: "donation", When: "AFTER UPDATE", If: "NEW.status = 'settled'"}, true},
	{"the webhook", Failpoint{Table: "donation_step", When: "AFTER INSERT", If: "NEW.status = 'settled'"}, true},
	{"the webhook", Failpoint{Table: "fee_due", When: "BEFORE INSERT"}, true},
	{"the webhook", Failpoint{Table: "fee_due", When: "AFTER INSERT"}, true},
	{"the webhook", Failpoint{Table: "donor", When: "AFTER UPDATE"}, true},

	{"settling", Failpoint{Table: "journal_entry", When: "BEFORE INSERT", If: "NEW.kind = 'payment'"}, true},
	{"settling", Failpoint{Table: "journal_entry", When: "AFTER INSERT", If: "NEW.kind = 'payment'"}, true},
	{"settling", Failpoint{Table: "posting", When: "BEFORE INSERT"}, true},
	{"settling", Failpoint{Table: "posting", When: "AFTER INSERT", If: "NEW.n = NEW.line_count"}, true},
	{"settling", Failpoint{Table: "receipt_counter", When: "BEFORE INSERT"}, true},
	{"settling", Failpoint{Table: "receipt_counter", When: "AFTER INSERT OR UPDATE"}, true},
	{"settling", Failpoint{Table: "receipt", When: "BEFORE INSERT"}, true},
	{"settling", Failpoint{Table: "receipt", When: "AFTER INSERT"}, true},
	{"settling", Failpoint{Table: "river_job", When: "AFTER INSERT", If: "NEW.kind = 'receipt_letter'"}, true},
	{"settling", Failpoint{Table: "stripe_event", When: "BEFORE UPDATE", If: "NEW.state = 'done'"}, true},
	{"settling", Failpoint{Table: "receipt", When: AtCommit}, true},

	{"the email", Failpoint{Table: "river_job", When: "BEFORE UPDATE", If: emailJob + "'running'"}, true}, // settled, and no email job runs yet
	{"the email", Failpoint{Table: "letter", When: "BEFORE INSERT"}, true},                                // rendered
	{"the email", Failpoint{Table: "letter_delivery", When: "BEFORE INSERT"}, true},
	{"the email", Failpoint{Table: "letter", When: AtCommit}, true},
	{"the email", Failpoint{Table: "letter_delivery", When: "BEFORE UPDATE"}, true}, // the mail server has accepted
	{"the email", Failpoint{Table: "letter_delivery", When: "AFTER UPDATE"}, true},
	{"the email", Failpoint{Table: "river_job", When: "BEFORE UPDATE", If: emailJob + "'completed'"}, true},

	{"the fee", Failpoint{Table: "balance_transaction", When: "BEFORE INSERT"}, true},
	{"the fee", Failpoint{Table: "balance_transaction", When: "AFTER INSERT"}, true},
	{"the fee", Failpoint{Table: "fee_due", When: "AFTER DELETE"}, true},
	{"the fee", Failpoint{Table: "journal_entry", When: "AFTER INSERT", If: "NEW.kind = 'processing fee'"}, true},
	{"the fee", Failpoint{Table: "payment_share", When: "BEFORE INSERT"}, true},
	{"the fee", Failpoint{Table: "payment_share", When: "AFTER INSERT"}, true},
	{"the fee", Failpoint{Table: "balance_transaction", When: AtCommit}, true},
}
