package migrations

import "strings"

// OfficeRole is the role in which staff pages read. It logs in nowhere; the server's role takes it for a transaction (SET LOCAL ROLE).
const OfficeRole = "konbit_office"

// officeTable is a table with row-level security. The server's role reads and writes all of its rows, as its rights in grants.sql allow.
type officeTable struct {
	name    string
	using   string // which rows konbit_office reads; "" none
	columns string // which columns; "" all
}

// Roles of staff, by what they read.
const (
	ofMoney  = `'{finance,auditor}'` // people and money; role entry types gifts and reads none
	ofAll    = `'{entry,finance,auditor,admin}'`
	ofTyping = `'{entry,finance,auditor}'` // batches, which role entry types
	ofReview = `'{auditor,admin}'`         // the audit log
)

// The conditions of policies. Each (SELECT …) is computed once a query. A condition EXISTS (…) reads another table under that table's policy.
func entities(roles string) string {
	return `entity_id = ANY ((SELECT office_entities(` + roles + `))::uuid[])`
}

func organisations(roles string) string {
	return `organisation_id = ANY ((SELECT office_organisations(` + roles + `))::uuid[])`
}

// byFund is for rows of one fund: a project reads those of its own funds.
var byFund = entities(ofMoney) + ` OR fund_id = ANY ((SELECT office_funds(` + ofMoney + `))::uuid[])`

// byOrganisation is for rows of one organisation.
func byOrganisation(roles string) string { return entities(roles) + ` OR ` + organisations(roles) }

// through is for rows that belong to a row of another table.
func through(table, condition string) string {
	return `EXISTS (SELECT FROM ` + table + ` o WHERE ` + condition + `)`
}

// entitiesOr is for rows of an entity, some of which belong to a row of another table.
func entitiesOr(table, condition string) string {
	return entities(ofMoney) + ` OR ` + through(table, condition)
}

// officeTables lists the tables with row-level security: all with people, money or statements. TestEachTableIsOpenOrClosedToTheOffice fails for
// a table that is neither here nor in withoutPolicy.
var officeTables = []officeTable{
	// Whose: entities, organisations, funds.
	{"legal_entity", `id = ANY ((SELECT office_entities(` + ofAll + `))::uuid[]) OR ` + through("organisation", "o.entity_id = legal_entity.id"), ""},
	{"organisation", entities(ofAll) + ` OR id = ANY ((SELECT office_organisations(` + ofAll + `))::uuid[])`, ""},
	{"fund", byOrganisation(ofAll), ""},
	{"entity_fact", entities(ofMoney), ""},
	{"books", entities(ofMoney) + ` OR ` + through("organisation", "o.entity_id = books.entity_id AND o."+
		strings.ReplaceAll(organisations(ofMoney), "organisation_id", "id")), ""}, // sums read the currency

	// Donors: those who gave to an organisation are seen by its staff, with their gifts to it.
	{"donor", entitiesOr("donation", "o.donor_id = donor.id"), ""},
	{"donor_consent", through("donor", "o.id = donor_consent.donor_id"), ""},
	{"donation", byOrganisation(ofMoney), ""},
	{"donation_contact", through("donation", "o.id = donation_contact.donation_id"), ""},
	{"donation_dedication", through("donation", "o.id = donation_dedication.donation_id"), ""},
	{"donation_notice", through("donation", "o.id = donation_notice.donation_id"), ""},
	{"donation_owner_change", entitiesOr("donation", "o.id = donation_owner_change.donation_id"), ""},
	{"donation_step", through("donation", "o.id = donation_step.donation_id"), ""},
	{"designation", byFund, ""},
	{"checkout", through("donation", "o.id = checkout.donation_id"), "donation_id, try, expires_at, ended"},
	{"plan", byOrganisation(ofMoney), ""},
	{"plan_event", through("plan", "o.id = plan_event.plan_id"), ""},
	{"plan_part", byFund, ""},
	{"plan_request", through("plan", "o.id = plan_request.plan_id"), ""},
	{"plan_terms", through("plan", "o.id = plan_terms.plan_id"), ""},
	{"instalment", entitiesOr("plan", "o.id = instalment.plan_id"), ""},
	{"plan_link", "", ""},
	{"receipt", entitiesOr("donation", "o.id = receipt.donation_id"), ""},
	{"refund_order", entitiesOr("donation", "o.id = refund_order.donation_id"), ""},
	{"refund_order_part", byFund, ""},
	{"refund_request", through("approval_request", "o.id = refund_request.request_id"), ""},
	{"staff_note", byOrganisation(ofMoney), ""},
	{"receipt_void", through("receipt", "o.id = receipt_void.receipt_id"), ""},
	{"statement", entities(ofMoney), ""}, // over all organisations of the entity
	{"statement_person", through("statement", "o.id = statement_person.statement_id"), ""},
	{"letter", entitiesOr("receipt", "o.id = letter.subject_id") + ` OR ` + through("plan_event", "o.id = letter.subject_id"), "id, entity_id, kind, subject_id, sender, message_id, rendered_at, donor_id, choice"},
	{"letter_delivery", through("letter", "o.id = letter_delivery.letter_id"), ""},

	// Money.
	{"payment", entitiesOr("donation", "o.id = payment.donation_id"), ""},
	{"payment_source", entitiesOr("payment", "o.id = payment_source.payment_id"), ""},
	{"payment_share", byFund, ""},
	{"payment_change", entitiesOr("payment", "o.id = payment_change.payment_id"), ""},
	{"payment_change_share", byFund, ""},
	{"suspense_resolution", entities(ofMoney), ""},
	{"dispute", entitiesOr("payment", "o.entity_id = dispute.entity_id AND o.processor = 'stripe' AND o.charge_ref = dispute.charge_ref"), ""},
	{"clearing_share", byFund, ""},
	{"clearing_move", byFund, ""},
	{"balance_lookup", entities(ofMoney), ""},
	{"balance_observation", entities(ofMoney), ""},
	{"balance_transaction", entities(ofMoney), ""},
	{"fee_due", entities(ofMoney), ""},
	{"payout", entities(ofMoney), ""},
	{"payout_member", entities(ofMoney), ""},
	{"pending_charge", entities(ofMoney), ""},
	{"pending_movement", entities(ofMoney), ""},
	{"source_choice", entities(ofMoney), ""},
	{"stripe_event", entities(ofMoney), "entity_id, id, type, created_at, received_at, state, tries, failures, due_at, reason, done_at"},
	{"finance_task", entities(ofMoney), ""},

	// Gifts that come without a processor.
	{"gift_batch", byOrganisation(ofTyping), ""},
	{"gift_batch_row", through("gift_batch", "o.id = gift_batch_row.batch_id"), ""},
	{"gift_batch_row_part", through("gift_batch", "o.id = gift_batch_row_part.batch_id"), ""},
	{"offline_gift", entitiesOr("donation", "o.id = offline_gift.donation_id") + ` OR ` + through("gift_batch", "o.id = offline_gift.batch_id"), ""},
	{"soft_credit", through("offline_gift", "o.id = soft_credit.gift_id"), ""},
	{"thank_you", through("offline_gift", "o.id = thank_you.gift_id"), ""},

	{"gift_void", entities(ofMoney), ""}, {"gift_void_request", entities(ofMoney), ""}, // by finance of the entity

	// The books.
	{"journal_entry", entitiesOr("posting", "o.entry_id = journal_entry.id"), ""},
	{"posting", byFund, ""},
	{"ledger_head", entities(ofMoney), ""},
	{"ledger_seal", entities(ofMoney), ""},
	{"ledger_snapshot", byFund, ""},
	{"ledger_month", byFund, ""},
	{"ledger_day", byFund, ""},
	{"donor_year", entities(ofMoney), ""}, // over all organisations of the entity

	// The bank belongs to the entity. Who types batches chooses the account.
	{"bank_account", entities(ofAll), ""},
	{"bank_opening", entities(ofMoney), ""}, {"bank_opening_part", entities(ofMoney), ""}, {"bank_layout", entities(ofMoney), ""},
	{"bank_upload", entities(ofMoney), ""}, {"bank_file", entities(ofMoney), ""}, {"bank_statement", entities(ofMoney), ""}, {"bank_line", entities(ofMoney),
		""},
	{"bank_split", entities(ofMoney), ""}, {"bank_rule", entities(ofMoney), ""}, {"bank_match", entities(ofMoney), ""},
	{"bank_match_line", entities(ofMoney), ""}, {"bank_match_item", entities(ofMoney), ""},
	// So do deposits, and what is owed to donors.
	{"deposit", entities(ofMoney), ""}, {"deposit_item", entities(ofMoney), ""}, {"repayment", entities(ofMoney), ""}, {"repayment_part", entities(ofMoney),
		""},
	{"gift_import", entities(ofTyping), ""}, {"gift_import_mapping", entities(ofTyping), ""}, {"gift_import_batch", entities(ofTyping), ""},

	// Staff. Factors, sessions and links are read by the functions of migration 00120 only.
	{"staff", `id = (SELECT staff_of_session()) OR ` + through("staff_role", "o.staff_id = staff.id"), ""},
	{"staff_person", through("staff", "o.id = staff_person.staff_id"), ""},
	{"staff_role", byOrganisation(ofAll) + ` OR staff_id = (SELECT staff_of_session())`, ""},
	{"audit_entry", byOrganisation(ofReview) + ` OR entity_id IS NULL AND (SELECT office_entities(` + ofReview + `))::uuid[] <> '{}' AND ` +
		through("staff", "o.id = audit_entry.staff_id OR audit_entry.object_kind = 'staff' AND o.id::text = audit_entry.object_id"), ""},
	{"approval_request", byOrganisation(ofMoney) + ` OR kind = 'roles' AND (` + byOrganisation(ofAll) + `)`, ""},
	{"approval", through("approval_request", "o.id = approval.request_id"), ""},

	// Erasures: that and when, not what hides the addresses.
	{"erasure", through("erasure_donor", "o.erasure_id = erasure.id"), "id, asked_at, asked_by, due_at, withdrawn_at, done_at"},
	{"erasure_donor", through("donor", "o.id = erasure_donor.donor_id"), "erasure_id, donor_id, erased_at"},

	// People, and nothing for staff pages.
	{"donor_address_word", "", ""}, {"donor_email_word", "", ""}, {"donor_word", "", ""}, {"erasure_address", "", ""}, {"erasure_done", "", ""},
	{"mailbox", "", ""}, {"mailbox_step", "", ""}, {"session", "", ""}, {"session_network", "", ""}, {"sign_in", "", ""},
	{"receipt_hold", "", ""}, {"receipt_hold_reading", "", ""}, {"receipt_kept", "", ""}, {"receipt_pad", "", ""},
	{"audit_head", "", ""}, {"audit_seal", "", ""},
	{"staff_challenge", "", ""}, {"staff_invitation", "", ""}, {"staff_passkey", "", ""}, {"staff_password", "", ""}, {"staff_recovery", "", ""},
	{"staff_form", "", ""}, {"staff_session", "", ""}, {"staff_totp", "", ""},
}

// openToTheOffice are what konbit_office reads and executes besides its tables: the accounts, views that its policies apply to
// (security_invoker), and functions that apply the scope of the session themselves.
const openToTheOffice = `
	GRANT USAGE ON SCHEMA public TO konbit_office;
	GRANT SELECT ON account, ledger_month_through, ledger_day_through, dispute_row, dispute_share, gift_ref, suspense_row, suspense_posting, refund_list,
		refund_ordered, refund_elsewhere, refund_failed, payment_return, staff_note_row, donor_row, gift_row, gift_key, gift_of_fund,
		gift_of_payout, payout_line, payout_transaction, payout_booked, payout_carried, payout_part,
		bank_cleared, bank_part, bank_standing, bank_standing_posting, bank_match_entry, clearing_movement, clearing_ahead, clearing_unread,

		deposit_row, deposit_line, deposit_refund, deposit_gift, owed_payment, owed_row, repayment_row, gift_voided, gift_import_donor,
			gift_import_gift TO konbit_office;
	GRANT EXECUTE ON FUNCTION office_entities(text[]), office_organisations(text[]), office_funds(text[]), staff_of_session(),
		office_person_of_request(uuid), office_can_sign_in(uuid),
		office_find_donors(uuid, uuid, text, integer), office_donors_to_choose(uuid, uuid, text, integer), office_donor_names(uuid, uuid, uuid[]),
		office_find_gifts(uuid, text, text, integer, integer),
		office_changed_gifts(uuid, text[]), office_gift_rows(uuid[]), office_gift_disputes(uuid[]), office_gift_shares(uuid), office_gift_history(uuid), office_gift_entries(uuid) TO konbit_office;`

// officeGrants returns the statements that give konbit_office its rights: to read, and nothing else.
func officeGrants() string {
	var b strings.Builder
	b.WriteString(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM konbit_office; REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM konbit_office;` + openToTheOffice)
	for _, t := range officeTables {
		switch {
		case t.using == "":
		case t.columns == "":
			b.WriteString("\n\tGRANT SELECT ON " + t.name + " TO konbit_office;")
		default:
			b.WriteString("\n\tGRANT SELECT (" + t.columns + ") ON " + t.name + " TO konbit_office;")
		}
	}
	return b.String()
}
